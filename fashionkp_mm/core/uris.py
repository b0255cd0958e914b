"""Addresses of pictures that are no paths, such as ``s3://bucket/key``."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_PROTOCOL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_INSIDE = "::"
"""Between an address inside a file and that file's, as in ``tar://a.jpg::s3://shop/b.tar``."""
_SECRET = re.compile(
    r"auth|sig|token|secret|passw|credential|access_?key|api[-_]?key|^key$|key-pair", re.I
)
"""In names of a URI's parameters that open what it leads to, as in ``X-Amz-Signature``."""
_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^\s'\"<>]+")
_PARAMETER = re.compile(r"([A-Za-z0-9_.-]+)=([^&\s'\"<>]+)")


def is_uri(where: str) -> bool:
    """Whether a text begins with a protocol."""
    return _PROTOCOL.match(where) is not None


def is_remote(where: str) -> bool:
    """Whether a path or URI, or the file that it leads into, is none of this machine's."""
    return is_uri(where) and is_uri(where.rpartition(_INSIDE)[2])


def local_file(uri: str) -> Path | None:
    """The file of this machine that a URI leads into; None if there is none."""
    file = uri.rpartition(_INSIDE)[2]
    return None if is_uri(file) else Path(file)


def without_secrets(uri: str) -> str:
    """A URI as messages, journals and results may show it: without passwords and signatures."""
    return _INSIDE.join(_bare(part) if is_uri(part) else part for part in uri.split(_INSIDE))


def text_without_secrets(text: str) -> str:
    """What a library says, less the secrets of the URIs in it, in whatever way it quotes them."""
    text = _IN_TEXT.sub(lambda found: without_secrets(found[0]), text)
    return _PARAMETER.sub(
        lambda found: f"{found[1]}=…" if _SECRET.search(found[1]) else found[0], text
    )


def _bare(uri: str) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError:  # no address that anything could open
        return uri
    host = parts.netloc.rpartition("@")[2]
    given = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in given if not _SECRET.search(name)]
    if host == parts.netloc and len(kept) == len(given):
        return uri
    return urlunsplit((parts.scheme, host, parts.path, urlencode(kept), parts.fragment))


class RemotePath(os.PathLike[str]):
    """Where a picture lies that is none of this machine's files.

    ``os.fspath`` gives the URI, by which it is opened; ``str`` gives what may be shown of it.

    Args:
        uri: What fsspec opens.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def __fspath__(self) -> str:
        return self._uri

    def __str__(self) -> str:
        return without_secrets(self._uri)

    def __repr__(self) -> str:
        return f"RemotePath({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemotePath) and other._uri == self._uri

    def __hash__(self) -> int:
        return hash(self._uri)

    @property
    def suffix(self) -> str:
        """How the name ends, as in ``.jpg``; empty where it has no such end."""
        return PurePosixPath(urlsplit(self._uri.partition(_INSIDE)[0]).path).suffix
