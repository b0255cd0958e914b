"""Tables of one row a thing, as CSV or as Parquet."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from fashionkp_mm.batch.writers import STDOUT
from fashionkp_mm.core.csv_text import line_of
from fashionkp_mm.exchange.formats import FormatError

TableFormat = Literal["csv", "parquet"]
_SUFFIXES: dict[str, TableFormat] = {".csv": "csv", ".parquet": "parquet"}


def table_format(path: Path) -> TableFormat:
    """The format that a file's name asks for; standard output is CSV.

    Raises:
        FormatError: It asks for neither, or for Parquet without pyarrow.
    """
    if path == STDOUT:
        return "csv"
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise FormatError(
            f"{path}: unknown format '{suffix}'; expected a name that ends in .csv or .parquet"
        )
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise FormatError(
            f"{path}: Parquet needs pyarrow, which is not installed: pip install pyarrow; or name a"
            " .csv file"
        )
    return _SUFFIXES[suffix]


def render_table(
    form: TableFormat, columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]
) -> Iterable[bytes]:
    """A file's content, piece by piece.

    Args:
        form: The format.
        columns: Names of the columns, and their pandas types.
        rows: Plain JSON by name; what is None, or lacking, is left empty.
    """
    return _csv(columns, rows) if form == "csv" else [_parquet(columns, rows)]


def is_row(columns: Mapping[str, str], found: Any) -> bool:
    """Whether something from a journal is a row of a table with these columns."""
    return (
        isinstance(found, dict)
        and found.keys() <= columns.keys()
        and all(value is None or isinstance(value, str | int | float) for value in found.values())
    )


def _csv(columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    yield line_of(columns).encode()
    for row in rows:
        cells = (row.get(name) for name in columns)
        yield line_of("" if cell is None else str(cell) for cell in cells).encode()


def _parquet(columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    import pandas as pd  # noqa: PLC0415  CSV does without.

    # Said outright, so that files agree where a column is empty in one of them.
    frame = pd.DataFrame([dict(row) for row in rows], columns=list(columns)).astype(dict(columns))
    data = io.BytesIO()
    frame.to_parquet(data, engine="pyarrow", index=False)
    return data.getvalue()
