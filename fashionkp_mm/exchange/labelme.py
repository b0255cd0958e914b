"""labelme: a JSON file a picture, a shape a point.

The shapes of a garment share a ``group_id``. A rectangle is labelled with the category, each point
with its name; one that is occluded has the flag ``occluded``. Absent points have no shape.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from fashionkp_mm.core.garments import CATEGORY_NAMES, KEYPOINT_NAMES, Visibility
from fashionkp_mm.exchange.entries import get, load_json, pixels, size_in
from fashionkp_mm.exchange.names import Names
from fashionkp_mm.exchange.table import GarmentTable, TableBuilder, wrong

_VERSION = "5.5.0"
_OUTLINES = ("rectangle", "polygon")
_OCCLUDED = "occluded"


def write(
    table: GarmentTable, out: Path, pictures: Mapping[str, Path]
) -> Iterator[tuple[str, bytes]]:
    """Relative name and content of each picture's file; needs the pictures' sizes.

    Args:
        table: The garments.
        out: Folder that the files will lie in, which their paths to the pictures start from.
        pictures: Where pictures lie, by id; one that is not named is looked for at its id.
    """
    sizes, boxes = table.size_of, table.drawn_boxes
    for image_id, rows in table.rows_of.items():
        name = str(PurePosixPath(image_id.lstrip("/")).with_suffix(".json"))
        width, height = sizes[image_id]
        shapes = [
            shape
            for group, row in enumerate(rows, start=1)
            for shape in _shapes(table, row, boxes[row], group, sizes[image_id])
        ]
        path = image_id
        if image_id in pictures:
            folder = out.resolve() / PurePosixPath(name).parent
            path = Path(os.path.relpath(pictures[image_id].resolve(), folder)).as_posix()
        content: dict[str, Any] = {
            "version": _VERSION,
            "flags": {},
            "shapes": shapes,
            "imagePath": path,
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
            "image_id": image_id,
        }
        yield name, json.dumps(content, indent=1, allow_nan=False).encode() + b"\n"


def read(path: Path, names: Names) -> GarmentTable:
    """The garments of a file, or of all files of a folder to its depth.

    Raises:
        AnnotationError: One of them breaks a rule of the format.
        OSError: A file cannot be read.
    """
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    root = path if path.is_dir() else path.parent
    builder = TableBuilder(str(path))
    for file in files:
        content = load_json(file)
        if not isinstance(content, dict) or "shapes" not in content:
            message = "no file of labelme: it has no shapes; take it out of the folder"
            raise wrong(str(file), "", "", message)
        _read_picture(builder, names, content, file, root)
    names.require_known(str(path))
    return builder.build()


def _read_picture(
    builder: TableBuilder, names: Names, content: dict[str, Any], path: Path, root: Path
) -> None:
    file = str(path)
    image_id = _image_id(content, path, root)
    if image_id in builder.sizes:
        raise wrong(file, "imagePath", image_id, "two files are of this picture; expected one")
    size = content.get("imageWidth"), content.get("imageHeight")
    builder.picture(image_id, size_in(*size, file, "imageWidth"))
    groups: dict[Any, list[tuple[str, dict[str, Any]]]] = {}
    for index, shape in enumerate(get(content, "shapes", list, file)):
        place = f"shapes[{index}]"
        kind = get(shape, "shape_type", str, file, place)
        if kind == "point" or kind in _OUTLINES:
            groups.setdefault(shape.get("group_id"), []).append((place, shape))
        else:
            builder.warn(f"{path.name}.{place}", kind, "no point and no outline, passed over")
    for group, shapes in groups.items():
        outlines = [pair for pair in shapes if pair[1]["shape_type"] in _OUTLINES]
        where = f"{path.name}, group {group}" if group is not None else path.name
        if len(outlines) != 1:
            message = (
                f"{len(outlines)} outlines; expected one rectangle labelled with the category, and"
                " a group_id of its own for each garment"
            )
            value = ", ".join(str(shape.get("label")) for _, shape in outlines)
            raise wrong(file, outlines[1][0] if outlines else shapes[0][0], value, message)
        ((place, outline),) = outlines
        category = names.category(get(outline, "label", str, file, place))
        if category < 0:
            continue
        corners = np.array(
            [_point_of(corner, file, place) for corner in get(outline, "points", list, file, place)]
        ).reshape(-1, 2)
        box = (*corners.min(axis=0), *corners.max(axis=0)) if len(corners) else (np.nan,) * 4
        row = builder.garment(image_id, category, where, box=tuple(map(float, box)))
        for place, shape in shapes:
            if shape["shape_type"] != "point":
                continue
            k = names.keypoint(get(shape, "label", str, file, place))
            points = get(shape, "points", list, file, place)
            if len(points) != 1:
                raise wrong(file, f"{place}.points", points, "expected one [x, y]")
            x, y = _point_of(points[0], file, place)
            occluded = bool((shape.get("flags") or {}).get(_OCCLUDED))
            state = Visibility.OCCLUDED if occluded else Visibility.VISIBLE
            builder.point(row, k, (x, y), state)


def _point_of(point: Any, file: str, place: str) -> tuple[float, float]:
    if (
        not isinstance(point, list)
        or len(point) != 2
        or not all(type(value) in (int, float) and np.isfinite(value) for value in point)
    ):
        raise wrong(file, f"{place}.points", point, "expected [x, y] in pixels")
    return point[0], point[1]


def _image_id(content: dict[str, Any], path: Path, root: Path) -> str:
    """The picture's id where we wrote it, else its path from the folder that is read."""
    known = content.get("image_id")
    if isinstance(known, str) and known:
        return known
    given = get(content, "imagePath", str, str(path)).replace("\\", "/")
    relative = os.path.relpath(path.parent / given, root).replace(os.sep, "/")
    return given.rpartition("/")[2] if relative.startswith("..") else relative


def _shapes(
    table: GarmentTable,
    row: int,
    box: np.ndarray[Any, Any],
    group: int,
    size: tuple[int, int],
) -> Iterator[dict[str, Any]]:
    garments = table.garments

    def shape(label: str, kind: str, points: list[list[float]], occluded: bool) -> dict[str, Any]:
        return {
            "label": label,
            "points": points,
            "group_id": group,
            "description": "",
            "shape_type": kind,
            "flags": {_OCCLUDED: True} if occluded else {},
            "mask": None,
        }

    x1, y1, x2, y2 = (0, 0, *size) if np.isnan(box).any() else map(pixels, box.tolist())
    category = CATEGORY_NAMES[garments.category_indices[row]]
    yield shape(category, "rectangle", [[x1, y1], [x2, y2]], occluded=False)
    for k in np.flatnonzero(garments.visibility[row] != Visibility.ABSENT).tolist():
        place = [pixels(value) for value in garments.keypoints[row, k].tolist()]
        occluded = garments.visibility[row, k] == Visibility.OCCLUDED
        yield shape(KEYPOINT_NAMES[k], "point", [place], occluded=bool(occluded))
