"""A second reader of FashionAI CSV files: slow, plain, and strict.

It shares nothing with the package but the names of categories and keypoints. Its rules are those
that the package documents, one after the other, with Python's own ``csv`` module below them.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Literal

from fashionkp_mm.core.garments import CATEGORIES, CATEGORY_NAMES, KEYPOINT_NAMES

Kind = Literal["labels", "predictions", "list"]
Point = tuple[float, float, int]

_ID_COLUMNS = ["image_id", "image_category"]
_COLUMNS = [*_ID_COLUMNS, *KEYPOINT_NAMES]
_CELL = re.compile(r"(-?\d+(?:\.\d+)?)_(-?\d+(?:\.\d+)?)_(-1|0|1)", re.ASCII)
_LARGEST = 2**24


class Refused(Exception):  # noqa: N818
    """The file breaks a rule."""


@dataclass(frozen=True)
class Row:
    """One image."""

    line: int
    image_id: str
    category: str
    points: tuple[Point, ...]


def read(data: bytes, kind: Kind) -> list[Row]:
    """All rows of a file.

    Raises:
        Refused: It breaks a rule.
    """
    names, rows = _table(_text(data), kind)
    required = _ID_COLUMNS if kind == "list" else _COLUMNS
    for name in required:
        if names.count(name) != 1:
            raise Refused(f"column {name} stands {names.count(name)} times")
    places = [names.index(name) for name in required]
    seen: dict[str, list[str]] = {}
    result = []
    for line, fields in rows:
        if len(fields) != len(names):
            raise Refused(f"row {line} has {len(fields)} cells, not {len(names)}")
        cells = [fields[place] for place in places]
        row = Row(line, _image_id(cells[0]), _category(cells[1]), _points(cells, kind))
        if seen.setdefault(cells[0], cells) is not cells:
            if seen[cells[0]] != cells:
                raise Refused(f"{cells[0]} stands twice, with different values")
            continue  # the very same row once more
        result.append(row)
    return result


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(str(error)) from None
    if "\0" in text:
        raise Refused("a NUL")
    return text.removeprefix("\ufeff")


def _table(text: str, kind: Kind) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Column names, and the rows with their line numbers."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [(reader.line_num, fields) for fields in reader]
    except csv.Error as error:
        raise Refused(str(error)) from None
    rows = [(line, fields) for line, fields in lines if "".join(fields).strip() or len(fields) > 1]
    if not rows:
        raise Refused("no rows")
    first = [name.strip() for name in rows[0][1]]
    if any(name in first for name in _ID_COLUMNS):
        names = first
        rows = rows[1:]
        if not rows:
            raise Refused("a header alone")
        return names, rows
    count = len(first)
    if kind == "list" and count >= 2:
        return [*_ID_COLUMNS, *(f"column {index}" for index in range(3, count + 1))], rows
    if count in (len(_COLUMNS), len(_COLUMNS) + 1):
        return [*_COLUMNS, "column 27"][:count], rows
    raise Refused(f"no header, and {count} columns")


def _image_id(text: str) -> str:
    if not text.strip():
        raise Refused("an empty id")
    if text[0] in "/~" or "\\" in text or ".." in text.split("/"):
        raise Refused(f"the id {text!r} leaves the root")
    if re.match(r"[A-Za-z]:", text):
        raise Refused(f"the id {text!r} begins with a drive")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise Refused(f"the id {text!r} holds a control character")
    return text


def _category(text: str) -> str:
    if text not in CATEGORY_NAMES:
        raise Refused(f"the category {text!r}")
    return text


def _points(cells: list[str], kind: Kind) -> tuple[Point, ...]:
    if kind == "list":
        return ((-1.0, -1.0, -1),) * len(KEYPOINT_NAMES)
    points = []
    for name, cell in zip(KEYPOINT_NAMES, cells[2:], strict=True):
        match = _CELL.fullmatch(cell)
        if match is None:
            raise Refused(f"the cell {cell!r}")
        x, y, v = float(match[1]), float(match[2]), int(match[3])
        if max(abs(x), abs(y)) > _LARGEST:
            raise Refused(f"the cell {cell!r} lies outside any picture")
        if kind == "labels" and v == -1 and (x, y) != (-1, -1):
            raise Refused(f"the cell {cell!r}: absent, and has a place")
        if kind == "labels" and v != -1 and name not in CATEGORIES[cells[1]].keypoints:
            raise Refused(f"{cells[1]} has no {name}")
        points.append((x, y, v))
    return tuple(points)
