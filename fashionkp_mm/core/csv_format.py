"""FashionAI CSV files: labels, predictions (contest entries) and test lists.

A row is one image with one labelled garment: ``image_id,image_category`` and 24 cells ``x_y_v`` in
the order of ``garments.KEYPOINT_NAMES``. ``x`` and ``y`` are pixels of the image as stored, the
origin in its upper left corner. ``v`` is 1 for visible, 0 for occluded (its place is labelled all
the same) and -1 for absent, whose cell is always ``-1_-1_-1``. The three stay three different
things in every table here. A *prediction* may place a point that it calls absent, ``x_y_-1``, so
that the normalized error knows where it was looked for; ``-1_-1_-1`` is no place.

Read are: files with and without a header, with further columns behind or between the standard ones
(a header says which), CRLF line ends, a byte order mark, quoted fields, and test lists that end
after the first two columns. Clean files (LF, standard header, integers) are written back byte for
byte.
"""

from __future__ import annotations

import csv
import io
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.garments import (
    CATEGORY_INDEX,
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.core.table import (
    AnnotationError,
    AnnotationWarning,
    KeypointTable,
    Problem,
    Severity,
)

ID_COLUMNS = ("image_id", "image_category")
COLUMNS = (*ID_COLUMNS, *KEYPOINT_NAMES)

Kind = Literal["labels", "predictions", "list"]

_ABSENT_CELL = b"-1_-1_-1"
_COMMA, _NEWLINE, _UNDERSCORE, _ZERO = b",\n_0"
_MAX_DIGITS = 4
"""Longest integer that the vectorised parser takes; longer ones go through the careful one."""
_BLOCK = 2048
"""Rows that the vectorised parser takes at once."""
_MAX_COORDINATE = 2**24
"""Up to here every whole number of pixels is exact in float32."""


def read_labels(path: str | os.PathLike[str]) -> KeypointTable:
    """Read ground truth.

    A row that stands twice, letter for letter, is dropped with one warning that counts them.

    Raises:
        AnnotationError: The file breaks a rule of the format; the message lists where and how.
        OSError: The file cannot be read.
    """
    return _read(path, "labels")


def read_predictions(path: str | os.PathLike[str]) -> KeypointTable:
    """Read predictions, for instance a contest entry.

    Other than in labels, all 24 points may be filled whatever the category, a point may be absent
    and have a place, and coordinates may lie outside the image. ``v`` is the predicted visibility;
    in a contest entry it is always 1 and means nothing.

    Raises:
        AnnotationError: The file breaks a rule of the format.
        OSError: The file cannot be read.
    """
    return _read(path, "predictions")


def read_test_list(path: str | os.PathLike[str]) -> KeypointTable:
    """Read ids and categories only, as in the contest's ``test.csv``; every point is absent.

    Raises:
        AnnotationError: The file breaks a rule of the format.
        OSError: The file cannot be read.
    """
    return _read(path, "list")


def has_keypoints(path: str | os.PathLike[str]) -> bool:
    """Whether the file has keypoint columns, that is, whether it is more than a test list.

    A single keypoint's name or cell in the first line is enough, so that a file which lost one of
    its columns does not pass for a test list.

    Raises:
        OSError: The file cannot be read.
    """
    with Path(path).open("rb") as file:
        fields = file.readline().decode(errors="replace").split(",")[len(ID_COLUMNS) :]
    words = [field.strip('" \r\n') for field in fields]
    return any(word in KEYPOINT_NAMES or re.fullmatch(r"-?\d\S*_\S+_\S+", word) for word in words)


def check_annotations(
    path: str | os.PathLike[str], kind: Kind = "labels"
) -> tuple[KeypointTable, list[Problem]]:
    """Read a file and say everything that is wrong with it, instead of stopping at the first.

    Returns:
        The rows that could be read (a broken cell counts as absent), and the problems in the order
        of the rows.

    Raises:
        OSError: The file cannot be read.
    """
    file = os.fspath(path)
    try:
        rows = _read_rows(Path(path), kind)
    except AnnotationError as error:
        return _empty_table(), list(error.problems)
    table, problems = _parse(rows, file, kind)
    problems = sorted([*rows.problems, *problems], key=lambda problem: problem.row)
    return table, problems


def write_labels(path: str | os.PathLike[str], table: KeypointTable) -> None:
    """Write a table as CSV, beside the target first and then renamed over it.

    Whole numbers are written without decimals, others with two.
    """
    placed = table.visibility != Visibility.ABSENT
    write_atomically(Path(path), _format(table, placed).encode())


def write_predictions(path: str | os.PathLike[str], table: KeypointTable) -> None:
    """Write predictions with the predicted category and visibility, and with two decimals.

    Every point that the category defines keeps its place, the ones predicted absent too; the others
    get ``-1_-1_-1``.
    """
    defined = CATEGORY_KEYPOINTS[table.category_indices]
    write_atomically(Path(path), _format(table, defined).encode())


def write_submission(path: str | os.PathLike[str], table: KeypointTable) -> None:
    """Write predictions in the contest's form: whole pixels, ``v`` = 1 on the category's points.

    Points that the category does not define get ``-1_-1_-1``. Rounding to pixels moves a normalized
    error of some percent by less than 0.01 points.
    """
    defined = CATEGORY_KEYPOINTS[table.category_indices]
    write_labels(
        path,
        KeypointTable(
            image_ids=table.image_ids,
            category_indices=table.category_indices,
            keypoints=np.where(defined[..., None], np.rint(table.keypoints), -1).astype(np.float32),
            visibility=np.where(defined, Visibility.VISIBLE, Visibility.ABSENT).astype(np.int8),
            rows=table.rows,
        ),
    )


# --- reading: bytes to rows


@dataclass(frozen=True)
class _Rows:
    """A file's rows, as places in its text; the columns are in the order of ``COLUMNS``.

    Attributes:
        text: The whole file.
        starts: ``(N, C)``, where each cell begins.
        stops: ``(N, C)``, where each cell ends, exclusive.
        numbers: ``(N,)`` line numbers.
        problems: What is wrong with rows that are left out here.
    """

    text: bytes
    starts: NDArray[np.intp]
    stops: NDArray[np.intp]
    numbers: NDArray[np.int64]
    problems: list[Problem]

    def __len__(self) -> int:
        return len(self.numbers)

    def column(self, index: int) -> list[str]:
        bounds = zip(self.starts[:, index].tolist(), self.stops[:, index].tolist(), strict=True)
        return [self.text[start:stop].decode() for start, stop in bounds]

    def cell(self, row: int | np.intp, column: int | np.intp) -> str:
        return self.text[self.starts[row, column] : self.stops[row, column]].decode()


def _read(path: str | os.PathLike[str], kind: Kind) -> KeypointTable:
    table, problems = check_annotations(path, kind)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise AnnotationError(errors)
    for problem in problems:
        # Only what concerns the file as a whole; single odd points are for `fashionkp check`.
        if problem.row == 0:
            warnings.warn(str(problem), AnnotationWarning, stacklevel=3)
    return table


def _read_rows(path: Path, kind: Kind) -> _Rows:
    file = os.fspath(path)
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    _require_text(data, file)
    if b'"' in data:
        data = _unquoted(data, file)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if not data.endswith(b"\n"):
        data += b"\n"

    text = np.frombuffer(data, np.uint8)
    stops = np.flatnonzero((text == _COMMA) | (text == _NEWLINE))
    starts = np.concatenate(([0], stops[:-1] + 1))
    last = np.flatnonzero(text[stops] == _NEWLINE)
    counts = np.diff(last, prepend=-1)

    def line(index: int | np.intp) -> str:
        return data[starts[last[index] - counts[index] + 1] : stops[last[index]]].decode()

    used = np.ones(len(last), np.bool_)
    for i in np.flatnonzero(counts == 1):
        used[i] = bool(line(i).strip())
    lines = np.flatnonzero(used)
    if not lines.size:
        message = "the file is empty; expected a header and one row an image"
        raise AnnotationError([Problem(file, 0, "", "", message)])

    names = [name.strip() for name in line(lines[0]).split(",")]
    if "image_id" in names or "image_category" in names:
        lines = lines[1:]
        if not lines.size:
            message = "there is no row below the header; expected one an image"
            raise AnnotationError([Problem(file, 0, "", "", message)])
    else:
        names = _positional_names(len(names), file, kind)
    required = ID_COLUMNS if kind == "list" else COLUMNS
    _require_columns(names, required, file)

    message = "the row has {} cells, expected {}; one was lost or added"
    fits = counts[lines] == len(names)
    problems = [
        Problem(file, int(i) + 1, "", line(i), message.format(counts[i], len(names)))
        for i in lines[~fits]
    ]
    lines = lines[fits]
    order = np.array([names.index(name) - len(names) + 1 for name in required])
    cells = last[lines][:, None] + order
    return _Rows(data, starts[cells], stops[cells], lines + 1, problems)


def _require_text(data: bytes, file: str) -> None:
    try:
        if not data.isascii():
            data.decode()
        if b"\0" not in data:
            return
        position = data.index(b"\0")
    except UnicodeDecodeError as error:
        position = error.start
    row = data.count(b"\n", 0, position) + 1
    value = data[position : position + 8].decode("ascii", "backslashreplace")
    raise AnnotationError(
        [Problem(file, row, "", value, "not UTF-8 text; is this a CSV file? Save it as UTF-8")]
    )


def _unquoted(data: bytes, file: str) -> bytes:
    """A file that quotes fields, without the quotes; a row keeps the number of its last line."""
    reader = csv.reader(io.StringIO(data.decode(), newline=""))
    lines: list[str] = []
    try:
        for fields in reader:
            lines.extend([""] * (reader.line_num - len(lines) - 1))
            lines.append(",".join(fields).replace("\r", " ").replace("\n", " "))
    except csv.Error as error:
        message = f"not readable as CSV ({error}); is a quote left open?"
        raise AnnotationError([Problem(file, len(lines) + 1, "", "", message)]) from error
    return "\n".join([*lines, ""]).encode()


def _positional_names(count: int, file: str, kind: Kind) -> list[str]:
    if kind == "list" and count >= len(ID_COLUMNS):
        return [*ID_COLUMNS, *(f"column {index}" for index in range(3, count + 1))]
    if count in (len(COLUMNS), len(COLUMNS) + 1):
        return [*COLUMNS, "column 27"][:count]
    expected = f"{len(COLUMNS)} columns (or {len(COLUMNS) + 1})"
    if count == len(ID_COLUMNS):
        expected += "; a test list has no keypoints to read"
    message = f"no header, and {count} columns where one row of a FashionAI CSV has {expected}"
    raise AnnotationError([Problem(file, 1, "", "", message)])


def _require_columns(names: Sequence[str], required: Sequence[str], file: str) -> None:
    message = (
        "the column is missing; expected the header"
        f" '{','.join(required[:3])}…' with all {len(required)} columns"
    )
    problems = [Problem(file, 1, name, "", message) for name in required if name not in names]
    if problems:
        raise AnnotationError(problems)


# --- reading: rows to a checked table


def _parse(rows: _Rows, file: str, kind: Kind) -> tuple[KeypointTable, list[Problem]]:
    problems: list[Problem] = []
    image_ids, names = rows.column(0), rows.column(1)
    categories = np.array([CATEGORY_INDEX.get(name, -1) for name in names], np.int8)
    for i in np.flatnonzero(categories < 0):
        message = f"unknown category; expected one of {', '.join(CATEGORY_NAMES)}"
        problems.append(Problem(file, int(rows.numbers[i]), "image_category", names[i], message))
    problems.extend(_unsafe_ids(image_ids, rows, file))

    keypoints = np.full((len(rows), NUM_KEYPOINTS, 2), -1, np.float32)
    visibility = np.full((len(rows), NUM_KEYPOINTS), Visibility.ABSENT, np.int8)
    if kind != "list":
        for i, k in _parse_cells(rows, keypoints, visibility):
            cell = rows.cell(i, k + 2)
            try:
                x, y, visibility[i, k] = _parse_cell(cell, kind)
                keypoints[i, k] = x, y
            except ValueError as error:
                place = int(rows.numbers[i]), KEYPOINT_NAMES[k]
                problems.append(Problem(file, *place, cell, str(error)))
    if kind == "labels":
        problems.extend(_label_problems(rows, file, categories, keypoints, visibility))

    kept, duplicate_problems = _without_duplicates(image_ids, rows, file)
    problems.extend(duplicate_problems)
    kept &= categories >= 0
    table = KeypointTable(tuple(image_ids), categories, keypoints, visibility, rows.numbers)
    return (table if kept.all() else table.select(kept)), problems


def _parse_cells(
    rows: _Rows, keypoints: NDArray[np.float32], visibility: NDArray[np.int8]
) -> Iterator[tuple[int, int]]:
    """Fill in all plain cells: absent ones, and whole numbers from 0 on with few digits.

    Args:
        rows: What to parse.
        keypoints: ``(N, K, 2)``, -1 everywhere.
        visibility: ``(N, K)``, absent everywhere.

    Yields:
        Row and keypoint of each cell that is anything else, for `_parse_cell`.
    """
    text = np.frombuffer(rows.text, np.uint8)
    # A view of the eight bytes that begin at each place: an absent cell takes one comparison.
    words = np.ndarray(max(0, len(text) - 7), np.uint64, rows.text, strides=(1,))
    absent_word = np.frombuffer(_ABSENT_CELL, np.uint64)
    # In blocks, so that the arrays in between stay in the processor's cache.
    for first in range(0, len(rows), _BLOCK):
        block = slice(first, first + _BLOCK)
        starts, stops = rows.starts[block, 2:].ravel(), rows.stops[block, 2:].ravel()
        plain = stops - starts == len(_ABSENT_CELL)
        plain[plain] = words[starts[plain]] == absent_word
        filled = np.flatnonzero(~plain)
        starts, stops = starts[filled], stops[filled]

        # From right to left: v, a single digit, then y and x up to the byte that is no digit.
        v = text[stops - 1] - np.uint8(_ZERO)
        y, y_starts = _integers_before(text, stops - 2)
        x, x_starts = _integers_before(text, y_starts - 1)
        valid = (v <= 1) & (x_starts == starts) & (x_starts < y_starts - 1) & (y_starts < stops - 2)
        valid &= (text[stops - 2] == _UNDERSCORE) & (text[y_starts - 1] == _UNDERSCORE)
        where = filled[valid]
        keypoints[block].reshape(-1, 2)[where] = np.stack([x[valid], y[valid]], axis=1)
        visibility[block].reshape(-1)[where] = v[valid]
        for cell in filled[~valid].tolist():
            yield first + cell // NUM_KEYPOINTS, cell % NUM_KEYPOINTS


def _integers_before(
    text: NDArray[np.uint8], stops: NDArray[np.intp]
) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Read leftwards from ``stops`` while there are digits: values, and where they start.

    Numbers of more than ``_MAX_DIGITS`` are cut short, so that they start too late.
    """
    values, starts = np.zeros(len(stops), np.int32), stops.copy()
    going = np.ones(len(stops), np.bool_)
    for place in range(_MAX_DIGITS):
        # Bytes below '0' wrap round to large numbers, which are no digits either.
        digit = text[stops - (place + 1)] - np.uint8(_ZERO)
        going &= digit <= 9
        values += np.multiply(digit, going, dtype=np.int32) * 10**place
        starts -= going
    return values, starts


def _parse_cell(cell: str, kind: Kind) -> tuple[float, float, int]:
    parts = cell.split("_")
    try:
        x, y = (float(part) for part in parts[:-1])
        v = int(parts[-1])
    except ValueError:
        raise ValueError(
            "malformed cell; expected three numbers x_y_v, or -1_-1_-1 for an absent point"
        ) from None
    if not (np.isfinite(x) and np.isfinite(y)):
        raise ValueError("the coordinate is not finite; expected pixels, or -1_-1_-1 if absent")
    if max(abs(x), abs(y)) > _MAX_COORDINATE:
        raise ValueError(f"no image is that large; expected pixels, at most {_MAX_COORDINATE}")
    if v not in (Visibility.ABSENT, Visibility.OCCLUDED, Visibility.VISIBLE):
        raise ValueError("v is out of range; expected 1 (visible), 0 (occluded) or -1 (absent)")
    if kind == "labels" and v == Visibility.ABSENT and (x, y) != (-1, -1):
        raise ValueError("an absent point has no place; expected -1_-1_-1, or v = 0 or 1")
    return x, y, v


def _unsafe_ids(image_ids: Sequence[str], rows: _Rows, file: str) -> Iterator[Problem]:
    joined = "\n".join(image_ids)
    first_letters = {image_id[:1] for image_id in image_ids}
    if all(letter.isalnum() for letter in first_letters) and not any(
        mark in joined for mark in ("..", "\\", ":")
    ):
        return
    for image_id, number in zip(image_ids, rows.numbers, strict=True):
        if not image_id.strip():
            message = "the image id is empty; expected a path such as Images/blouse/NAME.jpg"
        elif (
            re.match(r"[/\\~]|[A-Za-z]:", image_id)
            or "\\" in image_id
            or ".." in image_id.split("/")
        ):
            message = (
                "the image id leaves the data root; expected a relative path with '/' and"
                " without '..', such as Images/blouse/NAME.jpg"
            )
        else:
            continue
        yield Problem(file, int(number), "image_id", image_id, message)


def _label_problems(
    rows: _Rows,
    file: str,
    categories: NDArray[np.int8],
    keypoints: NDArray[np.float32],
    visibility: NDArray[np.int8],
) -> Iterator[Problem]:
    """What only labels must obey: points of their own category, inside the picture's quadrant."""
    labelled = visibility != Visibility.ABSENT
    foreign = labelled & ~CATEGORY_KEYPOINTS[categories]
    foreign[categories < 0] = False
    outside = labelled & ((keypoints[..., 0] < 0) | (keypoints[..., 1] < 0))
    rules: tuple[tuple[NDArray[np.bool_], Severity, str], ...] = (
        (foreign, "error", "{} has no such point; expected -1_-1_-1, or another category"),
        (outside, "warning", "the point lies outside the image; x and y start at 0"),
    )
    for found, severity, message in rules:
        for i, k in zip(*np.nonzero(found), strict=True):
            text = message.format(rows.cell(i, 1))
            place = int(rows.numbers[i]), KEYPOINT_NAMES[k]
            yield Problem(file, *place, rows.cell(i, k + 2), text, severity)


def _without_duplicates(
    image_ids: Sequence[str], rows: _Rows, file: str
) -> tuple[NDArray[np.bool_], list[Problem]]:
    """Mask ``(N,)`` of the rows to keep, and what is wrong with ids that stand twice."""
    count = len(image_ids)
    kept = np.ones(count, np.bool_)
    problems: list[Problem] = []
    first = dict(zip(reversed(image_ids), range(count - 1, -1, -1), strict=True))
    if len(first) == count:
        return kept, problems

    def content(row: int) -> list[str]:
        return [rows.cell(row, column) for column in range(1, rows.starts.shape[1])]

    for i, image_id in enumerate(image_ids):
        earlier = first[image_id]
        if earlier == i:
            continue
        kept[i] = False
        if content(earlier) != content(i):
            message = (
                f"the image already stands in row {rows.numbers[earlier]} with other values;"
                " keep one of the two"
            )
            problems.append(Problem(file, int(rows.numbers[i]), "image_id", image_id, message))
    repeated = int((~kept).sum()) - len(problems)
    if repeated:
        rows_stand = "1 row stands" if repeated == 1 else f"{repeated} rows stand"
        message = f"{rows_stand} twice, letter for letter; the second of each is dropped"
        problems.append(Problem(file, 0, "", "", message, "warning"))
    return kept, problems


# --- writing and small helpers


def _format(table: KeypointTable, placed: NDArray[np.bool_]) -> str:
    """The file's text; points that are not placed ``(N, K)`` become absent cells."""
    keypoints = table.keypoints.reshape(-1, 2)
    present = placed.reshape(-1)
    cells = np.full(len(keypoints), _ABSENT_CELL.decode(), dtype=object)
    cells[present] = [
        f"{_number(x)}_{_number(y)}_{v}"
        for (x, y), v in zip(
            keypoints[present].tolist(), table.visibility.reshape(-1)[present].tolist(), strict=True
        )
    ]
    lines = [",".join(COLUMNS)]
    names = [CATEGORY_NAMES[index] for index in table.category_indices]
    for image_id, name, row in zip(
        table.image_ids, names, cells.reshape(len(table), NUM_KEYPOINTS), strict=True
    ):
        lines.append(f"{image_id},{name},{','.join(row)}")
    return "\n".join([*lines, ""])


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else f"{value:.2f}"


def _empty_table() -> KeypointTable:
    return KeypointTable(
        image_ids=(),
        category_indices=np.empty(0, np.int8),
        keypoints=np.empty((0, NUM_KEYPOINTS, 2), np.float32),
        visibility=np.empty((0, NUM_KEYPOINTS), np.int8),
        rows=np.empty(0, np.int64),
    )
