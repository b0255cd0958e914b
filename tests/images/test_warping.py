"""Dense maps: exact for straight ones, close for bent ones."""

from __future__ import annotations

import numpy as np
import pytest

from fashionkp_mm.core.thin_plate_spline import ThinPlateSpline
from fashionkp_mm.images.warping import dense_map, warped


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


def test_nowhere_stays_nowhere_and_spoils_nothing_else() -> None:
    def place(points: np.ndarray) -> np.ndarray:
        return np.where(points[:, :1] < 20, np.nan, points)

    result = dense_map(place, (65, 65))
    np.testing.assert_allclose(result[:, 24:], pixels(65, 65)[:, 24:], atol=1e-4)
    assert np.isnan(result[:, :16]).all()


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    shape = (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_the_identity_changes_nothing() -> None:
    for channels in (3, 4):
        image = noise(40, 60, channels)
        image[..., 3:] = 255
        result = warped(image, pixels(60, 40).astype(np.float32))
        np.testing.assert_array_equal(result[..., :3], image[..., :3])
        assert (result[..., 3] == 255).all()


def test_a_shift_moves_whole_pixels_and_what_is_outside_is_clear() -> None:
    image = noise(40, 60)
    result = warped(image, (pixels(60, 40) + np.array((7, -5))).astype(np.float32))
    np.testing.assert_array_equal(result[5:, :53, :3], image[:35, 7:])
    assert (result[5:, :53, 3] == 255).all()
    assert (result[:5, :, 3] == 0).all()
    assert (result[:, 53:, 3] == 0).all()


def test_a_part_of_a_picture_is_the_same_as_of_the_whole() -> None:
    image = noise(300, 500)
    places = (pixels(30, 20) * 0.9 + np.array((400.3, 250.7))).astype(np.float32)
    whole = warped(image, np.concatenate([places, np.zeros_like(places)]))[:20]
    np.testing.assert_array_equal(warped(image, places), whole)


def test_half_a_pixel_outside_is_half_clear_and_has_the_edge_for_colour() -> None:
    image = np.full((20, 20, 3), 200, np.uint8)
    (pixel,) = warped(image, np.array([[[-0.5, 10]]], np.float32))[0]
    assert pixel[:3].tolist() == [200] * 3
    assert abs(int(pixel[3]) - 128) <= 1


@pytest.mark.parametrize("times", [2, 3, 7])
def test_what_shrinks_is_averaged(times: int) -> None:
    board = np.indices((50 * times, 50 * times)).sum(axis=0) % 2 * np.uint8(255)
    image = np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    places = ((pixels(50, 50) + 0.5) * times - 0.5).astype(np.float32)
    result = warped(image, places)
    # Pixels taken one by one would be black or white.
    assert abs(result[..., :3].astype(int) - 127).max() <= 127 / times**2 + 2
    assert (result[..., 3] == 255).all()


def test_shrinking_moves_nothing() -> None:
    ramp = np.repeat(np.arange(240, dtype=np.uint8)[None, :, None], 240, axis=0)
    places = ((pixels(60, 60) + 0.5) * 4 - 0.5).astype(np.float32)
    result = warped(np.repeat(ramp, 3, axis=2), places)
    np.testing.assert_allclose(result[30, 2:-2, 0], places[30, 2:-2, 0], atol=1)


def test_colours_of_clear_pixels_do_not_bleed() -> None:
    image = np.zeros((20, 20, 4), np.uint8)
    image[..., :3] = (0, 255, 0)
    image[:, 10:] = (200, 100, 50, 255)
    result = warped(image, (pixels(20, 20) + np.array((0.5, 0))).astype(np.float32))
    edge = result[10, 9]
    assert abs(edge[:3].astype(int) - (200, 100, 50)).max() <= 2
    assert abs(int(edge[3]) - 128) <= 1


@pytest.mark.parametrize("far", [-1e9, 1e9, np.nan, np.inf])
def test_a_map_that_leads_nowhere_gives_a_clear_picture(far: float) -> None:
    result = warped(noise(20, 20), np.full((10, 10, 2), far, np.float32))
    assert result.shape == (10, 10, 4)
    assert not result[..., 3].any()


def test_a_picture_longer_than_opencv_can_read_from() -> None:
    image = np.zeros((2, 40_000, 3), np.uint8)
    image[:, 20_000:] = 255
    xs = np.linspace(0, 39_999, 100, dtype=np.float32)
    result = warped(image, np.stack([xs, np.zeros_like(xs)], -1)[None])
    assert (result[0, :45, :3] == 0).all()
    assert (result[0, 55:, :3] == 255).all()
