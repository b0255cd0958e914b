"""Crops: where they lie, what they show, and that turning the picture changes nothing."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashionkp_mm.applications.cropping import CropOptions, crop, cut
from fashionkp_mm.applications.errors import GarmentError
from fashionkp_mm.core.canonical_shapes import canonical_shape
from fashionkp_mm.core.garments import (
    CATEGORIES,
    FLIP_INDICES,
    KEYPOINT_INDEX,
    Visibility,
    mirrored_name,
)
from fashionkp_mm.core.parts import ATTRIBUTES, GROUPS, parts_of

ALL = CropOptions(GROUPS, (64, 64))
GRAY = np.full((512, 512, 3), 128, np.uint8)


def upright(category, garment_of, scale=0.5, shift=(0, 0), *, turn=0.0, image=GRAY):
    """The canonical shape as a garment in the middle of a picture."""
    points = (canonical_shape(category) - 500) * scale
    c, s = np.cos(turn), np.sin(turn)
    points = points @ np.array([[c, s], [-s, c]]) + 256 + np.array(shift)
    there = np.isfinite(points).all(axis=1)
    states = np.where(there, Visibility.VISIBLE, Visibility.ABSENT)
    return garment_of(category, np.nan_to_num(points, nan=-1), states, image.shape[1::-1])


def in_crop(piece, points):
    """Where points of the picture lie in a crop, as shares of its width and height."""
    sides = piece.quad[[1, 3]] - piece.quad[0]
    return (points - piece.quad[0]) @ np.linalg.inv(sides)


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_part_holds_its_points_and_is_upright(category, garment_of):
    garment = upright(category, garment_of, turn=0.3)
    pieces = crop(GRAY, garment, ALL)
    assert [piece.part for piece in pieces] == list(parts_of(category, GROUPS))
    for piece in pieces:
        names = piece.part.points_of(category)
        points = garment.keypoints[[KEYPOINT_INDEX[name] for name in names]]
        inside = in_crop(piece, points)
        assert inside.min() > 0.03 and inside.max() < 0.97, piece.part.name
        axis = piece.part.upright(category)
        ends = [
            np.mean([in_crop(piece, garment.keypoints[[KEYPOINT_INDEX[n]]])[0]
                     for n in names if n in CATEGORIES[category].keypoints], axis=0)
            for names in (axis.start, axis.end)
        ]  # fmt: skip
        run = ends[1] - ends[0]
        along, across = (0, 1) if axis.level else (1, 0)
        assert run[along] > 0
        assert abs(run[across]) < 1e-5 * run[along]


@pytest.mark.parametrize("category", CATEGORIES)
def test_crops_do_not_depend_on_how_the_picture_is_turned(category, garment_of):
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.integers(0, 256, (700, 700, 3)).astype(np.uint8), (0, 0), 4)
    base = upright(category, garment_of, 0.25, (94, 94), image=noise)
    matrix = cv2.getRotationMatrix2D((350, 350), 40, 1.0)
    turned = cv2.warpAffine(noise, matrix, (700, 700), flags=cv2.INTER_CUBIC)
    moved = replace(base, keypoints=(base.keypoints @ matrix[:, :2].T + matrix[:, 2]))
    for a, b in zip(crop(noise, base, ALL), crop(turned, moved, ALL), strict=True):
        if a.quad.min() > 110 and a.quad.max() < 590:  # what does not reach the edge
            assert np.abs(a.image.astype(int) - b.image).mean() < 4
        assert (a.source, a.part) == (b.source, b.part)


@settings(max_examples=40, deadline=None)
@given(
    category=st.sampled_from(list(CATEGORIES)),
    scale=st.floats(0.02, 0.3),
    turn=st.floats(-3.1, 3.1),
    shift=st.tuples(st.floats(-60, 60), st.floats(-60, 60)),
)
def test_quads_scale_turn_and_shift_with_the_garment(garment_of, category, scale, turn, shift):
    picture = np.zeros((4000, 4000, 3), np.uint8)  # so large that nothing is cut at its edge
    base = upright(category, garment_of, 0.1, (1744, 1744), image=picture)
    factor = scale / 0.1
    c, s = np.cos(turn), np.sin(turn)
    matrix = factor * np.array([[c, s], [-s, c]])

    def carried(points):
        return (points - 2000) @ matrix + 2000 + np.array(shift)

    moved = replace(base, keypoints=carried(base.keypoints))
    for a, b in zip(crop(picture, base, ALL), crop(picture, moved, ALL), strict=True):
        assert np.allclose(carried(a.quad), b.quad, atol=1e-2 * factor)


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_mirrored_picture_has_mirrored_crops(category, drawn, garment_of):
    picture = drawn(category, 1)
    width = picture.image.shape[1]
    size = picture.image.shape[1::-1]
    garment = garment_of(category, picture.keypoints, picture.visibility, size)
    places = garment.keypoints.copy()
    places[:, 0] = width - 1 - places[:, 0]
    places, states = places[list(FLIP_INDICES)], garment.visibility[list(FLIP_INDICES)]
    other = garment_of(category, places, states, size)
    flipped = np.ascontiguousarray(picture.image[:, ::-1])
    found = {piece.part.name: piece for piece in crop(flipped, other, ALL)}
    for piece in crop(picture.image, garment, ALL):
        twin = found[mirrored_name(piece.part.name)]
        assert np.abs(piece.image[:, ::-1].astype(int) - twin.image).mean() < 1.5
        assert piece.source == twin.source


def test_turned_to_one_side_both_sleeves_look_alike(garment_of):
    picture = GRAY.copy()
    garment = upright("blouse", garment_of)
    for side, x in (("left", 1), ("right", -1)):
        cuff = garment[f"cuff_{side}_in"]
        cv2.circle(picture, (round(cuff.x) + 20 * x, round(cuff.y)), 8, (0, 0, 255), -1)
    left, right = crop(picture, garment, CropOptions(("sleeve",), (96, 96), side="left"))
    assert (left.mirrored, right.mirrored) == (False, True)
    assert np.abs(left.image.astype(int) - right.image).mean() < 1.5
    bare = crop(picture, garment, CropOptions(("sleeve",), (96, 96)))
    assert (bare[1].image[:, ::-1] == right.image).all()
    assert np.abs(bare[0].image.astype(int) - bare[1].image).max() > 50
    assert np.abs(left.image.astype(int) - right.image).max() < 50
    corner = in_crop(right, np.array([[garment["cuff_right_in"].x, garment["cuff_right_in"].y]]))
    mirrored = in_crop(left, np.array([[garment["cuff_left_in"].x, garment["cuff_left_in"].y]]))
    assert np.allclose(corner, mirrored, atol=1e-3)


def test_a_pixel_lies_where_the_quad_says():
    """A picture cut by its own corners is the picture."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 60, 3)).astype(np.uint8)
    quad = np.array([[-0.5, -0.5], [59.5, -0.5], [59.5, 39.5], [-0.5, 39.5]])
    assert (cut(image, quad, (60, 40), (0, 0, 0)) == image).all()
    assert (cut(image, quad[[1, 0, 3, 2]], (60, 40), (0, 0, 0)) == image[:, ::-1]).all()
    half = cut(image, quad, (30, 20), (0, 0, 0))
    assert np.abs(half - cv2.resize(image, (30, 20), interpolation=cv2.INTER_AREA)).max() == 0


@pytest.mark.parametrize("name", [name for name in ATTRIBUTES if name.endswith("length")])
def test_crops_for_lengths_show_what_lies_below(name, garment_of):
    """The hem or the cuff of a garment in a large picture ends well above the crop's end."""
    picture = np.zeros((3000, 3000, 3), np.uint8)
    for category in CATEGORIES:
        garment = upright(category, garment_of, 0.3, (1244, 1244), image=picture)
        for piece in crop(picture, garment, CropOptions((name,), 224, margin=0)):
            ends = [n for n in piece.part.points_of(category) if n.startswith(("cuff", "bottom"))
                    or "hem" in n]  # fmt: skip
            lowest = max(in_crop(piece, garment.keypoints[[KEYPOINT_INDEX[n]]])[0, 1] for n in ends)
            assert 0.3 < lowest < 0.9, (category, name)


def test_the_worst_point_gives_source_and_score(garment_of):
    garment = upright("blouse", garment_of)
    k = [KEYPOINT_INDEX[name] for name in ("cuff_left_in", "cuff_right_in", "armpit_left")]
    garment.visibility[k] = Visibility.OCCLUDED, Visibility.ABSENT, Visibility.VISIBLE
    garment.keypoint_scores[k] = 0.5, 0.25, 0.75
    found = {piece.part.name: piece for piece in crop(GRAY, garment, ALL)}
    for name, source, score in (
        ("cuff_left", "occluded", 0.5),
        ("cuff_right", "estimated", 0.25),
        ("shoulder_left", "visible", 0.75),
        ("hem", "visible", 1.0),
        ("garment", "occluded", 0.5),
    ):
        assert (found[name].source, found[name].score) == (source, score)


def test_an_absent_point_is_where_the_mean_shape_has_it(garment_of):
    whole = upright("blouse", garment_of, turn=0.2)
    lacking = upright("blouse", garment_of, turn=0.2)
    k = KEYPOINT_INDEX["cuff_left_in"]
    lacking.visibility[k] = Visibility.ABSENT
    lacking.keypoints[k] = -1
    for name in ("sleeve_left", "cuff_left", "sleeve_length_left"):
        (a,), (b,) = (crop(GRAY, g, CropOptions((name,))) for g in (whole, lacking))
        assert np.allclose(a.quad, b.quad, atol=1e-2)


def test_a_part_keeps_its_own_ratio_or_gets_another_one(garment_of):
    garment = upright("trousers", garment_of, turn=0.2)
    (own,) = crop(GRAY, garment, CropOptions(("leg_left",), 200))
    assert own.image.shape[0] == 200 and 60 < own.image.shape[1] < 140
    (wide,) = crop(GRAY, garment, CropOptions(("leg_left",), (300, 100)))
    assert wide.image.shape == (100, 300, 3)
    for piece in (own, wide):
        width, height = np.hypot(*(piece.quad[[1, 3]] - piece.quad[0]).T)
        assert piece.image.shape[1] / piece.image.shape[0] == pytest.approx(width / height, 0.01)


def test_a_margin_is_a_share_of_the_part(garment_of):
    garment = upright("skirt", garment_of, 0.3)
    bare, wide = (
        crop(GRAY, garment, CropOptions(("hem",), 100, margin=margin))[0] for margin in (0, 0.25)
    )
    sides = [np.hypot(*(piece.quad[[1, 3]] - piece.quad[0]).T) for piece in (bare, wide)]
    assert np.allclose(sides[1], 1.5 * sides[0])


def test_what_lies_beyond_the_picture_has_the_colour_of_its_edge(garment_of):
    picture = np.full((512, 512, 3), (10, 200, 30), np.uint8)
    picture[100:400, 100:400] = 0
    garment = upright("skirt", garment_of, 0.3, (-180, 0), image=picture)
    (piece,) = crop(picture, garment, CropOptions(("garment",), (64, 64)))
    assert piece.quad[0, 0] < -20
    assert tuple(piece.image[0, 0]) == (10, 200, 30)


def test_a_part_out_of_the_picture_is_left_out(garment_of):
    garment = upright("dress", garment_of, 1.0, (0, 300))
    names = [piece.part.name for piece in crop(GRAY, garment, ALL)]
    assert "hem" not in names
    assert "collar" in names


def test_a_part_that_the_category_lacks_is_no_part_of_it(garment_of):
    assert crop(GRAY, upright("skirt", garment_of), CropOptions(("sleeve", "crotch"))) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parts": ("pocket",)}, "no part 'pocket'"),
        ({"margin": -0.1}, "margin of -0.1"),
        ({"margin": float("nan")}, "margin of nan"),
        ({"size": (0, 10)}, r"size of \(0, 10\)"),
        ({"size": 0}, "size of 0"),
        ({"size": (5000, 10)}, r"size of \(5000, 10\)"),
        ({"margin": float("inf")}, "margin of inf"),
    ],
)
def test_impossible_options_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        CropOptions(**{"parts": ("hem",), **changes})


def test_a_garment_of_one_point_is_refused(garment_of):
    garment = upright("skirt", garment_of)
    garment.visibility[KEYPOINT_INDEX["waistband_left"] + 1 :] = Visibility.ABSENT
    with pytest.raises(GarmentError, match="1 point to go by, 2 are needed"):
        crop(GRAY, garment, ALL)


def test_points_all_in_one_place_are_refused(garment_of):
    garment = upright("skirt", garment_of)
    garment.keypoints[:] = 100
    with pytest.raises(GarmentError, match="in one place"):
        crop(GRAY, garment, ALL)


def test_points_on_one_line_still_have_crops(garment_of):
    garment = upright("skirt", garment_of)
    garment.keypoints[:, 1] = 200
    found = crop(GRAY, garment, CropOptions(("garment", "waist", "hem"), 64))
    assert [piece.part.name for piece in found] == ["garment", "waist", "hem"]
    assert all(min(piece.image.shape[:2]) > 4 for piece in found)


def test_an_axis_without_length_is_refused_by_name(garment_of):
    garment = upright("skirt", garment_of)
    ends = [KEYPOINT_INDEX["hemline_left"], KEYPOINT_INDEX["hemline_right"]]
    garment.keypoints[ends] = 300
    with pytest.raises(GarmentError, match="hemline_left and hemline_right are in one place"):
        crop(GRAY, garment, CropOptions(("hem",)))


def test_a_point_far_out_of_the_picture_makes_a_coarse_crop(garment_of):
    garment = upright("skirt", garment_of)
    garment.keypoints[KEYPOINT_INDEX["hemline_left"]] = -1e7, 300
    found = crop(GRAY, garment, CropOptions(("garment",)))
    assert [piece.image.shape for piece in found] == [(224, 224, 3)]
