"""The canonical shapes: made by their script, symmetric, and laid over garments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionkp_mm.core.canonical_shapes import (
    FRAME,
    SHAPES_FILE,
    canonical_shape,
    fitted_shape,
    visibility_weights,
)
from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_INDEX,
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    FLIP_INDICES,
    KEYPOINT_INDEX,
    Visibility,
)
from fashionkp_mm.core.planar_maps import moved

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "canonical_shapes.py"


def all_visible(category: str) -> np.ndarray:
    return np.where(CATEGORY_KEYPOINTS[CATEGORY_INDEX[category]], 1, -1)


@pytest.mark.parametrize("category", CATEGORY_NAMES)
def test_a_shape_has_the_points_of_its_category_inside_the_frame(category: str) -> None:
    shape = canonical_shape(category)
    defined = CATEGORY_KEYPOINTS[CATEGORY_INDEX[category]]
    assert np.isnan(shape[~defined]).all()
    assert (shape[defined] > 0).all()
    assert (shape[defined] < FRAME).all()


@pytest.mark.parametrize("category", CATEGORY_NAMES)
def test_a_shape_is_symmetric(category: str) -> None:
    shape = canonical_shape(category)
    mirrored = shape[list(FLIP_INDICES)] * (-1, 1) + (FRAME, 0)
    np.testing.assert_allclose(mirrored, shape, atol=0.011)


@pytest.mark.parametrize("category", CATEGORY_NAMES)
def test_left_is_left_and_the_garment_hangs_down(category: str) -> None:
    shape = canonical_shape(category)
    for left, right in CATEGORIES[category].flip_pairs:
        assert shape[KEYPOINT_INDEX[left], 0] < shape[KEYPOINT_INDEX[right], 0]
    ends = [name for name in CATEGORIES[category].keypoints if "hem" in name or "bottom" in name]
    tops = [name for name in CATEGORIES[category].keypoints if "neck" in name or "band" in name]
    lowest = min(shape[KEYPOINT_INDEX[name], 1] for name in ends)
    assert all(shape[KEYPOINT_INDEX[name], 1] < lowest for name in tops)


def test_nobody_changes_a_shape_for_the_others() -> None:
    with pytest.raises(ValueError, match="read-only"):
        canonical_shape("dress")[0] = 0


@given(
    st.sampled_from(CATEGORY_NAMES),
    st.floats(-3, 3),
    st.floats(0.05, 20),
    st.floats(-500, 500),
    st.integers(0, 10_000),
)
def test_absent_points_of_a_mean_garment_are_found(category, angle, scale, shift, seed) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    garment = moved(np.column_stack([turn, [shift, -shift]]), canonical_shape(category))
    visibility = all_visible(category)
    defined = np.flatnonzero(visibility == 1)
    # Two points are left at least, in any of the states that have a place.
    generator = np.random.default_rng(seed)
    lost = generator.permutation(defined)[: generator.integers(0, len(defined) - 1)]
    given_points = np.nan_to_num(garment)
    visibility[generator.permutation(defined)[:2]] = Visibility.OCCLUDED
    visibility[lost], given_points[lost] = Visibility.ABSENT, -1
    found = fitted_shape(category, given_points, visibility)
    np.testing.assert_allclose(found, garment, atol=1e-6 * scale * FRAME)


def test_too_few_points_fix_no_shape() -> None:
    visibility = np.full(24, Visibility.ABSENT)
    visibility[KEYPOINT_INDEX["crotch"]] = Visibility.VISIBLE
    # A point that trousers do not have does not help.
    visibility[KEYPOINT_INDEX["armpit_left"]] = Visibility.VISIBLE
    with pytest.raises(ValueError, match="1 point to go by, 2 are needed"):
        fitted_shape("trousers", np.random.default_rng(0).uniform(0, 9, (24, 2)), visibility)


def test_weights_by_visibility() -> None:
    assert visibility_weights(np.array([[1, 0, -1]])).tolist() == [[1.0, 0.3, 0.0]]


def test_the_script_makes_the_file(fashionai_root: Path, tmp_path: Path) -> None:
    labels = fashionai_root / "annotations_2018.csv"
    validation = fashionai_root / "val" / "Annotations" / "val.csv"
    out = tmp_path / "shapes.csv"
    command = [sys.executable, SCRIPT, labels, "--without", validation, "--out", out]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    counts = [int(line.split()[1].replace(",", "")) for line in done.stdout.splitlines()[:5]]
    assert sum(counts) == 63_765 - 443
    assert out.read_text() == SHAPES_FILE.read_text()
