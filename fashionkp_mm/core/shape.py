"""The baseline every model has to beat: always answer the category's mean shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import CATEGORY_NAMES, Visibility
from fashionkp_mm.core.normalized_error import NormalizedErrorResult, normalized_error
from fashionkp_mm.core.table import KeypointTable


def mean_shapes(table: KeypointTable, boxes: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Mean place of each category's keypoints inside the garment's box.

    Args:
        table: Labels; visible and occluded points count.
        boxes: ``(N, 4)`` ``x1, y1, x2, y2`` in pixels.

    Returns:
        ``(C, K, 2)`` fractions of the box's width and height; 0.5 for a point never labelled.
    """
    corner, size = _corner_and_size(boxes)
    inside = (table.keypoints - corner[:, None]) / size[:, None]
    labelled = table.visibility != Visibility.ABSENT
    shapes = np.full((len(CATEGORY_NAMES), *inside.shape[1:]), 0.5)
    for index in range(len(CATEGORY_NAMES)):
        rows = table.category_indices == index
        weight = labelled[rows][..., None]
        count = weight.sum(axis=0)
        total = (inside[rows] * weight).sum(axis=0)
        shapes[index] = np.divide(total, count, out=shapes[index], where=count > 0)
    return shapes


def place_shapes(
    shapes: NDArray[np.float64],
    category_indices: NDArray[np.integer[Any]],
    boxes: NDArray[np.floating[Any]],
) -> NDArray[np.float64]:
    """Put each garment's mean shape into its box.

    Args:
        shapes: ``(C, K, 2)`` from `mean_shapes`.
        category_indices: ``(N,)``.
        boxes: ``(N, 4)`` ``x1, y1, x2, y2`` in pixels.

    Returns:
        ``(N, K, 2)`` keypoints in pixels.
    """
    corner, size = _corner_and_size(boxes)
    points: NDArray[np.float64] = shapes[category_indices] * size[:, None] + corner[:, None]
    return points


def mean_shape_error(
    train: KeypointTable,
    train_boxes: NDArray[np.floating[Any]],
    answers: KeypointTable,
    answer_boxes: NDArray[np.floating[Any]],
) -> NormalizedErrorResult:
    """Score the baseline: the training set's mean shapes, placed in the boxes of the answers.

    Args:
        train: Labels that the shapes are taken from.
        train_boxes: ``(N, 4)`` boxes of ``train``, ``x1, y1, x2, y2`` in pixels.
        answers: Labels to score against.
        answer_boxes: ``(M, 4)`` boxes of ``answers``, of the same kind.
    """
    shapes = mean_shapes(train, train_boxes)
    return normalized_error(
        place_shapes(shapes, answers.category_indices, answer_boxes),
        answers.keypoints,
        answers.visibility,
        answers.category_indices,
    )


def _corner_and_size(
    boxes: NDArray[np.floating[Any]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    corner = boxes[:, :2].astype(np.float64)
    # A garment with a single labelled point has a box without extent.
    return corner, np.maximum(boxes[:, 2:] - corner, 1.0)
