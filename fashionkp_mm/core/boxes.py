"""Boxes around garments: from labelled points, and from points that were found before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import CATEGORIES

_MIN_EXTENT = 0.05
"""A box whose longer side is a smaller part of the image's longer one holds no garment."""

_MARGINS = np.array(
    [
        (margin.sides, margin.top, margin.sides, margin.bottom)
        for margin in (category.box_margin for category in CATEGORIES.values())
    ],
    dtype=np.float32,
)
"""``(C, 4)``: left, top, right and bottom, as shares of a point box's width and height."""
_OUTWARD = np.array([-1, -1, 1, 1], dtype=np.float32)


def keypoint_boxes(
    keypoints: NDArray[np.float32], labelled: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Tight boxes around labelled points.

    Args:
        keypoints: ``(N, K, 2)`` x and y in pixels of the image.
        labelled: ``(N, K)``, the points to enclose, visible and occluded ones.

    Returns:
        ``(N, 4)`` ``x1, y1, x2, y2``, NaN where no point is labelled.
    """
    lowest = np.where(labelled[..., None], keypoints, np.inf).min(axis=1)
    highest = np.where(labelled[..., None], keypoints, -np.inf).max(axis=1)
    boxes: NDArray[np.float32] = np.concatenate([lowest, highest], axis=1).astype(np.float32)
    boxes[~labelled.any(axis=1)] = np.nan
    return boxes


def box_overlaps(boxes: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float64]:
    """Intersection over union of each box with each of the others.

    Args:
        boxes: ``(N, 4)`` ``x1, y1, x2, y2``.
        others: ``(M, 4)`` in the same pixels.

    Returns:
        ``(N, M)``, 0 for a box that is not known (NaN), and for two that are empty.
    """
    one, other = boxes[:, None].astype(np.float64), others[None].astype(np.float64)
    shared = _shared_areas(one, other)
    with np.errstate(invalid="ignore", divide="ignore"):
        overlaps: NDArray[np.float64] = np.nan_to_num(
            shared / (_areas(one) + _areas(other) - shared)
        )
    return overlaps


def shares_inside(box: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.float64]:
    """Which share of a box's area lies inside each of the others.

    Args:
        box: ``(4,)`` ``x1, y1, x2, y2``.
        others: ``(N, 4)`` in the same pixels.

    Returns:
        ``(N,)``, 0 for a box that is not known (NaN) or empty.
    """
    one, other = box.astype(np.float64), others.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares: NDArray[np.float64] = np.nan_to_num(_shared_areas(one, other) / _areas(one))
    return shares


def _shared_areas(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    areas: NDArray[np.float64] = sides.clip(min=0).prod(axis=-1)
    return areas


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    areas: NDArray[np.float64] = (boxes[..., 2:] - boxes[..., :2]).prod(axis=-1)
    return areas


def refined_boxes(
    keypoints: NDArray[np.float32],
    present: NDArray[np.bool_],
    image_sizes: NDArray[np.integer],
    defined: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Boxes for the next pass over a picture: tight around the points that the last pass found.

    They are of whole pixels. A network may see another maximum in a crop a thousandth of a pixel
    off, and by so much the points differ between PyTorch and ONNX Runtime; this way both see the
    same crops.

    Points beyond the image are taken to its edge, as labels lie inside. Where fewer than two
    points are present, or their box is next to nothing, all points that the category defines are
    enclosed instead; where that is no box either, the whole image.

    Args:
        keypoints: ``(N, K, 2)`` x and y in pixels of the image.
        present: ``(N, K)``, points that the category defines and that are not predicted absent.
        image_sizes: ``(N, 2)`` width and height.
        defined: ``(N, K)``, points that the category defines; without it the whole image follows
            upon ``present`` at once.

    Returns:
        ``(N, 4)`` ``x1, y1, x2, y2``, whole numbers inside the image.
    """
    sizes = np.asarray(image_sizes, dtype=np.float32)
    inside = np.clip(np.rint(keypoints), 0, sizes[:, None])
    boxes = np.concatenate([np.zeros_like(sizes), sizes], axis=1)
    smallest = _MIN_EXTENT * sizes.max(axis=1)
    # From the last resort to the first choice, each where it makes a box.
    for enclosed in (present,) if defined is None else (defined, present):
        tight = keypoint_boxes(inside, enclosed)
        extent = (tight[:, 2:] - tight[:, :2]).max(axis=1)
        # A comparison with NaN is false, and so is one with the box of a single point.
        usable = extent >= smallest
        boxes[usable] = tight[usable]
    return boxes


def with_margin(
    boxes: NDArray[np.float32], category_indices: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Boxes around whole garments, from tight boxes around their points.

    Args:
        boxes: ``(N, 4)`` ``x1, y1, x2, y2``; NaN stays NaN.
        category_indices: ``(N,)`` positions in ``garments.CATEGORY_NAMES``.

    Returns:
        ``(N, 4)``, each side moved out by its category's ``box_margin``; it may leave the image.
    """
    margins = _MARGINS[category_indices]
    sizes = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    widened: NDArray[np.float32] = boxes + _OUTWARD * margins * sizes
    return widened


def without_margin(
    boxes: NDArray[np.float32], category_indices: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Tight boxes around points, from boxes around whole garments: what `with_margin` undoes.

    A box that was cut off at the image's edge comes out smaller than the one it was made from, by
    its margin at most.

    Args:
        boxes: ``(N, 4)`` ``x1, y1, x2, y2``.
        category_indices: ``(N,)`` positions in ``garments.CATEGORY_NAMES``.

    Returns:
        ``(N, 4)``.
    """
    margins = _MARGINS[category_indices]
    sizes = np.tile((boxes[:, 2:] - boxes[:, :2]) / (1 + margins[:, :2] + margins[:, 2:]), 2)
    tight: NDArray[np.float32] = boxes - _OUTWARD * margins * sizes
    return tight
