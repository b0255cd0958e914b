"""FashionAI CSV files: labels, predictions (contest entries) and test lists.

A row is one image with one labelled garment: ``image_id,image_category`` and 24 cells ``x_y_v`` in
the order of ``garments.KEYPOINT_NAMES``. ``x`` and ``y`` are pixels of the image as stored, the
origin in its upper left corner. ``v`` is 1 for visible, 0 for occluded (its place is labelled all
the same) and -1 for absent, whose cell is always ``-1_-1_-1``. The three stay three different
things in every table here.

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
from collections.abc import Iterable, Iterator, Sequence
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

ID_COLUMNS = ("image_id", "image_category")
COLUMNS = (*ID_COLUMNS, *KEYPOINT_NAMES)

Kind = Literal["labels", "predictions", "list"]
Severity = Literal["error", "warning"]

_ABSENT_CELL = b"-1_-1_-1"
_COMMA, _NEWLINE, _UNDERSCORE, _MINUS, _ZERO = b",\n_-0"
_MAX_DIGITS = 5
"""Longest integer that the vectorised parser takes; longer ones go through the careful one."""
_MAX_LISTED = 20
"""Problems that an error message spells out; the exception carries them all."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a data set, with where it stands and what to do about it.

    Attributes:
        file: The file's path as it was given.
        row: Its line number, counted from 1 as an editor does; 0 for the file as a whole.
        column: The column's name, or empty for the row as a whole.
        value: The text found there.
        message: What was expected, and the remedy.
        severity: ``error`` keeps the file from being used, ``warning`` does not.
    """

    file: str
    row: int
    column: str
    value: str
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        where = self.file
        if self.row:
            where += f", row {self.row}"
        if self.column:
            where += f", column {self.column}"
        if self.value:
            where += f", value {_shortened(self.value)!r}"
        return f"{where}: {self.message}"


class AnnotationError(ValueError):
    """A CSV file that cannot be used as it is; ``problems`` holds every reason."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems[:_MAX_LISTED]]
        if len(self.problems) > _MAX_LISTED:
            lines.append(
                f"… and {len(self.problems) - _MAX_LISTED} more;"
                " `fashionkp check FILE` lists every one"
            )
        super().__init__("\n".join(lines))


class AnnotationWarning(UserWarning):
    """Something odd in a CSV file that does not keep it from being used."""


@dataclass(frozen=True)
class KeypointTable:
    """Keypoints of ``N`` images, one garment each.

    Attributes:
        image_ids: ``N`` ids, paths relative to the data root as they stand in the CSV.
        category_indices: ``(N,)`` int8, positions in ``garments.CATEGORY_NAMES``.
        keypoints: ``(N, K, 2)`` float32, x and y in pixels of the image; (-1, -1) where absent.
        visibility: ``(N, K)`` int8 of ``garments.Visibility``.
        rows: ``(N,)`` line numbers in the file it was read from, counted from 1.
    """

    image_ids: tuple[str, ...]
    category_indices: NDArray[np.int8]
    keypoints: NDArray[np.float32]
    visibility: NDArray[np.int8]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.image_ids)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> KeypointTable:
        """The table's rows that a mask or an index array ``(M,)`` names."""
        picked = np.arange(len(self))[rows]
        return KeypointTable(
            image_ids=tuple(self.image_ids[i] for i in picked),
            category_indices=self.category_indices[picked],
            keypoints=self.keypoints[picked],
            visibility=self.visibility[picked],
            rows=self.rows[picked],
        )


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

    Other than in labels, all 24 points may be filled whatever the category, coordinates may have
    decimals and lie outside the image, and ``v`` is carried along without meaning.

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

    Raises:
        OSError: The file cannot be read.
    """
    with Path(path).open("rb") as file:
        return file.readline().count(b",") >= len(COLUMNS) - 1


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
    write_atomically(Path(path), _format(table).encode())


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


def locate_images(image_ids: Sequence[str], root: str | os.PathLike[str]) -> dict[str, Path]:
    """Find the files of images in any of the folder layouts in use.

    Below ``root``, or below a folder in it (``train1``, ``train2`` of the archives; ``train`` of a
    whole data root), an image lies at its id, or at its id less the leading ``Images/``. Folders
    are listed once, so that this is quick for a whole data set.

    Args:
        image_ids: Relative paths with ``/``; none may leave the root (`read_labels` sees to it).
        root: Folder to look in.

    Returns:
        Path by image id, of the images that exist.
    """
    root = Path(root)
    folders = sorted({image_id.rpartition("/")[0] for image_id in image_ids})
    bases = [root, *sorted(path for path in _subfolders(root) if path.name not in CATEGORY_INDEX)]
    found: dict[str, Path] = {}
    for base in bases:
        for folder in folders:
            for place in dict.fromkeys((folder, folder.removeprefix("Images").lstrip("/"))):
                names = _file_names(base / place)
                prefix = f"{folder}/" if folder else ""
                for name in names:
                    found.setdefault(prefix + name, base / place / name)
    wanted = set(image_ids)
    return {image_id: path for image_id, path in found.items() if image_id in wanted}


# --- reading: bytes to rows


@dataclass(frozen=True)
class _Rows:
    """A file's rows, split as far as `_parse` needs them."""

    image_ids: list[str]
    categories: list[str]
    cells: list[bytes]
    """24 cells a row, joined by commas; empty for a test list."""
    numbers: NDArray[np.int64]
    problems: list[Problem]


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
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    lines = _unquoted(data) if b'"' in data else data.split(b"\n")
    numbers = np.arange(1, len(lines) + 1)
    if not all(lines):
        kept = [index for index, line in enumerate(lines) if line.strip()]
        lines = [lines[index] for index in kept]
        numbers = numbers[kept]
    if not lines:
        raise AnnotationError(
            [Problem(file, 0, "", "", "the file is empty; expected a header and one row an image")]
        )

    names = [name.strip() for name in lines[0].decode().split(",")]
    if "image_id" in names or "image_category" in names:
        lines, numbers = lines[1:], numbers[1:]
        if not lines:
            raise AnnotationError(
                [
                    Problem(
                        file, 0, "", "", "there is no row below the header; expected one an image"
                    )
                ]
            )
    else:
        names = _positional_names(len(names), file, kind)
    required = ID_COLUMNS if kind == "list" else COLUMNS
    missing = [name for name in required if name not in names]
    if missing:
        raise AnnotationError(
            [
                Problem(
                    file, 1, name, "", "the column is missing; expected the header "
                    f"'{','.join(required[:3])}…' with all {len(required)} columns",
                )
                for name in missing
            ]
        )  # fmt: skip

    problems: list[Problem] = []
    commas = len(names) - 1
    counts = [line.count(b",") for line in lines]
    if counts.count(commas) != len(lines):
        for line, number, count in zip(lines, numbers, counts, strict=True):
            if count != commas:
                message = (
                    f"the row has {count + 1} cells, expected {len(names)}; one was lost or added"
                )
                problems.append(Problem(file, int(number), "", line.decode(), message))
        kept = [index for index, count in enumerate(counts) if count == commas]
        lines = [lines[index] for index in kept]
        numbers = numbers[kept]

    if names[: len(required)] != list(required):
        order = [names.index(name) for name in required]
        split = [line.split(b",") for line in lines]
        lines = [b",".join([cells[index] for index in order]) for cells in split]
    elif len(names) > len(required):
        extra = len(names) - len(required)
        lines = [line.rsplit(b",", extra)[0] for line in lines]

    heads = [line.split(b",", 2) for line in lines]
    return _Rows(
        image_ids=[head[0].decode() for head in heads],
        categories=[head[1].decode() for head in heads],
        cells=[] if kind == "list" else [head[2] for head in heads],
        numbers=numbers,
        problems=problems,
    )


def _require_text(data: bytes, file: str) -> None:
    try:
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


def _unquoted(data: bytes) -> list[bytes]:
    """Lines of a file that quotes fields, without the quotes; one entry a line of the file."""
    reader = csv.reader(io.StringIO(data.decode(), newline=""))
    lines: list[bytes] = []
    for fields in reader:
        # A quoted field may hold line breaks: pad, so that a line's index stays its number.
        lines.extend([b""] * (reader.line_num - len(lines) - 1))
        lines.append(",".join(fields).replace("\n", " ").encode())
    return lines


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


# --- reading: rows to a checked table


def _parse(rows: _Rows, file: str, kind: Kind) -> tuple[KeypointTable, list[Problem]]:
    problems: list[Problem] = []
    count = len(rows.image_ids)
    categories = np.fromiter(
        (CATEGORY_INDEX.get(name, -1) for name in rows.categories), np.int8, count
    )
    for i in np.flatnonzero(categories < 0):
        message = f"unknown category; expected one of {', '.join(CATEGORY_NAMES)}"
        problems.append(
            Problem(file, int(rows.numbers[i]), "image_category", rows.categories[i], message)
        )
    problems.extend(_unsafe_ids(rows, file))

    if kind == "list":
        keypoints = np.full((count, NUM_KEYPOINTS, 2), -1, np.float32)
        visibility = np.full((count, NUM_KEYPOINTS), Visibility.ABSENT, np.int8)
    else:
        keypoints, visibility, deviating = _parse_cells(rows.cells)
        problems.extend(_parse_rows_carefully(rows, deviating, file, keypoints, visibility))
    if kind == "labels":
        problems.extend(_label_problems(rows, file, categories, keypoints, visibility))

    kept, duplicate_problems = _without_duplicates(rows, file)
    problems.extend(duplicate_problems)
    kept &= categories >= 0
    table = KeypointTable(tuple(rows.image_ids), categories, keypoints, visibility, rows.numbers)
    return (table if kept.all() else table.select(kept)), problems


def _parse_cells(
    cells: Sequence[bytes],
) -> tuple[NDArray[np.float32], NDArray[np.int8], NDArray[np.intp]]:
    """Parse well-formed integer cells of all rows at once.

    Returns:
        Keypoints ``(N, K, 2)``, visibility ``(N, K)`` and the indices of the rows that hold any
        cell which is not three plain integers; these rows' values mean nothing yet.
    """
    count = len(cells)
    keypoints = np.full((count * NUM_KEYPOINTS, 2), -1, np.float32)
    visibility = np.full(count * NUM_KEYPOINTS, Visibility.ABSENT, np.int8)
    deviating = np.zeros(count * NUM_KEYPOINTS, np.bool_)
    if not count:
        return _shaped(keypoints, visibility, deviating)

    blob = b"\n".join([*cells, b""])
    # Three cells in five are absent: emptied, they cost next to nothing below. A cell that was
    # empty before must not pass for one, so it is marked with a byte that parses as no number.
    empty_cells = blob.startswith(b",") or any(gap in blob for gap in (b",,", b"\n,", b",\n"))
    if empty_cells or b"\n\n" in blob:
        blob = re.sub(rb"(?<![^,\n])(?=[,\n])", b"?", blob)
    text = np.frombuffer(blob.replace(_ABSENT_CELL, b""), np.uint8)
    separators = np.flatnonzero((text == _COMMA) | (text == _NEWLINE) | (text == _UNDERSCORE))
    # Each cell ends with a comma or a newline; every row was seen to have 24 of them.
    ends = np.flatnonzero(text[separators] != _UNDERSCORE)
    parts = np.diff(ends, prepend=-1)
    starts = np.concatenate(([0], separators[:-1] + 1))
    filled = parts == 3
    absent = (parts == 1) & (starts[ends] == separators[ends])
    deviating |= ~(filled | absent)

    tokens = ends[filled][:, None] + np.array([-2, -1, 0])
    values, valid = _parse_integers(text, starts[tokens], separators[tokens])
    xy, v = values[:, :2], values[:, 2]
    valid &= (v == Visibility.VISIBLE) | (v == Visibility.OCCLUDED)
    where = np.flatnonzero(filled)
    keypoints[where] = xy
    visibility[where] = v
    deviating[where] = ~valid
    return _shaped(keypoints, visibility, deviating)


def _shaped(
    keypoints: NDArray[np.float32], visibility: NDArray[np.int8], deviating: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.int8], NDArray[np.intp]]:
    rows = np.flatnonzero(deviating.reshape(-1, NUM_KEYPOINTS).any(axis=1))
    return (
        keypoints.reshape(-1, NUM_KEYPOINTS, 2),
        visibility.reshape(-1, NUM_KEYPOINTS),
        rows,
    )


def _parse_integers(
    text: NDArray[np.uint8], starts: NDArray[np.intp], stops: NDArray[np.intp]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Parse the integers at ``text[starts:stops]``, ``(M, 3)``, and say which rows hold three."""
    negative = text[starts] == _MINUS
    digits = stops - starts - negative
    valid = (digits >= 1) & (digits <= _MAX_DIGITS)
    values = np.zeros(starts.shape, np.int32)
    for place in range(min(_MAX_DIGITS, int(digits.max(initial=0)))):
        has_place = digits > place
        # Below zero the subtraction wraps round to a large number, which is no digit either.
        digit = text[stops - 1 - place * has_place] - np.uint8(_ZERO)
        valid &= ~has_place | (digit <= 9)
        values += (digit * has_place).astype(np.int32) * 10**place
    np.negative(values, where=negative, out=values)
    return values, valid.all(axis=1)


def _parse_rows_carefully(
    rows: _Rows,
    indices: Iterable[np.intp],
    file: str,
    keypoints: NDArray[np.float32],
    visibility: NDArray[np.int8],
) -> Iterator[Problem]:
    """Parse cell by cell what `_parse_cells` passed over; fill the tables, name what is wrong."""
    for i in indices:
        keypoints[i], visibility[i] = -1, Visibility.ABSENT
        for k, cell in enumerate(rows.cells[i].decode().split(",")):
            try:
                x, y, v = _parse_cell(cell)
            except ValueError as error:
                yield Problem(file, int(rows.numbers[i]), KEYPOINT_NAMES[k], cell, str(error))
            else:
                keypoints[i, k], visibility[i, k] = (x, y), v


def _parse_cell(cell: str) -> tuple[float, float, int]:
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
    if v not in (Visibility.ABSENT, Visibility.OCCLUDED, Visibility.VISIBLE):
        raise ValueError("v is out of range; expected 1 (visible), 0 (occluded) or -1 (absent)")
    if v == Visibility.ABSENT and (x, y) != (-1, -1):
        raise ValueError("an absent point has no place; expected -1_-1_-1, or v = 0 or 1")
    return x, y, v


def _unsafe_ids(rows: _Rows, file: str) -> Iterator[Problem]:
    joined = "\n".join(["", *rows.image_ids, ""])
    if not any(mark in joined for mark in ("..", "\\", ":", "\n/", "\n\n", "\n~")):
        return
    for image_id, number in zip(rows.image_ids, rows.numbers, strict=True):
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
    known = categories >= 0
    foreign = labelled & ~CATEGORY_KEYPOINTS[categories] & known[:, None]
    outside = labelled & (keypoints < 0).any(axis=2)
    rules: tuple[tuple[NDArray[np.bool_], Severity, str], ...] = (
        (foreign, "error", "{} has no such point; expected -1_-1_-1, or another category"),
        (outside, "warning", "the point lies outside the image; x and y start at 0"),
    )
    for found, severity, message in rules:
        for i, k in zip(*np.nonzero(found), strict=True):
            cell = rows.cells[i].decode().split(",")[k]
            text = message.format(rows.categories[i])
            yield Problem(file, int(rows.numbers[i]), KEYPOINT_NAMES[k], cell, text, severity)


def _without_duplicates(rows: _Rows, file: str) -> tuple[NDArray[np.bool_], list[Problem]]:
    """Mask ``(N,)`` of the rows to keep, and what is wrong with ids that stand twice."""
    kept = np.ones(len(rows.image_ids), np.bool_)
    problems: list[Problem] = []
    if len(set(rows.image_ids)) == len(rows.image_ids):
        return kept, problems

    def content(index: int) -> tuple[str, bytes]:
        return rows.categories[index], rows.cells[index] if rows.cells else b""

    first: dict[str, int] = {}
    for i, image_id in enumerate(rows.image_ids):
        earlier = first.setdefault(image_id, i)
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
        message = f"{repeated} rows stand twice, letter for letter; the second of each is dropped"
        problems.append(Problem(file, 0, "", "", message, "warning"))
    return kept, problems


# --- writing and small helpers


def _format(table: KeypointTable) -> str:
    keypoints = table.keypoints.reshape(-1, 2)
    present = table.visibility.reshape(-1) != Visibility.ABSENT
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
        table.image_ids, names, cells.reshape(len(table), -1), strict=True
    ):
        lines.append(f"{image_id},{name},{','.join(row)}")
    return "\n".join([*lines, ""])


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else f"{value:.2f}"


def _shortened(value: str, limit: int = 60) -> str:
    return value if len(value) <= limit else f"{value[:limit]}…"


def _empty_table() -> KeypointTable:
    return KeypointTable(
        image_ids=(),
        category_indices=np.empty(0, np.int8),
        keypoints=np.empty((0, NUM_KEYPOINTS, 2), np.float32),
        visibility=np.empty((0, NUM_KEYPOINTS), np.int8),
        rows=np.empty(0, np.int64),
    )


def _subfolders(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return []


def _file_names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder)]
    except OSError:
        return []
