"""Files that fsspec opens: in buckets, on servers of HTTP, in tar files.

Credentials are found by the library that each protocol needs, as s3fs does in the environment and
in ``~/.aws``; none is asked for here, and none is shown.
"""

from __future__ import annotations

import random
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from fashionkp_mm.core.uris import without_secrets

_TRIES = 4
_FIRST_WAIT = 0.5
"""Seconds; each further wait is twice as long."""
_TIMEOUT = 60.0
"""Seconds that one try may take."""
_PAGE = 1000
_one_by_one = threading.Lock()
"""The members of a tar file share its position."""


class RemoteError(OSError):
    """A file that cannot be had: it is not there, may not be read, or does not arrive."""


class MissingLibraryError(ImportError):
    """What opens such files is not installed, or there is no such protocol."""


def filesystem(uri: str) -> tuple[Any, str]:
    """What fsspec opens a URI with, and what it calls it.

    Raises:
        MissingLibraryError: It is not installed, or the protocol is unknown.
        RemoteError: A tar file is none.
    """
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415

        files, path = url_to_fs(uri)
    except (ImportError, ValueError) as error:
        raise MissingLibraryError(
            f"{without_secrets(uri)}: cannot be opened ({error}); pip install 'fashionkp_mm[scale]'"
            " brings what opens s3:// and https://, and fsspec says what other protocols need"
        ) from error
    except tarfile.TarError as error:
        where = without_secrets(uri).partition("::")[2]
        raise RemoteError(f"{where}: not readable as a tar file ({error})") from None
    return files, path


def read_uri(uri: str, limit: int) -> bytes:
    """All of a file; tried again where that may help.

    Args:
        uri: Its address.
        limit: Most bytes that are read; one byte more tells that there are more.

    Raises:
        RemoteError: It cannot be had; the message says why, without the address.
        MissingLibraryError: See `filesystem`.
    """
    files, path = filesystem(uri)
    wait = _FIRST_WAIT
    for number in range(1, _TRIES + 1):
        try:
            return _read(files, path, limit)
        except FileNotFoundError:
            raise RemoteError("the image is missing") from None
        except PermissionError as error:
            raise RemoteError(f"the image may not be read ({_said(error, uri)})") from None
        except Exception as error:  # each library has errors of its own
            if number == _TRIES or not _may_pass(error):
                tries = "" if number == 1 else f" in {number} tries"
                why = f"the image could not be fetched{tries} ({_said(error, uri)})"
                raise RemoteError(why) from None
        # Not all at the same moment, where many have failed together.
        time.sleep(wait * random.uniform(0.75, 1.25))
        wait *= 2
    raise AssertionError("the last try returns or raises")


def files_below(uri: str) -> Iterator[str]:
    """URIs of all files below a folder of a bucket, one listing after the other.

    Raises:
        RemoteError: It cannot be listed.
        MissingLibraryError: See `filesystem`.
    """
    files, root = filesystem(uri)
    try:
        if "s3" in _protocols(files):
            yield from _in_pages(files, root)
            return
        for folder, _, names in files.walk(root):
            for name in sorted(names):
                yield files.unstrip_protocol(f"{folder.rstrip('/')}/{name}")
    except Exception as error:  # as above
        raise RemoteError(
            f"{without_secrets(uri)}: cannot be listed ({_said(error, uri)})"
        ) from None


def is_folder(uri: str) -> bool:
    """Whether a URI is that of a folder.

    Raises:
        MissingLibraryError: See `filesystem`.
    """
    if uri.endswith("/"):
        return True
    files, path = filesystem(uri)
    try:
        return bool(files.isdir(path))
    except Exception:  # what is wrong is said when it is read
        return False


def _in_pages(files: Any, root: str) -> Iterator[str]:
    """What s3fs would list at once: a bucket may hold more than memory does."""
    bucket, _, prefix = root.partition("/")
    if prefix and not prefix.endswith("/"):
        prefix += "/"
    more: dict[str, Any] = {}
    while True:
        page = files.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=_PAGE, **more)
        for found in page.get("Contents", ()):
            if not found["Key"].endswith("/"):
                yield f"s3://{bucket}/{found['Key']}"
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}


def _read(files: Any, path: str, limit: int) -> bytes:
    protocols = _protocols(files)
    if "tar" in protocols:
        with _one_by_one:
            content: bytes = files.cat_file(path, start=0, end=limit + 1)
        return content
    if not getattr(files, "async_impl", False):
        return bytes(files.cat_file(path, start=0, end=limit + 1))
    from fsspec.asyn import sync  # noqa: PLC0415

    try:
        return bytes(
            sync(files.loop, files._cat_file, path, start=0, end=limit + 1, timeout=_TIMEOUT)
        )
    except (FileNotFoundError, PermissionError):
        raise
    except Exception:
        # An empty file has no first byte, and some servers say so by an error.
        with suppress(Exception):
            if sync(files.loop, files._info, path, timeout=_TIMEOUT).get("size") == 0:
                return b""
        raise


def _protocols(files: Any) -> tuple[str, ...]:
    protocol = files.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def _may_pass(error: Exception) -> bool:
    """Whether another try may succeed: not where the server understood and said no."""
    status = getattr(error, "status", None)
    return not isinstance(status, int) or status >= 500 or status == 429


def _said(error: Exception, uri: str) -> str:
    """An error in words, without the address, which may hold a secret."""
    text = str(error).replace(uri, without_secrets(uri))
    for part in uri.partition("?")[2].split("&"):
        if part and part not in without_secrets(uri):
            text = text.replace(part, "…")
    return (text or type(error).__name__)[:300]
