"""Warped garments: labels stay on their pixels, shapes come from the file, folds never show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fashionkp_mm.core.csv_format import write_labels
from fashionkp_mm.core.garments import CATEGORY_INDEX, KEYPOINT_INDEX, NUM_KEYPOINTS, Visibility
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.plugin import RandomShapeWarp

SKIRT = [
    KEYPOINT_INDEX[f"{part}_{side}"]
    for part in ("waistband", "hemline")
    for side in ("left", "right")
]
STRAIGHT = np.array([[100, 60], [160, 60], [100, 200], [160, 200.0]])
WIDE = np.array([[110, 60], [150, 60], [60, 200], [200, 200.0]])


def label_file(path: Path, shapes: list[np.ndarray], category: str = "skirt") -> str:
    keypoints = np.full((len(shapes), NUM_KEYPOINTS, 2), -1, np.float32)
    visibility = np.full((len(shapes), NUM_KEYPOINTS), Visibility.ABSENT, np.int8)
    for index, shape in enumerate(shapes):
        present = ~np.isnan(shape[:, 0])
        keypoints[index, np.array(SKIRT)[present]] = shape[present]
        visibility[index, np.array(SKIRT)[present]] = Visibility.VISIBLE
    names = [f"Images/{category}/{index}.jpg" for index in range(len(shapes))]
    categories = np.full(len(shapes), CATEGORY_INDEX[category], np.int8)
    write_labels(
        path,
        KeypointTable(tuple(names), categories, keypoints, visibility, np.arange(len(shapes)) + 2),
    )
    return str(path)


def crop(points: np.ndarray = STRAIGHT) -> dict[str, Any]:
    """A picture with a blob of its own colour at each point."""
    image = np.zeros((256, 256, 3), np.uint8)
    for index, (x, y) in enumerate(points):
        cv2.circle(image, (round(x), round(y)), 5, (60 + 60 * index, 255 - 60 * index, 128), -1)
    keypoints = np.full((1, NUM_KEYPOINTS, 2), -1, np.float32)
    visibility = np.full((1, NUM_KEYPOINTS), Visibility.ABSENT, np.int8)
    keypoints[0, SKIRT] = points
    visibility[0, SKIRT] = Visibility.VISIBLE
    return {
        "img": image,
        "transformed_keypoints": keypoints,
        "keypoint_visibility": visibility,
        "category_id": CATEGORY_INDEX["skirt"],
    }


def test_labels_stay_on_their_pixels_and_take_the_other_shape(tmp_path: Path) -> None:
    warp = RandomShapeWarp(label_file(tmp_path / "a.csv", [WIDE]), prob=1, amount=(1, 1))
    before, after = crop(), warp(crop())
    found = after["transformed_keypoints"][0, SKIRT]
    # As wide at the hem, beside the waistband, as the other garment is.
    assert np.ptp(found[2:, 0]) / np.ptp(found[:2, 0]) == pytest.approx(140 / 40, rel=0.01)
    for x, y in found:
        assert after["img"][round(float(y)), round(float(x))].max() > 100
    colours = [before["img"][round(y), round(x)] for x, y in STRAIGHT]
    moved = [after["img"][round(float(y)), round(float(x))] for x, y in found]
    np.testing.assert_allclose(np.array(moved, int), np.array(colours, int), atol=12)
    absent = np.setdiff1d(np.arange(NUM_KEYPOINTS), SKIRT)
    assert (after["transformed_keypoints"][0, absent] == -1).all()


def test_half_the_way(tmp_path: Path) -> None:
    path = label_file(tmp_path / "a.csv", [WIDE])
    whole = RandomShapeWarp(path, prob=1, amount=(1, 1))(crop())["transformed_keypoints"]
    half = RandomShapeWarp(path, prob=1, amount=(0.5, 0.5))(crop())["transformed_keypoints"]
    np.testing.assert_allclose(half[0, SKIRT], (whole[0, SKIRT] + STRAIGHT) / 2, atol=1e-3)


def test_the_same_shape_elsewhere_changes_nothing(tmp_path: Path) -> None:
    turned = (STRAIGHT - 100) @ np.array([[0.8, 0.6], [-0.6, 0.8]]) * 1.7 + 300
    warp = RandomShapeWarp(label_file(tmp_path / "a.csv", [turned]), prob=1, amount=(1, 1))
    after = warp(crop())
    np.testing.assert_allclose(after["transformed_keypoints"][0, SKIRT], STRAIGHT, atol=0.1)
    difference = np.abs(after["img"].astype(int) - crop()["img"])
    assert difference.mean() < 0.2


def test_points_that_the_other_lacks_go_with_the_rest(tmp_path: Path) -> None:
    partial = WIDE.copy()
    partial[3] = np.nan
    warp = RandomShapeWarp(label_file(tmp_path / "a.csv", [partial]), prob=1, amount=(1, 1))
    after = warp(crop())
    found = after["transformed_keypoints"][0, SKIRT]
    assert not np.allclose(found[3], STRAIGHT[3], atol=1)
    for x, y in found:
        assert after["img"][round(float(y)), round(float(x))].max() > 100


def test_a_fold_is_halved_until_it_is_none(tmp_path: Path) -> None:
    crossed = STRAIGHT[[0, 1, 3, 2]]
    warp = RandomShapeWarp(label_file(tmp_path / "a.csv", [crossed]), prob=1, amount=(1, 1))
    found = warp(crop())["transformed_keypoints"][0, SKIRT]
    # Left stays left: what came out is part of the way at most.
    assert found[2, 0] < found[3, 0]


@pytest.mark.parametrize("prob", [0.0, 1.0])
def test_nothing_happens_without_a_shape_or_a_chance(tmp_path: Path, prob: float) -> None:
    category = "trousers" if prob else "skirt"
    path = label_file(tmp_path / "a.csv", [WIDE], category="skirt")
    sample = crop()
    sample["category_id"] = CATEGORY_INDEX[category]
    after = RandomShapeWarp(path, prob=prob)({**sample})
    assert after["img"] is sample["img"]


def test_excluded_images_lend_no_shape(tmp_path: Path) -> None:
    path = label_file(tmp_path / "a.csv", [WIDE])
    sample = crop()
    after = RandomShapeWarp(path, exclude=[path], prob=1)({**sample})
    assert after["img"] is sample["img"]


def test_points_too_close_together_are_left_alone(tmp_path: Path) -> None:
    path = label_file(tmp_path / "a.csv", [WIDE])
    sample = crop(np.array([[100, 60], [101, 60], [100, 200], [160, 200.0]]))
    assert RandomShapeWarp(path, prob=1)({**sample})["img"] is sample["img"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"amount": (0.5, 0.2)}, "amount"),
        ({"amount": (0, 2)}, "amount"),
        ({"max_stretch": 1}, "max_stretch"),
    ],
)
def test_arguments_out_of_range_are_refused(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        RandomShapeWarp(label_file(tmp_path / "a.csv", [WIDE]), **settings)
