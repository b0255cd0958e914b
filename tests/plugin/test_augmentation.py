"""Tests that the quicker random transforms do just what MMPose's do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mmpose.datasets.transforms import RandomBBoxTransform, YOLOXHSVRandomAug

from fashionkp_mm.plugin import GarmentBBoxTransform, GarmentHSVAug

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
