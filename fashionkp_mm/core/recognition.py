"""How well categories and visibilities are recognised, as pure functions of arrays.

A category is predicted once an image, a visibility (absent, occluded or visible) once for each
point that the *labelled* category defines. Both come as a table of counts, from which accuracies
follow. Accuracies are in percent, as the normalized error is; higher is better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fashionkp_mm.core.garments import (
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.core.pairing import prediction_rows
from fashionkp_mm.core.table import KeypointTable

VISIBILITY_NAMES: tuple[str, ...] = tuple(
    state.name.lower() for state in sorted(Visibility, key=lambda state: state.value)
)
"""``absent``, ``occluded``, ``visible``: a visibility's class index is its value + 1."""


@dataclass(frozen=True)
class Confusion:
    """What was predicted for what was labelled.

    Attributes:
        names: ``C`` names of the classes.
        counts: ``(C, C)`` int64; the row is the labelled class, the column the predicted one.
    """

    names: tuple[str, ...]
    counts: NDArray[np.int64]

    @property
    def total(self) -> int:
        """How many predictions were compared."""
        return int(self.counts.sum())

    @property
    def accuracy(self) -> float:
        """Share of right predictions in percent; NaN where there are none at all."""
        return 100.0 * float(self.counts.trace()) / self.total if self.total else float("nan")

    @property
    def per_class(self) -> dict[str, float]:
        """Share of each class that was found, in percent, by name; of those that are labelled."""
        labelled = self.counts.sum(axis=1)
        return {
            name: 100.0 * float(self.counts[index, index]) / float(labelled[index])
            for index, name in enumerate(self.names)
            if labelled[index]
        }

    @property
    def balanced_accuracy(self) -> float:
        """Mean of the classes' shares, so that a rare class counts as much as a common one."""
        shares = list(self.per_class.values())
        return sum(shares) / len(shares) if shares else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """The result as plain numbers, for JSON; an accuracy of nothing is ``None``."""
        return {
            "accuracy": self.accuracy if self.total else None,
            "balanced_accuracy": self.balanced_accuracy if self.total else None,
            "per_class": self.per_class,
            "counts": {
                name: dict(zip(self.names, row, strict=True))
                for name, row in zip(self.names, self.counts.tolist(), strict=True)
            },
        }


@dataclass(frozen=True)
class Recognition:
    """What a file of predictions recognised of the garments, as far as it says so.

    Attributes:
        category: None where nothing tells predicted categories from given ones: all are as
            labelled, and visibilities are not predicted either.
        visibility: None where none is predicted, as in a contest entry, which has v = 1 everywhere.
    """

    category: Confusion | None
    visibility: Confusion | None


def recognition(answers: KeypointTable, predictions: KeypointTable) -> Recognition:
    """Compare the category and the visibility of predictions with labels, matched by image id.

    Images without a prediction are left out.

    Raises:
        UnmatchedIdsError: There are predictions, and none is of an image of the answers.
    """
    rows = prediction_rows(answers, predictions)
    answers, predicted = answers.select(rows >= 0), predictions.select(rows[rows >= 0])
    defined = CATEGORY_KEYPOINTS[predicted.category_indices]
    visibility = None
    if (predicted.visibility[defined] != Visibility.VISIBLE).any():
        visibility = visibility_confusion(
            predicted.visibility, answers.visibility, answers.category_indices
        )
    category = category_confusion(predicted.category_indices, answers.category_indices)
    recognised = visibility is not None or category.accuracy < 100
    return Recognition(category if recognised else None, visibility)


def confusion_frame(confusion: Confusion) -> pd.DataFrame:
    """Tabulate counts for people: a row each labelled class, with the share that was found."""
    frame = pd.DataFrame(confusion.counts, index=list(confusion.names), columns=confusion.names)
    frame["found %"] = [confusion.per_class.get(name, float("nan")) for name in confusion.names]
    return frame.rename_axis(index="labelled", columns="predicted as")


def category_confusion(
    predicted: NDArray[np.integer[Any]], labelled: NDArray[np.integer[Any]]
) -> Confusion:
    """Compare predicted with labelled categories.

    Args:
        predicted: ``(N,)`` positions in ``garments.CATEGORY_NAMES``.
        labelled: ``(N,)`` likewise.

    Raises:
        ValueError: The shapes differ, or an index is that of no category.
    """
    return _confusion(predicted, labelled, CATEGORY_NAMES, "category")


def visibility_confusion(
    predicted: NDArray[np.integer[Any]],
    labelled: NDArray[np.integer[Any]],
    category_indices: NDArray[np.integer[Any]],
) -> Confusion:
    """Compare predicted with labelled visibilities, over the points of the labelled categories.

    An image without a single labelled point is left out: nobody said what can be seen on it, as in
    a test list.

    Args:
        predicted: ``(N, K)`` of ``garments.Visibility``.
        labelled: ``(N, K)`` likewise.
        category_indices: ``(N,)`` labelled categories, positions in ``garments.CATEGORY_NAMES``.

    Raises:
        ValueError: Shapes do not fit, or a visibility is none.
    """
    shape = (len(category_indices), NUM_KEYPOINTS)
    for name, array in (("predicted", predicted), ("labelled", labelled)):
        if array.shape != shape:
            raise ValueError(f"{name} visibility has shape {array.shape}, expected {shape}")
    counted = CATEGORY_KEYPOINTS[category_indices]
    counted = counted & (labelled != Visibility.ABSENT).any(axis=1, keepdims=True)
    lowest = min(Visibility)
    return _confusion(
        predicted[counted] - lowest, labelled[counted] - lowest, VISIBILITY_NAMES, "visibility"
    )


def _confusion(
    predicted: NDArray[np.integer[Any]],
    labelled: NDArray[np.integer[Any]],
    names: tuple[str, ...],
    what: str,
) -> Confusion:
    if predicted.shape != labelled.shape:
        raise ValueError(
            f"{len(predicted)} predicted and {len(labelled)} labelled classes of {what};"
            " expected one of each an image"
        )
    count = len(names)
    for kind, indices in (("predicted", predicted), ("labelled", labelled)):
        unknown = indices[(indices < 0) | (indices >= count)]
        if unknown.size:
            raise ValueError(
                f"a {kind} {what} has class index {int(unknown[0])}; expected 0 to {count - 1}"
                f" ({', '.join(names)})"
            )
    cells = labelled.astype(np.int64) * count + predicted
    counts = np.bincount(cells, minlength=count * count).reshape(count, count)
    return Confusion(names, counts.astype(np.int64))


def expected_calibration_error(
    scores: NDArray[np.floating[Any]], right: NDArray[np.bool_], bins: int = 10
) -> float:
    """How far scores are from how often they are right, from 0 to 1; 0 is honest.

    The mean over the answers of the difference between a bin's mean score and the share of its
    answers that are right (C. Guo et al., On calibration of modern neural networks,
    arXiv:1706.04599, equation 3).

    Args:
        scores: ``(N,)`` of the answers, 0 to 1.
        right: ``(N,)``, which of them are.
        bins: Of equal width; what is above 1 belongs to the last.

    Returns:
        NaN without an answer.
    """
    if not len(scores):
        return float("nan")
    members = np.clip((np.asarray(scores) * bins).astype(int), 0, bins - 1)
    gaps = np.bincount(members, np.asarray(scores, np.float64) - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(scores))
