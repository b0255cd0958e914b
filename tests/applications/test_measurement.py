"""Lengths: right values, what does not change them, intervals, warnings."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashionkp_mm.applications import (
    EXACT,
    GarmentError,
    KnownLength,
    PoseErrors,
    Scale,
    measure,
)
from fashionkp_mm.core import lengths
from fashionkp_mm.core.canonical_shapes import canonical_shape
from fashionkp_mm.core.garments import (
    CATEGORIES,
    FLIP_INDICES,
    KEYPOINT_INDEX,
    Visibility,
    mirrored_name,
)

ERRORS = PoseErrors(
    "test", "", (0.2, 0.8), (0.2, 0.02), 0.05, {"armpit/occluded": 2.0}, {"chest": 1.5}
)
"""A point of score 0.8 is off by 2 % of the garment's size, of 0.2 by 20 %."""


@pytest.fixture(scope="session")
def shape(garment_of):
    """The canonical shape of a category as a garment of 400 pixels."""

    def make(category, *, turn=0.0, scale=0.4, shift=(256, 256), lean=0.0):
        points = (canonical_shape(category) - 500) * scale
        c, s = np.cos(turn), np.sin(turn)
        points = points @ np.array([[c, s], [-s, c]]) + shift
        points[:, 0] += lean * points[:, 1]
        there = np.isfinite(points).all(axis=1)
        states = np.where(there, Visibility.VISIBLE, Visibility.ABSENT)
        return garment_of(category, np.nan_to_num(points, nan=-1), states)

    return make


def with_points(garment, **changes):
    """The same garment with other facts of some points: ``chest=(x, y)``, a state or a score."""
    keypoints, states = garment.keypoints.copy(), garment.visibility.copy()
    scores = garment.keypoint_scores.copy()
    for name, value in changes.items():
        k = KEYPOINT_INDEX[name]
        if isinstance(value, tuple):
            keypoints[k] = value
        elif isinstance(value, Visibility):
            states[k] = value
        else:
            scores[k] = value
    return replace(garment, keypoints=keypoints, visibility=states, keypoint_scores=scores)


def values(measured):
    return {each.length.name: each.value for each in measured}


class TestValues:
    BLOUSE: ClassVar = {
        "neckline_left": (220, 100), "neckline_right": (280, 98), "center_front": (250, 130),
        "shoulder_left": (170, 110), "shoulder_right": (330, 110),
        "armpit_left": (180, 200), "armpit_right": (320, 200),
        "cuff_left_in": (150, 300), "cuff_left_out": (120, 300),
        "cuff_right_in": (350, 300), "cuff_right_out": (380, 300),
        "top_hem_left": (180, 400), "top_hem_right": (320, 400),
    }  # fmt: skip

    @pytest.fixture
    def blouse(self, garment_of):
        keypoints = np.full((24, 2), -1.0)
        states = np.full(24, Visibility.ABSENT)
        for name, place in self.BLOUSE.items():
            keypoints[KEYPOINT_INDEX[name]] = place
            states[KEYPOINT_INDEX[name]] = Visibility.VISIBLE
        return garment_of("blouse", keypoints, states)

    EXPECTED: ClassVar = {
        "shoulder_width": 160, "chest": 140, "neck_width": math.hypot(60, 2), "body_length": 302,
        "front_length": 270, "sleeve_length_left": math.hypot(35, 190),
        "sleeve_length_right": math.hypot(35, 190), "cuff_width_left": 30, "cuff_width_right": 30,
        "armhole_depth_left": math.hypot(10, 90), "armhole_depth_right": math.hypot(10, 90),
        "hem_width": 140,
    }  # fmt: skip

    def test_in_centimetres(self, blouse):
        measured = measure(blouse, scale=Scale.of_pixels(4))
        assert values(measured) == pytest.approx({n: px / 4 for n, px in self.EXPECTED.items()})
        assert {each.length.name: each.pixels for each in measured} == pytest.approx(self.EXPECTED)
        assert measured.unit == "cm"

    @pytest.mark.parametrize(("unit", "per_cm"), [("mm", 10), ("in", 1 / 2.54)])
    def test_in_other_units(self, blouse, unit, per_cm):
        measured = measure(blouse, scale=Scale.of_pixels(4), unit=unit)
        assert measured["chest"].value == pytest.approx(140 / 4 * per_cm)

    def test_from_a_known_length(self, blouse):
        measured = measure(blouse, scale=KnownLength("chest", 52.0))
        assert measured["chest"].value == pytest.approx(52)
        assert measured["body_length"].value == pytest.approx(302 / 140 * 52)

    def test_without_a_scale_are_multiples_of_the_normaliser(self, blouse):
        measured = measure(blouse)
        assert measured.unit == "chest"
        assert measured["body_length"].value == pytest.approx(302 / 140)
        assert measured["body_length"].pixels == pytest.approx(302)

    def test_without_a_scale_and_normaliser_are_pixels_alone(self, blouse):
        measured = measure(with_points(blouse, armpit_left=Visibility.ABSENT))
        assert measured["body_length"].value is None
        assert measured["body_length"].pixels == pytest.approx(302)
        assert "no chest to measure by, pixels alone" in measured["body_length"].warnings

    def test_on_a_tilted_plane(self, blouse):
        """What a homography has done to the points it undoes."""
        tilted = np.array([[0.9, 0.1, 20], [-0.05, 0.8, 10], [2e-4, 4e-4, 1]])
        points = np.column_stack([blouse.keypoints, np.ones(24)]) @ tilted.T
        seen = replace(blouse, keypoints=(points[:, :2] / points[:, 2:]).astype(np.float32))
        scale = Scale(np.diag([0.25, 0.25, 1]) @ np.linalg.inv(tilted))
        expected = {name: px / 4 for name, px in self.EXPECTED.items()}
        assert values(measure(seen, scale=scale)) == pytest.approx(expected, rel=1e-5)

    @pytest.mark.parametrize("category", CATEGORIES)
    @pytest.mark.parametrize("number", range(4))
    def test_of_drawn_garments_are_those_of_their_points(self, drawn, garment_of, category, number):
        """To 0.1 %, by formulas of their own."""
        truth = drawn(category, number)
        garment = garment_of(category, truth.keypoints, truth.visibility)
        at = {n: truth.keypoints[k].astype(float) for n, k in KEYPOINT_INDEX.items()}
        there = {n for n, k in KEYPOINT_INDEX.items() if truth.visibility[k] != -1}

        def span(first, second):
            return float(np.linalg.norm(at[first] - at[second]))

        def middle(*names):
            return sum(at[name] for name in names) / len(names)

        def below(start, first, second):
            (ax, ay), (bx, by) = at[second] - at[first], at[start] - at[first]
            return abs(ax * by - ay * bx) / span(first, second)

        hem = "top_hem" if category in ("blouse", "outwear") else "hemline"
        necks = [n for n in ("neckline_left", "neckline_right") if n in there]
        formulas = {
            "chest": lambda: span("armpit_left", "armpit_right"),
            "hem_width": lambda: span(f"{hem}_left", f"{hem}_right"),
            "body_length": lambda: max(below(n, f"{hem}_left", f"{hem}_right") for n in necks),
            "sleeve_length_right": lambda: np.linalg.norm(
                at["shoulder_right"] - middle("cuff_right_in", "cuff_right_out")
            ),
            "skirt_length": lambda: np.linalg.norm(
                middle("waistband_left", "waistband_right")
                - middle("hemline_left", "hemline_right")
            ),
            "inseam_left": lambda: span("crotch", "bottom_left_in"),
            "outseam_right": lambda: span("waistband_right", "bottom_right_out"),
        }
        checked = 0
        for each in measure(garment, scale=Scale.of_pixels(3.7)):
            formula = formulas.get(each.length.name)
            if formula is not None and each.value is not None:
                assert each.value == pytest.approx(formula() / 3.7, rel=1e-3), each.length.name
                checked += 1
        assert checked >= 2

    def test_a_length_is_added_in_one_place(self, blouse, monkeypatch):
        """It is measured, has an interval, is known, and stands in every output."""
        depth = lengths.Length(
            "neck_depth", "neckline to centre front", ("blouse",),
            ("neckline_left", "neckline_right"), ("center_front",),
        )  # fmt: skip
        monkeypatch.setattr(lengths, "LENGTHS", (*lengths.LENGTHS, depth))
        measured = measure(blouse, scale=Scale.of_pixels(4), errors=ERRORS)
        assert measured["neck_depth"].value == pytest.approx(31 / 4)
        assert measured["neck_depth"].low < 31 / 4 < measured["neck_depth"].high
        assert "neck_depth" in measured.to_dict()["measurements"]
        by_it = measure(blouse, scale=KnownLength("neck_depth", 31.0))
        assert by_it["chest"].value == pytest.approx(140)


class TestInvariances:
    @settings(max_examples=40, deadline=None)
    @given(st.data())
    def test_scale_turn_and_shift_change_nothing(self, shape, data):
        category = data.draw(st.sampled_from(list(CATEGORIES)))
        turn, scale = data.draw(st.floats(-3.1, 3.1)), data.draw(st.floats(0.05, 3))
        shift = data.draw(st.tuples(st.floats(-500, 500), st.floats(-500, 500)))
        plain = measure(shape(category), errors=ERRORS)
        moved = measure(shape(category, turn=turn, scale=scale, shift=shift), errors=ERRORS)
        for one, other in zip(plain, moved, strict=True):
            expected = [one.value, one.low, one.high]
            assert [other.value, other.low, other.high] == pytest.approx(expected, rel=1e-3)
            assert other.pixels == pytest.approx(one.pixels * scale / 0.4, rel=1e-3)

    @pytest.mark.parametrize("category", CATEGORIES)
    def test_in_a_mirror_left_and_right_change_places(self, shape, category):
        garment = shape(category, turn=0.3, lean=0.2)
        keypoints = garment.keypoints[list(FLIP_INDICES)] * [-1, 1] + [512, 0]
        mirrored = replace(garment, keypoints=keypoints.astype(np.float32))
        scale = Scale.of_pixels(5)
        ours, theirs = values(measure(garment, scale=scale)), values(measure(mirrored, scale=scale))
        for name, value in ours.items():
            assert theirs[mirrored_name(name)] == pytest.approx(value, rel=1e-4), name


class TestIntervals:
    def test_grow_with_doubt(self, shape):
        scale = Scale.of_pixels(4)
        sure = measure(shape("skirt"), scale=scale, errors=ERRORS)
        doubtful = with_points(shape("skirt"), hemline_left=0.3)
        unsure = measure(doubtful, scale=scale, errors=ERRORS)
        for name, wider in (("hem_width", True), ("skirt_length", True), ("waist", False)):
            one, other = sure[name], unsure[name]
            assert one.low < one.value < one.high
            assert (other.high - other.low > 1.5 * (one.high - one.low)) == wider

    def test_are_as_defined(self, shape):
        """Chest of two occluded armpits: factor 1.5, twice 2 % of the size, two points."""
        armpits = ("armpit_left", "armpit_right")
        garment = with_points(shape("dress"), **dict.fromkeys(armpits, Visibility.OCCLUDED))
        garment = with_points(garment, **dict.fromkeys(armpits, 0.8))
        points = np.array([point[:2] for point in garment.points.values()])
        size = np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean())
        chest = measure(garment, scale=Scale.of_pixels(4), errors=ERRORS)["chest"]
        half = 1.5 * 2 * 0.02 * size * math.sqrt(2) / 4
        assert chest.high - chest.value == pytest.approx(half, rel=1e-5)

    def test_of_a_known_length_are_none_and_widen_all_others(self, shape):
        """Its own points are off, too."""
        garment = shape("skirt")
        plain = measure(garment, scale=Scale.of_pixels(4), errors=ERRORS)
        cm = plain["waist"].value
        known = measure(garment, scale=KnownLength("waist", cm), errors=ERRORS)
        waist, hem = known["waist"], known["hem_width"]
        assert waist.low == waist.value == waist.high == pytest.approx(cm)
        assert hem.value == pytest.approx(plain["hem_width"].value)
        own = plain["hem_width"].high / hem.value - 1
        of_waist = plain["waist"].high / cm - 1
        assert hem.high / hem.value - 1 == pytest.approx(math.hypot(own, of_waist))

    def test_never_reach_below_nothing(self, shape):
        errors = replace(ERRORS, errors=(5.0, 5.0))
        assert all(
            each.low == 0
            for each in measure(shape("skirt"), scale=Scale.of_pixels(1), errors=errors)
        )

    def test_are_the_values_of_exact_points(self, shape):
        for each in measure(shape("dress"), errors=EXACT):
            assert each.low == each.value == each.high

    def test_of_points_without_scores_are_those_of_all(self, shape):
        garment = shape("skirt")
        unknown = replace(garment, keypoint_scores=np.full(24, np.nan, np.float32))
        hem = measure(unknown, scale=Scale.of_pixels(1), errors=ERRORS)["hem_width"]
        sure = measure(garment, scale=Scale.of_pixels(1), errors=ERRORS)["hem_width"]
        assert (hem.high - hem.value) / (sure.high - sure.value) == pytest.approx(0.05 / 0.02)

    def test_without_a_table_there_are_none(self, shape):
        assert all(each.low is None is each.high for each in measure(shape("skirt")))


class TestWarnings:
    def test_of_ends(self, shape):
        garment = with_points(
            shape("trousers"), crotch=Visibility.OCCLUDED, bottom_left_in=0.3,
            bottom_right_out=Visibility.ABSENT,
        )  # fmt: skip
        measured = measure(garment, scale=Scale.of_pixels(4))
        inseam, outseam = measured["inseam_left"], measured["outseam_right"]
        assert inseam.warnings == ("crotch occluded", "bottom_left_in has a low score, 0.30")
        assert inseam.ends == (Visibility.OCCLUDED, Visibility.VISIBLE)
        assert outseam.value is outseam.pixels is outseam.start is None
        assert outseam.warnings == ("bottom_right_out absent",)
        assert outseam.ends == (Visibility.VISIBLE, Visibility.ABSENT)
        assert not measured["waist"].warnings

    def test_of_a_garment_that_is_turned(self, shape):
        (said,) = measure(shape("skirt", turn=math.radians(25)))["waist"].warnings
        assert said == "garment turned 25 degrees to the right"
        assert not measure(shape("skirt", turn=math.radians(10)))["waist"].warnings

    def test_of_a_garment_that_is_not_flat(self, shape):
        garment = shape("blouse")
        x, y = garment["cuff_left_out"][:2]
        bent = with_points(
            garment, cuff_left_out=(x + 120, y - 150), cuff_left_in=(x + 90, y - 150)
        )
        assert any("left and right differ by" in each for each in measure(bent)["chest"].warnings)

    def test_of_a_tilted_marker(self, shape):
        scale = replace(Scale.of_pixels(4), tilt=35.0, source="marker")
        assert (
            "marker tilted by 35 degrees" in measure(shape("skirt"), scale=scale)["waist"].warnings
        )

    def test_of_points_outside_the_picture(self, shape):
        garment = with_points(shape("skirt"), hemline_right=(530.0, 400.0))
        said = measure(garment, scale=Scale.of_pixels(4))["hem_width"].warnings
        assert "hemline_right lies outside the picture" in said
        unknown = measure(replace(garment, image_size=(0, 0)))["hem_width"].warnings
        assert not any("outside" in each for each in unknown)


class TestErrors:
    def test_a_garment_without_any_length(self, shape):
        states = dict.fromkeys(("waistband_left", "hemline_right"), Visibility.ABSENT)
        with pytest.raises(GarmentError, match="skirt: no length has both its ends; absent: "):
            measure(with_points(shape("skirt"), **states))

    def test_a_known_length_that_the_category_lacks(self, shape):
        with pytest.raises(GarmentError, match="skirt: there is no chest, only waist, hem_width"):
            measure(shape("skirt"), scale=KnownLength("chest", 52))

    def test_a_known_length_without_its_ends(self, shape):
        garment = with_points(shape("skirt"), waistband_left=Visibility.ABSENT)
        with pytest.raises(GarmentError, match="without its waist there is no scale"):
            measure(garment, scale=KnownLength("waist", 40))

    def test_a_known_length_of_nothing(self, shape):
        garment = shape("skirt")
        same = with_points(garment, waistband_left=tuple(garment["waistband_right"][:2]))
        with pytest.raises(GarmentError, match="both ends of its waist are in one place"):
            measure(same, scale=KnownLength("waist", 40))

    def test_points_behind_the_horizon(self, shape):
        with pytest.raises(GarmentError, match="the plane of the given does not reach"):
            measure(shape("skirt"), scale=Scale(np.array([[1, 0, 0], [0, 1, 0], [0, -0.004, 1.0]])))

    @pytest.mark.parametrize("category", CATEGORIES)
    def test_all_points_on_one_line_are_no_error(self, garment_of, shape, category):
        garment = shape(category)
        line = np.column_stack([garment.keypoints[:, 0], np.full(24, 200)])
        flat = garment_of(category, line, garment.visibility)
        measured = measure(flat, scale=Scale.of_pixels(4), errors=ERRORS)
        assert all(np.isfinite(each.value) for each in measured)

    def test_an_unknown_length_or_unit(self, shape):
        measured = measure(shape("skirt"))
        with pytest.raises(KeyError, match="skirt: there is no sleeve, only waist"):
            measured["sleeve"]
        with pytest.raises(ValueError, match="there is no unit 'ell', expected one of cm, mm, in"):
            measure(shape("skirt"), unit="ell")


def test_plain_json_has_the_keys_of_garmentiq(shape):
    facts = measure(shape("skirt"), scale=Scale.of_pixels(4, "test"), errors=ERRORS).to_dict()
    assert facts["unit"] == "cm"
    assert facts["landmarks"]["hemline_left"].keys() >= {"description", "x", "y"}
    hem = facts["measurements"]["hem_width"]
    assert hem["landmarks"] == {"start": "hemline_left", "end": "hemline_right"}
    assert hem["distance"] == pytest.approx(4 * hem["value"], abs=0.02)
    assert hem["low"] < hem["value"] < hem["high"]
    length = facts["measurements"]["skirt_length"]["landmarks"]
    assert length == {
        "start": "waistband_left+waistband_right",
        "end": "hemline_left+hemline_right",
    }
