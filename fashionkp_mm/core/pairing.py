"""Which prediction is of which labelled garment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.core.image_ids import require_overlap
from fashionkp_mm.core.table import KeypointTable

_FAR = 1e9
"""Pixels beyond every distance in a picture: what another category costs, and no common point."""


def prediction_rows(answers: KeypointTable, predictions: KeypointTable) -> NDArray[np.intp]:
    """Row of the prediction for each labelled garment, ``(N,)``; -1 where there is none.

    A picture with one labelled garment gets its first prediction, which is the best one. Where
    several are labelled, predictions and labels of the same category are paired first, those whose
    points lie closest before others, each prediction once; what is left over is paired likewise,
    whatever its category.

    Raises:
        UnmatchedIdsError: There are predictions, and none is of an image of the answers.
    """
    require_overlap(answers.image_ids, predictions.image_ids)
    predicted = predictions.rows_of
    rows = np.full(len(answers), -1, np.intp)
    for image_id, own in answers.rows_of.items():
        found = predicted.get(image_id)
        if found is None:
            continue
        if len(own) == 1:
            rows[own] = found[0]
        else:
            rows[own] = _partners(answers.select(own), predictions, found)
    return rows


def _partners(
    answers: KeypointTable, predictions: KeypointTable, found: NDArray[np.intp]
) -> NDArray[np.intp]:
    """One of the rows ``found`` for each garment of a picture, -1 where none is left."""
    others = predictions.select(found)
    labelled, placed = answers.visibility != Visibility.ABSENT, others.placed
    common = labelled[:, None] & placed[None]
    offset = answers.keypoints[:, None].astype(np.float64) - others.keypoints[None]
    distances = np.hypot(offset[..., 0], offset[..., 1])
    count = common.sum(axis=2)
    cost = np.where(count > 0, (distances * common).sum(axis=2) / np.maximum(count, 1), _FAR)
    cost += 2 * _FAR * (answers.category_indices[:, None] != others.category_indices[None])
    columns = closest_pairs(cost)
    return np.where(columns >= 0, found[columns], -1)


def closest_pairs(costs: NDArray[np.float64], most: float = np.inf) -> NDArray[np.intp]:
    """A column for each row of ``costs`` ``(N, M)``, the pairs of least cost before others.

    Each column is used once; -1 where none is left that costs ``most`` or less.
    """
    columns = np.full(len(costs), -1, np.intp)
    taken: set[int] = set()
    for at in np.argsort(costs, axis=None, kind="stable").tolist():
        row, column = divmod(at, costs.shape[1])
        if costs[row, column] > most:
            break
        if columns[row] < 0 and column not in taken:
            columns[row] = column
            taken.add(column)
    return columns
