"""Which column of a FashionAI CSV is which: the header, judged together with the rows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core import csv_cells, csv_text
from fashionkp_mm.core.garments import KEYPOINT_NAMES
from fashionkp_mm.core.table import AnnotationError, Problem

ID_COLUMNS = ("image_id", "image_category")
COLUMNS = (*ID_COLUMNS, *KEYPOINT_NAMES)

Kind = Literal["labels", "predictions", "list"]

_FULL_COUNTS = (len(COLUMNS), len(COLUMNS) + 1)
"""Cells of a row in the standard order: the columns, with or without one more behind them."""
_SEPARATORS = {";": "';'", "\t": "tabs", "|": "'|'"}
"""What other programs put between columns, and its name for a message."""


@dataclass(frozen=True)
class Rows:
    """A file's rows; the columns are in the order of ``COLUMNS``.

    Attributes:
        records: The whole file.
        fields: ``(N, C)``, index of each cell among the records' fields.
        numbers: ``(N,)`` line numbers.
        problems: What is wrong with rows that are left out here.
    """

    records: csv_text.Records
    fields: NDArray[np.intp]
    numbers: NDArray[np.intp]
    problems: list[Problem]

    def __len__(self) -> int:
        return len(self.numbers)

    def column(self, index: int) -> list[str]:
        """The text of every row's cell in a column."""
        return self.records.texts(self.fields[:, index])

    def cell(self, row: int | np.intp, column: int | np.intp) -> str:
        """The text of one cell."""
        return self.records.field(self.fields[row, column])


def has_keypoints(path: str | os.PathLike[str]) -> bool:
    """Whether the file has keypoint columns, that is, whether it is more than a test list.

    All of it is asked: a single keypoint's name in the header, or a row with a cell like a
    keypoint's or with all 26 columns, is enough, so that a file which lost one of its columns does
    not pass for a test list. Neither does one that cannot be read as CSV at all: reading it as
    labels says why.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        records = csv_text.split(Path(path).read_bytes(), os.fspath(path))
    except AnnotationError:
        return True
    used = _used(records)
    if not used.size:
        return False
    names = _header(records.fields(used[0]))
    if names is not None:
        if set(names) & set(KEYPOINT_NAMES):
            return True
        used = used[1:]
    wide = len(COLUMNS) if names is None or len(names) < len(COLUMNS) else np.inf
    for record in used[records.counts[used] > len(ID_COLUMNS)]:
        cells = records.fields(record)[len(ID_COLUMNS) :]
        if records.counts[record] >= wide or any(map(csv_cells.looks_like_cell, cells)):
            return True
    return False


def read_rows(path: Path, kind: Kind) -> Rows:
    """Find the cells of the columns that a file is read for.

    Raises:
        AnnotationError: A column is missing or stands twice, or the file is no such CSV at all.
        OSError: The file cannot be read.
    """
    file = os.fspath(path)
    records = csv_text.split(path.read_bytes(), file)
    lines = _used(records)
    if not lines.size:
        message = "the file is empty; expected a header and one row an image"
        raise AnnotationError([Problem(file, 0, "", "", message)])
    _require_commas(records, lines, file)
    names = _header(records.fields(lines[0]))
    head = int(records.numbers[lines[0]])
    if names is not None:
        lines = lines[1:]
        if not lines.size:
            message = "there is no row below the header; expected one an image"
            raise AnnotationError([Problem(file, 0, "", "", message)])
    counts = records.counts[lines]
    usual = int(np.bincount(counts).argmax())
    if names is None or (names == [*ID_COLUMNS] and usual in _FULL_COUNTS):
        names = _positional_names(usual, file, head, kind)
    required = ID_COLUMNS if kind == "list" else COLUMNS
    _require_columns(names, required, file, head)
    fits = counts == len(names)
    if not fits.any() and (counts == usual).all():
        message = (
            f"the header names {len(names)} columns, and every row has {usual} cells; expected a"
            " name for every cell"
        )
        raise AnnotationError([Problem(file, head, "", "", message)])

    message = "the row has {} cells, expected {}; one was lost or added"
    problems = [
        Problem(
            file,
            int(records.numbers[i]),
            "",
            records.line(i),
            message.format(records.counts[i], len(names)),
            cause="number of cells",
        )
        for i in lines[~fits]
    ]
    lines = lines[fits]
    order = np.array([names.index(name) for name in required])
    fields = records.firsts[lines][:, None] + order
    return Rows(records, fields, records.numbers[lines], problems)


def _used(records: csv_text.Records) -> NDArray[np.intp]:
    """Indices of the records that are not empty lines."""
    used = np.ones(len(records), np.bool_)
    for i in np.flatnonzero(records.counts == 1):
        used[i] = bool(records.line(i).strip())
    return np.flatnonzero(used)


def _header(fields: Sequence[str]) -> list[str] | None:
    """The names in a record that is a header, which names at least one standard column."""
    names = [field.strip() for field in fields]
    return names if {name.casefold() for name in names} & set(COLUMNS) else None


def _require_commas(records: csv_text.Records, lines: NDArray[np.intp], file: str) -> None:
    """Name what separates the columns where it is no comma."""
    line = records.line(lines[0])
    found = next((name for mark, name in _SEPARATORS.items() if mark in line), None)
    if found is not None and records.counts[lines[0]] == 1:
        message = f"the columns are separated by {found}, expected ','; save it with commas"
        raise AnnotationError([Problem(file, int(records.numbers[lines[0]]), "", line, message)])


def _positional_names(count: int, file: str, row: int, kind: Kind) -> list[str]:
    """Names of the columns of rows in the standard order.

    Args:
        count: How many cells the rows have.
        file: The file's path.
        row: Line to complain of.
        kind: What the file is read as.
    """
    if count in _FULL_COUNTS or (kind == "list" and count >= len(ID_COLUMNS)):
        names = COLUMNS if count in _FULL_COUNTS else ID_COLUMNS
        return [*names, *(f"column {index}" for index in range(len(names) + 1, count + 1))]
    expected = f"{len(COLUMNS)} columns (or {len(COLUMNS) + 1})"
    if count == len(ID_COLUMNS):
        expected += "; a test list has no keypoints to read"
    message = f"no header, and {count} columns where one row of a FashionAI CSV has {expected}"
    raise AnnotationError([Problem(file, row, "", "", message)])


def _require_columns(names: Sequence[str], required: Sequence[str], file: str, row: int) -> None:
    missing = [name for name in required if name not in names]
    if missing:
        what = "the column is missing"
        if len(missing) > 1:
            what = f"{len(missing)} of {len(required)} columns are missing: {', '.join(missing)}"
        message = (
            f"{what}; expected the header '{','.join(required[:3])}…' with all"
            f" {len(required)} columns"
        )
        found = next((name for name in names if name.casefold() == missing[0]), "")
        raise AnnotationError([Problem(file, row, missing[0], found, message)])
    twice = [name for name in required if names.count(name) > 1]
    if twice:
        message = "the column stands twice in the header; expected each once"
        raise AnnotationError([Problem(file, row, name, "", message) for name in twice])
