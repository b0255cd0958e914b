"""Crops are cut out as MMPose cuts them, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine

from fashionkp_mm.runtime.crop import CropGeometry, crop_geometry, cut_out

INPUT_SIZES = [(192, 256), (256, 256), (256, 192)]


@pytest.fixture
def image() -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.integers(0, 256, (230, 310, 3), dtype=np.uint8)


def boxes(count: int = 40) -> np.ndarray:
    """Random ones, with some that reach beyond the image, and the whole image."""
    rng = np.random.default_rng(4)
    corners = rng.uniform((-20, -20), (250, 200), (count, 2))
    sizes = rng.uniform(5, 250, (count, 2))
    whole = [[0, 0, 310, 230]]
    return np.concatenate([np.hstack([corners, corners + sizes]), whole]).astype(np.float32)


def by_mmpose(image: np.ndarray, box: np.ndarray, input_size: tuple[int, int], udp: bool) -> dict:
    sample = {"img": image, "bbox": box[None]}
    sample = GetBBoxCenterScale(padding=1.25).transform(sample)
    return TopdownAffine(input_size, use_udp=udp).transform(sample)


@pytest.mark.parametrize("udp", [False, True])
@pytest.mark.parametrize("input_size", INPUT_SIZES)
def test_crops_are_those_of_mmpose(
    image: np.ndarray, input_size: tuple[int, int], udp: bool
) -> None:
    geometry = crop_geometry(boxes(), input_size, 1.25, udp=udp)
    crops = cut_out([image] * len(boxes()), geometry)
    assert crops.shape == (len(boxes()), *input_size[::-1], 3)
    for index, box in enumerate(boxes()):
        expected = by_mmpose(image, box, input_size, udp)
        assert np.array_equal(geometry.centers[index], expected["input_center"])
        assert np.array_equal(geometry.scales[index], expected["input_scale"])
        assert np.array_equal(crops[index], expected["img"])


def test_points_are_taken_back_to_the_image_as_mmpose_does(image: np.ndarray) -> None:
    input_size = (192, 256)
    geometry = crop_geometry(boxes(), input_size, 1.25, udp=False)
    rng = np.random.default_rng(5)
    points = rng.uniform(0, 256, (len(boxes()), 24, 2)).astype(np.float32)
    found = geometry.to_image(points)
    for index, box in enumerate(boxes()):
        sample = by_mmpose(image, box, input_size, udp=False)
        center, scale = sample["input_center"], sample["input_scale"]
        # TopdownPoseEstimator.add_pred_to_datasample
        expected = points[index] / input_size * scale + center - 0.5 * scale
        assert np.abs(found[index] - expected).max() < 1e-3


def test_each_crop_comes_from_its_own_image(image: np.ndarray) -> None:
    first, second = (crop_geometry(box[None], (48, 64), 1.25, udp=False) for box in boxes(1))
    crops = cut_out([image, 255 - image], CropGeometry.joined([first, second]))
    assert np.array_equal(crops[0], cut_out([image], first)[0])
    assert np.array_equal(crops[1], cut_out([255 - image], second)[0])


def test_beyond_the_image_it_is_black() -> None:
    white = np.full((50, 50, 3), 255, np.uint8)
    geometry = crop_geometry(
        np.array([[0, 0, 50, 50]], np.float32), (100, 100), padding=2, udp=False
    )
    (crop,) = cut_out([white], geometry)
    assert (crop[:20] == 0).all()
    assert (crop[30:70, 30:70] == 255).all()
