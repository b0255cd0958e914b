"""Tests of how many labelled garments are among those found."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fashionkp_mm.core.garment_recall import garment_recall
from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_KEYPOINTS, NUM_KEYPOINTS
from fashionkp_mm.core.normalized_error import evaluate
from fashionkp_mm.core.table import KeypointTable

SIDE = 100.0


def table(*garments: tuple[str, str, float]) -> KeypointTable:
    """Garments by image, category and how far right their points on a circle lie."""
    indices = np.array([CATEGORY_INDEX[category] for _, category, _ in garments], np.intp)
    defined = CATEGORY_KEYPOINTS[indices]
    angles = np.arange(NUM_KEYPOINTS) * math.tau / NUM_KEYPOINTS
    circle = SIDE * (2 + np.stack([np.cos(angles), np.sin(angles)], axis=1))
    offset = np.array([right for _, _, right in garments])[:, None, None]
    keypoints = np.where(defined[..., None], circle + offset * np.array([1, 0]), -1)
    return KeypointTable(
        image_ids=tuple(image_id for image_id, _, _ in garments),
        category_indices=indices.astype(np.int8),
        keypoints=keypoints.astype(np.float32),
        visibility=np.where(defined, 1, -1).astype(np.int8),
        rows=np.arange(1, len(garments) + 1),
    )


def test_the_labelled_garment_is_found_whatever_its_rank() -> None:
    answers = table(("a", "skirt", 0), ("b", "dress", 0))
    found = table(("a", "blouse", 0), ("a", "skirt", 5), ("b", "dress", 0), ("c", "dress", 0))
    result = garment_recall(answers, found)
    assert (result.pictures, result.labelled, result.found) == (2, 2, 2)
    assert result.recall == 100
    assert result.per_picture == 1.5  # garments of pictures without a label do not count
    assert result.surest == 1
    assert result.of_found.value == result.of_all.value > 0


def test_another_category_or_another_place_is_no_find() -> None:
    answers = table(("a", "skirt", 0), ("b", "skirt", 0))
    far = 2 * SIDE
    result = garment_recall(answers, table(("a", "trousers", 0), ("b", "skirt", far)))
    assert (result.found, result.recall) == (0, 0)
    assert math.isnan(result.of_found.value)
    assert result.of_all.value == 100


def test_what_is_missed_counts_whole() -> None:
    answers = table(("a", "skirt", 0), ("b", "skirt", 0))
    result = garment_recall(answers, table(("a", "skirt", 3)))
    error = evaluate(answers.select(np.array([0])), table(("a", "skirt", 3))).value
    assert result.of_found.value == pytest.approx(error)
    assert result.of_all.value == pytest.approx((error + 100) / 2)


def test_one_prediction_is_one_garment() -> None:
    answers = table(("a", "skirt", 0), ("a", "skirt", 10))
    assert garment_recall(answers, table(("a", "skirt", 9))).found == 1
    both = garment_recall(answers, table(("a", "skirt", 9), ("a", "skirt", 1)))
    assert both.found == 2
    # Each got the closer one.
    assert both.of_found.value == pytest.approx(
        garment_recall(answers, table(("a", "skirt", 1), ("a", "skirt", 9))).of_found.value
    )
    unit = evaluate(table(("a", "skirt", 0)), table(("a", "skirt", 1))).value
    assert both.of_found.value == pytest.approx(unit, rel=1e-4)


def test_labels_without_a_box_are_not_looked_for() -> None:
    answers = table(("a", "skirt", 0), ("b", "skirt", 0))
    answers.visibility[1] = -1
    result = garment_recall(answers, table(("a", "skirt", 0), ("b", "skirt", 0)))
    assert (result.labelled, result.found, result.pictures) == (1, 1, 2)


def test_nothing_at_all() -> None:
    result = garment_recall(KeypointTable.empty(), KeypointTable.empty())
    assert math.isnan(result.recall)
    assert math.isnan(result.per_picture)
    assert garment_recall(table(("a", "skirt", 0)), KeypointTable.empty()).recall == 0
