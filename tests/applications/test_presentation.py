"""Catalogue pictures: upright, centred, of the right share, ratio and ground."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashionkp_mm.applications.composition import on_ground, parsed_color, placed
from fashionkp_mm.applications.errors import GarmentError
from fashionkp_mm.applications.presentation import PresentOptions, present
from fashionkp_mm.applications.presets import PRESETS, Preset, broken_rules, preset_of
from fashionkp_mm.core.canonical_shapes import canonical_shape
from fashionkp_mm.core.garments import CATEGORIES, KEYPOINT_INDEX, Visibility
from fashionkp_mm.core.parts import unit_of
from fashionkp_mm.core.planar_maps import moved
from fashionkp_mm.runtime import Garment

GROUND, CLOTH = (248, 250, 252), (60, 40, 170)
WHITE = PresentOptions(PRESETS["amazon"])


def shirt(garment_of, category="skirt", *, scale=0.4, turn=0.0, center=(300, 260), size=(700, 600)):
    """A garment of one colour that fills its outline, on a plain ground."""
    c, s = np.cos(turn), np.sin(turn)
    points = (canonical_shape(category) - 500) * scale @ np.array([[c, s], [-s, c]]) + center
    there = np.isfinite(points).all(axis=1)
    points = np.nan_to_num(points, nan=-1)
    image = np.full((size[1], size[0], 3), GROUND, np.uint8)
    outline = [points[KEYPOINT_INDEX[name]] for name in CATEGORIES[category].outline]
    cv2.fillPoly(image, [np.rint(np.array(outline) * 16).astype(np.int32)], CLOTH, 8, 4)
    states = np.where(there, Visibility.VISIBLE, Visibility.ABSENT)
    return image, garment_of(category, points, states, size)


def box_of(area):
    """x1, y1, x2, y2 of what is true."""
    rows, columns = np.flatnonzero(area.any(axis=1)), np.flatnonzero(area.any(axis=0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def cloth_box(image):
    return box_of(np.abs(image[..., :3].astype(int) - CLOTH).max(axis=2) < 60)


@pytest.mark.parametrize("category", ["skirt", "trousers", "blouse"])
@pytest.mark.parametrize("turn", [0.0, 0.35, -0.2])
def test_the_garment_is_upright_centred_and_fills_its_share(garment_of, category, turn):
    image, garment = shirt(garment_of, category, turn=turn)
    made = present(image, garment, WHITE)
    height, width = made.image.shape[:2]
    assert height == width
    x1, y1, x2, y2 = cloth_box(made.image)
    assert max((x2 - x1) / width, (y2 - y1) / height) == pytest.approx(0.9, abs=0.02)
    assert (x1 + x2) / 2 == pytest.approx(width / 2, abs=3)
    assert (y1 + y2) / 2 == pytest.approx(height / 2, abs=3)
    ends = [garment.keypoints[KEYPOINT_INDEX[name]] for name in unit_of(category)]
    left, right = moved(made.matrix, np.array(ends))
    assert left[1] == pytest.approx(right[1], abs=0.01)
    assert left[0] < right[0]
    corners = made.image[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 255).all()


@settings(max_examples=25, deadline=None)
@given(
    turn=st.floats(-3.1, 3.1),
    scale=st.floats(0.2, 0.45),
    ratio=st.sampled_from(["square", "4:5", "3:1"]),
    fill=st.floats(0.3, 1.0),
)
def test_nothing_is_stretched_however_the_garment_lies(garment_of, turn, scale, ratio, fill):
    image, garment = shirt(garment_of, "skirt", scale=scale, turn=turn)
    preset = preset_of(ratio)
    made = present(image, garment, PresentOptions(preset, fill))
    linear = made.matrix[:, :2]
    assert np.allclose(linear @ linear.T, np.eye(2), atol=1e-9), "turned and neither scaled"
    height, width = made.image.shape[:2]
    assert width / height == pytest.approx(preset.ratio, rel=0.02)
    names = CATEGORIES["skirt"].keypoints
    points = moved(made.matrix, garment.keypoints[[KEYPOINT_INDEX[name] for name in names]])
    low, high = points.min(axis=0), points.max(axis=0)
    share = ((high - low) / (width, height)).max()
    assert share == pytest.approx(fill, rel=0.1)  # cloth reaches beyond the points
    assert np.allclose((low + high)[0] / 2, width / 2, atol=0.05 * width)


def test_an_upright_garment_keeps_every_pixel(garment_of):
    image, garment = shirt(garment_of)
    rng = np.random.default_rng(0)
    image[:] = rng.integers(0, 256, image.shape)
    made = present(image, garment, PresentOptions(preset_of("1:1"), background="keep"))
    x, y = np.rint(made.matrix[:, 2]).astype(int)
    height, width = made.image.shape[:2]
    assert (x, y) == tuple(made.matrix[:, 2])
    rows = slice(max(-y, 0), min(600 - 0, height - y))
    columns = slice(max(-x, 0), min(700, width - x))
    seen = image[rows, columns]
    shown = made.image[max(y, 0) :, max(x, 0) :][: seen.shape[0], : seen.shape[1]]
    assert (seen == shown).all()
    assert seen.size > 0.5 * made.image.size


def test_a_large_picture_stays_large_and_a_small_one_is_not_enlarged(garment_of):
    for times in (1, 3):
        size = (700 * times, 600 * times)
        image, garment = shirt(
            garment_of, scale=0.4 * times, center=(300 * times, 260 * times), size=size
        )
        made = present(image, garment, WHITE)
        assert np.hypot(*made.matrix[:, 0]) == 1
        x1, y1, x2, y2 = cloth_box(image)
        assert max(made.image.shape) == pytest.approx(max(x2 - x1, y2 - y1) / 0.9, rel=0.02)
        assert bool(made.warnings) == (times == 1)
    assert made.warnings == ()


def test_a_picture_is_reduced_to_what_the_rules_allow(garment_of):
    image, garment = shirt(garment_of)
    small = replace(PRESETS["amazon"], most_side=100)
    made = present(image, garment, PresentOptions(small))
    assert made.image.shape[:2] == (100, 100)
    x1, y1, x2, y2 = cloth_box(made.image)
    assert max(x2 - x1, y2 - y1) == pytest.approx(90, abs=3)
    pixels = replace(PRESETS["google"], most_megapixels=0.01)
    made = present(image, garment, PresentOptions(pixels))
    assert 0.009 < made.image.shape[0] * made.image.shape[1] / 1e6 <= 0.01


def test_a_transparent_ground_has_an_alpha_channel(garment_of):
    image, garment = shirt(garment_of)
    made = present(image, garment, PresentOptions(background="transparent"))
    assert made.image.shape[2] == 4
    assert (made.image[[0, -1], [0, -1], 3] == 0).all()
    box, cloth = box_of(made.image[..., 3] > 127), cloth_box(made.image)
    assert np.allclose(box, cloth, atol=2)


def test_a_ground_of_any_colour(garment_of):
    image, garment = shirt(garment_of)
    made = present(image, garment, PresentOptions(background="#102030"))
    assert tuple(made.image[0, 0]) == (0x30, 0x20, 0x10)


@pytest.mark.parametrize("background", ["keep", "white"])
def test_nothing_is_shown_above_the_neckline(garment_of, background):
    image, garment = shirt(garment_of, "blouse", turn=0.2, scale=0.35)
    neck = garment.keypoints[KEYPOINT_INDEX["neckline_left"]]
    beyond = garment.keypoints[KEYPOINT_INDEX["neckline_right"]]
    up = np.array([(beyond - neck)[1], -(beyond - neck)[0]]) / np.hypot(*(beyond - neck))
    face = (neck + beyond) / 2 + 30 * up
    cv2.circle(image, tuple(np.rint(face).astype(int).tolist()), 28, (0, 200, 0), -1)
    shown = [
        present(image, garment, PresentOptions(background=background, hide_face=hide))
        for hide in (False, True)
    ]
    green = [(made.image[..., 1].astype(int) - made.image[..., 2] > 100) for made in shown]
    line = moved(shown[1].matrix, neck)[1]
    assert green[1][: int(line) - 1].sum() == 0
    if background == "keep":
        assert green[0].sum() > 600
        assert line == pytest.approx(0, abs=1)


def test_a_mask_that_cannot_be_right_leaves_the_ground(garment_of):
    image = np.full((340, 200, 3), 255, np.uint8)
    image[20:130, 40:160] = CLOTH
    points, states = np.full((24, 2), -1.0), np.full(24, Visibility.ABSENT)
    for name, place in (
        ("waistband_left", (40, 20)), ("waistband_right", (160, 20)),
        ("hemline_left", (40, 156)), ("hemline_right", (160, 156)),
    ):  # fmt: skip
        points[KEYPOINT_INDEX[name]] = place
        states[KEYPOINT_INDEX[name]] = Visibility.VISIBLE
    made = present(image, garment_of("skirt", points, states, (200, 340)), WHITE)
    assert made.mask is None
    assert "the ground stays, since the mask misses 2 of 4" in made.warnings[0]
    assert (np.abs(made.image.astype(int) - CLOTH).max(axis=2) < 5).sum() == 110 * 120


def test_drawn_garments_pass_the_check_of_what_they_were_made_for(drawn, garment_of):
    passed = 0
    for category in CATEGORIES:
        picture = drawn(category, 4)
        image = cv2.resize(picture.image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
        points = (picture.keypoints + 0.5) * 4 - 0.5
        garment = garment_of(category, points, picture.visibility, image.shape[1::-1])
        for name in PRESETS:
            made = present(image, garment, PresentOptions(PRESETS[name], background="white"))
            if made.warnings:
                continue
            there = replace(garment, keypoints=moved(made.matrix, garment.keypoints))
            problems = broken_rules(made.image, there, PRESETS[name])
            # By its points a garment may be larger or smaller than what is seen of it.
            assert [p for p in problems if not p.startswith("the garment takes")] == [], name
            passed += 1
    assert passed >= 12


def test_what_breaks_a_preset_is_said():
    preset = Preset("shop", 0.8, 0.9, (0.8, 0.9), fixed_ratio=True, least_side=1000, most_side=50,
                    most_megapixels=0.001, most_megabytes=0.5, ground="white")  # fmt: skip
    image = np.full((100, 200, 3), 200, np.uint8)
    points, states = np.full((24, 2), -1.0), np.full(24, Visibility.ABSENT)
    for name, place in (("waistband_left", (0, 10)), ("waistband_right", (60, 10)),
                        ("hemline_left", (0, 40)), ("hemline_right", (60, 40))):  # fmt: skip
        points[KEYPOINT_INDEX[name]] = place
        states[KEYPOINT_INDEX[name]] = Visibility.VISIBLE
    garment = Garment("x.png", 0, (200, 100), "skirt", 1.0, np.eye(5)[3], np.zeros(4), "given", 1.0,
                      points, np.ones(24), states)  # fmt: skip
    assert broken_rules(image, garment, preset, 2_000_000) == [
        "200x100 pixels, at least 1000 a side are expected",
        "200x100 pixels, at most 50 a side are expected",
        "0.0 megapixels, at most 0.001 are expected",
        "2.0 MB, at most 0.5 are expected",
        "width by height is 2.000, 0.800 is expected",
        "the garment takes 32% of the frame, 80% to 90% are expected",
        "0% of the edge are pure white, 80% are expected",
        "the garment is cut left",
    ]
    points[[KEYPOINT_INDEX["waistband_left"], KEYPOINT_INDEX["hemline_left"]], 0] = 10
    assert broken_rules(image, garment, preset_of("2:1")) == []


@pytest.mark.parametrize("name", ["", "amazn", "4:0", "0:4", "4", "1:1000", "-1:2", "a:b"])
def test_a_preset_that_is_none_is_refused(name):
    with pytest.raises(ValueError, match="expected one of amazon, google, ajio, square, or"):
        preset_of(name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"fill": 0}, "fill of 0"), ({"fill": 1.1}, "fill of 1.1"), ({"fill": float("nan")}, "nan"),
     ({"background": "grue"}, "'grue' is no colour")],
)  # fmt: skip
def test_impossible_options_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        PresentOptions(**changes)


def test_the_ground_is_white_where_the_shop_wants_it_so():
    grounds = {name: PresentOptions(preset).ground for name, preset in PRESETS.items()}
    assert grounds == {"amazon": "white", "google": "keep", "ajio": "white", "square": "keep"}
    assert PresentOptions(PRESETS["amazon"], background="keep").ground == "keep"


def test_colours_are_those_of_css():
    assert parsed_color("white") == (255, 255, 255)
    assert parsed_color("#0a141e") == (30, 20, 10)


def test_points_in_one_place_are_refused(garment_of):
    image, garment = shirt(garment_of)
    garment.keypoints[:] = 50
    with pytest.raises(GarmentError, match="in one place"):
        present(image, garment)


def test_the_old_ground_does_not_shine_through_at_the_edge():
    """A red disc from a green ground onto white: no pixel is greenish."""
    size = 200
    y, x = np.mgrid[:size, :size]
    alpha = np.clip(60.5 - np.hypot(x - 100, y - 100), 0, 1)[..., None]
    image = np.rint(alpha * (0, 0, 200) + (1 - alpha) * (0, 200, 0)).astype(np.uint8)
    cover = np.rint(255 * alpha[..., 0]).astype(np.uint8)
    made = on_ground(image, cover, np.eye(2, 3), (size, size), (255, 255, 255)).astype(int)
    assert (made[..., 1] - made[..., 0]).max() <= 2
    plain = np.rint(alpha * image + (1 - alpha) * 255).astype(int)
    assert (plain[..., 1] - plain[..., 0]).max() > 30


def test_reduced_many_times_a_picture_is_averaged():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (400, 400, 3)).astype(np.uint8)
    matrix = np.array([[0.1, 0, -0.45], [0, 0.1, -0.45]])
    small = placed(image, matrix, (40, 40), (0, 0, 0))
    assert np.abs(small.astype(int) - cv2.resize(image, (40, 40), interpolation=3)).max() <= 1


def test_a_picture_longer_than_opencv_warps_is_reduced_first():
    image = np.zeros((8, 40_000, 3), np.uint8)
    image[:, 30_000:] = 200
    found = placed(image, np.array([[0.01, 0, 0], [0, 0.5, 0]]), (400, 4), (9, 9, 9))
    assert (found[1:3, 5:295] == 0).all()
    assert (np.abs(found[1:3, 305:395].astype(int) - 200) < 12).all()


def test_points_far_out_of_the_picture_make_no_giant(garment_of):
    image, garment = shirt(garment_of)
    garment.keypoints[KEYPOINT_INDEX["hemline_left"]] = -1e6, 1e6
    made = present(image, garment, PresentOptions(background="keep"))
    assert max(made.image.shape) < 1500
    garment.keypoints[garment.visibility >= 0] += 1e4
    garment.keypoints[KEYPOINT_INDEX["hemline_left"]] = 2e4, 2e4
    with pytest.raises(GarmentError, match="out of the picture"):
        present(image, garment, PresentOptions(background="keep"))


def test_a_small_share_of_a_large_frame_is_bounded(garment_of):
    image, garment = shirt(garment_of, scale=2.0, center=(1500, 1500), size=(3000, 3000))
    made = present(image, garment, PresentOptions(preset_of("1:1"), 0.05))
    assert made.image.shape[0] * made.image.shape[1] <= 89e6


def test_a_garment_of_which_a_line_of_points_is_left_is_shown(garment_of):
    image, garment = shirt(garment_of)
    hem = [KEYPOINT_INDEX["hemline_left"], KEYPOINT_INDEX["hemline_right"]]
    garment.visibility[hem] = Visibility.ABSENT
    made = present(image, garment, PresentOptions(background="keep"))
    assert min(made.image.shape[:2]) > 100
