"""Addresses of pictures that are no paths, such as ``s3://bucket/key``."""

from __future__ import annotations

import os
import re
from pathlib import PurePosixPath
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_PROTOCOL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_SECRET = re.compile(
    r"sig|signature|token|secret|password|credential|accesskey|api[-_]?key|^key$|key-pair", re.I
)
"""In names of a URI's parameters that open what it leads to, as in ``X-Amz-Signature``."""


def is_uri(where: str) -> bool:
    """Whether a text begins with a protocol."""
    return _PROTOCOL.match(where) is not None


def without_secrets(uri: str) -> str:
    """A URI as messages, journals and results may show it: without passwords and signatures."""
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
        return PurePosixPath(urlsplit(self._uri).path).suffix
