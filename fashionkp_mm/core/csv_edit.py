"""A FashionAI CSV with some of its rows changed and every other byte as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fashionkp_mm.core.csv_columns import Rows, read_rows
from fashionkp_mm.core.csv_text import line_of

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def edited(path: Path, changes: Mapping[str, Sequence[str] | None]) -> bytes:
    """The file's content with some images' rows changed, added or taken out.

    Columns beside the standard ones, their order, quotes, line ends and a byte order mark stay as
    they are; so does the text of a cell that does not change. In an added row further columns are
    empty.

    Args:
        path: A CSV file with keypoints.
        changes: By image id the cells of ``COLUMNS`` behind the id: the category and 24 cells
            ``x_y_v``. None takes the image's row out.

    Raises:
        AnnotationError: The file breaks a rule of the format.
        OSError: It cannot be read.
    """
    rows = read_rows(path, "predictions")
    text = rows.records.text
    pieces, done = [], 0
    ids = rows.column(0)
    for row in np.flatnonzero([image_id in changes for image_id in ids]):
        cells = changes[ids[row]]
        if cells is None:
            start, stop = _bounds(rows, row)
            pieces += [text[done:start]]
            done = stop
            continue
        order = np.argsort(rows.fields[row, 1:])
        for column in order.tolist():
            field = rows.fields[row, column + 1]
            start, stop = int(rows.records.starts[field]), int(rows.records.stops[field])
            pieces += [text[done:start], cells[column].encode()]
            done = stop
    pieces.append(text[done:])
    before = path.read_bytes()
    known = set(ids)
    added = [
        _new_line(rows, image_id, cells)
        for image_id, cells in changes.items()
        if cells is not None and image_id not in known
    ]
    mark = _BYTE_ORDER_MARK if before.startswith(_BYTE_ORDER_MARK) else b""
    content = mark + b"".join([*pieces, *added])
    # Reading adds a line break where the last line has none.
    return content if added or before.endswith(b"\n") else content.removesuffix(b"\n")


def _bounds(rows: Rows, row: int) -> tuple[int, int]:
    """Where a row begins in the text, and where the next one does."""
    records = rows.records
    record = int(np.searchsorted(records.firsts, rows.fields[row].min(), "right")) - 1
    first = records.firsts[record]
    last = first + records.counts[record] - 1
    start = int(records.starts[first])
    if records.quoted and start and records.text[start - 1 : start] == b'"':
        start -= 1
    return start, records.text.index(b"\n", int(records.stops[last])) + 1


def _new_line(rows: Rows, image_id: str, cells: Sequence[str]) -> bytes:
    record = int(np.searchsorted(rows.records.firsts, rows.fields[0].min(), "right")) - 1
    places = rows.fields[0] - rows.records.firsts[record]
    line = [""] * int(rows.records.counts[record])
    for place, cell in zip(places.tolist(), (image_id, *cells), strict=True):
        line[place] = cell
    ending = "\r\n" if b"\r\n" in rows.records.text else "\n"
    return line_of(line).replace("\n", ending).encode()
