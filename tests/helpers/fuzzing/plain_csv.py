"""A second reader of FashionAI CSV files: slow, plain, and strict.

It shares nothing with the package but the names of categories and keypoints. Its rules are those
that the package documents, one after the other: RFC 4180, letter by letter, and what a row must be.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from fashionkp_mm.core.garments import CATEGORIES, CATEGORY_NAMES, KEYPOINT_NAMES

Kind = Literal["labels", "predictions", "list"]
Point = tuple[float, float, int]

_ID_COLUMNS = ["image_id", "image_category"]
_COLUMNS = [*_ID_COLUMNS, *KEYPOINT_NAMES]
_CELL = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)_(-?[0-9]+(?:\.[0-9]+)?)_(-1|0|1)")
_LARGEST = 2**24


class Refused(Exception):  # noqa: N818  It is an answer.
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
    names, rows = _named(_records(_text(data)), kind)
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
        row = Row(line, _image_id(cells[0], kind), _category(cells[1]), _points(cells, kind))
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
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise Refused("a NUL")
    if "\r" in text and "\n" not in text:
        raise Refused("lines that end in CR alone")
    return text if text.endswith("\n") else text + "\n"


def _records(text: str) -> list[tuple[int, list[str]]]:
    """Lines in which records begin, and their fields; empty lines are left out."""
    records = []
    fields: list[str] = []
    line = start = 1
    place = 0
    while place < len(text):
        quoted = text[place] == '"'
        if quoted:
            field, place = _quoted(text, place + 1)
        else:
            stop = place + len(re.match(r"[^,\n]*", text[place:])[0])  # type: ignore[index]
            field = text[place:stop]
            if text[stop] == "\n":
                field = field.removesuffix("\r")
            if '"' in field:
                raise Refused(f"a quote in the field {field!r}")
            place = stop
        line += field.count("\n")
        fields.append(field)
        if text[place] == "\n":
            if quoted or len(fields) > 1 or field.strip():
                records.append((start, fields))
            line += 1
            fields, start = [], line
        place += 1
    return records


def _quoted(text: str, place: int) -> tuple[str, int]:
    """The field that begins behind an opening quote, and the place of the mark that ends it."""
    field = ""
    while True:
        stop = text.find('"', place)
        if stop < 0:
            raise Refused("a quote is left open")
        field += text[place:stop]
        rest = text[stop + 1 :]
        if rest.startswith('"'):
            field, place = field + '"', stop + 2
        elif rest.startswith((",", "\n")):
            return field, stop + 1
        elif rest.startswith("\r\n"):
            return field, stop + 2
        else:
            raise Refused("text after a closing quote")


def _named(
    records: list[tuple[int, list[str]]], kind: Kind
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Column names, and the rows with their line numbers."""
    if not records:
        raise Refused("no rows")
    first = [name.strip() for name in records[0][1]]
    if any(name.casefold() in _COLUMNS for name in first):
        records = records[1:]
        if not records:
            raise Refused("a header alone")
        if first != _ID_COLUMNS:
            return first, records
    counts = Counter(len(fields) for _, fields in records)
    usual = min(count for count in counts if counts[count] == max(counts.values()))
    if usual in (len(_COLUMNS), len(_COLUMNS) + 1):
        return [*_COLUMNS, "column 27"][:usual], records
    if first == _ID_COLUMNS:
        return first, records
    if kind == "list" and usual >= 2:
        return [*_ID_COLUMNS, *(f"column {index}" for index in range(3, usual + 1))], records
    raise Refused(f"no header, and {usual} columns")


def _image_id(text: str, kind: Kind) -> str:
    if not text.strip():
        raise Refused("an empty id")
    if kind == "labels":
        if text[0] in "/~" or "\\" in text or ".." in text.split("/"):
            raise Refused(f"the id {text!r} leaves the root")
        if re.match(r"[A-Za-z]:", text):
            raise Refused(f"the id {text!r} begins with a drive")
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
