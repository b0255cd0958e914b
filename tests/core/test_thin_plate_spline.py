"""Thin-plate splines: what they meet, what they keep, and where they fold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import RBFInterpolator  # type: ignore[import-untyped]

from fashionkp_mm.core.thin_plate_spline import ThinPlateSpline

SOURCE = np.array([[0, 0], [100, 0], [100, 80], [0, 80], [40, 30], [70, 60.0]])


def bent(seed: int, size: float = 10.0) -> np.ndarray:
    return SOURCE + np.random.default_rng(seed).normal(0, size, SOURCE.shape)


@given(st.integers(0, 1000))
def test_meets_every_point_without_smoothing(seed: int) -> None:
    target = bent(seed)
    np.testing.assert_allclose(ThinPlateSpline.fit(SOURCE, target)(SOURCE), target, atol=1e-8)


@given(st.integers(0, 1000))
def test_agrees_with_scipy(seed: int) -> None:
    target = bent(seed)
    elsewhere = np.random.default_rng(seed).uniform(-50, 150, (20, 2))
    expected = RBFInterpolator(SOURCE, target, kernel="thin_plate_spline")(elsewhere)
    np.testing.assert_allclose(ThinPlateSpline.fit(SOURCE, target)(elsewhere), expected, atol=1e-6)


@given(st.integers(0, 1000), st.sampled_from([0.0, 0.1, 10.0]))
def test_an_affine_map_is_found_whatever_the_smoothing(seed: int, smoothing: float) -> None:
    generator = np.random.default_rng(seed)
    matrix = np.eye(2) + generator.uniform(-0.4, 0.4, (2, 2))
    shift = generator.uniform(-50, 50, 2)
    spline = ThinPlateSpline.fit(SOURCE, SOURCE @ matrix.T + shift, smoothing=smoothing)
    elsewhere = generator.uniform(-200, 200, (7, 2))
    np.testing.assert_allclose(spline(elsewhere), elsewhere @ matrix.T + shift, atol=1e-6)
    np.testing.assert_allclose(spline.jacobian(elsewhere), np.broadcast_to(matrix, (7, 2, 2)))


@given(st.integers(0, 1000))
def test_smoothing_does_not_depend_on_the_unit(seed: int) -> None:
    target = bent(seed)
    pixels = ThinPlateSpline.fit(SOURCE, target, smoothing=0.5)(SOURCE)
    metres = ThinPlateSpline.fit(SOURCE / 1000, target / 1000, smoothing=0.5)(SOURCE / 1000)
    np.testing.assert_allclose(metres * 1000, pixels, atol=1e-6)


def test_heavy_points_are_missed_by_less() -> None:
    target = bent(3)
    weights = np.ones(len(SOURCE))
    weights[4] = 20
    even = ThinPlateSpline.fit(SOURCE, target, smoothing=1.0)(SOURCE)[4]
    heavy = ThinPlateSpline.fit(SOURCE, target, weights, smoothing=1.0)(SOURCE)[4]
    assert np.linalg.norm(heavy - target[4]) < 0.2 * np.linalg.norm(even - target[4])


@given(st.integers(0, 1000))
def test_jacobian_is_the_derivative(seed: int) -> None:
    spline = ThinPlateSpline.fit(SOURCE, bent(seed))
    places = np.random.default_rng(seed).uniform(-20, 120, (5, 2))
    step = 1e-4
    for axis in range(2):
        offset = np.eye(2)[axis] * step
        slope = (spline(places + offset) - spline(places - offset)) / (2 * step)
        np.testing.assert_allclose(spline.jacobian(places)[..., axis], slope, atol=1e-4)


def test_a_fold_is_noticed() -> None:
    target = SOURCE.copy()
    assert not ThinPlateSpline.fit(SOURCE, target).folds(SOURCE)
    target[[4, 5]] = target[[5, 4]]
    grid = np.stack(np.meshgrid(np.arange(0, 101, 5), np.arange(0, 81, 5)), -1)
    assert ThinPlateSpline.fit(SOURCE, target).folds(grid)


@given(st.integers(0, 1000))
def test_the_way_back_leads_back(seed: int) -> None:
    spline = ThinPlateSpline.fit(SOURCE, bent(seed, 4), smoothing=0.01)
    grid = np.stack(np.meshgrid(np.arange(0, 101, 10), np.arange(0, 81, 10)), -1).reshape(-1, 2)
    places = np.random.default_rng(seed).uniform((0, 0), (100, 80), (30, 2))
    back = spline.inverse(spline(places), grid)
    np.testing.assert_allclose(spline(back), spline(places), atol=1e-6)
    if not spline.folds(grid):
        np.testing.assert_allclose(back, places, atol=1e-5)


def test_where_nothing_leads_to_there_is_no_way_back() -> None:
    # All of the plane is flattened to a line.
    spline = ThinPlateSpline.fit(SOURCE, SOURCE * (1, 0))
    assert np.isnan(spline.inverse(np.array([[30.0, 40.0]]), SOURCE)).all()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([[0, 0], [1, 1]], "2 points"),
        ([[0, 0], [1, 1], [2, 2], [5, 5]], "on one line"),
        ([[3, 3], [3, 3], [3, 3]], "on one line"),
        ([[0, 0], [1, 0], [0, 1], [0, 1]], "the same"),
    ],
)
def test_degenerate_points_are_refused(source: list[list[float]], message: str) -> None:
    points = np.array(source, float)
    with pytest.raises(ValueError, match=message):
        ThinPlateSpline.fit(points, points)


def test_weights_and_smoothing_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        ThinPlateSpline.fit(SOURCE, SOURCE, np.zeros(len(SOURCE)), smoothing=1)
    with pytest.raises(ValueError, match="0 or more"):
        ThinPlateSpline.fit(SOURCE, SOURCE, smoothing=-1)
