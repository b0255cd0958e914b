"""The three states of a keypoint through MMPose's transforms."""

import cv2
import numpy as np
import pytest

from fashionkp_mm.core.garments import FLIP_INDICES, NUM_KEYPOINTS
from fashionkp_mm.images import BrokenImageError, load_image
from fashionkp_mm.plugin import GarmentFlip, LoadGarmentImage, WeightOccludedKeypoints


def sample() -> dict:
    rng = np.random.default_rng(0)
    return {
        "img": rng.integers(0, 255, (50, 80, 3), dtype=np.uint8),
        "img_shape": (50, 80),
        "bbox": np.array([[10, 5, 60, 45]], np.float32),
        "keypoints": rng.uniform(0, 50, (1, NUM_KEYPOINTS, 2)).astype(np.float32),
        "keypoints_visible": rng.integers(0, 2, (1, NUM_KEYPOINTS)).astype(np.float32),
        "keypoint_visibility": rng.integers(-1, 2, (1, NUM_KEYPOINTS)).astype(np.int8),
        "flip_indices": list(FLIP_INDICES),
    }


def test_flip_swaps_left_and_right_names():
    before, after = sample(), GarmentFlip(prob=1.0).transform(sample())
    mirrored = list(FLIP_INDICES)
    for name in ("keypoint_visibility", "keypoints_visible"):
        np.testing.assert_array_equal(after[name], before[name][:, mirrored])
    np.testing.assert_array_equal(after["keypoints"][..., 1], before["keypoints"][:, mirrored, 1])
    np.testing.assert_allclose(
        after["keypoints"][..., 0], 79 - before["keypoints"][:, mirrored, 0], atol=1
    )


def test_flip_twice_changes_nothing():
    flip = GarmentFlip(prob=1.0)
    before, after = sample(), flip.transform(flip.transform(sample()))
    for name in ("img", "keypoint_visibility", "keypoints_visible"):
        np.testing.assert_array_equal(after[name], before[name])


def test_no_flip_changes_nothing():
    before, after = sample(), GarmentFlip(prob=0.0).transform(sample())
    np.testing.assert_array_equal(after["keypoint_visibility"], before["keypoint_visibility"])


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0, 2.0])
def test_occluded_points_get_their_weight(weight):
    results = {
        "keypoint_visibility": np.array([[1, 0, -1]], np.int8),
        "keypoint_weights": np.array([[1, 1, 0]], np.float32),
    }
    WeightOccludedKeypoints(weight).transform(results)
    assert results["keypoint_weights"].tolist() == [[1, weight, 0]]


def test_negative_weight_is_refused():
    with pytest.raises(ValueError, match="expected 0 or more"):
        WeightOccludedKeypoints(-1)


def test_given_image_is_taken_as_it_is():
    image = np.zeros((7, 9, 3), np.uint8)
    results = LoadGarmentImage().transform({"img": image})
    assert results["img"] is image
    assert results["img_shape"] == results["ori_shape"] == (7, 9)
    assert results["img_path"] is None


def test_broken_image_is_named(tmp_path):
    path = tmp_path / "torn.jpg"
    path.write_bytes(b"no picture")
    with pytest.raises(BrokenImageError, match=r"torn\.jpg.*replace the file"):
        LoadGarmentImage().transform({"img_path": str(path)})


def picture(path, shade: int) -> str:
    assert cv2.imwrite(str(path), np.full((64, 64, 3), shade, np.uint8))
    return str(path)


def test_a_cached_image_is_not_decoded_again(tmp_path):
    path = picture(tmp_path / "a.png", 7)
    load = LoadGarmentImage(cache_mb=1)
    first = load({"img_path": path})["img"]
    (tmp_path / "a.png").unlink()
    again = load({"img_path": path})
    assert again["img"] is first
    assert again["img_shape"] == again["ori_shape"] == (64, 64)


def test_a_cached_image_cannot_be_written_to(tmp_path):
    image = LoadGarmentImage(cache_mb=1)({"img_path": picture(tmp_path / "a.png", 7)})["img"]
    with pytest.raises(ValueError, match="read-only"):
        image[:] = 0


def test_a_full_cache_stays_as_it_is(tmp_path):
    paths = [picture(tmp_path / f"{shade}.png", shade) for shade in range(4)]
    load = LoadGarmentImage(cache_mb=2.5 * 64 * 64 * 3 / 2**20)
    for path in paths:
        load({"img_path": path})
    for path in paths[2:]:
        (tmp_path / path).unlink()
        with pytest.raises(BrokenImageError):
            load({"img_path": path})
    for path in paths[:2]:
        (tmp_path / path).unlink()
        load({"img_path": path})


def test_without_a_cache_every_image_is_the_samples_own(tmp_path):
    path = picture(tmp_path / "a.png", 7)
    load = LoadGarmentImage()
    load({"img_path": path})["img"][:] = 0
    np.testing.assert_array_equal(load({"img_path": path})["img"], load_image(path))


def test_a_negative_cache_is_refused():
    with pytest.raises(ValueError, match="expected 0 or more"):
        LoadGarmentImage(cache_mb=-1)
