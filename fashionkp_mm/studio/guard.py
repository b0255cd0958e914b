"""Who may talk to a server of ours: this machine's own pages, or whoever has the token.

A page of another site must not read or change anything, not even through a name that it makes point
to this machine (DNS rebinding): ``Host`` must be a name of ours or an address, ``Origin`` the page
itself. Requests are limited in size. Every answer carries a Content-Security-Policy that lets the
page load from here alone.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "fashionkp_token"
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def is_loopback(host: str) -> bool:
    """Whether an address or name that a server listens on is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def new_token() -> str:
    """A secret that nobody guesses."""
    return secrets.token_urlsafe(24)


class Refused(Exception):  # noqa: N818  it is raised to answer, not because something is broken
    """A request that is not served; ``status`` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Guard:
    """An ASGI application that lets through to another one what may pass.

    Args:
        app: The other one.
        token: What everybody has to know, in the cookie, as a bearer token, or once in the page's
            address. None where the server listens on loopback only.
        names: Further names that the server goes by.
        max_bytes: Size of the largest request.
        open_paths: Paths that need no token.
    """

    def __init__(
        self,
        app: App,
        *,
        token: str | None = None,
        names: Iterable[str] = (),
        max_bytes: int,
        open_paths: Iterable[str] = (),
    ) -> None:
        self._app, self._token, self._max_bytes = app, token, max_bytes
        ours = {name.lower() for name in names if name}
        if token is not None:
            ours |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        self._names = _LOCAL_NAMES | ours
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or say why not."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        try:
            # No page of another site can send the token as a header, and open paths tell nothing.
            if scope["path"] not in self._open_paths and not self._bears_token(headers):
                self._check_sender(scope, headers)
                if self._token is not None:
                    if self._is_token_in_address(scope):
                        await self._take_up_token(send)
                        return
                    self._check_cookie(headers)
            self._check_length(headers)
        except Refused as refused:
            await _answer(send, refused)
            return
        received, started = 0, False
        refusal: Refused | None = None

        async def receiving() -> Message:
            nonlocal received, refusal
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:  # whatever length was promised
                refusal = self._too_large()
                raise refusal
            return message

        async def sending(message: Message) -> None:
            nonlocal started
            if refusal is not None and not started:
                return  # the application has its own words for what it could not read
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", ()), *_RAW_HEADERS]
            await send(message)

        with suppress(Refused):
            await self._app(scope, receiving, sending)
        if refusal is not None and not started:
            await _answer(send, refusal)

    def _check_sender(self, scope: Scope, headers: dict[str, str]) -> None:
        host = headers.get("host", "").lower()
        name = host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdigit() else host
        is_address = self._token is not None and _is_address(name)
        if name not in self._names and not is_address:
            raise Refused(
                403, f"this server does not go by the name {name!r}; use the address it printed"
            )
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in (f"http://{host}", f"https://{host}"):
            raise Refused(403, "requests from pages of other sites are not served")
        site = headers.get("sec-fetch-site", "none")
        opens_page = scope["method"] == "GET" and scope["path"] == "/"
        if site not in ("none", "same-origin") and not opens_page:
            raise Refused(403, "requests from pages of other sites are not served")

    def _is_token_in_address(self, scope: Scope) -> bool:
        if scope["method"] != "GET" or scope["path"] != "/":
            return False
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [])
        return len(given) == 1 and self._is_token(given[0])

    async def _take_up_token(self, send: Send) -> None:
        cookie = f"{COOKIE}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        head = [(b"location", b"/"), (b"set-cookie", cookie.encode()), *_RAW_HEADERS]
        await send({"type": "http.response.start", "status": 303, "headers": head})
        await send({"type": "http.response.body", "body": b""})

    def _bears_token(self, headers: dict[str, str]) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        return (
            self._token is not None and kind.lower() == "bearer" and self._is_token(given.strip())
        )

    def _check_cookie(self, headers: dict[str, str]) -> None:
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            morsel = None
        if morsel is None or not self._is_token(morsel.value):
            raise Refused(401, "the token is missing or wrong; use the address that was printed")

    def _is_token(self, given: str) -> bool:
        # Takes as long for a guess that is nearly right as for any other.
        return hmac.compare_digest(given.encode(), (self._token or "").encode())

    def _check_length(self, headers: dict[str, str]) -> None:
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self._max_bytes:
            raise self._too_large()

    def _too_large(self) -> Refused:
        return Refused(
            413, f"the request is too large; expected at most {self._max_bytes / 2**20:,.0f} MiB"
        )


_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]


def _headers(scope: Scope) -> dict[str, str]:
    """Headers by name; of one that stands twice, both, so that neither passes for the other."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


async def _answer(send: Send, refused: Refused) -> None:
    body = json.dumps({"error": str(refused)}).encode()
    head = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *_RAW_HEADERS,
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": head})
    await send({"type": "http.response.body", "body": body})
