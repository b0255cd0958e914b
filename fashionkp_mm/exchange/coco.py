"""COCO keypoints: pictures, annotations and categories in one JSON file.

A keypoint's flag is 2 for visible, 1 for occluded and 0, with the place (0, 0), for absent; so an
absent point keeps no place. Ids and skeletons count from 1. Every category lists all 24 keypoints.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.csv_cells import MAX_COORDINATE
from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_INDEX,
    KEYPOINT_INDEX,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.exchange.entries import NUMBER, get, load_json, pixels, size_in
from fashionkp_mm.exchange.names import Names
from fashionkp_mm.exchange.table import GarmentTable, wrong

_LISTS = ("images", "annotations", "categories")


def coco_categories() -> list[dict[str, Any]]:
    """The ``categories`` of a COCO file; ids and skeletons count from 1, as COCO's do."""
    return [
        {
            "id": CATEGORY_INDEX[name] + 1,
            "name": name,
            "supercategory": "garment",
            "keypoints": list(KEYPOINT_NAMES),
            "skeleton": [
                [KEYPOINT_INDEX[start] + 1, KEYPOINT_INDEX[end] + 1]
                for start, end in category.skeleton
            ],
        }
        for name, category in CATEGORIES.items()
    ]


def polygon(points: NDArray[np.float32], box: NDArray[np.float32]) -> list[float]:
    """The polygon that COCO's tools make masks of: ``x, y, x, y, …``.

    Args:
        points: ``(n, 2)``, the garment's points that are not absent. Their convex hull is not the
            garment's outline to the pixel.
        box: ``(4,)`` ``x1, y1, x2, y2``, taken instead where the hull has fewer than three corners.
    """
    points = points.astype(np.float32)
    hull = cv2.convexHull(points)[:, 0] if len(points) else points
    if len(hull) < 3:
        x1, y1, x2, y2 = box.tolist()
        hull = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)
    corners: list[float] = hull.ravel().tolist()
    return corners


def write(table: GarmentTable) -> Iterator[bytes]:
    """The data set, an entry a line; ``pycocotools.coco.COCO`` loads it."""
    ids = {image_id: number for number, image_id in enumerate(table.pictures, start=1)}
    images = (
        {
            "id": ids[image_id],
            "file_name": image_id,
            **({"width": width, "height": height} if width else {}),
        }
        for image_id, (width, height) in table.size_of.items()
    )
    yield b'{"images": ['
    yield from _lines(images)
    yield b'], "annotations": ['
    yield from _lines(_annotations(table, ids))
    yield b'], "categories": ['
    yield from _lines(coco_categories())
    yield b"]}\n"


def read(path: Path, names: Names) -> GarmentTable:
    """The garments of a data set; annotations of crowds, which have no points, are passed over.

    Raises:
        AnnotationError: It breaks a rule of the format.
        OSError: The file cannot be read.
    """
    file, content = str(path), load_json(path)
    images, annotations, listed = (get(content, name, list, file) for name in _LISTS)
    sizes: dict[str, tuple[int, int]] = {}
    image_ids: dict[Any, str] = {}
    for index, image in enumerate(images):
        place = f"images[{index}]"
        name = get(image, "file_name", str, file, place)
        if name in sizes or image.get("id") in image_ids:
            raise wrong(file, place, name, "the picture stands twice, by its id or its name")
        sizes[name] = size_in(image.get("width"), image.get("height"), file, place)
        image_ids[image.get("id")] = name
    known = _known_categories(listed, names, file)
    names.require_known(file)

    kept = [
        index
        for index, annotation in enumerate(annotations)
        if not (isinstance(annotation, dict) and annotation.get("iscrowd"))
    ]
    owners, kinds = [], []
    for index in kept:
        annotation = annotations[index]
        try:
            owners.append(image_ids[annotation["image_id"]])
            kinds.append(annotation["category_id"])
            known[kinds[-1]]
        except (KeyError, TypeError):
            ids = [
                get(annotation, f"{what}_id", (*NUMBER, str), file, f"annotations[{index}]")
                for what in ("image", "category")
            ]
            value = ", ".join(map(str, ids))
            message = "an image or category that is not listed"
            raise wrong(file, f"annotations[{index}]", value, message) from None
    indices = np.array([known[kind][0] for kind in kinds], np.int8)
    keypoints = np.full((len(kept), NUM_KEYPOINTS, 2), -1, np.float32)
    visibility = np.full((len(kept), NUM_KEYPOINTS), Visibility.ABSENT, np.int8)
    groups: dict[Any, list[int]] = {}
    for row, kind in enumerate(kinds):
        groups.setdefault(kind, []).append(row)
    for kind, rows in groups.items():
        columns = np.array(known[kind][1], np.intp)
        numbers = [kept[row] for row in rows]
        x, y, flags = _points(annotations, numbers, listed[known[kind][2]], columns, file)
        here, there = np.nonzero((flags > 0) & (columns >= 0))
        where = np.array(rows)[here], columns[there]
        keypoints[where] = np.stack([x[here, there], y[here, there]], axis=1)
        visibility[where] = flags[here, there] - 1
    boxes, scores = _boxes_and_scores([annotations[index] for index in kept], kept, file)
    table = KeypointTable(tuple(owners), indices, keypoints, visibility, np.array(kept) + 1)
    if (indices < 0).any():
        named = indices >= 0
        table, boxes, scores = table.select(named), boxes[named], scores[named]
    return GarmentTable.of(table, sizes=sizes, boxes=boxes, scores=scores)


def _known_categories(
    listed: Sequence[Any], names: Names, file: str
) -> dict[Any, tuple[int, list[int], int]]:
    """By the file's id: our index, our indices of its keypoints, and its place in the list."""
    known: dict[Any, tuple[int, list[int], int]] = {}
    met: set[int] = set()
    for index, category in enumerate(listed):
        place = f"categories[{index}]"
        name = get(category, "name", str, file, place)
        ours = names.category(name)
        labels = category.get("keypoints", [])
        if not isinstance(labels, list):
            raise wrong(file, f"{place}.keypoints", labels, "expected a list of names")
        if category.get("id") in known or (ours >= 0 and ours in met):
            raise wrong(file, place, name, "the category stands twice; expected each once")
        met.add(ours)
        columns = [names.keypoint(label) for label in labels] if ours >= 0 else [-1] * len(labels)
        used = [column for column in columns if column >= 0]
        if len(set(used)) < len(used):
            raise wrong(file, f"{place}.keypoints", name, "the category has a keypoint twice")
        known[category.get("id")] = ours, columns, index
    return known


def _points(
    annotations: Sequence[Any],
    numbers: Sequence[int],
    category: dict[str, Any],
    columns: NDArray[np.intp],
    file: str,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """x, y and flags ``(n, k)`` of a category's annotations."""
    length = 3 * len(columns)
    lists = [annotations[index].get("keypoints") for index in numbers]
    for index, flat in zip(numbers, lists, strict=True):
        if not isinstance(flat, list):
            get(annotations[index], "keypoints", list, file, f"annotations[{index}]")
        if len(flat) != length or not length:
            message = (
                f"{len(flat)} numbers; expected x, y and v of each of the {len(columns)} keypoints"
                f" of the category '{category['name']}'"
            )
            raise wrong(file, f"annotations[{index}].keypoints", "", message)
    numeric = set(map(type, chain.from_iterable(lists))) <= {int, float}
    values = np.empty((0, 0, 3))
    if numeric:
        flat = chain.from_iterable(lists)
        values = np.fromiter(flat, np.float64, len(lists) * length).reshape(-1, len(columns), 3)
        usable = (np.abs(values) <= MAX_COORDINATE).all(axis=2)  # false of NaN
        flags = values[..., 2]
        usable &= (flags == 0) | (flags == 1) | (flags == 2)
        if usable.all():
            return values[..., 0], values[..., 1], values[..., 2].astype(np.int64)
    for index, entry in zip(numbers, lists, strict=True):
        for k, name in enumerate(category["keypoints"]):
            x, y, flag = entry[3 * k : 3 * k + 3]
            place = f"annotations[{index}].{name}"
            if type(flag) not in NUMBER or flag not in (0, 1, 2):
                raise wrong(file, place, flag, "expected v = 0, 1 or 2")
            for value in (x, y):
                if type(value) not in NUMBER or not abs(value) <= MAX_COORDINATE:
                    raise wrong(file, place, value, "expected x and y in pixels")
    raise AssertionError("unreachable: every number was judged alike")


def _boxes_and_scores(
    annotations: Sequence[dict[str, Any]], numbers: Sequence[int], file: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """``(N, 4)`` corners and ``(N,)``; NaN where an annotation has none, or a box without area."""
    scores = [annotation.get("score", _UNKNOWN) for annotation in annotations]
    if not set(map(type, scores)) <= {int, float}:
        row = next(row for row, score in enumerate(scores) if type(score) not in NUMBER)
        message = "expected a number"
        raise wrong(file, f"annotations[{numbers[row]}].score", scores[row], message)
    boxes = [annotation.get("bbox") or _NO_BOX for annotation in annotations]
    try:
        sides = np.fromiter(chain.from_iterable(boxes), np.float64).reshape(-1, 4)
        usable = len(sides) == len(boxes) and set(map(len, boxes)) <= {4}
    except (TypeError, ValueError):
        usable = False
    if not usable:
        row = next(row for row, box in enumerate(boxes) if not _is_box(box))
        message = "expected [x, y, width, height] in pixels"
        raise wrong(file, f"annotations[{numbers[row]}].bbox", boxes[row], message)
    sides[~(sides[:, 2:] > 0).all(axis=1)] = np.nan
    sides[:, 2:] += sides[:, :2]
    return sides.astype(np.float32), np.array(scores, np.float32)


def _is_box(box: Any) -> bool:
    return isinstance(box, list | tuple) and len(box) == 4 and {*map(type, box)} <= {int, float}


_UNKNOWN = float("nan")
_NO_BOX = (_UNKNOWN,) * 4


def _annotations(table: GarmentTable, ids: dict[str, int]) -> Iterator[dict[str, Any]]:
    garments = table.garments
    present = garments.visibility != Visibility.ABSENT
    flat = np.concatenate([garments.keypoints, garments.visibility[..., None] + 1], axis=2)
    flat[~present] = 0
    rounded = flat.reshape(len(table), 3 * NUM_KEYPOINTS).astype(np.float64).round(2).tolist()
    boxes = np.nan_to_num(table.drawn_boxes)
    for row, image_id in enumerate(garments.image_ids):
        x1, y1, x2, y2 = boxes[row].tolist()
        width, height = x2 - x1, y2 - y1
        score = float(table.scores[row])
        yield {
            "id": row + 1,
            "image_id": ids[image_id],
            "category_id": int(garments.category_indices[row]) + 1,
            "bbox": [pixels(value) for value in (x1, y1, width, height)],
            "area": round(width * height, 2),
            "segmentation": [
                [pixels(v) for v in polygon(garments.keypoints[row, present[row]], boxes[row])]
            ],
            "keypoints": [int(v) if v.is_integer() else v for v in rounded[row]],
            "num_keypoints": int(present[row].sum()),
            "iscrowd": 0,
            **({} if np.isnan(score) else {"score": round(score, 4)}),
        }


def _lines(entries: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> Iterator[bytes]:
    before = b"\n"
    for entry in entries:
        yield before + json.dumps(entry, allow_nan=False).encode()
        before = b",\n"
