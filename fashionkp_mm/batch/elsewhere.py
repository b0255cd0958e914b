"""Pictures that are no files of this machine: in buckets, behind URIs, in Parquet and tar files."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fashionkp_mm.batch.source import InputError, Source, from_the_root, shown
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.core.uris import RemotePath, is_uri
from fashionkp_mm.images.formats import image_suffixes
from fashionkp_mm.images.parquet_rows import BYTES, columns_of, open_parquet, row_address
from fashionkp_mm.images.remote import (
    RemoteError,
    files_below,
    filesystem,
    is_folder,
    require_protocol,
)
from fashionkp_mm.images.tar_members import samples

URI, IMAGE_ID, CATEGORY = "uri", "image_id", "category"
"""Columns of a Parquet file of pictures, besides ``bytes``."""


def remote_sources(uri: str, *, listed: bool = False) -> Iterator[Source]:
    """The picture that a URI stands for, or, one after the other, those of a folder or a glob.

    Args:
        uri: What fsspec opens.
        listed: Whether it is one of a list, perhaps of millions: no server is asked then what it
            is, so that a folder's has to end with ``/``, and none is a glob.

    Raises:
        InputError: There is none.
        RemoteError: The folder cannot be listed.
        MissingLibraryError: What opens it is not installed.
    """
    if uri.partition("?")[0].lower().endswith(".csv"):
        raise InputError(
            f"{shown(uri)}: a CSV file is read from this machine only; fetch it, or name its"
            " pictures in a .txt or a .parquet"
        )
    if listed:
        if uri.endswith("/"):
            yield from _below(uri)
        else:
            require_protocol(uri)
            yield _remote(uri)
    elif glob.has_magic(uri.partition("?")[0]) and not _exists(uri):
        files, pattern = filesystem(uri)
        suffixes = tuple(image_suffixes())
        names = [name for name in files.glob(pattern) if name.lower().endswith(suffixes)]
        if not names:
            raise InputError(f"{shown(uri)}: no image matches")
        for name in sorted(names):
            yield _remote(files.unstrip_protocol(name))
    elif not RemotePath(uri).suffix and is_folder(uri):
        yield from _below(uri)
    else:
        require_protocol(uri)
        yield _remote(uri)


def in_table(file: str) -> Iterator[Source]:
    """The pictures of a Parquet file: of its column ``uri``, or ``bytes``.

    Columns ``image_id`` and ``category`` are taken from it where they are there.

    Raises:
        InputError: It is no Parquet, lacks these columns, or a row names no picture.
        MissingLibraryError: pyarrow is not installed.
        OSError: It cannot be read.
    """
    where, name = from_the_root(file), shown(file)
    try:
        there = open_parquet(where).schema_arrow.names
    except ValueError as error:
        raise InputError(f"{name}: not readable as Parquet ({error})") from None
    if URI not in there and BYTES not in there:
        raise InputError(
            f"{name}: has no column '{URI}' with paths or URIs of pictures, nor '{BYTES}' with"
            f" encoded pictures, only {', '.join(there)}"
        )
    for row, cells in enumerate(columns_of(where, (URI, IMAGE_ID, CATEGORY))):
        uri, category = cells.get(URI), cells.get(CATEGORY)
        if category is not None and category not in CATEGORY_NAMES:
            raise InputError(
                f"{name}, row {row}: there is no category {category!r}; expected one of"
                f" {', '.join(CATEGORY_NAMES)}, or none"
            )
        if BYTES in there:
            path: Path | RemotePath = RemotePath(row_address(where, row))
        elif not isinstance(uri, str):
            raise InputError(f"{name}, row {row}: names no picture; expected text in '{URI}'")
        else:
            if is_uri(uri):
                require_protocol(uri)
            path = RemotePath(uri) if is_uri(uri) else Path(uri)
        image_id = cells.get(IMAGE_ID) or (f"row {row}" if uri is None else shown(str(uri)))
        yield Source(str(image_id), path, category)


def in_tar(given: str, failures: list[str]) -> Iterator[Source]:
    """The pictures of a tar file; see `images.tar_members`.

    Args:
        given: Path or URI.
        failures: Gets a message where the file breaks off.

    Raises:
        InputError: There is no picture in it.
        RemoteError, MissingLibraryError, OSError: It cannot be read at all.
    """
    found = False
    try:
        for sample in samples(from_the_root(given)):
            for name, address in sample.pictures:
                found = True
                yield Source(name, RemotePath(address), sample.category)
    except RemoteError as error:
        if not found:
            raise
        failures.append(str(error))
    if not found:
        raise InputError(f"{shown(given)}: no image in it; {_expected()}")


def _below(folder: str) -> Iterator[Source]:
    suffixes = tuple(image_suffixes())
    _, root = filesystem(folder)
    start = root.strip("/")
    found = False
    for uri in files_below(folder):
        inner = uri.partition("::")[0].partition("://")[2].strip("/")
        name = inner.removeprefix(start).lstrip("/")
        if not name.lower().endswith(suffixes) or name.rpartition("/")[2].startswith("."):
            continue
        found = True
        whole = uri if "::" in uri or "::" not in folder else f"{uri}::{folder.partition('::')[2]}"
        yield Source(name, RemotePath(whole))
    if not found:
        raise InputError(f"{shown(folder)}: no image below it; {_expected()}")


def _expected() -> str:
    return f"expected files that end in {', '.join(sorted(image_suffixes()))}"


def _exists(uri: str) -> bool:
    files, path = filesystem(uri)
    with suppress(Exception):  # what is wrong is said when it is listed
        return bool(files.exists(path))
    return False


def _remote(uri: str) -> Source:
    return Source(shown(uri), RemotePath(uri))
