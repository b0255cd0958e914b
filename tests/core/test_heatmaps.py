"""Centroids of heatmaps."""

from __future__ import annotations

import numpy as np
import pytest

from fashionkp_mm.core.heatmaps import centroids

HEIGHT, WIDTH = 40, 56


def gaussians(points: np.ndarray, sigma: float = 2.0) -> np.ndarray:
    """``(M, H, W)``, one Gaussian of height 1 around each of the points ``(M, 2)``."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    squares = (x - points[:, 0, None, None]) ** 2 + (y - points[:, 1, None, None]) ** 2
    return np.exp(-squares / (2 * sigma**2)).astype(np.float32)


@pytest.mark.parametrize("power", [1.0, 4.0, 6.0])
def test_a_gaussian_has_its_centre(power: float) -> None:
    points = np.random.default_rng(0).uniform(8, (WIDTH - 9, HEIGHT - 9), (50, 2))
    found, peaks = centroids(gaussians(points), power=power, floor=0.2)
    assert np.abs(found - points).max() < 0.1
    assert found.dtype == np.float32
    assert (peaks > 0.9).all()


def test_height_does_not_matter() -> None:
    maps = gaussians(np.array([[20.3, 11.8]]))
    found, _ = centroids(maps, power=4, floor=0.2)
    low, peaks = centroids(maps * np.float32(1e-4), power=4, floor=0.2)
    np.testing.assert_allclose(low, found, atol=1e-3)
    assert peaks == pytest.approx(maps.max() * 1e-4)


def test_the_highest_peak_keeps_its_place_beside_a_lower_one() -> None:
    high, low = np.array([[12.0, 10.0]]), np.array([[44.0, 30.0]])
    found, _ = centroids(gaussians(high) + np.float32(0.5) * gaussians(low), power=4, floor=0.2)
    assert np.abs(found - high).max() < 1


def test_two_equal_peaks_have_their_middle() -> None:
    left, right = np.array([[20.0, 20.0]]), np.array([[26.0, 20.0]])
    found, _ = centroids(gaussians(left) + gaussians(right), power=4, floor=0.2)
    np.testing.assert_allclose(found, [[23, 20]], atol=1e-3)


def test_values_below_0_do_not_pull() -> None:
    point = np.array([[30.0, 15.0]])
    found, _ = centroids(gaussians(point) - np.float32(0.3), power=3, floor=0.2)
    np.testing.assert_allclose(found, point, atol=1e-3)


@pytest.mark.parametrize("value", [0.0, -0.5])
def test_nothing_above_0_has_no_place(value: float) -> None:
    maps = np.full((2, HEIGHT, WIDTH), value, np.float32)
    maps[1, 3, 4] = 1e-6
    found, peaks = centroids(maps, power=4, floor=0.2)
    np.testing.assert_array_equal(found, [[-1, -1], [4, 3]])
    assert peaks.tolist() == [value, np.float32(1e-6)]


def test_the_heatmaps_stay_as_they_are() -> None:
    maps = gaussians(np.array([[20.3, 11.8]])) - np.float32(0.1)
    before = maps.copy()
    centroids(maps, power=4, floor=0.2)
    np.testing.assert_array_equal(maps, before)
