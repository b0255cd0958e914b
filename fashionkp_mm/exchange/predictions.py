"""Predictions as a table, from every format that ``fashionkp predict`` writes.

A table has one garment an image: the first of each image, since `predict` writes the best first;
`read_garments` has them all. What a file is, its content tells; a name in ``.csv`` is taken at its
word.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fashionkp_mm.core.csv_cells import MAX_COORDINATE
from fashionkp_mm.core.csv_format import read_labels, read_predictions
from fashionkp_mm.core.garments import (
    CATEGORY_INDEX,
    KEYPOINT_INDEX,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.core.table import AnnotationError, KeypointTable, Problem
from fashionkp_mm.exchange.file_garment import FileGarment, garments_of
from fashionkp_mm.runtime.garment import Garment

_STATES = {state.name.lower(): state for state in Visibility}
_COCO_STATES = {0: Visibility.ABSENT, 1: Visibility.OCCLUDED, 2: Visibility.VISIBLE}
_EXPECTED = "expected predictions as `fashionkp predict` writes them"


def read_predictions_file(path: Path) -> KeypointTable:
    """Read predictions from a CSV, JSON, COCO or Parquet file.

    Raises:
        AnnotationError: The file breaks a rule of its format.
        OSError: The file cannot be read.
    """
    found = _file_garments(path)
    return read_predictions(path) if found is None else _table(found)


def read_garments(path: Path) -> dict[str, list[Garment]]:
    """All garments of a CSV, JSON, COCO or Parquet file, by image id, in the order of the file.

    A JSON or Parquet file tells all that `predict` knew. What the others do not tell is not made
    up: scores are NaN, ``image_size`` is (0, 0), ``box`` is the tight box of the points.

    Raises:
        AnnotationError: The file breaks a rule of its format.
        OSError: The file cannot be read.
    """
    found = _file_garments(path)
    if found is None:
        return garments_of(read_predictions(path))
    garments: dict[str, list[Garment]] = {}
    for one in found:
        garments.setdefault(one.image_id, []).append(one.garment())
    return garments


def read_labelled_garments(csv: Path) -> dict[str, list[Garment]]:
    """The garments of a CSV of labels by image id; the scores of labelled points are 1.

    Raises:
        AnnotationError: The file breaks a rule of the format.
        OSError: The file cannot be read.
    """
    return garments_of(read_labels(csv), score=1.0)


def _file_garments(path: Path) -> Iterator[FileGarment] | None:
    """What a JSON, COCO or Parquet file holds; None for a CSV."""
    if path.suffix.lower() == ".csv":
        return None
    with path.open("rb") as file:
        head = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"PAR1"):
        return _of_garments(_parquet_garments(path), str(path))
    return _of_json(path) if head.startswith((b"[", b"{")) else None


def _table(found: Iterable[FileGarment]) -> KeypointTable:
    best: dict[str, FileGarment] = {}
    for garment in found:
        best.setdefault(garment.image_id, garment)
    keypoints = np.full((len(best), NUM_KEYPOINTS, 2), -1, np.float32)
    visibility = np.full((len(best), NUM_KEYPOINTS), Visibility.ABSENT, np.int8)
    for row, garment in enumerate(best.values()):
        for name, (x, y, state, _) in garment.points.items():
            keypoints[row, KEYPOINT_INDEX[name]] = x, y
            visibility[row, KEYPOINT_INDEX[name]] = state
    return KeypointTable(
        image_ids=tuple(best),
        category_indices=np.array([one.category_index for one in best.values()], np.int8),
        keypoints=keypoints,
        visibility=visibility,
        rows=np.arange(1, len(best) + 1),
    )


def _of_json(path: Path) -> Iterator[FileGarment]:
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _wrong(str(path), "", "", f"not readable as JSON ({error})") from None
    if isinstance(content, list):
        return _of_garments(content, str(path))
    return _of_coco(content, str(path))


def _of_garments(garments: Iterable[Any], file: str) -> Iterator[FileGarment]:
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
            score = _score(point.get("score"), file, f"{where}.score")
            points[name] = (*_pixels(x, y, file, where), _STATES[state], score)
        width, height = _numbers(garment.get("image_size"), 2, file, f"{place}.image_size") or (
            0,
            0,
        )
        scores = garment.get("category_scores")
        yield FileGarment(
            _get(garment, "image_id", str, file, place),
            _category(_get(garment, "category", str, file, place), file, place),
            points,
            image_size=(int(width), int(height)),
            category_score=_score(garment.get("category_score"), file, f"{place}.category_score"),
            category_scores={
                name: _score(score, file, f"{place}.category_scores.{name}")
                for name, score in (scores.items() if isinstance(scores, dict) else ())
            },
            box=_numbers(garment.get("box"), 4, file, f"{place}.box"),
            box_source=str(garment.get("box_source") or "given"),
            box_score=_score(garment.get("box_score"), file, f"{place}.box_score"),
        )


def _of_coco(content: dict[str, Any], file: str) -> Iterator[FileGarment]:
    """What a COCO data set holds; its absent points have no place."""
    listed = {name: _get(content, name, list, file, "") for name in _COCO_LISTS}
    images = {}
    for index, image in enumerate(listed["images"]):
        name = _get(image, "file_name", str, file, f"images[{index}]")
        images[image.get("id")] = name, [image.get("width"), image.get("height")]
    categories = {category.get("id"): category for category in listed["categories"]}
    for index, annotation in enumerate(listed["annotations"]):
        place = f"annotations[{index}]"
        image, category = annotation.get("image_id"), annotation.get("category_id")
        if image not in images or category not in categories:
            raise _wrong(file, place, f"{image}, {category}", "an image or category not listed")
        labels = categories[category].get("keypoints", KEYPOINT_NAMES)
        flat = _get(annotation, "keypoints", list, file, place)
        if not set(labels) <= set(KEYPOINT_NAMES) or len(flat) != 3 * len(labels):
            raise _wrong(file, place, "", "expected x, y and v of each keypoint of FashionAI")
        name, size = images[image]
        width, height = _numbers(size, 2, file, f"image {image}") or (0, 0)
        bbox = _numbers(annotation.get("bbox"), 4, file, f"{place}.bbox")
        yield FileGarment(
            name,
            _category(_get(categories[category], "name", str, file, place), file, place),
            dict(_coco_points(labels, flat, file, place)),
            image_size=(int(width), int(height)),
            box=bbox and (bbox[0], bbox[1], bbox[0] + bbox[2], bbox[1] + bbox[3]),
        )


_COCO_LISTS = ("images", "annotations", "categories")


def _coco_points(
    names: Sequence[str], flat: Sequence[Any], file: str, place: str
) -> Iterator[tuple[str, tuple[float, float, Visibility, float]]]:
    for k, name in enumerate(names):
        x, y, flag = flat[3 * k : 3 * k + 3]
        if flag not in _COCO_STATES:
            raise _wrong(file, f"{place}.{name}", str(flag), "expected v = 0, 1 or 2")
        if flag:
            place_in_image = _pixels(x, y, file, f"{place}.{name}")
            yield name, (*place_in_image, _COCO_STATES[flag], math.nan)


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
            **{name: row.get(name) for name in _PARQUET_FACTS},
            "image_size": [row.get("image_width"), row.get("image_height")],
            "box": [row.get(f"box_{side}") for side in ("x1", "y1", "x2", "y2")],
            "keypoints": {
                name: {fact: row.get(f"{name}_{fact}") for fact in _POINT_FACTS}
                for name in KEYPOINT_NAMES
                if pd.notna(row.get(f"{name}_x"))
            },
        }


_POINT_FACTS = ("x", "y", "score", "visibility")
_PARQUET_FACTS = ("image_id", "category", "category_score", "box_source", "box_score")


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


def _numbers(values: Any, count: int, file: str, place: str) -> Any:
    """So many numbers as a tuple; None where the file does not tell them."""
    if values is None or (isinstance(values, list) and all(map(_is_unknown, values))):
        return None
    if not isinstance(values, list) or len(values) != count:
        raise _wrong(file, place, str(values), f"expected {count} numbers")
    for value in values:
        if not isinstance(value, int | float) or not abs(value) <= MAX_COORDINATE:
            raise _wrong(file, place, str(value), "expected pixels")
    return tuple(float(value) for value in values)


def _score(value: Any, file: str, place: str) -> float:
    """A number; NaN where the file does not tell it. The peak of a heatmap may exceed 1."""
    if _is_unknown(value):
        return math.nan
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(file, place, str(value), "expected a score")
    return float(value)


def _is_unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _get(entry: Any, name: str, kind: type | tuple[type, ...], file: str, place: str) -> Any:
    value = entry.get(name) if isinstance(entry, dict) else None
    if not isinstance(value, kind):
        where = f"{place}.{name}".removeprefix(".")
        raise _wrong(file, where, "" if value is None else str(value), _EXPECTED)
    return value


def _wrong(file: str, place: str, value: str, message: str) -> AnnotationError:
    return AnnotationError([Problem(file, 0, place, value, message)])
