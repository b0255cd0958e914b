"""Files that fsspec opens: in buckets, on servers of HTTP, in archives.

Credentials are found by the library that each protocol needs, as s3fs does in the environment and
in ``~/.aws``; none is asked for here, and none is shown.
"""

from __future__ import annotations

import errno
import os
import random
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar

from fashionkp_mm.core.uris import text_without_secrets, without_secrets

_Result = TypeVar("_Result")

TAR_MEMBER, PARQUET_ROW = "tar-member", "parquet-row"
"""Protocols of our own, see `tar_members` and `parquet_rows`."""
_TRIES = 4
_FIRST_WAIT = 0.5
"""Seconds; each further wait is twice as long."""
_TIMEOUT = 60.0
"""Seconds that one try may take."""
_PAGE = 1000
_SHARED = ("s3", "s3a", "gs", "gcs", "http", "https")
"""Protocols whose URIs tell nothing of the connection: all threads share one."""
_FINAL = (FileExistsError, ImportError, NotImplementedError, PermissionError, TypeError, ValueError)
_FINAL_NAMES = ("CredentialsError", "CredentialError", "ValidationError", "ProfileNotFound")
"""Of botocore's."""
_FINAL_NUMBERS = {
    errno.EINVAL,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOSYS,
    errno.ENOTDIR,
    errno.EPERM,
    getattr(errno, "EREMCHG", errno.EPERM),
}
"""What another try cannot change; s3fs says by them what the server said."""
_one_by_one = threading.Lock()
"""The members of an archive share its position."""


class RemoteError(OSError):
    """A file that cannot be had: it is not there, may not be read, or does not arrive."""


class MissingLibraryError(ImportError):
    """What opens such files is not installed, or there is no such protocol."""


def filesystem(uri: str) -> tuple[Any, str]:
    """What fsspec opens a URI with, and what it calls it.

    Raises:
        MissingLibraryError: It is not installed, or the protocol is unknown.
        RemoteError: An archive is none, or cannot be had.
    """
    try:
        protocol = uri.partition("://")[0]
        if protocol in _SHARED and "::" not in uri:
            files = _shared(protocol, os.getpid())
            return files, files._strip_protocol(uri)
        from fsspec.core import url_to_fs  # noqa: PLC0415

        files, path = url_to_fs(uri)
    except (ImportError, ValueError) as error:
        raise _missing_library(uri, error) from None
    except tarfile.TarError as error:
        where = without_secrets(uri).partition("::")[2]
        raise RemoteError(f"{where}: not readable as a tar file ({error})") from None
    except Exception as error:  # an archive is fetched, and each library has errors of its own
        raise RemoteError(f"{without_secrets(uri)}: cannot be opened ({_said(error)})") from None
    return files, path


def require_protocol(uri: str) -> None:
    """See that a URI's protocol is known and its library is there; quick for many URIs.

    Raises:
        MissingLibraryError: It is not.
    """
    protocol = uri.partition("://")[0]
    if protocol not in (TAR_MEMBER, PARQUET_ROW):
        _require(protocol)


def read_uri(uri: str, limit: int) -> bytes:
    """All of a file; tried again where that may help.

    Args:
        uri: Its address.
        limit: Most bytes that are read; one byte more tells that there are more.

    Raises:
        RemoteError: It cannot be had; the message says why, without the address.
        MissingLibraryError: See `filesystem`.
    """
    return read_range(uri, 0, limit + 1)


def read_range(uri: str, start: int, size: int) -> bytes:
    """Some bytes of a file, or fewer where it ends before; tried again where that may help.

    Raises:
        RemoteError, MissingLibraryError: As `read_uri`.
    """

    def read() -> bytes:
        files, path = filesystem(uri)
        return _read(files, path, start, start + size)

    return _patiently(read)


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
        for folder, _, names in files.walk(root, on_error="raise"):
            for name in sorted(names):
                yield files.unstrip_protocol(f"{folder.rstrip('/')}/{name}")
    except Exception as error:  # each library has errors of its own
        raise RemoteError(f"{without_secrets(uri)}: cannot be listed ({_said(error)})") from None


def is_folder(uri: str) -> bool:
    """Whether a URI is that of a folder.

    Raises:
        MissingLibraryError: See `filesystem`.
    """
    if uri.endswith("/"):
        return True
    files, path = filesystem(uri)
    if {"http", "https"} & set(_protocols(files)):
        return False  # to ask would be to fetch it
    try:
        return bool(files.isdir(path))
    except Exception:  # what is wrong is said when it is read
        return False


@lru_cache(maxsize=32)
def _require(protocol: str) -> None:
    try:
        import fsspec  # noqa: PLC0415

        fsspec.get_filesystem_class(protocol)
    except (ImportError, ValueError) as error:
        raise _missing_library(f"{protocol}://", error) from None


def _missing_library(uri: str, error: Exception) -> MissingLibraryError:
    return MissingLibraryError(
        f"{without_secrets(uri)}: cannot be opened ({_said(error)}); pip install"
        " 'fashionkp_mm[scale]' brings what opens s3:// and https://, and fsspec says what other"
        " protocols need"
    )


@lru_cache(maxsize=32)
def _shared(protocol: str, pid: int) -> Any:
    """A file system for all threads of a process; fsspec makes one for each, with its session."""
    import fsspec  # noqa: PLC0415

    return fsspec.filesystem(protocol)


def _patiently(read: Callable[[], _Result]) -> _Result:
    wait = _FIRST_WAIT
    for number in range(1, _TRIES + 1):
        try:
            return read()
        except (MissingLibraryError, RemoteError):
            raise
        except FileNotFoundError:
            raise RemoteError("the image is missing") from None
        except PermissionError as error:
            raise RemoteError(f"the image may not be read ({_said(error)})") from None
        except Exception as error:  # each library has errors of its own
            if number == _TRIES or not _may_pass(error):
                tries = "" if number == 1 else f" in {number} tries"
                why = f"the image could not be fetched{tries} ({_said(error)})"
                raise RemoteError(why) from None
        # Not all at the same moment, where many have failed together.
        time.sleep(wait * random.uniform(0.75, 1.25))
        wait *= 2
    raise AssertionError("the last try returns or raises")


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


def _read(files: Any, path: str, start: int, end: int) -> bytes:
    protocols = _protocols(files)
    if "tar" in protocols:
        with _one_by_one:
            content: bytes = files.cat_file(path, start=start, end=end)
        return content
    if not getattr(files, "async_impl", False):
        return bytes(files.cat_file(path, start=start, end=end))
    from fsspec.asyn import sync  # noqa: PLC0415

    if {"http", "https"} & set(protocols):
        return bytes(sync(files.loop, _answer, files, path, start, end, timeout=_TIMEOUT))
    try:
        return bytes(
            sync(files.loop, files._cat_file, path, start=start, end=end, timeout=_TIMEOUT)
        )
    except (FileNotFoundError, PermissionError):
        raise
    except Exception:
        # An empty file has no first byte, and some servers say so by an error.
        with suppress(Exception):
            if sync(files.loop, files._info, path, timeout=_TIMEOUT).get("size") == 0:
                return b""
        raise


async def _answer(files: Any, url: str, start: int, end: int) -> bytes:
    """What a web server answers, read up to the end that is wanted: not all heed a range."""
    session = await files.set_session()
    options = dict(files.kwargs)
    if start:
        ranged = {"Range": f"bytes={start}-{end - 1}"}
        options["headers"] = {**options.get("headers", {}), **ranged}
    async with session.get(files.encode_url(url), **options) as answer:
        files._raise_not_found_for_status(answer, url)
        if start and answer.status != 206:
            raise RemoteError("the server gives no parts of files; fetch the file first")
        content = bytearray()
        async for piece in answer.content.iter_any():
            content += piece
            if len(content) >= end - start:
                break
    return bytes(content[: end - start])


def _protocols(files: Any) -> tuple[str, ...]:
    protocol = files.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def _may_pass(error: Exception) -> bool:
    """Whether another try may succeed: not where the server understood and said no."""
    if isinstance(error, _FINAL) or type(error).__name__.endswith(_FINAL_NAMES):
        return False
    if isinstance(error, OSError) and error.errno in _FINAL_NUMBERS:
        return False
    status = getattr(error, "status", None)
    return not isinstance(status, int) or status >= 500 or status in (0, 408, 429)


def _said(error: Exception) -> str:
    """An error in words, without secrets."""
    if isinstance(error, TimeoutError) and not str(error):
        return f"no answer within {_TIMEOUT:g} s"
    said = " ".join(text_without_secrets(str(error)).split())
    return said[:300] or type(error).__name__
