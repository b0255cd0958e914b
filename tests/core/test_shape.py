"""Tests of the mean shape."""

from __future__ import annotations

import numpy as np
import pytest

from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_NAMES, KEYPOINT_INDEX, NUM_KEYPOINTS
from fashionkp_mm.core.shape import mean_shapes, place_shapes
from fashionkp_mm.core.table import KeypointTable

SKIRT = CATEGORY_INDEX["skirt"]
LEFT, RIGHT = KEYPOINT_INDEX["waistband_left"], KEYPOINT_INDEX["waistband_right"]
BOXES = np.array([[0, 0, 100, 200], [50, 50, 150, 100]], np.float32)


def skirts() -> KeypointTable:
    """Two skirts; the second lacks its right waistband point."""
    keypoints = np.full((2, NUM_KEYPOINTS, 2), -1, np.float32)
    visibility = np.full((2, NUM_KEYPOINTS), -1, np.int8)
    keypoints[0, LEFT], visibility[0, LEFT] = (10, 40), 1
    keypoints[0, RIGHT], visibility[0, RIGHT] = (90, 20), 0
    keypoints[1, LEFT], visibility[1, LEFT] = (80, 70), 0
    return KeypointTable(
        ("a", "b"), np.array([SKIRT, SKIRT], np.int8), keypoints, visibility, np.arange(2)
    )


def test_means_are_over_labelled_points_in_fractions_of_the_box() -> None:
    shapes = mean_shapes(skirts(), BOXES)
    assert shapes.shape == (len(CATEGORY_NAMES), NUM_KEYPOINTS, 2)
    assert shapes[SKIRT, LEFT] == pytest.approx([(0.1 + 0.3) / 2, (0.2 + 0.4) / 2])
    assert shapes[SKIRT, RIGHT] == pytest.approx([0.9, 0.1])


def test_a_point_never_labelled_lies_in_the_middle() -> None:
    shapes = mean_shapes(skirts(), BOXES)
    assert (shapes[SKIRT, KEYPOINT_INDEX["crotch"]] == 0.5).all()
    assert (shapes[CATEGORY_INDEX["dress"]] == 0.5).all()


def test_placing_puts_a_shape_back_into_its_box() -> None:
    one = skirts().select(np.array([0]))
    placed = place_shapes(mean_shapes(one, BOXES[:1]), one.category_indices, BOXES[:1])
    assert placed.shape == (1, NUM_KEYPOINTS, 2)
    assert placed[0, LEFT] == pytest.approx([10, 40])
    assert placed[0, RIGHT] == pytest.approx([90, 20])
    moved = place_shapes(mean_shapes(one, BOXES[:1]), one.category_indices, BOXES[1:])
    assert moved[0, LEFT] == pytest.approx([60, 60])


def test_a_box_without_extent_gives_finite_shapes() -> None:
    one = skirts().select(np.array([0]))
    flat = np.array([[10, 40, 10, 40]], np.float32)
    shapes = mean_shapes(one, flat)
    assert np.isfinite(shapes).all()
    assert place_shapes(shapes, one.category_indices, flat)[0, LEFT] == pytest.approx([10, 40])
