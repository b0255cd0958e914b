"""This project's JSON: a list of garments, one a line, with points by name.

``{"image_id", "image_size", "category", "box", "score", "keypoints": {NAME: {"x", "y", "score",
"visibility"}}}``; size, box and scores stand where they are known. `runtime.Garment.to_dict` says
what else predictions have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from fashionkp_mm.core.garments import (
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    KEYPOINT_NAMES,
)
from fashionkp_mm.exchange.entries import (
    NUMBER,
    STATE_NAMES,
    STATES,
    get,
    load_list,
    pixels,
    size_in,
)
from fashionkp_mm.exchange.names import Names
from fashionkp_mm.exchange.table import GarmentTable, TableBuilder, wrong

_OWN = {"image_id", "image_size", "category", "box", "score", "keypoints"}
"""What the table has columns for; all else of a garment is kept as it is."""
_STATES = ", ".join(STATES)
_X, _Y, _SEEN = map(itemgetter, ("x", "y", "visibility"))
_UNKNOWN = float("nan")


_NOTHING: Mapping[str, Any] = {}


class _Indices(dict[str, int]):
    """Index by name, looked up once for each name."""

    def __init__(self, index_of: Callable[[str], int]) -> None:
        super().__init__()
        self._index_of = index_of

    def __missing__(self, name: str) -> int:
        self[name] = self._index_of(name)
        return self[name]


def read(path: Path, names: Names) -> GarmentTable:
    """The garments of a file.

    Raises:
        AnnotationError: It breaks a rule of the format.
        OSError: The file cannot be read.
    """
    return table_of(load_list(path), str(path), names)


def table_of(garments: Iterable[Any], file: str, names: Names) -> GarmentTable:
    """A table of garments in this project's JSON.

    Raises:
        AnnotationError: One of them is none; ``file`` is named.
    """
    builder = TableBuilder(file)
    flat = builder.points
    category_of, keypoint_of = _Indices(names.category), _Indices(names.keypoint)
    for index, garment in enumerate(garments):
        place = f"[{index}]"
        points = get(garment, "keypoints", dict, file, place)
        image_id = get(garment, "image_id", str, file, place)
        category = category_of[get(garment, "category", str, file, place)]
        if garment.get("image_size") is not None:
            builder.picture(image_id, _size(garment["image_size"], file, place))
        if category < 0:
            builder.picture(image_id)
            continue
        further = garment.keys() - _OWN
        found = points.values()
        try:
            row = builder.garment(
                image_id,
                category,
                f"{place}.keypoints",
                box=_box(garment, file, place),
                score=_score(garment, category, points, file, place),
                extras=_further(garment, further, file, place) if further else _NOTHING,
            )
            # Most of the time goes here: no loop of Python's own.
            flat.rows += [row] * len(points)
            flat.keypoints += [keypoint_of[name] for name in points]
            flat.x += map(_X, found)
            flat.y += map(_Y, found)
            flat.visibility += map(STATES.__getitem__, map(_SEEN, found))
            flat.scores += [point.get("score", _UNKNOWN) for point in found]
        except (TypeError, KeyError, AttributeError):
            raise _broken_point(points, file, f"{place}.keypoints") from None
    names.require_known(file)
    return builder.build()


def write(table: GarmentTable) -> Iterator[bytes]:
    """The garments, one a line; of absent points those that the category has, with their place."""
    return lines(entries(table))


def lines(garments: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The file of garments that are plain JSON, piece by piece."""
    before = b"[\n"
    for garment in garments:
        yield before + json.dumps(garment, allow_nan=False).encode()
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def entries(table: GarmentTable) -> Iterator[dict[str, Any]]:
    """Each garment as plain JSON."""
    garments = table.garments
    sizes, extras = table.size_of, table.extras or ({},) * len(table)
    listed = garments.placed
    places = garments.keypoints.astype(np.float64).round(2).tolist()
    states, scores = garments.visibility.tolist(), table.keypoint_scores.tolist()
    for row, image_id in enumerate(garments.image_ids):
        further = dict(extras[row])
        entry: dict[str, Any] = {"image_id": image_id}
        if sizes[image_id] != (0, 0):
            entry["image_size"] = list(sizes[image_id])
        entry["category"] = CATEGORY_NAMES[garments.category_indices[row]]
        if not np.isnan(table.boxes[row]).any():
            entry["box"] = [round(side, 2) for side in table.boxes[row].tolist()]
        if "box_score" not in further and not np.isnan(table.scores[row]):
            entry["score"] = round(float(table.scores[row]), 4)
        points = {}
        for k in np.flatnonzero(listed[row]).tolist():
            x, y = places[row][k]
            point: dict[str, Any] = {"x": pixels(x), "y": pixels(y)}
            if scores[row][k] == scores[row][k]:  # not NaN
                point["score"] = round(scores[row][k], 4)
            point["visibility"] = STATE_NAMES[states[row][k]]
            points[KEYPOINT_NAMES[k]] = point
        yield {**entry, **further, "keypoints": points}


def _further(garment: Mapping[str, Any], names: set[str], file: str, place: str) -> dict[str, Any]:
    """What the table has no column for; what `predict` writes of it is judged."""
    further = {name: value for name, value in garment.items() if name in names}
    given = {name: further[name] for name in _SCORES if name in further}
    for several in _BY_NAME & further.keys():
        values = further[several]
        if not isinstance(values, dict):
            raise wrong(file, f"{place}.{several}", values, "expected numbers by name")
        given |= {f"{several}.{name}": value for name, value in values.items()}
    for name, value in given.items():
        if type(value) not in NUMBER or not np.isfinite(value):
            raise wrong(file, f"{place}.{name}", value, "expected a number")
    return further


_SCORES = ("category_score", "box_score")
_BY_NAME = {"category_scores", "keypoint_spreads"}


def _size(size: Any, file: str, place: str) -> tuple[int, int]:
    if not isinstance(size, list | tuple) or len(size) != 2:
        raise wrong(file, f"{place}.image_size", size, "expected [width, height]")
    return size_in(size[0], size[1], file, f"{place}.image_size")


def _box(garment: Mapping[str, Any], file: str, place: str) -> list[float]:
    box = garment.get("box")
    if box is None:
        return [np.nan] * 4
    if (
        not isinstance(box, list)
        or len(box) != 4
        or not all(isinstance(side, NUMBER) and np.isfinite(side) for side in box)
    ):
        raise wrong(file, f"{place}.box", box, "expected [x1, y1, x2, y2] in pixels")
    return box


def _score(
    garment: Mapping[str, Any], category: int, points: Mapping[str, Any], file: str, place: str
) -> float:
    """The garment's own score, or what `runtime.Garment.score` makes of a prediction's parts."""
    if "score" not in garment and "box_score" not in garment:
        return float("nan")
    score = get(garment, "score" if "score" in garment else "box_score", NUMBER, file, place)
    if "score" in garment:
        return float(score)
    defined = [KEYPOINT_NAMES[k] for k in np.flatnonzero(CATEGORY_KEYPOINTS[category])]
    parts = [points[name].get("score", np.nan) for name in defined if name in points]
    return float(score * np.mean(parts)) if parts else float("nan")


def _broken_point(points: Mapping[str, Any], file: str, place: str) -> Exception:
    """The error for the first of a garment's points that is none."""
    for name, point in points.items():
        where = f"{place}.{name}"
        if not isinstance(point, dict):
            return wrong(file, where, point, 'expected {"x": …, "y": …, "visibility": …}')
        state = point.get("visibility")
        if not isinstance(state, str) or state not in STATES:
            value = "" if state is None else state
            return wrong(file, f"{where}.visibility", value, f"expected one of {_STATES}")
        for axis in "xy":
            if axis not in point:
                return wrong(file, f"{where}.{axis}", "", "missing; expected pixels")
    raise AssertionError("every point is one")
