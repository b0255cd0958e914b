"""Tests that the quicker random transforms do just what MMPose's do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mmpose.datasets.transforms import RandomBBoxTransform, YOLOXHSVRandomAug

from fashionkp_mm.plugin import GarmentBBoxTransform, GarmentHSVAug, RandomWiderBBox

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
