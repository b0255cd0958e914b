"""The area between a garment's points, and the box around them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications.anchors import Anchors
from fashionkp_mm.core.garments import CATEGORIES, Visibility, keypoint_indices
from fashionkp_mm.core.planar_maps import moved
from fashionkp_mm.runtime import Garment

_SLEEVES = tuple(
    (f"shoulder_{side}", f"cuff_{side}_out", f"cuff_{side}_in", f"armpit_{side}")
    for side in ("left", "right")
)


def outline_polygons(anchors: Anchors) -> list[NDArray[np.float64]]:
    """What a garment's outline encloses: its trunk, and each sleeve by itself, as they may cross.

    Absent points are passed over; a sleeve without both its cuff's points is none.

    Returns:
        Closed polygons ``(n, 2)`` in pixels of the picture, three corners or more each.
    """
    names = set(CATEGORIES[anchors.category].keypoints)
    sleeves = [sleeve for sleeve in _SLEEVES if names.issuperset(sleeve)]
    cuffs = {name for sleeve in sleeves for name in sleeve[1:3]}
    trunk = [name for name in CATEGORIES[anchors.category].outline if name not in cuffs]
    worn = [sleeve for sleeve in sleeves if all(_present(anchors, name) for name in sleeve[1:3])]
    polygons = []
    for run in (trunk, *worn):
        corners = anchors.at(name for name in run if _present(anchors, name))
        if len(corners) >= 3:
            polygons.append(corners)
    return polygons


def outline_mask(
    anchors: Anchors, size: tuple[int, int], matrix: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """The area inside the outline.

    Args:
        anchors: The garment's points.
        size: Width and height of the mask.
        matrix: ``(2, 3)`` from pixels of the picture to pixels of the mask.

    Returns:
        ``(h, w)``.
    """
    mask = np.zeros(size[::-1], np.uint8)
    limit = 8 * max(size)
    for polygon in outline_polygons(anchors):
        fixed = np.rint(np.clip(moved(matrix, polygon), -limit, limit) * 16).astype(np.int32)
        cv2.fillPoly(mask, [fixed], (255,), cv2.LINE_8, 4)
    return mask > 0


def garment_extent(
    garment: Garment, turn: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """The box of a garment's points with what cloth reaches beyond them.

    Args:
        garment: The garment.
        turn: ``(2, 2)`` directions to measure along, in rows; the picture's by default.

    Returns:
        ``(2, 2)`` least and largest x and y, in pixels of the picture along those directions.

    Raises:
        GarmentError: It has fewer than two points, or all in one place.
    """
    anchors = Anchors.of(garment)
    points = anchors.places[anchors.visibility != Visibility.ABSENT]
    points = points if turn is None else points @ turn.T
    low, high = points.min(axis=0), points.max(axis=0)
    margin, (width, height) = CATEGORIES[garment.category].box_margin, high - low
    beyond = np.array([[margin.sides * width, margin.top * height],
                       [margin.sides * width, margin.bottom * height]])  # fmt: skip
    extent: NDArray[np.float64] = np.stack([low, high]) + beyond * [[-1], [1]]
    return extent


def _present(anchors: Anchors, name: str) -> bool:
    (index,) = keypoint_indices([name])
    return bool(anchors.visibility[index] != Visibility.ABSENT)
