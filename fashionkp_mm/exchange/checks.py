"""What is odd about the garments of a file, whatever its format."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import (
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    KEYPOINT_NAMES,
    Visibility,
)
from fashionkp_mm.core.image_ids import id_problem
from fashionkp_mm.core.table import Problem
from fashionkp_mm.exchange.table import GarmentTable

_PERCENT = 100
_CLEARLY_LARGER = 2 * _PERCENT


def is_predicted(table: GarmentTable) -> bool:
    """Whether a model made the table, as far as scores tell."""
    known = (table.scores, table.keypoint_scores)
    return any(bool((~np.isnan(scores)).any()) for scores in known)


def unit_problems(table: GarmentTable, file: str) -> Iterator[Problem]:
    """Coordinates that are shares or percent of the picture where pixels were meant."""
    present = table.garments.visibility != Visibility.ABSENT
    several = present.sum(axis=1) > 1
    points = np.abs(table.garments.keypoints[several])[present[several]]
    if not len(points):
        return
    if points.max() <= 1:
        message = (
            "no point is more than one pixel from the corner: shares of the picture, where pixels"
            " were meant"
        )
        yield Problem(file, 0, "", "", message)
    elif points.max() <= _PERCENT and len(table.sizes) and table.sizes.min() > _CLEARLY_LARGER:
        message = (
            f"all points lie within {_PERCENT}x{_PERCENT} pixels, and every picture is more than"
            " twice as large: percent of the picture, where pixels were meant?"
        )
        yield Problem(file, 0, "", "", message, "warning")


def outside(table: GarmentTable) -> NDArray[np.bool_]:
    """``(N, K)``, points that are not absent and lie outside of their picture.

    Where its size is not known, those left of it and above it.
    """
    number = {image_id: index for index, image_id in enumerate(table.pictures)}
    owners = np.array([number[image_id] for image_id in table.garments.image_ids], np.intp)
    sizes = np.where(table.sizes == 0, np.inf, table.sizes)[owners].reshape(-1, 1, 2)
    points = table.garments.keypoints
    beyond = ((points < 0) | (points > sizes)).any(axis=2)
    found: NDArray[np.bool_] = beyond & (table.garments.visibility != Visibility.ABSENT)
    return found


def label_problems(table: GarmentTable, file: str) -> Iterator[Problem]:
    """What labels must obey: ids below a data root, and points of their own category."""
    garments = table.garments
    for row, image_id in zip(garments.rows.tolist(), garments.image_ids, strict=True):
        if not image_id.strip() or (problem := id_problem(image_id)):
            message = problem if image_id.strip() else "the image id is empty; expected a path"
            yield Problem(file, row, "image_id", image_id, message)
    present = garments.visibility != Visibility.ABSENT
    foreign = present & ~CATEGORY_KEYPOINTS[garments.category_indices]
    cause = "a point of another category"
    for row, k in np.argwhere(foreign).tolist():
        category = CATEGORY_NAMES[garments.category_indices[row]]
        message = f"{category} has no such point; take it out, or give the garment its category"
        place = garments.image_ids[row]
        yield Problem(file, int(garments.rows[row]), KEYPOINT_NAMES[k], place, message, cause=cause)


def place_problems(table: GarmentTable, file: str) -> Iterator[Problem]:
    """Points outside of their picture."""
    garments, sizes = table.garments, table.size_of
    cause = "outside the picture"
    for row, k in np.argwhere(outside(table)).tolist():
        x, y = garments.keypoints[row, k].tolist()
        width, height = sizes[garments.image_ids[row]]
        size = f" of {width}x{height} pixels" if width else ""
        message = f"the point lies outside {garments.image_ids[row]}{size}; x and y start at 0"
        value = f"{x:g}, {y:g}"
        yield Problem(
            file, int(garments.rows[row]), KEYPOINT_NAMES[k], value, message, "warning", cause
        )
