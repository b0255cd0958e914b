"""Outputs are decoded as MMPose's codecs decode them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmpose.codecs import SimCCLabel, UDPHeatmap
from mmpose.models.utils.tta import flip_heatmaps, flip_vectors

from fashionkp_mm.core.garments import FLIP_INDICES, NUM_KEYPOINTS
from fashionkp_mm.plugin import CentroidHeatmap
from fashionkp_mm.runtime.decode import (
    average_with_mirrored,
    decode_outputs,
    decode_simcc,
    decode_udp_heatmaps,
)
from fashionkp_mm.runtime.metadata import (
    CentroidHeatmapDecoder,
    SimCCDecoder,
    UDPHeatmapDecoder,
)

INPUT_SIZE = (192, 256)
HEATMAP_SIZE = (48, 64)
BATCH = 5


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def heatmaps_of(points: np.ndarray, codec: UDPHeatmap) -> np.ndarray:
    """Heatmaps as a network would be trained to give, with a little noise."""
    maps = [codec.encode(p[None], np.ones((1, len(p)), np.float32))["heatmaps"] for p in points]
    return (np.stack(maps) + 0.02 * noise(*np.stack(maps).shape)).astype(np.float32)


@pytest.fixture
def codec() -> UDPHeatmap:
    return UDPHeatmap(input_size=INPUT_SIZE, heatmap_size=HEATMAP_SIZE, sigma=2)


@pytest.fixture
def points() -> np.ndarray:
    rng = np.random.default_rng(1)
    # Up to the very edge, where the refinement reads the padding.
    return rng.uniform((0, 0), INPUT_SIZE, (BATCH, NUM_KEYPOINTS, 2)).astype(np.float32)


def test_simcc_vectors_are_decoded_as_by_mmpose() -> None:
    x, y = noise(BATCH, NUM_KEYPOINTS, 384), noise(BATCH, NUM_KEYPOINTS, 512, seed=1)
    x[0, 3], y[1, 4] = -1, -2  # no response at all
    x[2, 5, [7, 90]] = 9  # two places alike
    codec = SimCCLabel(input_size=INPUT_SIZE, sigma=5.66, simcc_split_ratio=2.0, use_dark=False)
    expected, scores = codec.decode(x.copy(), y.copy())
    found, found_scores = decode_simcc(x, y, 2.0)
    assert np.array_equal(found, expected)
    assert np.array_equal(found_scores, scores)
    assert (found[0, 3] < 0).all()


def test_udp_heatmaps_are_decoded_as_by_mmpose(codec: UDPHeatmap, points: np.ndarray) -> None:
    maps = heatmaps_of(points, codec)
    found, scores = decode_udp_heatmaps(maps, UDPHeatmapDecoder(HEATMAP_SIZE), INPUT_SIZE)
    for index, heatmaps in enumerate(maps):
        expected, expected_scores = codec.decode(heatmaps)
        assert np.abs(found[index] - expected[0]).max() < 1e-3
        assert np.array_equal(scores[index], expected_scores[0])


def test_udp_heatmaps_are_decoded_between_their_pixels(
    codec: UDPHeatmap, points: np.ndarray
) -> None:
    points = points.clip(20, 170)
    maps = heatmaps_of(points, codec)
    found, _ = decode_udp_heatmaps(maps, UDPHeatmapDecoder(HEATMAP_SIZE), INPUT_SIZE)
    assert np.abs(found - points).mean() < 0.5  # a heatmap's pixel is 4 wide


def test_a_weak_peak_among_values_below_0_is_decoded_as_by_mmpose(codec: UDPHeatmap) -> None:
    maps = noise(1, NUM_KEYPOINTS, *HEATMAP_SIZE[::-1]) * np.float32(1e-4) - np.float32(0.1)
    maps[:, :, 30, 20] = 0.01
    found, _ = decode_udp_heatmaps(maps, UDPHeatmapDecoder(HEATMAP_SIZE), INPUT_SIZE)
    expected, _ = codec.decode(maps[0].copy())
    assert np.abs(found[0] - expected[0]).max() < 1e-3


def test_an_empty_heatmap_has_score_0_and_a_finite_place() -> None:
    maps = np.zeros((1, NUM_KEYPOINTS, *HEATMAP_SIZE[::-1]), np.float32)
    found, scores = decode_udp_heatmaps(maps, UDPHeatmapDecoder(HEATMAP_SIZE), INPUT_SIZE)
    assert (scores == 0).all()
    assert (found < 0).all()
    assert np.isfinite(found).all()


def test_decoding_leaves_the_outputs_alone(codec: UDPHeatmap, points: np.ndarray) -> None:
    maps = heatmaps_of(points, codec)
    before = maps.copy()
    decode_outputs({"heatmaps": maps}, UDPHeatmapDecoder(HEATMAP_SIZE), INPUT_SIZE)
    assert np.array_equal(maps, before)


def test_centroids_are_decoded_as_by_the_plugin(points: np.ndarray) -> None:
    codec = CentroidHeatmap(input_size=INPUT_SIZE, heatmap_size=HEATMAP_SIZE, power=3, floor=0.1)
    maps = heatmaps_of(points, codec)
    maps[0, 2] = 0  # no response at all
    decoder = CentroidHeatmapDecoder(HEATMAP_SIZE, power=3, floor=0.1)
    found, scores = decode_outputs({"heatmaps": maps}, decoder, INPUT_SIZE)
    for index, heatmaps in enumerate(maps):
        expected, expected_scores = codec.decode(heatmaps)
        assert np.abs(found[index] - expected[0]).max() < 1e-3
        assert np.array_equal(scores[index], expected_scores[0])
    assert (found[0, 2] < 0).all()
    assert scores[0, 2] == 0


def test_the_decoder_decides() -> None:
    x, y = noise(1, NUM_KEYPOINTS, 192), noise(1, NUM_KEYPOINTS, 256)
    once, _ = decode_outputs({"simcc_x": x, "simcc_y": y}, SimCCDecoder(1.0), INPUT_SIZE)
    finer, _ = decode_outputs({"simcc_x": x, "simcc_y": y}, SimCCDecoder(2.0), INPUT_SIZE)
    assert np.allclose(once, 2 * finer)


def test_mirrored_vectors_are_averaged_as_by_mmpose() -> None:
    plain = {"simcc_x": noise(2, NUM_KEYPOINTS, 9), "simcc_y": noise(2, NUM_KEYPOINTS, 7)}
    other = {name: noise(*value.shape, seed=8) for name, value in plain.items()}
    found = average_with_mirrored(plain, other)
    x, y = flip_vectors(*map(torch.from_numpy, other.values()), list(FLIP_INDICES))
    assert np.allclose(found["simcc_x"], (plain["simcc_x"] + x.numpy()) / 2)
    assert np.allclose(found["simcc_y"], (plain["simcc_y"] + y.numpy()) / 2)


def test_mirrored_heatmaps_are_averaged_as_by_mmpose() -> None:
    plain, other = noise(2, NUM_KEYPOINTS, 5, 4), noise(2, NUM_KEYPOINTS, 5, 4, seed=8)
    found = average_with_mirrored({"heatmaps": plain}, {"heatmaps": other})["heatmaps"]
    back = flip_heatmaps(torch.from_numpy(other), list(FLIP_INDICES), shift_heatmap=False)
    assert np.allclose(found, (plain + back.numpy()) / 2)


def test_mirrored_categories_stay_and_visibilities_change_sides() -> None:
    plain = {"category_scores": noise(2, 5), "visibility_scores": noise(2, NUM_KEYPOINTS, 3)}
    other = {name: noise(*value.shape, seed=8) for name, value in plain.items()}
    found = average_with_mirrored(plain, other)
    categories = (plain["category_scores"] + other["category_scores"]) / 2
    assert np.allclose(found["category_scores"], categories)
    back = other["visibility_scores"][:, FLIP_INDICES]
    assert np.allclose(found["visibility_scores"], (plain["visibility_scores"] + back) / 2)
