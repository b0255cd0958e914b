"""`benchmarks/pose_errors.py`: a table from errors that are known keeps its promise."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fashionkp_mm.applications.pose_errors import Seen
from fashionkp_mm.core.canonical_shapes import canonical_shape
from fashionkp_mm.core.garments import CATEGORY_NAMES, KEYPOINT_INDEX, Visibility

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ARMPITS = [KEYPOINT_INDEX[f"armpit_{side}"] for side in ("left", "right")]


@pytest.fixture(scope="module")
def script():
    """The script as a module."""
    pytest.importorskip("mmengine")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import pose_errors  # noqa: PLC0415

        yield pose_errors
    for name in ("pose_errors", "common"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def pairs(script, garment_of):
    """Garments whose points are off by what their score says, armpits by twice as much."""
    rng = np.random.default_rng(0)
    found = []
    for number in range(400):
        category = CATEGORY_NAMES[number % 5]
        points = 0.4 * (canonical_shape(category) - 500) + 256
        there = np.isfinite(points).all(axis=1)
        states = np.where(there, Visibility.VISIBLE, Visibility.ABSENT)
        labelled = garment_of(category, np.nan_to_num(points, nan=-1), states)
        scores = rng.uniform(0.2, 1, 24)
        spread = 12 * (1.1 - scores)
        spread[ARMPITS] *= 2
        # With a tail as heavy as that of photographs.
        errors = spread[:, None] * rng.standard_t(3, (24, 2))
        moved = np.where(there[:, None], labelled.keypoints + errors, -1)
        predicted = replace(
            labelled,
            keypoints=moved.astype(np.float32),
            keypoint_scores=np.where(there, scores, 0).astype(np.float32),
        )
        found.append(script.Pair(f"{number:03d}.jpg", labelled, predicted))
    return found


def test_halves_are_of_one_size_in_each_category(script, pairs):
    first, second = script.halves(pairs)
    for name in CATEGORY_NAMES:
        assert [sum(p.labelled.category == name for p in half) for half in (first, second)] == [
            40,
            40,
        ]
    assert not {pair.image_id for pair in first} & {pair.image_id for pair in second}
    again, _ = script.halves(pairs[::-1])
    assert {pair.image_id for pair in again} == {pair.image_id for pair in first}


def test_the_table_finds_what_errors_hang_on(script, pairs):
    table = script.fit(pairs)
    seen = {
        score: table.usual_error(Seen("crotch", Visibility.VISIBLE, score)) for score in (0.3, 0.9)
    }
    assert seen[0.3] / seen[0.9] == pytest.approx((1.1 - 0.3) / (1.1 - 0.9), rel=0.25)
    assert 1.5 < table.keypoints["armpit/visible"] / table.keypoints["hemline/visible"] < 2.5


def test_nine_in_ten_lengths_lie_inside_on_garments_that_it_was_not_made_of(script, pairs):
    first, second = script.halves(pairs)
    checked = script.check(script.fit(first), second)
    everything = [each.inside for values in checked.values() for each in values]
    assert len(everything) > 1500
    assert np.mean(everything) == pytest.approx(0.9, abs=0.03)
    for name, values in checked.items():
        assert np.mean([each.inside for each in values]) > 0.8, name
