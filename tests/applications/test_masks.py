"""Masks of drawn garments, where the truth is exact, and masks that cannot be right."""

import importlib.util
import sys

import cv2
import numpy as np
import pytest

from fashionkp_mm.applications.anchors import Anchors
from fashionkp_mm.applications.errors import GarmentError
from fashionkp_mm.applications.masks import garment_mask
from fashionkp_mm.applications.outline import garment_extent, outline_mask, outline_polygons
from fashionkp_mm.core.garments import CATEGORIES, KEYPOINT_INDEX, Visibility

STRAIGHT = np.array([[1.0, 0, 0], [0, 1, 0]])


def found_on(picture, garment_of, **options):
    size = picture.image.shape[1::-1]
    garment = garment_of(picture.category, picture.keypoints, picture.visibility, size)
    return garment_mask(picture.image, garment, **options)


def overlap(mask, truth):
    """Intersection over union."""
    a, b = mask > 127, truth > 127
    return (a & b).sum() / (a | b).sum()


@pytest.fixture(scope="module")
def overlaps(drawn, garment_of):
    """IoU and method of six drawn garments of each category, by what is behind them."""
    results = []
    for category in CATEGORIES:
        for number in range(6):
            picture = drawn(category, number)
            mask = found_on(picture, garment_of)
            results.append((picture.backdrop, overlap(mask.alpha, picture.mask), mask))
    return results


def test_masks_of_drawn_garments_are_right(overlaps):
    plain = [iou for backdrop, iou, _ in overlaps if backdrop in ("white", "studio")]
    busy = [iou for backdrop, iou, _ in overlaps if backdrop not in ("white", "studio")]
    assert min(len(plain), len(busy)) >= 8
    assert np.mean(plain) > 0.93
    assert np.mean(busy) > 0.85


def test_few_masks_are_taken_for_wrong_and_those_are(overlaps):
    warned = [iou for _, iou, mask in overlaps if mask.warning]
    assert len(warned) <= 2


def test_a_mask_covers_pixels_of_the_picture_by_shares(overlaps):
    for _, _, mask in overlaps:
        assert mask.alpha.dtype == np.uint8
        assert ((mask.alpha > 0) & (mask.alpha < 255)).mean() < 0.1


def test_a_garment_alone_on_white_is_told_by_its_colour(garment_of):
    image = np.full((300, 300, 3), 252, np.uint8)
    cv2.fillPoly(image, [np.array([[100, 80], [200, 80], [240, 260], [60, 260]])], (40, 90, 160))
    points = np.full((24, 2), -1.0)
    states = np.full(24, Visibility.ABSENT)
    for name, place in (
        ("waistband_left", (100, 80)), ("waistband_right", (200, 80)),
        ("hemline_left", (60, 260)), ("hemline_right", (240, 260)),
    ):  # fmt: skip
        points[KEYPOINT_INDEX[name]] = place
        states[KEYPOINT_INDEX[name]] = Visibility.VISIBLE
    mask = garment_mask(image, garment_of("skirt", points, states, (300, 300)))
    truth = np.where((image != 252).any(axis=2), 255, 0)
    assert mask.method == "colour"
    assert mask.warning is None
    assert overlap(mask.alpha, truth) > 0.99
    # A second thing in the picture, and it is no longer alone.
    cv2.circle(image, (30, 60), 25, (0, 0, 200), -1)
    mask = garment_mask(image, garment_of("skirt", points, states, (300, 300)))
    assert mask.method == "grabcut"
    assert overlap(mask.alpha, truth) > 0.98
    assert mask.alpha[60, 30] == 0


def test_the_same_picture_has_the_same_mask(drawn, garment_of):
    picture = drawn("dress", 3)
    masks = []
    for seed in (1, 2):
        cv2.setRNGSeed(seed)
        masks.append(found_on(picture, garment_of).alpha)
    assert np.array_equal(*masks)


@pytest.mark.parametrize("times", [0.5, 2.5])
def test_the_picture_s_size_matters_little(drawn, garment_of, times):
    picture = drawn("trousers", 3)
    base = found_on(picture, garment_of).alpha
    image = cv2.resize(picture.image, None, fx=times, fy=times, interpolation=cv2.INTER_AREA)
    points = (picture.keypoints + 0.5) * times - 0.5
    garment = garment_of(picture.category, points, picture.visibility, image.shape[1::-1])
    scaled = garment_mask(image, garment).alpha
    assert scaled.shape == image.shape[:2]
    assert overlap(cv2.resize(scaled, base.shape[::-1], interpolation=cv2.INTER_AREA), base) > 0.95


def test_an_arm_across_a_garment_is_not_part_of_it(drawn, garment_of):
    """What lies over the cloth and reaches beyond it is left out."""
    picture = drawn("skirt", 2)
    garment = garment_of(
        picture.category, picture.keypoints, picture.visibility, picture.image.shape[1::-1]
    )
    middle = garment.keypoints[garment.visibility >= 0].mean(axis=0).astype(int)
    image, truth = picture.image.copy(), picture.mask.copy()
    for canvas, color in ((image, (30, 160, 250)), (truth, 0)):
        cv2.line(canvas, (0, int(middle[1]) - 60), tuple(middle.tolist()), color, 24)
    mask = garment_mask(image, garment)
    bar = (truth == 0) & (picture.mask > 200)
    assert bar.sum() > 1000
    assert (mask.alpha[bar] > 127).mean() < 0.3


def test_a_mask_that_fills_the_picture_is_named(garment_of, drawn):
    picture = drawn("skirt", 1)
    points = picture.keypoints.astype(float)
    image = np.full((60, 60, 3), 120, np.uint8)
    states = picture.visibility
    low, high = points[states >= 0].min(axis=0), points[states >= 0].max(axis=0)
    garment = garment_of("skirt", (points - low) / (high - low) * 400 - 170, states, (60, 60))
    mask = garment_mask(image, garment)
    assert "of the picture" in mask.warning


def test_a_mask_that_misses_the_points_is_named(garment_of):
    """A hem that a poor prediction has put below the garment, where the ground is white."""
    image = np.full((340, 200, 3), 255, np.uint8)
    image[20:130, 40:160] = (40, 40, 220)
    points = np.full((24, 2), -1.0)
    states = np.full(24, Visibility.ABSENT)
    for name, place in (
        ("waistband_left", (40, 20)), ("waistband_right", (160, 20)),
        ("hemline_left", (40, 156)), ("hemline_right", (160, 156)),
    ):  # fmt: skip
        points[KEYPOINT_INDEX[name]] = place
        states[KEYPOINT_INDEX[name]] = Visibility.VISIBLE
    mask = garment_mask(image, garment_of("skirt", points, states, (200, 340)))
    assert mask.warning == "the mask misses 2 of 4 visible points"


def test_a_garment_of_one_point_has_no_mask(garment_of, drawn):
    picture = drawn("skirt", 1)
    states = np.full(24, Visibility.ABSENT)
    states[KEYPOINT_INDEX["waistband_left"]] = Visibility.VISIBLE
    garment = garment_of("skirt", picture.keypoints, states)
    with pytest.raises(GarmentError, match="1 point"):
        garment_mask(picture.image, garment)


def test_an_outline_is_the_trunk_and_the_sleeves(drawn, garment_of):
    picture = drawn("blouse", 3)
    garment = garment_of("blouse", picture.keypoints, np.maximum(picture.visibility, 0))
    garment.visibility[~garment.defined] = Visibility.ABSENT
    anchors = Anchors.of(garment)
    assert [len(polygon) for polygon in outline_polygons(anchors)] == [9, 4, 4]
    garment.visibility[KEYPOINT_INDEX["cuff_left_in"]] = Visibility.ABSENT
    assert [len(polygon) for polygon in outline_polygons(Anchors.of(garment))] == [9, 4]
    inside = outline_mask(anchors, picture.image.shape[1::-1], STRAIGHT)
    assert overlap(255 * inside.astype(int), picture.mask) > 0.6


def test_points_far_out_of_the_picture_are_no_trouble(drawn, garment_of):
    picture = drawn("dress", 2)
    points = picture.keypoints.astype(float)
    points[KEYPOINT_INDEX["hemline_left"]] = -1e6, 1e6
    garment = garment_of("dress", points, picture.visibility)
    assert garment_mask(picture.image, garment).alpha.shape == picture.image.shape[:2]


def test_an_extent_has_the_cloth_beyond_the_points(drawn, garment_of):
    picture = drawn("trousers", 1)
    garment = garment_of("trousers", picture.keypoints, picture.visibility)
    points = picture.keypoints[picture.visibility >= 0]
    margin = CATEGORIES["trousers"].box_margin
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    width, height = x2 - x1, y2 - y1
    assert np.allclose(garment_extent(garment), [
        [x1 - margin.sides * width, y1 - margin.top * height],
        [x2 + margin.sides * width, y2 + margin.bottom * height],
    ])  # fmt: skip
    turned = garment_extent(garment, np.array([[0.0, 1.0], [-1.0, 0.0]]))
    assert np.allclose(turned[1] - turned[0], [
        height * (1 + 2 * margin.sides), width * (1 + margin.top + margin.bottom)
    ])  # fmt: skip


def test_without_pymatting_soft_edges_say_what_to_install(drawn, garment_of, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymatting", None)
    with pytest.raises(ImportError, match=r"pip install 'fashionkp_mm\[matting\]'"):
        found_on(drawn("skirt", 1), garment_of, matting=True)


@pytest.mark.skipif(importlib.util.find_spec("pymatting") is None, reason="needs pymatting")
def test_pymatting_gives_soft_edges(drawn, garment_of):
    picture = drawn("blouse", 3)
    soft, hard = (found_on(picture, garment_of, matting=matting) for matting in (True, False))
    assert overlap(soft.alpha, picture.mask) > overlap(hard.alpha, picture.mask) - 0.02


def test_a_soft_shadow_on_white_is_ground_and_a_white_garment_is_not(garment_of):
    points, states = np.full((24, 2), -1.0), np.full(24, Visibility.ABSENT)
    corners = {"waistband_left": (100, 80), "waistband_right": (200, 80),
               "hemline_left": (80, 240), "hemline_right": (220, 240)}  # fmt: skip
    for name, place in corners.items():
        points[KEYPOINT_INDEX[name]] = place
        states[KEYPOINT_INDEX[name]] = Visibility.VISIBLE
    shape = [np.array([corners[name] for name in CATEGORIES["skirt"].outline])]
    truth = cv2.fillPoly(np.zeros((300, 300), np.uint8), shape, 255)
    shadow = cv2.GaussianBlur(np.roll(truth, (12, 12), (0, 1)), (0, 0), 8).astype(float)
    image = np.repeat(np.rint(253 - 0.2 * shadow)[..., None], 3, axis=2).astype(np.uint8)
    image[truth > 0] = (40, 90, 160)
    mask = garment_mask(image, garment_of("skirt", points, states, (300, 300)))
    assert mask.method == "colour"
    assert overlap(mask.alpha, truth) > 0.97

    image = np.full((300, 300, 3), 253, np.uint8)
    image[truth > 0] = 250
    assert garment_mask(image, garment_of("skirt", points, states, (300, 300))).method == "grabcut"
