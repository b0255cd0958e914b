"""Tests of which prediction is of which labelled garment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_KEYPOINTS, NUM_KEYPOINTS
from fashionkp_mm.core.image_ids import UnmatchedIdsError
from fashionkp_mm.core.normalized_error import evaluate, missing_predictions
from fashionkp_mm.core.pairing import prediction_rows
from fashionkp_mm.core.table import KeypointTable


def table(*garments: tuple[str, str, float]) -> KeypointTable:
    """Garments by image, category and how far right all of their points lie."""
    indices = np.array([CATEGORY_INDEX[category] for _, category, _ in garments], np.int8)
    defined = CATEGORY_KEYPOINTS[indices]
    offset = np.array([right for _, _, right in garments], np.float32)[:, None, None]
    places = np.stack([np.arange(NUM_KEYPOINTS) * 10.0, np.zeros(NUM_KEYPOINTS)], axis=1) + 5
    keypoints = np.where(defined[..., None], places + offset * np.array([1, 0]), -1)
    return KeypointTable(
        image_ids=tuple(image_id for image_id, _, _ in garments),
        category_indices=indices,
        keypoints=keypoints.astype(np.float32),
        visibility=np.where(defined, 1, -1).astype(np.int8),
        rows=np.arange(1, len(garments) + 1),
    )


def rows(answers: KeypointTable, predictions: KeypointTable) -> Sequence[int]:
    return prediction_rows(answers, predictions).tolist()


def test_one_labelled_garment_gets_the_best_prediction_however_far() -> None:
    predictions = table(("b", "skirt", 0), ("a", "dress", 500), ("a", "skirt", 0))
    assert rows(table(("a", "skirt", 0)), predictions) == [1]


def test_several_labelled_garments_get_the_closest_of_their_category() -> None:
    answers = table(("a", "skirt", 0), ("b", "dress", 0), ("a", "skirt", 100), ("a", "blouse", 50))
    predictions = table(
        ("a", "blouse", 0), ("a", "skirt", 90), ("a", "skirt", 20), ("a", "skirt", 120)
    )  # fmt: skip
    assert rows(answers, predictions) == [2, -1, 1, 0]


def test_what_is_left_over_is_paired_whatever_its_category() -> None:
    answers = table(("a", "skirt", 0), ("a", "trousers", 0), ("a", "dress", 0))
    assert rows(answers, table(("a", "blouse", 0), ("a", "trousers", 9))) == [-1, 1, 0]


def test_each_prediction_is_used_once() -> None:
    answers = table(("a", "skirt", 0), ("a", "skirt", 1))
    assert rows(answers, table(("a", "skirt", 1))) == [-1, 0]


def test_files_without_a_common_image() -> None:
    with pytest.raises(UnmatchedIdsError):
        prediction_rows(table(("a", "skirt", 0)), table(("b", "skirt", 0)))


def test_the_error_is_that_of_the_partners() -> None:
    answers = table(("a", "skirt", 0), ("a", "skirt", 100))
    swapped = table(("a", "skirt", 101), ("a", "skirt", 1))
    # The waistband is 10 px wide.
    assert evaluate(answers, swapped).value == pytest.approx(10)


def test_garments_of_one_image_are_named_apart() -> None:
    answers = table(("a", "skirt", 0), ("a", "skirt", 100))
    predictions = table(("a", "skirt", 0), ("a", "skirt", 100))
    predictions.keypoints[:, 17] = -1
    predictions.visibility[:, 17] = -1
    missing = missing_predictions(answers, predictions)
    assert missing.points == {"a": ("hemline_left",), "a, garment 2": ("hemline_left",)}
