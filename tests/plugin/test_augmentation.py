"""Tests that the quicker random transforms do just what MMPose's do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mmpose.datasets.transforms import RandomBBoxTransform, YOLOXHSVRandomAug

from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.plugin import (
    GarmentBBoxTransform,
    GarmentHSVAug,
    RandomCropErasing,
    RandomCropPerspective,
    RandomWiderBBox,
)

SEEDS = range(20)


def seeded(transform: Any, results: dict[str, Any], seed: int) -> dict[str, Any]:
    np.random.seed(seed)  # noqa: NPY002 - MMPose's transforms draw from it
    changed: dict[str, Any] = transform(results)
    return changed


@pytest.mark.parametrize("deltas", [{}, {"hue_delta": 90, "saturation_delta": 200}])
def test_colours_are_those_of_mmpose(deltas: dict[str, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (64, 48, 3), np.uint8)
    changed = 0
    for seed in SEEDS:
        expected = seeded(YOLOXHSVRandomAug(**deltas), {"img": image.copy()}, seed)["img"]
        found = seeded(GarmentHSVAug(**deltas), {"img": image.copy()}, seed)["img"]
        assert found.dtype == np.uint8
        assert (found == expected).all()
        changed += bool((np.abs(found.astype(int) - image) > 5).any())
    assert changed > len(SEEDS) / 2


def test_the_given_image_stays_as_it_is() -> None:
    image = np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8)
    before = image.copy()
    seeded(GarmentHSVAug(hue_delta=90), {"img": image}, 3)
    assert (image == before).all()


def test_boxes_are_those_of_mmpose() -> None:
    settings = {"shift_factor": 0.2, "scale_factor": (0.6, 1.4), "rotate_factor": 80}
    rotations = set()
    for seed in SEEDS:
        box = {
            "bbox_center": np.array([[100, 120]], np.float32),
            "bbox_scale": np.array([[200, 300]], np.float32),
        }
        expected = seeded(RandomBBoxTransform(**settings), dict(box), seed)
        found = seeded(GarmentBBoxTransform(**settings), dict(box), seed)
        for key in ("bbox_center", "bbox_scale", "bbox_rotation"):
            np.testing.assert_allclose(found[key], expected[key], rtol=1e-5, atol=1e-4)
            assert found[key].dtype == expected[key].dtype
        rotations.add(float(found["bbox_rotation"][0]))
    assert len(rotations) > len(SEEDS) / 3


def widened(seed: int = 0, **settings: float) -> np.ndarray[Any, Any]:
    results = {"img_shape": (400, 300), "bbox": np.array([[100, 50, 200, 350]], np.float32)}
    box: np.ndarray[Any, Any] = seeded(RandomWiderBBox(**settings), results, seed)["bbox"]
    return box


def test_a_box_becomes_the_whole_image() -> None:
    box = widened(prob=1, whole_prob=1)
    assert box.dtype == np.float32
    np.testing.assert_array_equal(box, [[0, 0, 300, 400]])


def test_a_box_stays_as_it_is() -> None:
    np.testing.assert_array_equal(widened(prob=0), [[100, 50, 200, 350]])


@pytest.mark.parametrize(
    ("prob", "main", "named"), [(1, True, True), (1, False, False), (0, False, True)]
)
def test_a_whole_picture_goes_by_its_main_garment(prob: float, main: bool, named: bool) -> None:
    results = {
        "img_shape": (400, 300),
        "bbox": np.array([[100, 50, 200, 350]], np.float32),
        "named": np.ones(1, bool),
        "main_garment": main,
    }
    assert seeded(RandomWiderBBox(prob=prob), results, 0)["named"].tolist() == [named]


def test_a_box_ends_between_its_own_and_the_whole_image() -> None:
    boxes = np.concatenate([widened(seed, prob=1, whole_prob=0) for seed in SEEDS])
    part = (boxes - [100, 50, 200, 350]) / [-100, -50, 100, 50]
    np.testing.assert_allclose(part, part[:, :1].repeat(4, axis=1), atol=1e-6)
    assert ((part >= 0) & (part < 1)).all()
    assert len(np.unique(part[:, 0].round(4))) > len(SEEDS) // 2


def test_boxes_are_widened_as_often_as_asked() -> None:
    boxes = np.concatenate([widened(seed, prob=0.3, whole_prob=0.5) for seed in range(1000)])
    assert 0.25 < (boxes[:, 0] < 100).mean() < 0.35
    assert 0.11 < (boxes[:, 0] == 0).mean() < 0.19


SPOTS = np.array([[[20, 30], [70, 25], [48, 60], [30, 75], [-300, -300]]], np.float32)


def spotted_crop() -> dict[str, Any]:
    """A dark crop with a bright spot at each labelled point; the last point is absent."""
    image = np.full((96, 96, 3), 20, np.uint8)
    for x, y in SPOTS[0, :-1].astype(int):
        image[y - 1 : y + 2, x - 1 : x + 2] = 255
    return {
        "img": image,
        "transformed_keypoints": SPOTS.copy(),
        "keypoints_visible": np.array([[1, 1, 1, 1, 0]], np.float32),
        "keypoint_visibility": np.array([[1, 1, 0, 1, -1]], np.int8),
    }


def test_points_follow_the_perspective() -> None:
    moved = 0.0
    for seed in SEEDS:
        results = seeded(RandomCropPerspective(prob=1, max_shift=0.1), spotted_crop(), seed)
        points = results["transformed_keypoints"]
        assert points.dtype == np.float32
        for x, y in points[0, :-1].round().astype(int):
            if min(x, y) >= 2 and max(x, y) < 94:
                assert results["img"][y - 1 : y + 2, x - 1 : x + 2].max() > 120
        np.testing.assert_array_equal(points[0, -1], SPOTS[0, -1])
        moved = max(moved, float(np.abs(points - SPOTS).max()))
    assert 3 < moved < 0.2 * 96


def test_without_luck_the_crop_stays_as_it_is() -> None:
    for transform in (RandomCropPerspective(prob=0), RandomCropErasing(prob=0)):
        before, after = spotted_crop(), seeded(transform, spotted_crop(), 0)
        for key, value in before.items():
            np.testing.assert_array_equal(after[key], value)


def test_a_crop_without_labels_is_warped_too() -> None:
    results = spotted_crop()
    results["keypoints_visible"][:] = 0
    warped = seeded(RandomCropPerspective(prob=1), results, 1)
    assert (warped["img"] != spotted_crop()["img"]).any()
    np.testing.assert_array_equal(warped["transformed_keypoints"], SPOTS)


def test_what_is_erased_is_occluded_from_then_on() -> None:
    hidden = 0
    for seed in range(60):
        original = spotted_crop()
        results = seeded(RandomCropErasing(prob=1, sides=(0.2, 0.4)), spotted_crop(), seed)
        np.testing.assert_array_equal(results["transformed_keypoints"], SPOTS)
        before, after = original["keypoint_visibility"][0], results["keypoint_visibility"][0]
        for k in range(len(before)):
            if before[k] == after[k]:
                continue
            assert (before[k], after[k]) == (Visibility.VISIBLE, Visibility.OCCLUDED)
            hidden += 1
        changed = (results["img"] != original["img"]).any(axis=-1)
        assert changed.sum() <= (0.4 * 96) ** 2
        for k, (x, y) in enumerate(SPOTS[0, :-1].astype(int)):
            if changed[y - 1 : y + 2, x - 1 : x + 2].all():
                assert after[k] == Visibility.OCCLUDED
    assert hidden > 5


def test_erasing_leaves_the_given_arrays_alone() -> None:
    results = spotted_crop()
    image, visibility = results["img"], results["keypoint_visibility"]
    kept = image.copy(), visibility.copy()
    for seed in SEEDS:
        seeded(RandomCropErasing(prob=1), dict(results), seed)
    np.testing.assert_array_equal(image, kept[0])
    np.testing.assert_array_equal(visibility, kept[1])


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match=r"max_shift is 0.3, expected 0 or more and below 0.25"):
        RandomCropPerspective(max_shift=0.3)
    for sides in ((0.0, 0.3), (0.4, 0.2), (0.5, 1.0)):
        with pytest.raises(ValueError, match="two rising shares"):
            RandomCropErasing(sides=sides)
