"""Encoded pictures in a column of a Parquet file, by their row."""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from typing import Any

from fashionkp_mm.core.uris import is_uri
from fashionkp_mm.images.remote import MissingLibraryError, RemoteError, filesystem

BYTES = "bytes"
"""The column."""
_ADDRESS = re.compile(r"parquet-row://([0-9]+)@(.+)", re.S)
_one_by_one = threading.Lock()


def row_address(file: str, row: int) -> str:
    """The URI of a row's picture."""
    return f"parquet-row://{row}@{file}"


def read_row(uri: str) -> bytes | None:
    """The encoded picture of a row; None where the URI is of another kind.

    Rows that are read one after the other cost one reading of their row group, which is held.

    Raises:
        RemoteError: The file, or the row, is not there any more, or the row is empty.
    """
    address = _ADDRESS.fullmatch(uri)
    if address is None:
        return None
    row, file = int(address[1]), address[2]
    with _one_by_one:  # so that two threads do not read the same group
        try:
            starts = _starts(file)
            group = bisect_right(starts, row) - 1
            content = _group(file, group)[row - starts[group]].as_py()
        except (OSError, ValueError, IndexError) as error:
            raise RemoteError(f"the image's row cannot be read ({error})") from None
    if content is None:
        raise RemoteError(f"the image is missing: row {row} is empty")
    return bytes(content)


def open_parquet(file: str) -> Any:
    """A ``pyarrow.parquet.ParquetFile``, of a path or a URI.

    Raises:
        MissingLibraryError: pyarrow, or what opens the URI, is not installed.
        OSError: It cannot be opened.
        ValueError: It is no Parquet.
    """
    try:
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as error:
        raise MissingLibraryError(
            f"{file}: Parquet needs pyarrow ({error}): pip install pyarrow"
        ) from error
    if not is_uri(file):
        return pq.ParquetFile(file)
    files, path = filesystem(file)
    return pq.ParquetFile(files.open(path, "rb"))


def columns_of(file: str, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Rows of a file, less the columns that are not asked for, in bounded memory.

    Raises:
        MissingLibraryError, OSError, ValueError: As `open_parquet`.
    """
    parquet = open_parquet(file)
    there = [name for name in columns if name in parquet.schema_arrow.names]
    for batch in parquet.iter_batches(columns=there):
        yield from batch.to_pylist()


@lru_cache(maxsize=64)
def _starts(file: str) -> list[int]:
    """The first row of each row group, and the number of rows."""
    metadata = open_parquet(file).metadata
    counts = (metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    return [0, *accumulate(counts)]


@lru_cache(maxsize=1)
def _group(file: str, group: int) -> Any:
    return open_parquet(file).read_row_group(group, columns=[BYTES])[BYTES]
