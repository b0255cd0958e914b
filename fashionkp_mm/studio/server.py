"""Running an application until it is told to stop."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import FrameType

import uvicorn

from fashionkp_mm.studio.guard import App

_FIRST_PORT, _TRIES = 8765, 20
_GRACE_SECONDS = 30
"""How long requests that are under way may take once the server is told to stop."""


class PortError(OSError):
    """An address or a port that cannot be listened on."""


class _Server(uvicorn.Server):
    """Ends at a signal and returns: there may be more to do than to serve."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `serve`; uvicorn's own way raises them again once it has stopped."""
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop taking requests; told so again by Ctrl-C, give up those that are under way."""
        super().handle_exit(sig, frame)
        if self.force_exit:  # which uvicorn logs as a fault of the application
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)


@contextmanager
def _signals_to(server: uvicorn.Server) -> Iterator[None]:
    """Have a server handle what ends a program; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = signal.SIGINT, signal.SIGTERM
    before = [signal.signal(each, server.handle_exit) for each in signals]
    try:
        yield
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)


def serve(
    app: App, host: str, port: int | None, started: Callable[[str], None], *, log: str = "warning"
) -> None:
    """Serve until SIGINT or SIGTERM; requests that are under way are answered first.

    A second SIGINT gives them up.

    Args:
        app: The application.
        host: Address to listen on.
        port: Port to listen on; None takes the first free one from 8765 on.
        started: Called with the page's address once connections are accepted.
        log: Level of uvicorn's log.

    Raises:
        PortError: The port is in use, or there is no such address here.
    """
    with closing(_listening(host, port)) as listener:
        config = uvicorn.Config(
            app,
            log_level=log,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        name = f"[{host}]" if ":" in host else host
        server = _Server(config)
        with _signals_to(server):
            started(f"http://{name}:{listener.getsockname()[1]}/")
            server.run(sockets=[listener])


def _listening(host: str, port: int | None) -> socket.socket:
    ports = range(_FIRST_PORT, _FIRST_PORT + _TRIES) if port is None else [port]
    for each in ports:
        try:
            family = socket.getaddrinfo(host, each, type=socket.SOCK_STREAM)[0][0]
            return socket.create_server((host, each), family=family, backlog=2048)
        except socket.gaierror as error:
            raise PortError(f"{host}: there is no such address ({error.strerror})") from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise PortError(
                    f"{host}:{each} cannot be listened on ({os.strerror(error.errno or 0)}); name"
                    " another with --host and --port"
                ) from None
    tried = f"port {ports[0]} is" if len(ports) == 1 else f"ports {ports[0]} to {ports[-1]} are"
    raise PortError(f"{tried} in use on {host}; name another one with --port")
