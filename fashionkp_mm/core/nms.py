"""Non-maximum suppression: of boxes that show the same garment, the best is kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAME_GARMENT_IOU = 0.9
"""Boxes of two categories that overlap by more show one garment that could be either."""


def garment_nms(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    category_indices: NDArray[np.intp],
    iou_threshold: float,
) -> NDArray[np.intp]:
    """Keep one box a garment.

    Within a category this is MMDetection's suppression. Across categories it only takes out what
    is next to the same box: a blouse inside an outwear stays.

    Args:
        boxes: ``(N, 4)`` ``x1, y1, x2, y2``.
        scores: ``(N,)``.
        category_indices: ``(N,)``.
        iou_threshold: Within a category, boxes that overlap a better one by more go.

    Returns:
        ``(M,)`` indices of those kept, best score first.
    """
    best_first = np.argsort(-scores, kind="stable")
    kept = [
        best_first[category_indices[best_first] == category]
        for category in np.unique(category_indices)
    ]
    kept = [indices[nms(boxes[indices], iou_threshold)] for indices in kept]
    together = np.concatenate([*kept, np.empty(0, np.intp)]).astype(np.intp)
    together = together[np.argsort(-scores[together], kind="stable")]
    kept_of_all: NDArray[np.intp] = together[nms(boxes[together], SAME_GARMENT_IOU)]
    return kept_of_all


def nms(boxes: NDArray[np.float32], iou_threshold: float) -> NDArray[np.intp]:
    """Indices of the boxes ``(N, 4)``, best first, that no kept better one overlaps by more.

    The intersection over union is compared in single precision, as MMCV does.
    """
    threshold = np.float32(iou_threshold)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = np.arange(len(boxes))
    kept = []
    while left.size:
        best, rest = left[0], left[1:]
        kept.append(best)
        overlap = np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(
            boxes[best, :2], boxes[rest, :2]
        )
        intersections = overlap.clip(min=0).prod(axis=1)
        unions = areas[best] + areas[rest] - intersections
        with np.errstate(invalid="ignore"):  # of two empty boxes, neither covers the other
            left = rest[~(intersections / unions > threshold)]
    return np.array(kept, np.intp)
