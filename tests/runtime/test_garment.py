"""A garment in the forms that others read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fashionkp_mm.core.csv_columns import COLUMNS
from fashionkp_mm.core.garments import CATEGORY_NAMES, KEYPOINT_INDEX, NUM_KEYPOINTS, Visibility
from fashionkp_mm.runtime import Garment, coco_categories
from fashionkp_mm.visualization.keypoints import draw_garments
from fashionkp_mm.visualization.sketch import DrawnGarment

SKIRT = ("waistband_left", "waistband_right", "hemline_left", "hemline_right")


@pytest.fixture
def skirt() -> Garment:
    keypoints = np.full((NUM_KEYPOINTS, 2), 77.0, np.float32)
    scores = np.zeros(NUM_KEYPOINTS, np.float32)
    visibility = np.full(NUM_KEYPOINTS, -1, np.int8)
    rows = [KEYPOINT_INDEX[name] for name in SKIRT]
    keypoints[rows] = [[10, 20], [30.256, 21], [-0.001, 90.5], [41, 92]]
    scores[rows] = [0.9, 0.8, 0.6, 0.1]
    visibility[rows] = [1, 1, 0, -1]
    return Garment(
        image_id="a/b.jpg",
        image_index=3,
        image_size=(100, 120),
        category="skirt",
        category_score=0.75,
        category_scores=np.array([0.1, 0.05, 0.05, 0.75, 0.05], np.float32),
        box=np.array([5, 15, 45, 95], np.float32),
        box_source="detector",
        box_score=0.5,
        keypoints=keypoints,
        keypoint_scores=scores,
        visibility=visibility,
    )


def test_a_csv_row_has_the_contests_columns(skirt: Garment) -> None:
    row = dict(zip(COLUMNS, skirt.to_csv_row(), strict=True))
    assert row["image_id"] == "a/b.jpg"
    assert row["image_category"] == "skirt"
    assert row["waistband_left"] == "10_20_1"
    assert row["waistband_right"] == "30.26_21_1"
    assert row["hemline_left"] == "0_90.5_0"


def test_a_point_that_is_predicted_absent_keeps_its_place(skirt: Garment) -> None:
    row = dict(zip(COLUMNS, skirt.to_csv_row(), strict=True))
    assert row["hemline_right"] == "41_92_-1"


def test_points_of_other_categories_are_absent_cells(skirt: Garment) -> None:
    row = dict(zip(COLUMNS, skirt.to_csv_row(), strict=True))
    others = [row[name] for name in KEYPOINT_INDEX if name not in SKIRT]
    assert set(others) == {"-1_-1_-1"}


def test_a_picture_without_an_id_goes_by_its_position(skirt: Garment) -> None:
    unnamed = replace(skirt, image_id=None)
    assert unnamed.to_csv_row()[0] == "3"
    assert unnamed.to_coco()["image_id"] == 3
    assert unnamed.to_dict()["image_id"] is None


def test_the_score_is_the_boxs_times_the_points(skirt: Garment) -> None:
    assert skirt.score == pytest.approx(0.5 * (0.9 + 0.8 + 0.6 + 0.1) / 4)


def test_coco_result(skirt: Garment) -> None:
    result = skirt.to_coco()
    assert json.loads(json.dumps(result)) == result
    assert result["bbox"] == [5, 15, 40, 80]
    assert result["category_id"] == CATEGORY_NAMES.index("skirt") + 1
    assert result["num_keypoints"] == 3
    assert result["score"] == pytest.approx(0.3)
    triples = np.reshape(result["keypoints"], (NUM_KEYPOINTS, 3)).tolist()
    assert triples[KEYPOINT_INDEX["waistband_right"]] == [30.26, 21, 2]
    assert triples[KEYPOINT_INDEX["hemline_left"]][1:] == [90.5, 1]
    assert triples[KEYPOINT_INDEX["hemline_right"]] == [0, 0, 0]
    assert triples[KEYPOINT_INDEX["crotch"]] == [0, 0, 0]


def test_coco_segmentation_is_the_hull_of_the_points(skirt: Garment) -> None:
    (polygon,) = skirt.to_coco()["segmentation"]
    corners = {tuple(corner) for corner in np.reshape(polygon, (-1, 2)).tolist()}
    assert corners == {(10, 20), (30.26, 21), (0, 90.5)}
    visibility = skirt.visibility.copy()
    visibility[KEYPOINT_INDEX["hemline_left"]] = Visibility.ABSENT
    (polygon,) = replace(skirt, visibility=visibility).to_coco()["segmentation"]
    assert polygon == [5, 15, 45, 15, 45, 95, 5, 95]  # the box


def test_coco_categories_explain_the_ids(skirt: Garment) -> None:
    by_id = {category["id"]: category for category in coco_categories()}
    category = by_id[skirt.to_coco()["category_id"]]
    assert category["name"] == "skirt"
    ends = {category["keypoints"][k - 1] for link in category["skeleton"] for k in link}
    assert ends == set(SKIRT)


def test_as_a_dictionary_it_is_plain_json_by_name(skirt: Garment) -> None:
    facts: dict[str, Any] = skirt.to_dict()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["category_scores"]["blouse"] == pytest.approx(0.1)
    assert facts["image_size"] == [100, 120]
    assert list(facts["keypoints"]) == list(SKIRT)
    point = {"x": 30.26, "y": 21.0, "score": 0.8, "visibility": "visible"}
    assert facts["keypoints"]["waistband_right"] == point
    states = [point["visibility"] for point in facts["keypoints"].values()]
    assert states == ["visible", "visible", "occluded", "absent"]


def test_what_passes_disagree_on_stands_by_name(skirt: Garment) -> None:
    assert skirt.to_dict()["keypoint_spreads"] == {}
    spreads = np.full(NUM_KEYPOINTS, 1.256, np.float32)
    assert replace(skirt, keypoint_spreads=spreads).to_dict()["keypoint_spreads"] == dict.fromkeys(
        SKIRT, 1.26
    )


def test_points_go_by_name(skirt: Garment) -> None:
    x, y, score, visibility = skirt["waistband_right"]
    assert (x, y, score) == pytest.approx((30.256, 21, 0.8))
    assert visibility is Visibility.VISIBLE
    assert skirt["hemline_left"].visibility is Visibility.OCCLUDED
    assert list(skirt.points) == list(SKIRT)
    assert skirt.points["hemline_right"] == skirt["hemline_right"]


@pytest.mark.parametrize("name", ["armpit_left", "waist_band", ""])
def test_a_point_that_the_category_lacks_is_a_key_error(skirt: Garment, name: str) -> None:
    with pytest.raises(KeyError, match=r"skirt: there is no .* only waistband_left, waistband_"):
        skirt[name]


def test_its_repr_is_one_line(skirt: Garment) -> None:
    assert repr(skirt) == "<Garment skirt 0.75: 2 of 4 points visible, box (5, 15, 45, 95)>"


def test_it_is_drawn_as_it_is(skirt: Garment) -> None:
    ground = np.full((120, 100, 3), 90, np.uint8)
    drawn = draw_garments(ground, [skirt], labels=[skirt.label])
    assert (drawn != ground).any()
    same = DrawnGarment(skirt.keypoints, skirt.visibility, skirt.category)
    assert np.array_equal(drawn, draw_garments(ground, [same], labels=["skirt 0.75"]))
