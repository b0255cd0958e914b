"""Encoded pictures in a column of a Parquet file, by their row."""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import accumulate
from typing import Any

from fashionkp_mm.core.uris import is_uri, text_without_secrets, without_secrets
from fashionkp_mm.images.remote import PARQUET_ROW, MissingLibraryError, RemoteError, filesystem

BYTES = "bytes"
"""The column."""
_ADDRESS = re.compile(rf"{PARQUET_ROW}://([0-9]+)::(.+)", re.S)
_BATCH, _BATCHES = 16, 32
"""Rows that are read together, and how many such batches are held: threads ask for rows out of
order, some of them to predict and others to crop what was predicted a while ago."""
_BUFFER = 2**20
"""Bytes that are read at once; by default it would be a whole column of a row group, and writers
make a row group of a million rows, however large they are."""
_one_by_one = threading.Lock()


def row_address(file: str, row: int) -> str:
    """The URI of a row's picture."""
    return f"{PARQUET_ROW}://{row}::{file}"


def read_row(uri: str) -> bytes | None:
    """The encoded picture of a row; None where the URI is of another kind.

    Rows that are read one after the other cost one reading of the file, of which little is held.

    Raises:
        RemoteError: The file, or the row, is not there any more, or the row is empty.
        MissingLibraryError: As `open_parquet`.
    """
    address = _ADDRESS.fullmatch(uri)
    if address is None:
        return None
    row, file = int(address[1]), address[2]
    with _one_by_one:  # so that two threads do not read the same rows
        try:
            starts = _starts(file)
            group = bisect_right(starts, row) - 1
            content = _rows(file, group).content(row - starts[group])
        except (OSError, ValueError, IndexError, StopIteration) as error:
            why = text_without_secrets(str(error)) or "there is no such row any more"
            raise RemoteError(f"the image's row cannot be read ({why})") from None
    if content is None:
        raise RemoteError(f"the image is missing: row {row} is empty")
    return content


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
            f"{without_secrets(file)}: Parquet needs pyarrow ({error}): pip install pyarrow"
        ) from error
    with _said(file):
        source: Any = file
        if is_uri(file):
            files, path = filesystem(file)
            source = files.open(path, "rb")
        return pq.ParquetFile(source, buffer_size=_BUFFER, pre_buffer=False)


def columns_of(file: str, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Rows of a file, less the columns that are not asked for, in bounded memory.

    Raises:
        MissingLibraryError, OSError, ValueError: As `open_parquet`.
    """
    parquet = open_parquet(file)
    there = [name for name in columns if name in parquet.schema_arrow.names]
    if not there:
        yield from ({} for _ in range(parquet.metadata.num_rows))
        return
    batches = parquet.iter_batches(columns=there)
    while True:
        with _said(file):
            rows = next(batches, None)
        if rows is None:
            return
        yield from rows.to_pylist()


@contextmanager
def _said(file: str) -> Iterator[None]:
    """Errors of what opens URIs as ours, without the secrets of the URI."""
    try:
        yield
    except (MissingLibraryError, RemoteError):
        raise
    except ValueError as error:
        raise ValueError(text_without_secrets(str(error))) from None
    except Exception as error:  # each library has errors of its own
        if not is_uri(file):
            raise
        why = text_without_secrets(str(error)) or type(error).__name__
        raise RemoteError(f"{without_secrets(file)}: cannot be read ({why})") from None


class _Rows:
    """The pictures of a row group, read from its beginning on."""

    def __init__(self, file: str, group: int) -> None:
        self._file, self._group = file, group
        self._held: OrderedDict[int, Any] = OrderedDict()
        self._begin()

    def content(self, row: int) -> bytes | None:
        wanted = row // _BATCH
        if wanted not in self._held:
            if wanted < self._next:
                self._begin()
            while self._next <= wanted:
                self._held[self._next] = next(self._batches).column(0)
                self._next += 1
                if len(self._held) > _BATCHES:
                    self._held.popitem(last=False)
        value = self._held[wanted][row % _BATCH].as_py()
        return None if value is None else bytes(value)

    def _begin(self) -> None:
        self._batches = open_parquet(self._file).iter_batches(
            batch_size=_BATCH, row_groups=[self._group], columns=[BYTES]
        )
        self._next = 0
        self._held.clear()


@lru_cache(maxsize=64)
def _starts(file: str) -> list[int]:
    """The first row of each row group, and the number of rows."""
    metadata = open_parquet(file).metadata
    counts = (metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    return [0, *accumulate(counts)]


@lru_cache(maxsize=2)
def _rows(file: str, group: int) -> _Rows:
    return _Rows(file, group)
