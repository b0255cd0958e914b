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

from fashionkp_mm.core.garments import (
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    KEYPOINT_NAMES,
    NORMALIZER_INDICES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.core.pairing import prediction_rows
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.core.words import listed

MissingNormalizer = Literal["skip", "server"]
ScoredPoints = Literal["visible", "labelled"]
MissingPredictions = Literal["error", "count", "skip"]

SERVER_MIN_NORMALIZER = 10.0
"""Pixels below which the contest server, as far as a port of it shows, leaves an image out."""


@dataclass(frozen=True)
class Missing:
    """What was to be scored and has no prediction.

    Attributes:
        image_ids: Labelled images without any prediction.
        points: Of images with one, the names of the scored points that have no place although the
            predicted category has them; by image id.
        lacked: The scored points that have no place because the predicted category, another than
            the labelled one, lacks them; by image id. Nothing was forgotten there: the prediction
            is complete, and wrong. They alone make nothing missing.
    """

    image_ids: tuple[str, ...]
    points: dict[str, tuple[str, ...]]
    lacked: dict[str, tuple[str, ...]]

    def __bool__(self) -> bool:
        return bool(self.image_ids or self.points)

    def __str__(self) -> str:
        parts = []
        if self.image_ids:
            parts.append(f"{len(self.image_ids)} labelled images: {listed(self.image_ids)}")
        if self.points:
            count = sum(map(len, self.points.values()))
            images = [f"{image_id} ({', '.join(names)})" for image_id, names in self.points.items()]
            parts.append(f"{count} points of {len(self.points)} images: {listed(images)}")
        return "; ".join(parts)


class MissingPredictionsError(ValueError):
    """Labelled images, or points of them, without a prediction; ``missing`` names them all."""

    def __init__(self, missing: Missing) -> None:
        self.missing = missing
        super().__init__(
            f"no prediction for {missing}. Predict them too, or choose to count an error of 1 per"
            " point, or to skip them"
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
class NormalizedErrorResult:
    """NE of a set of images.

    Attributes:
        value: Pooled over all points, in percent; NaN where no point was scored.
        points: Number of scored points.
        images: Number of images, skipped ones included.
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

        def plain(score: Score | NormalizedErrorResult) -> float | None:
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


def score_frame(result: NormalizedErrorResult) -> pd.DataFrame:
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
) -> NormalizedErrorResult:
    """Score predictions against labels.

    Args:
        predictions: ``(N, K, 2)`` predicted x and y in pixels of the image.
        keypoints: ``(N, K, 2)`` labelled x and y, (-1, -1) where absent.
        visibility: ``(N, K)`` of ``garments.Visibility``.
        category_indices: ``(N,)`` positions in ``garments.CATEGORY_NAMES``.
        normalizer: ``(N,)`` as `normalizers` returns it, where it is at hand already.
        missing_normalizer: The rule by which to compute it otherwise; see `normalizers`.
        scored_points: ``visible`` as the contest does, or ``labelled`` for occluded ones as well.
        failed: ``(N, K)``, points that count as an error of 1 (100 %) each, if they are scored,
            whatever was predicted for them.

    Raises:
        ValueError: Shapes do not fit, or a scored point's prediction is not finite.
    """
    predicted = np.asarray(predictions)
    labels = np.asarray(keypoints)
    _require_shapes(predicted, labels, visibility, category_indices)

    if normalizer is None:
        normalizer = normalizers(labels, visibility, category_indices, missing_normalizer)
    usable = ~np.isnan(normalizer)
    images, points = np.nonzero(_scored(visibility, scored_points) & usable[:, None])

    offset = predicted[images, points].astype(np.float64) - labels[images, points]
    error = _length(offset) / normalizer[images]
    if failed is not None:
        error[failed[images, points]] = 1.0
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
    return NormalizedErrorResult(
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


def missing_predictions(
    answers: KeypointTable,
    predictions: KeypointTable,
    *,
    missing_normalizer: MissingNormalizer = "skip",
    scored_points: ScoredPoints = "visible",
) -> Missing:
    """Find out what of the answers was not predicted, in their order; see `evaluate`."""
    pair = _paired(answers, predictions, missing_normalizer, scored_points)
    return pair.missing(answers)


def evaluate(
    answers: KeypointTable,
    predictions: KeypointTable,
    *,
    missing_normalizer: MissingNormalizer = "skip",
    scored_points: ScoredPoints = "visible",
    missing_predictions: MissingPredictions = "error",
) -> NormalizedErrorResult:
    """Score a table of predictions against a table of answers, matched by image id.

    The points that the *labelled* category defines are scored, whatever the predicted one is.
    Predictions for images without an answer are passed over.

    Args:
        answers: Labels.
        predictions: Predicted points. Of their category only what it lacks counts, and their
            visibility does not.
        missing_normalizer: See `normalizers`.
        scored_points: See `normalized_error`.
        missing_predictions: What to do with a labelled image that has no prediction, and with a
            scored point that has no place (``-1_-1_-1``): refuse (``error``), ``count`` an error of
            1 per scored point, or ``skip`` it. A point that the predicted category lacks is never
            refused: it counts as an error of 1, but for ``skip``.

    Raises:
        UnmatchedIdsError: There are predictions, and none is of an image of the answers.
        MissingPredictionsError: Images or points have no prediction, and ``missing_predictions`` is
            ``error``.
    """
    pair = _paired(answers, predictions, missing_normalizer, scored_points)
    if missing_predictions == "error" and (missing := pair.missing(answers)):
        raise MissingPredictionsError(missing)
    visibility = answers.visibility
    kept = np.ones(len(answers), np.bool_)
    if missing_predictions == "skip":
        visibility = np.where(pair.failed, Visibility.ABSENT, visibility).astype(np.int8)
        kept = pair.rows >= 0
    return normalized_error(
        pair.predicted[kept],
        answers.keypoints[kept],
        visibility[kept],
        answers.category_indices[kept],
        normalizer=pair.normalizer[kept],
        scored_points=scored_points,
        failed=pair.failed[kept],
    )


def point_errors(
    answers: KeypointTable,
    predictions: KeypointTable,
    *,
    missing_normalizer: MissingNormalizer = "skip",
    scored_points: ScoredPoints = "visible",
    count_missing: bool = False,
) -> NDArray[np.float64]:
    """Error of each point by itself; matched by image id, with the rules of `evaluate`.

    Args:
        answers: Labels.
        predictions: Predicted points.
        missing_normalizer: See `normalizers`.
        scored_points: See `normalized_error`.
        count_missing: Whether a point that is not predicted has an error of 100 %.

    Returns:
        ``(N, K)`` percent of the normaliser, in the order of the answers; NaN for a point that is
        not scored or not predicted.
    """
    pair = _paired(answers, predictions, missing_normalizer, scored_points)
    scored = _scored(answers.visibility, scored_points)
    offset = pair.predicted.astype(np.float64) - answers.keypoints
    # The normaliser of an image that is not scored is NaN, and so are its errors.
    errors = 100 * _length(offset) / pair.normalizer[:, None]
    usable = ~np.isnan(pair.normalizer)[:, None]
    errors = np.where(pair.failed & usable, 100.0 if count_missing else np.nan, errors)
    return np.where(scored, errors, np.nan)


def image_errors(answers: KeypointTable, predictions: KeypointTable) -> NDArray[np.float64]:
    """NE of each image by itself, to sort images by; matched by image id.

    The rules are the defaults of `normalized_error`.

    Args:
        answers: Labels.
        predictions: Predicted points; their category and visibility do not count.

    Returns:
        ``(N,)`` percent in the order of the answers; NaN for an image without a prediction, without
        a labelled normaliser or without a visible point.
    """
    points = point_errors(answers, predictions)
    count = (~np.isnan(points)).sum(axis=1)
    errors: NDArray[np.float64] = np.full(len(answers), np.nan)
    np.divide(np.nansum(points, axis=1), count, out=errors, where=count > 0)
    return errors


@dataclass(frozen=True)
class _Pair:
    """Predictions in the order of their answers.

    Attributes:
        rows: ``(N,)`` row of each answer's prediction, -1 where there is none.
        predicted: ``(N, K, 2)``, (-1, -1) where there is no place.
        normalizer: ``(N,)`` as `normalizers` returns it.
        failed: ``(N, K)``, scored points without a place, and all points of images without a row.
        lacked: ``(N, K)``, those of them that the predicted category lacks.
    """

    rows: NDArray[np.intp]
    predicted: NDArray[np.float32]
    normalizer: NDArray[np.float64]
    failed: NDArray[np.bool_]
    lacked: NDArray[np.bool_]

    def missing(self, answers: KeypointTable) -> Missing:
        found = self.rows >= 0
        names = answers.names

        def named(points: NDArray[np.bool_]) -> dict[str, tuple[str, ...]]:
            return {
                names[i]: tuple(KEYPOINT_NAMES[k] for k in np.flatnonzero(points[i]))
                for i in np.flatnonzero(found & points.any(axis=1))
            }

        return Missing(
            tuple(answers.image_ids[i] for i in np.flatnonzero(~found)),
            points=named(self.failed & ~self.lacked),
            lacked=named(self.lacked),
        )


def _paired(
    answers: KeypointTable,
    predictions: KeypointTable,
    missing_normalizer: MissingNormalizer,
    scored_points: ScoredPoints,
) -> _Pair:
    rows = prediction_rows(answers, predictions)
    found = rows >= 0
    predicted = np.full((len(answers), NUM_KEYPOINTS, 2), -1, np.float32)
    predicted[found] = predictions.keypoints[rows[found]]
    normalizer = normalizers(
        answers.keypoints, answers.visibility, answers.category_indices, missing_normalizer
    )
    failed = np.ones(answers.visibility.shape, np.bool_)
    failed[found] = ~predictions.placed[rows[found]]
    scored = _scored(answers.visibility, scored_points) & ~np.isnan(normalizer)[:, None]
    failed[found] &= scored[found]
    lacked = np.zeros_like(failed)
    lacked[found] = failed[found] & ~CATEGORY_KEYPOINTS[predictions.category_indices[rows[found]]]
    return _Pair(rows, predicted, normalizer, failed, lacked)


def _scored(visibility: NDArray[np.int8], scored_points: ScoredPoints) -> NDArray[np.bool_]:
    scored: NDArray[np.bool_] = (
        visibility == Visibility.VISIBLE
        if scored_points == "visible"
        else visibility != Visibility.ABSENT
    )
    return scored


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
