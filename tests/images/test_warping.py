"""Dense maps: exact for straight ones, close for bent ones."""

from __future__ import annotations

import numpy as np
import pytest

from fashionkp_mm.core.thin_plate_spline import ThinPlateSpline
from fashionkp_mm.images.warping import dense_map


def pixels(width: int, height: int) -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(float)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (8, 8), (9, 17), (64, 48), (301, 200)])
def test_a_straight_map_is_exact(size: tuple[int, int]) -> None:
    matrix = np.array([[0.9, 0.2], [-0.1, 1.1]])
    result = dense_map(lambda points: points @ matrix.T + (5, -3), size)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, pixels(*size) @ matrix.T + (5, -3), atol=1e-3)


def test_a_bent_map_is_close() -> None:
    source = np.array([[50, 50], [250, 40], [260, 260], [40, 250], [150, 150.0]])
    target = source + np.array([[12, -8], [-15, 10], [5, 20], [-10, 0], [25, -25]])
    spline = ThinPlateSpline.fit(source, target)
    error = np.linalg.norm(dense_map(spline, (300, 300)) - spline(pixels(300, 300)), axis=-1)
    assert error.max() < 0.3
    assert error.mean() < 0.02
