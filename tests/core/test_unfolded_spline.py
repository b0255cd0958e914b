"""Splines that fold nowhere, whatever the points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashionkp_mm.core.planar_maps import fit_similarity
from fashionkp_mm.core.thin_plate_spline import ThinPlateSpline
from fashionkp_mm.core.unfolded_spline import LEAST_AREA, FoldError, fit_unfolded

SOURCE = np.array([[20, 10], [80, 10], [90, 90], [10, 90], [30, 50], [70, 50], [50, 20.0]])
GRID = np.stack(np.meshgrid(np.linspace(0, 100, 33), np.linspace(0, 100, 33)), -1).reshape(-1, 2)
ONES = np.ones(len(SOURCE))


def fit(target: np.ndarray, weights: np.ndarray = ONES) -> ThinPlateSpline:
    return fit_unfolded(SOURCE, target, weights, 0.01, GRID)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([2.0, 10.0, 30.0, 100.0]))
def test_nothing_folds_nor_is_squeezed_flat(seed: int, size: float) -> None:
    target = SOURCE + np.random.default_rng(seed).normal(0, size, SOURCE.shape)
    try:
        spline = fit(target)
    except FoldError:
        return
    area = np.linalg.det(fit_similarity(SOURCE, target)[:, :2])
    assert (np.linalg.det(spline.jacobian(GRID)) > LEAST_AREA * area).all()


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_a_spline_without_a_fold_is_the_plain_one(seed: int) -> None:
    target = SOURCE + np.random.default_rng(seed).normal(0, 2, SOURCE.shape)
    plain = ThinPlateSpline.fit(SOURCE, target, ONES, 0.01)
    np.testing.assert_allclose(fit(target)(GRID), plain(GRID), atol=1e-6)


def test_the_point_that_folds_gives_way_and_the_others_are_met() -> None:
    target = SOURCE.copy()
    target[4] = 85, 60  # from the left it would have to cross its neighbour on the right
    plain = ThinPlateSpline.fit(SOURCE, target, ONES, 0.01)
    assert plain.folds(GRID)
    misses = np.linalg.norm(fit(target)(SOURCE) - target, axis=1)
    assert misses[4] > 20
    assert np.delete(misses, 4).max() < 0.3 * misses[4]


def test_points_that_mirror_the_plane_are_refused() -> None:
    with pytest.raises(FoldError, match="turning over"):
        fit(SOURCE * (-1, 1))


def test_points_on_one_line_are_refused() -> None:
    line = np.arange(5.0)[:, None] * (1, 2)
    with pytest.raises(ValueError, match="on one line"):
        fit_unfolded(line, line, np.ones(5), 0.01, GRID)
