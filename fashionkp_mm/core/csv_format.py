"""FashionAI CSV files: labels, predictions (contest entries) and test lists.

A row is one image with one labelled garment: ``image_id,image_category`` and 24 cells ``x_y_v`` in
the order of ``garments.KEYPOINT_NAMES``. ``x`` and ``y`` are pixels of the image as stored, the
origin in its upper left corner. ``v`` is 1 for visible, 0 for occluded (its place is labelled all
the same) and -1 for absent, whose cell is always ``-1_-1_-1``. The three stay three different
things in every table here. A *prediction* may place a point that it calls absent, ``x_y_-1``, so
that the normalized error knows where it was looked for; ``-1_-1_-1`` is no place.

Read are: files with and without a header, with further columns behind or between the standard ones
(a header says which; spaces around its names do not count), rows of all columns below a header that
names the first two, LF and CRLF line ends, empty lines, a byte order mark, fields in quotes, and
test lists that end after the first two columns. `csv_text` has the rules of quotes, `csv_cells`
those of numbers. Clean files (LF, standard header, integers) are written back byte for byte.

An image id is a path with ``/``. Labels start from a data root, which their ids must not leave.
Predictions and test lists may name a picture anywhere, by any name that a file can have.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core import csv_cells, csv_text
from fashionkp_mm.core.csv_columns import COLUMNS, ID_COLUMNS, Kind, Rows, read_rows
from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.garments import (
    CATEGORY_INDEX,
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.core.image_ids import id_problem
from fashionkp_mm.core.table import (
    AnnotationError,
    AnnotationWarning,
    KeypointTable,
    Problem,
    Severity,
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
        rows = read_rows(Path(path), kind)
    except AnnotationError as error:
        return KeypointTable.empty(), list(error.problems)
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


def format_table(table: KeypointTable) -> str:
    """A table as CSV; every point that has a place keeps it, whatever its category and state.

    Whole numbers are written without decimals, others with two.
    """
    return _format(table, table.placed)


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


# --- reading


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


def _parse(rows: Rows, file: str, kind: Kind) -> tuple[KeypointTable, list[Problem]]:
    problems: list[Problem] = []
    image_ids, names = rows.column(0), rows.column(1)
    categories = np.array([CATEGORY_INDEX.get(name, -1) for name in names], np.int8)
    for i in np.flatnonzero(categories < 0):
        message = f"unknown category; expected one of {', '.join(CATEGORY_NAMES)}"
        problems.append(Problem(file, int(rows.numbers[i]), "image_category", names[i], message))
    problems.extend(_odd_ids(image_ids, rows, file, kind))

    keypoints = np.full((len(rows), NUM_KEYPOINTS, 2), -1, np.float32)
    visibility = np.full((len(rows), NUM_KEYPOINTS), Visibility.ABSENT, np.int8)
    if kind != "list":
        problems.extend(_parse_cells(rows, file, kind, keypoints, visibility))
    if kind == "labels":
        problems.extend(_label_problems(rows, file, categories, keypoints, visibility))

    kept, duplicate_problems = _without_duplicates(image_ids, rows, file)
    problems.extend(duplicate_problems)
    kept &= categories >= 0
    table = KeypointTable(tuple(image_ids), categories, keypoints, visibility, rows.numbers)
    return (table if kept.all() else table.select(kept)), problems


def _parse_cells(
    rows: Rows,
    file: str,
    kind: Kind,
    keypoints: NDArray[np.float32],
    visibility: NDArray[np.int8],
) -> Iterator[Problem]:
    """Fill in ``(N, K, 2)`` and ``(N, K)``, absent everywhere, and tell the broken cells."""
    records, cells = rows.records, rows.fields[:, len(ID_COLUMNS) :]
    left = csv_cells.parse_plain_cells(
        records.text, records.starts[cells], records.stops[cells], keypoints, visibility
    )
    numbers = rows.numbers[left[0]].tolist()
    texts = records.texts(cells[left])
    for i, k, number, text in zip(
        *(indices.tolist() for indices in left), numbers, texts, strict=True
    ):
        try:
            x, y, v = csv_cells.parse_cell(text, absent_has_place=kind == "predictions")
        except ValueError as error:
            yield Problem(file, number, KEYPOINT_NAMES[k], text, str(error))
        else:
            keypoints[i, k] = x, y
            visibility[i, k] = v


def _odd_ids(image_ids: Sequence[str], rows: Rows, file: str, kind: Kind) -> Iterator[Problem]:
    """Ids that are no path, that leave the data root of labels, or that look like a mistake."""
    joined = "\n".join(("", *image_ids, ""))
    plain = "".join(image_ids).isprintable() and not any(mark in joined for mark in _ODD_MARKS)
    if plain and all(image_id[:1].isalnum() for image_id in image_ids):
        return
    for image_id, number in zip(image_ids, rows.numbers.tolist(), strict=True):
        severity: Severity = "error"
        if not image_id.strip():
            message = "the image id is empty; expected a path such as Images/blouse/NAME.jpg"
        elif kind == "labels" and (problem := id_problem(image_id)):
            message = problem
        elif not image_id.isprintable() or image_id != image_id.strip():
            severity = "warning"
            message = (
                "the image id has a control character, or a space at its start or end; it counts"
                " as part of the file's name"
            )
        else:
            continue
        yield Problem(file, number, "image_id", image_id, message, severity)


_ODD_MARKS = ("..", "\\", ":", " \n", "\n ")


def _label_problems(
    rows: Rows,
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
            yield Problem(file, *place, rows.cell(i, k + 2), text, severity, cause=message)


def _without_duplicates(
    image_ids: Sequence[str], rows: Rows, file: str
) -> tuple[NDArray[np.bool_], list[Problem]]:
    """Mask ``(N,)`` of the rows to keep, and what is wrong with ids that stand twice."""
    count = len(image_ids)
    kept = np.ones(count, np.bool_)
    problems: list[Problem] = []
    first = dict(zip(reversed(image_ids), range(count - 1, -1, -1), strict=True))
    if len(first) == count:
        return kept, problems

    def content(row: int) -> list[str]:
        return [rows.cell(row, column) for column in range(1, rows.fields.shape[1])]

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
            place = int(rows.numbers[i]), "image_id"
            problems.append(Problem(file, *place, image_id, message, cause="another row"))
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
    cells = np.full(len(keypoints), csv_cells.ABSENT, dtype=object)
    cells[present] = [
        csv_cells.write_cell(x, y, v)
        for (x, y), v in zip(
            keypoints[present].tolist(), table.visibility.reshape(-1)[present].tolist(), strict=True
        )
    ]
    names = [CATEGORY_NAMES[index] for index in table.category_indices]
    rows = zip(table.image_ids, names, cells.reshape(len(table), NUM_KEYPOINTS), strict=True)
    lines = [csv_text.line_of((image_id, name, *row)) for image_id, name, row in rows]
    return "".join([csv_text.line_of(COLUMNS), *lines])
