"""Predictions as a table, from every format that ``fashionkp predict`` writes.

A table has one garment an image: the first of each image, since `predict` writes the best first.
What a file is, its content tells; a name in ``.csv`` is taken at its word.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fashionkp_mm.core.csv_cells import MAX_COORDINATE
from fashionkp_mm.core.csv_format import read_predictions
from fashionkp_mm.core.garments import (
    CATEGORY_INDEX,
    KEYPOINT_INDEX,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.core.table import AnnotationError, KeypointTable, Problem

_STATES = {state.name.lower(): state for state in Visibility}
_COCO_STATES = {0: Visibility.ABSENT, 1: Visibility.OCCLUDED, 2: Visibility.VISIBLE}
_EXPECTED = "expected predictions as `fashionkp predict` writes them"


def read_predictions_file(path: Path) -> KeypointTable:
    """Read predictions from a CSV, JSON, COCO or Parquet file.

    Raises:
        AnnotationError: The file breaks a rule of its format.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    if path.suffix.lower() != ".csv":
        if head.startswith(b"PAR1"):
            return _table(_of_garments(_parquet_garments(path), str(path)))
        if head.startswith((b"[", b"{")):
            return _table(_of_json(path))
    return read_predictions(path)


@dataclass(frozen=True)
class _FileGarment:
    """One garment of a file: x, y and state of its points, by name."""

    image_id: str
    category_index: int
    points: Mapping[str, tuple[float, float, Visibility]]


def _table(found: Iterable[_FileGarment]) -> KeypointTable:
    best: dict[str, _FileGarment] = {}
    for garment in found:
        best.setdefault(garment.image_id, garment)
    keypoints = np.full((len(best), NUM_KEYPOINTS, 2), -1, np.float32)
    visibility = np.full((len(best), NUM_KEYPOINTS), Visibility.ABSENT, np.int8)
    for row, garment in enumerate(best.values()):
        for name, (x, y, state) in garment.points.items():
            keypoints[row, KEYPOINT_INDEX[name]] = x, y
            visibility[row, KEYPOINT_INDEX[name]] = state
    return KeypointTable(
        image_ids=tuple(best),
        category_indices=np.array([one.category_index for one in best.values()], np.int8),
        keypoints=keypoints,
        visibility=visibility,
        rows=np.arange(1, len(best) + 1),
    )


def _of_json(path: Path) -> Iterator[_FileGarment]:
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _wrong(str(path), "", "", f"not readable as JSON ({error})") from None
    if isinstance(content, list):
        return _of_garments(content, str(path))
    return _of_coco(content, str(path))


def _of_garments(garments: Iterable[Any], file: str) -> Iterator[_FileGarment]:
    """What a list of `runtime.Garment.to_dict` holds."""
    for index, garment in enumerate(garments):
        place = f"[{index}]"
        points = {}
        for name, point in _get(garment, "keypoints", dict, file, place).items():
            where = f"{place}.keypoints.{name}"
            if name not in KEYPOINT_INDEX:
                raise _wrong(file, where, name, f"unknown keypoint; {_EXPECTED}")
            state = _get(point, "visibility", str, file, where)
            if state not in _STATES:
                raise _wrong(file, where, state, f"expected one of {', '.join(_STATES)}")
            x, y = (_get(point, axis, (int, float), file, where) for axis in "xy")
            points[name] = (*_pixels(x, y, file, where), _STATES[state])
        yield _FileGarment(
            _get(garment, "image_id", str, file, place),
            _category(_get(garment, "category", str, file, place), file, place),
            points,
        )


def _of_coco(content: dict[str, Any], file: str) -> Iterator[_FileGarment]:
    """What a COCO data set holds; its absent points have no place."""
    listed = {name: _get(content, name, list, file, "") for name in _COCO_LISTS}
    names = {
        image.get("id"): _get(image, "file_name", str, file, f"images[{index}]")
        for index, image in enumerate(listed["images"])
    }
    categories = {category.get("id"): category for category in listed["categories"]}
    for index, annotation in enumerate(listed["annotations"]):
        place = f"annotations[{index}]"
        image, category = annotation.get("image_id"), annotation.get("category_id")
        if image not in names or category not in categories:
            raise _wrong(file, place, f"{image}, {category}", "an image or category not listed")
        labels = categories[category].get("keypoints", KEYPOINT_NAMES)
        flat = _get(annotation, "keypoints", list, file, place)
        if not set(labels) <= set(KEYPOINT_NAMES) or len(flat) != 3 * len(labels):
            raise _wrong(file, place, "", "expected x, y and v of each keypoint of FashionAI")
        yield _FileGarment(
            names[image],
            _category(_get(categories[category], "name", str, file, place), file, place),
            dict(_coco_points(labels, flat, file, place)),
        )


_COCO_LISTS = ("images", "annotations", "categories")


def _coco_points(
    names: Sequence[str], flat: Sequence[Any], file: str, place: str
) -> Iterator[tuple[str, tuple[float, float, Visibility]]]:
    for k, name in enumerate(names):
        x, y, flag = flat[3 * k : 3 * k + 3]
        if flag not in _COCO_STATES:
            raise _wrong(file, f"{place}.{name}", str(flag), "expected v = 0, 1 or 2")
        if flag:
            yield name, (*_pixels(x, y, file, f"{place}.{name}"), _COCO_STATES[flag])


def _parquet_garments(path: Path) -> Iterator[dict[str, Any]]:
    """A file of a row a garment, in the form of `runtime.Garment.to_dict`."""
    try:
        frame = pd.read_parquet(path)
    except ImportError:
        message = "Parquet needs pyarrow, which is not installed: pip install pyarrow"
        raise _wrong(str(path), "", "", message) from None
    except ValueError as error:  # pyarrow's errors for damaged files are ValueErrors, too
        raise _wrong(str(path), "", "", f"not readable as Parquet ({error})") from None
    for row in frame.to_dict("records"):
        yield {
            **{name: row.get(name) for name in ("image_id", "category")},
            "keypoints": {
                name: {fact: row.get(f"{name}_{fact}") for fact in ("x", "y", "visibility")}
                for name in KEYPOINT_NAMES
                if pd.notna(row.get(f"{name}_x"))
            },
        }


def _category(name: str, file: str, place: str) -> int:
    if name not in CATEGORY_INDEX:
        expected = ", ".join(CATEGORY_INDEX)
        raise _wrong(file, place, name, f"unknown category; expected one of {expected}")
    return CATEGORY_INDEX[name]


def _pixels(x: Any, y: Any, file: str, place: str) -> tuple[float, float]:
    for value in (x, y):
        # A comparison with NaN is false.
        if not isinstance(value, int | float) or not abs(value) <= MAX_COORDINATE:
            raise _wrong(file, place, str(value), "expected x and y in pixels")
    return float(x), float(y)


def _get(entry: Any, name: str, kind: type | tuple[type, ...], file: str, place: str) -> Any:
    value = entry.get(name) if isinstance(entry, dict) else None
    if not isinstance(value, kind):
        where = f"{place}.{name}".removeprefix(".")
        raise _wrong(file, where, "" if value is None else str(value), _EXPECTED)
    return value


def _wrong(file: str, place: str, value: str, message: str) -> AnnotationError:
    return AnnotationError([Problem(file, 0, place, value, message)])
