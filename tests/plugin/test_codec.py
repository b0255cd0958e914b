"""Heatmaps that are trained as MMPose's and read as centroids."""

from __future__ import annotations

import numpy as np
import pytest
from mmpose.codecs import UDPHeatmap
from mmpose.registry import KEYPOINT_CODECS

from fashionkp_mm.core.garments import NUM_KEYPOINTS
from fashionkp_mm.plugin import CentroidHeatmap

SIZES = {"input_size": (192, 256), "heatmap_size": (48, 64)}


def points() -> np.ndarray:
    rng = np.random.default_rng(2)
    return rng.uniform((30, 30), (160, 220), (1, NUM_KEYPOINTS, 2)).astype(np.float32)


def test_it_is_trained_as_udp_is() -> None:
    codec = KEYPOINT_CODECS.build({"type": "CentroidHeatmap", **SIZES, "sigma": 1.5})
    visible = np.ones((1, NUM_KEYPOINTS), np.float32)
    expected = UDPHeatmap(**SIZES, sigma=1.5).encode(points(), visible)
    found = codec.encode(points(), visible)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


def test_what_is_encoded_comes_back() -> None:
    codec = CentroidHeatmap(**SIZES)
    visible = np.ones((1, NUM_KEYPOINTS), np.float32)
    found, scores = codec.decode(codec.encode(points(), visible)["heatmaps"])
    assert found.shape == (1, NUM_KEYPOINTS, 2)
    assert scores.shape == (1, NUM_KEYPOINTS)
    # UDP's crops count sides from pixel to pixel, MMPose's decoded points in whole sides.
    size = np.array(SIZES["input_size"])
    assert np.abs(found * (size - 1) / size - points()).max() < 0.2  # a heatmap's pixel is 4 wide
    assert (scores > 0.9).all()


@pytest.mark.parametrize(
    ("setting", "said"),
    [({"power": 0}, "more than 0"), ({"floor": 0}, "share"), ({"floor": 1}, "share")],
)
def test_settings_that_make_no_sense(setting: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CentroidHeatmap(**SIZES, **setting)
