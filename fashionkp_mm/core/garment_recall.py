"""How many of the labelled garments are among those found, where a picture may have several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.boxes import box_overlaps, keypoint_boxes
from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.core.normalized_error import NormalizedErrorResult, normalized_error
from fashionkp_mm.core.pairing import closest_pairs
from fashionkp_mm.core.table import KeypointTable

MIN_OVERLAP = 0.5
"""Intersection over union from which two boxes are of one garment, as in PASCAL VOC."""


@dataclass(frozen=True)
class GarmentRecall:
    """What is to be said of pictures of which not every garment is labelled.

    A garment that is found and has no label is neither right nor wrong; only their number says
    whether the labelled ones were found by naming everything.

    Attributes:
        pictures: Labelled ones.
        labelled: Garments whose points span a box.
        found: Those of them that a prediction of their category overlaps by `MIN_OVERLAP`.
        predicted: Garments predicted in these pictures.
        surest: Pictures whose first prediction has the category of a garment labelled there.
        of_found: Normalized error of the garments found.
        of_all: The same of all, in which one that is not found is off by the whole normaliser.
    """

    pictures: int
    labelled: int
    found: int
    predicted: int
    surest: int
    of_found: NormalizedErrorResult
    of_all: NormalizedErrorResult

    @property
    def recall(self) -> float:
        """Percent of the labelled garments that are found, NaN without any."""
        return 100 * self.found / self.labelled if self.labelled else float("nan")

    @property
    def per_picture(self) -> float:
        """Garments predicted a picture."""
        return self.predicted / self.pictures if self.pictures else float("nan")


def garment_recall(answers: KeypointTable, predictions: KeypointTable) -> GarmentRecall:
    """Look for each labelled garment among those predicted in its picture.

    Boxes are tight around the points that are not absent, labelled and predicted ones alike. A
    prediction can be one labelled garment only; pairs that overlap most are made first.

    Args:
        answers: Labels, one garment or several a picture.
        predictions: Garments found; of one picture the surest comes first.
    """
    boxes, predicted_boxes = (
        keypoint_boxes(table.keypoints, table.visibility != Visibility.ABSENT)
        for table in (answers, predictions)
    )
    spans = np.asarray(np.isfinite(boxes).all(axis=1))
    labelled, predicted = answers.rows_of, predictions.rows_of
    partners = np.full(len(answers), -1, np.intp)
    surest = 0
    for image_id, own in labelled.items():
        found = predicted.get(image_id, np.empty(0, np.intp))
        if not found.size:
            continue
        categories = answers.category_indices[own]
        surest += int(predictions.category_indices[found[0]] in categories)
        overlaps = box_overlaps(boxes[own], predicted_boxes[found])
        overlaps[categories[:, None] != predictions.category_indices[found][None]] = 0
        columns = closest_pairs(-overlaps, -MIN_OVERLAP)
        partners[own] = np.where(columns >= 0, found[columns], -1)
    partners[~spans] = -1
    return GarmentRecall(
        pictures=len(labelled),
        labelled=int(spans.sum()),
        found=int((partners >= 0).sum()),
        predicted=sum(len(predicted.get(image_id, ())) for image_id in labelled),
        surest=surest,
        of_found=_error(answers, predictions, partners, partners >= 0),
        of_all=_error(answers, predictions, partners, spans),
    )


def _error(
    answers: KeypointTable,
    predictions: KeypointTable,
    partners: NDArray[np.intp],
    scored: NDArray[np.bool_],
) -> NormalizedErrorResult:
    """Of the garments that ``scored`` says, against their partners; without one, 100 %."""
    found = partners >= 0
    keypoints = np.zeros_like(answers.keypoints)
    keypoints[found] = predictions.keypoints[partners[found]]
    failed = np.ones(answers.visibility.shape, np.bool_)
    failed[found] = ~predictions.placed[partners[found]]
    return normalized_error(
        keypoints[scored],
        answers.keypoints[scored],
        answers.visibility[scored],
        answers.category_indices[scored],
        failed=failed[scored],
    )
