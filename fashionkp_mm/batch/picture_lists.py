"""CSV files that say something of each picture, in columns that are known by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fashionkp_mm.core.csv_text import split
from fashionkp_mm.core.table import AnnotationError, Problem


def read_cells(
    csv: Path, columns: Sequence[str], perhaps: Sequence[str] = ()
) -> tuple[list[tuple[int, dict[str, str]]], list[Problem]]:
    """The rows of a CSV file with a header, whatever other columns it has.

    Args:
        csv: The file.
        columns: Those that it must have.
        perhaps: Those that it may have, for the message.

    Returns:
        Number and cells by column of each row that is not empty, and a problem for each that has
        more or fewer cells than the header.

    Raises:
        AnnotationError: The file is no CSV, or lacks a column.
        OSError: It cannot be read.
    """
    file = str(csv)
    records = split(csv.read_bytes(), file)
    header = [name.strip() for name in records.fields(0)] if len(records) else []
    for name in columns:
        if name not in header:
            more = "".join(f", and perhaps {each}" for each in perhaps)
            said = f"no such column; expected {','.join(columns)}{more}"
            raise AnnotationError([Problem(file, 1, name, "", said)])
    rows, problems = [], []
    for record in range(1, len(records)):
        number, fields = int(records.numbers[record]), records.fields(record)
        if fields == [""]:
            continue
        if len(fields) == len(header):
            rows.append((number, dict(zip(header, fields, strict=True))))
        else:
            said = f"{len(fields)} cells, expected {len(header)} as in row 1"
            problems.append(Problem(file, number, "", "", said))
    return rows, problems


def require_no(problems: Sequence[Problem]) -> None:
    """Refuse a file with problems, which are told in the order of its rows.

    Raises:
        AnnotationError: There are any.
    """
    if problems:
        raise AnnotationError(sorted(problems, key=lambda problem: problem.row))
