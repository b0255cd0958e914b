"""Tests of boxes from points, labelled and found."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from fashionkp_mm.core.boxes import (
    box_overlaps,
    keypoint_boxes,
    refined_boxes,
    shares_inside,
    with_margin,
    without_margin,
)
from fashionkp_mm.core.garments import CATEGORIES, CATEGORY_NAMES, NUM_KEYPOINTS


def test_a_box_encloses_the_labelled_points_tightly() -> None:
    rng = np.random.default_rng(1)
    keypoints = rng.uniform(0, 500, (20, NUM_KEYPOINTS, 2)).astype(np.float32)
    labelled = rng.random((20, NUM_KEYPOINTS)) < 0.3
    keypoints[~labelled] = -1
    boxes = keypoint_boxes(keypoints, labelled)
    assert boxes.dtype == np.float32
    for box, points, mask in zip(boxes, keypoints, labelled, strict=True):
        assert box.tolist() == [*points[mask].min(axis=0), *points[mask].max(axis=0)]


def test_without_a_labelled_point_there_is_no_box() -> None:
    keypoints = np.full((2, NUM_KEYPOINTS, 2), 7, np.float32)
    labelled = np.zeros((2, NUM_KEYPOINTS), np.bool_)
    labelled[1, 3] = True
    boxes = keypoint_boxes(keypoints, labelled)
    assert np.isnan(boxes[0]).all()
    assert boxes[1].tolist() == [7, 7, 7, 7]


def found_points(*points: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints of one garment, the first of them at ``points``, and which are present."""
    keypoints = np.full((1, NUM_KEYPOINTS, 2), -1, np.float32)
    keypoints[0, : len(points)] = points
    return keypoints, np.arange(NUM_KEYPOINTS)[None] < len(points)


def test_a_refined_box_encloses_the_present_points() -> None:
    keypoints, present = found_points((30, 40), (60, 90), (50, 20))
    sizes = np.array([[100, 200]])
    assert refined_boxes(keypoints, present, sizes).tolist() == [[30, 20, 60, 90]]


def test_rounding_errors_of_points_do_not_show_in_refined_boxes() -> None:
    keypoints, present = found_points((30.2, 40.1), (60.7, 90.4))
    sizes = np.array([[100, 200]])
    boxes = refined_boxes(keypoints, present, sizes)
    np.testing.assert_array_equal(boxes, refined_boxes(keypoints + 0.01, present, sizes))
    assert boxes.tolist() == [[30, 40, 61, 90]]


def test_a_refined_box_stays_inside_the_image() -> None:
    keypoints, present = found_points((-30, 40), (160, 290))
    sizes = np.array([[100, 200]])
    assert refined_boxes(keypoints, present, sizes).tolist() == [[0, 40, 100, 200]]


def test_each_image_has_its_own_box() -> None:
    one, present_one = found_points((10, 10), (50, 60))
    other, present_other = found_points((110, 10), (150, 60), (0, 0))
    sizes = np.array([[100, 100], [200, 300]])
    boxes = refined_boxes(
        np.concatenate([one, other]), np.concatenate([present_one, present_other]), sizes
    )
    assert boxes.tolist() == [[10, 10, 50, 60], [0, 0, 150, 60]]


def test_a_single_present_point_gives_way_to_the_points_the_category_defines() -> None:
    keypoints, defined = found_points((30, 40), (60, 90))
    present = defined.copy()
    present[0, 1] = False
    sizes = np.array([[100, 200]])
    assert refined_boxes(keypoints, present, sizes, defined).tolist() == [[30, 40, 60, 90]]


def test_points_in_one_heap_give_way_too() -> None:
    keypoints, defined = found_points((30, 40), (30.5, 40.5), (60, 90))
    present = defined.copy()
    present[0, 2] = False
    sizes = np.array([[100, 200]])
    assert refined_boxes(keypoints, present, sizes, defined).tolist() == [[30, 40, 60, 90]]


def test_points_in_one_line_are_a_box() -> None:
    keypoints, present = found_points((30, 40), (30, 90))
    assert refined_boxes(keypoints, present, np.array([[100, 200]])).tolist() == [[30, 40, 30, 90]]


def test_where_no_points_make_a_box_it_is_the_whole_image() -> None:
    keypoints, defined = found_points((30, 40), (31, 41))
    present = np.zeros_like(defined)
    sizes = np.array([[100, 200]])
    assert refined_boxes(keypoints, present, sizes, defined).tolist() == [[0, 0, 100, 200]]
    assert refined_boxes(keypoints, present, sizes).tolist() == [[0, 0, 100, 200]]


def test_box_maths_does_not_import_pandas() -> None:
    code = "import sys, fashionkp_mm.core.boxes; sys.exit('pandas' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_garment_box_has_its_categorys_margin() -> None:
    boxes = np.tile(np.float32([100, 200, 200, 400]), (len(CATEGORIES), 1))
    widened = with_margin(boxes, np.arange(len(CATEGORIES)))
    for box, category in zip(widened, CATEGORIES.values(), strict=True):
        margin = category.box_margin
        assert min(margin.sides, margin.top, margin.bottom) > 0
        expected = [
            100 - 100 * margin.sides,
            200 - 200 * margin.top,
            200 + 100 * margin.sides,
            400 + 200 * margin.bottom,
        ]
        np.testing.assert_allclose(box, expected, rtol=1e-6)


def test_margins_put_on_and_taken_off_leave_the_box() -> None:
    rng = np.random.default_rng(2)
    corners = rng.uniform(0, 500, (50, 2)).astype(np.float32)
    boxes = np.concatenate([corners, corners + rng.uniform(1, 400, (50, 2))], axis=1)
    boxes = boxes.astype(np.float32)
    indices = rng.integers(len(CATEGORY_NAMES), size=50)
    back = without_margin(with_margin(boxes, indices), indices)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, boxes, atol=1e-3)


def test_no_box_stays_no_box_with_a_margin() -> None:
    assert np.isnan(with_margin(np.full((1, 4), np.nan, np.float32), np.array([0]))).all()


def test_overlaps() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 0, 0], [np.nan] * 4])
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [0, 0, 0, 0]])
    wanted = [[1, 50 / 150, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(box_overlaps(boxes, others), wanted)


def test_share_of_a_box_inside_others():
    box = np.array([0, 0, 10, 20], np.float32)
    others = np.array([[0, 0, 10, 20], [5, 10, 50, 50], [20, 0, 30, 20], [np.nan] * 4], np.float32)
    np.testing.assert_allclose(shares_inside(box, others), [1, 0.25, 0, 0])
    assert shares_inside(np.zeros(4, np.float32), others[:1]).tolist() == [0]
