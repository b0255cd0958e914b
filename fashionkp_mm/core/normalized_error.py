"""The normalized error (NE) of the FashionAI contest, as a pure function of arrays.

NE = sum(d_k / s * [v_k = 1]) / sum([v_k = 1]) * 100 %, pooled over all points of all images; lower
is better. ``d_k`` is the distance from the predicted to the labelled point, in pixels of the image;
``s`` is the labelled distance between the two points of the category's normaliser (armpits, or
waistband), visible or not. Occluded and absent points are not scored, so a prediction on an absent
point costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fashionkp_mm.core.annotations import KeypointTable
from fashionkp_mm.core.garments import (
    CATEGORY_NAMES,
    KEYPOINT_NAMES,
    NORMALIZER_INDICES,
    NUM_KEYPOINTS,
    Visibility,
)

MissingNormalizer = Literal["skip", "server"]
ScoredPoints = Literal["visible", "labelled"]
MissingPredictions = Literal["error", "count", "skip"]

SERVER_MIN_NORMALIZER = 10.0
"""Pixels below which the contest server, as far as a port of it shows, leaves an image out."""

_MAX_LISTED = 5


class MissingPredictionsError(ValueError):
    """Labelled images without a prediction; ``image_ids`` names them all."""

    def __init__(self, image_ids: Sequence[str]) -> None:
        self.image_ids = tuple(image_ids)
        named = ", ".join(self.image_ids[:_MAX_LISTED])
        if len(self.image_ids) > _MAX_LISTED:
            named += f" and {len(self.image_ids) - _MAX_LISTED} more"
        super().__init__(
            f"{len(self.image_ids)} labelled images have no prediction: {named}."
            " Predict them too, or choose to count them as an error of 1 per point, or to skip them"
        )


@dataclass(frozen=True)
class Score:
    """NE of a group of points.

    Attributes:
        value: In percent; NaN where no point was scored.
        points: Number of scored points.
    """

    value: float
    points: int


@dataclass(frozen=True)
class NormalizedError:
    """NE of a set of images.

    Attributes:
        value: Pooled over all points, in percent; NaN where no point was scored.
        points: Number of scored points.
        images: Number of images looked at, skipped ones included.
        skipped_images: Images left out for want of a normaliser.
        per_category: Score of each category that has images, by name.
        per_keypoint: Score of each keypoint that was scored at all, by name.
    """

    value: float
    points: int
    images: int
    skipped_images: int
    per_category: dict[str, Score]
    per_keypoint: dict[str, Score]

    def to_dict(self) -> dict[str, Any]:
        """The result as plain numbers, for JSON; a score without points is ``None``."""

        def plain(score: Score | NormalizedError) -> float | None:
            return score.value if score.points else None

        def group(scores: dict[str, Score]) -> dict[str, dict[str, Any]]:
            return {
                name: {"NE": plain(score), "points": score.points} for name, score in scores.items()
            }

        return {
            "NE": plain(self),
            "per_category": group(self.per_category),
            "per_keypoint": group(self.per_keypoint),
            "points": self.points,
            "images": self.images,
            "skipped_images": self.skipped_images,
        }


def score_frame(result: NormalizedError) -> pd.DataFrame:
    """Tabulate a result for people: all, each category, each keypoint with its NE and points."""
    scores = {
        ("all", ""): Score(result.value, result.points),
        **{("category", name): score for name, score in result.per_category.items()},
        **{("keypoint", name): score for name, score in result.per_keypoint.items()},
    }
    index = pd.MultiIndex.from_tuples(list(scores), names=["group", "name"])
    columns = {
        "NE %": [score.value for score in scores.values()],
        "points": [score.points for score in scores.values()],
    }
    return pd.DataFrame(columns, index=index)


def normalizers(
    keypoints: ArrayLike,
    visibility: NDArray[np.int8],
    category_indices: NDArray[np.integer[Any]],
    missing: MissingNormalizer = "skip",
) -> NDArray[np.float64]:
    """Distance by which each image's errors are divided.

    Args:
        keypoints: ``(N, K, 2)`` labelled x and y in pixels, (-1, -1) where absent.
        visibility: ``(N, K)`` of ``garments.Visibility``.
        category_indices: ``(N,)`` positions in ``garments.CATEGORY_NAMES``.
        missing: What to do where one of the two points is absent. ``skip`` leaves the image out;
            ``server`` takes the raw distance, -1 cells included, and leaves out what is below
            ``SERVER_MIN_NORMALIZER``, whether absent or merely small.

    Returns:
        ``(N,)`` pixels; NaN for an image that is not scored.
    """
    points = np.asarray(keypoints, dtype=np.float64)
    rows = np.arange(len(points))
    first, second = NORMALIZER_INDICES[category_indices].T
    distance = _length(points[rows, first] - points[rows, second])
    if missing == "server":
        scored = distance >= SERVER_MIN_NORMALIZER
    else:
        labelled = visibility != Visibility.ABSENT
        scored = labelled[rows, first] & labelled[rows, second] & (distance > 0)
    return np.where(scored, distance, np.nan)


def normalized_error(
    predictions: ArrayLike,
    keypoints: ArrayLike,
    visibility: NDArray[np.int8],
    category_indices: NDArray[np.integer[Any]],
    *,
    normalizer: NDArray[np.floating[Any]] | None = None,
    missing_normalizer: MissingNormalizer = "skip",
    scored_points: ScoredPoints = "visible",
    failed: NDArray[np.bool_] | None = None,
) -> NormalizedError:
    """Score predictions against labels.

    Args:
        predictions: ``(N, K, 2)`` predicted x and y in pixels of the image.
        keypoints: ``(N, K, 2)`` labelled x and y, (-1, -1) where absent.
        visibility: ``(N, K)`` of ``garments.Visibility``.
        category_indices: ``(N,)`` positions in ``garments.CATEGORY_NAMES``.
        normalizer: ``(N,)`` as `normalizers` returns it, where it is at hand already.
        missing_normalizer: The rule by which to compute it otherwise; see `normalizers`.
        scored_points: ``visible`` as the contest does, or ``labelled`` for occluded ones as well.
        failed: ``(N,)``, images whose scored points count as an error of 1 (100 %) each, whatever
            was predicted for them.

    Raises:
        ValueError: Shapes do not fit, or a scored point's prediction is not finite.
    """
    predicted = np.asarray(predictions)
    labels = np.asarray(keypoints)
    _require_shapes(predicted, labels, visibility, category_indices)

    if normalizer is None:
        normalizer = normalizers(labels, visibility, category_indices, missing_normalizer)
    usable = ~np.isnan(normalizer)
    if scored_points == "visible":
        scored = visibility == Visibility.VISIBLE
    else:
        scored = visibility != Visibility.ABSENT
    images, points = np.nonzero(scored & usable[:, None])

    offset = predicted[images, points].astype(np.float64) - labels[images, points]
    error = _length(offset) / normalizer[images]
    if failed is not None:
        error[failed[images]] = 1.0
    if not np.isfinite(error).all():
        at = int(np.flatnonzero(~np.isfinite(error))[0])
        raise ValueError(
            f"the prediction for {KEYPOINT_NAMES[points[at]]} of image number {images[at]}"
            " is not finite; expected pixels"
        )

    categories = np.asarray(category_indices)
    present = np.bincount(categories, minlength=len(CATEGORY_NAMES)) > 0
    per_category = _grouped(error, categories[images], CATEGORY_NAMES)
    per_keypoint = _grouped(error, points, KEYPOINT_NAMES)
    return NormalizedError(
        value=_percent(float(error.sum()), error.size),
        points=error.size,
        images=len(labels),
        skipped_images=int((~usable).sum()),
        per_category={
            name: score
            for (name, score), any_image in zip(per_category.items(), present, strict=True)
            if any_image
        },
        per_keypoint={name: score for name, score in per_keypoint.items() if score.points},
    )


def images_without_prediction(answers: KeypointTable, predictions: KeypointTable) -> list[str]:
    """Ids of the labelled images for which nothing was predicted, in the order of the answers."""
    predicted = set(predictions.image_ids)
    return [image_id for image_id in answers.image_ids if image_id not in predicted]


def evaluate(
    answers: KeypointTable,
    predictions: KeypointTable,
    *,
    missing_normalizer: MissingNormalizer = "skip",
    scored_points: ScoredPoints = "visible",
    missing_predictions: MissingPredictions = "error",
) -> NormalizedError:
    """Score a table of predictions against a table of answers, matched by image id.

    Predictions for images without an answer are passed over.

    Args:
        answers: Labels.
        predictions: Predicted points; their category and ``v`` are not looked at.
        missing_normalizer: See `normalizers`.
        scored_points: See `normalized_error`.
        missing_predictions: What to do with a labelled image that has no prediction: refuse
            (``error``), ``count`` an error of 1 per scored point, or ``skip`` the image.

    Raises:
        MissingPredictionsError: Images have no prediction, and ``missing_predictions`` is
            ``error``.
    """
    row_of = {image_id: row for row, image_id in enumerate(predictions.image_ids)}
    rows = np.fromiter(
        (row_of.get(image_id, -1) for image_id in answers.image_ids), np.intp, len(answers)
    )
    missing = rows < 0
    if missing.any() and missing_predictions == "error":
        raise MissingPredictionsError(images_without_prediction(answers, predictions))
    if missing_predictions == "skip":
        answers, rows, missing = answers.select(~missing), rows[~missing], missing[~missing]
    predicted = np.full((len(answers), NUM_KEYPOINTS, 2), -1, np.float32)
    predicted[~missing] = predictions.keypoints[rows[~missing]]
    return normalized_error(
        predicted,
        answers.keypoints,
        answers.visibility,
        answers.category_indices,
        missing_normalizer=missing_normalizer,
        scored_points=scored_points,
        failed=missing,
    )


def _require_shapes(
    predicted: NDArray[Any],
    labels: NDArray[Any],
    visibility: NDArray[Any],
    category_indices: NDArray[Any],
) -> None:
    count = len(labels)
    expected = {
        "predictions": (predicted.shape, (count, NUM_KEYPOINTS, 2)),
        "keypoints": (labels.shape, (count, NUM_KEYPOINTS, 2)),
        "visibility": (visibility.shape, (count, NUM_KEYPOINTS)),
        "category_indices": (np.shape(category_indices), (count,)),
    }
    for name, (shape, wanted) in expected.items():
        if shape != wanted:
            raise ValueError(f"{name} has shape {shape}, expected {wanted}")


def _length(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hypot(vectors[..., 0], vectors[..., 1])


def _percent(total: float, count: int) -> float:
    return 100.0 * total / count if count else float("nan")


def _grouped(
    error: NDArray[np.float64], groups: NDArray[Any], names: Sequence[str]
) -> dict[str, Score]:
    counts = np.bincount(groups, minlength=len(names))
    sums = np.bincount(groups, weights=error, minlength=len(names))
    return {
        name: Score(_percent(float(total), int(count)), int(count))
        for name, total, count in zip(names, sums, counts, strict=True)
    }
