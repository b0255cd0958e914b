"""Descriptors of shapes whose lengths are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionkp_mm.applications.descriptors import DESCRIPTORS, shape_descriptors
from fashionkp_mm.core.garments import FLIP_INDICES, KEYPOINT_INDEX, Visibility

DRESS = {
    "neckline_left": (-10, 0), "neckline_right": (10, 0), "center_front": (0, 8),
    "shoulder_left": (-20, 6), "shoulder_right": (20, 6),
    "armpit_left": (-22, 30), "armpit_right": (22, 30),
    "waistline_left": (-15, 50), "waistline_right": (15, 50),
    "cuff_left_in": (-44, 28), "cuff_left_out": (-44, 48),
    "cuff_right_in": (44, 28), "cuff_right_out": (44, 48),
    "hemline_left": (-30, 120), "hemline_right": (30, 120),
}  # fmt: skip
SKIRT = {"waistband_left": (0, 0), "waistband_right": (30, 0),
         "hemline_left": (-15, 60), "hemline_right": (45, 60)}  # fmt: skip


@pytest.fixture(scope="module")
def made(garment_of):
    def make(category, places, *, scale=1.0, turn=0.0, without=()):
        points, states = np.full((24, 2), -1.0), np.full(24, Visibility.ABSENT)
        c, s = np.cos(turn), np.sin(turn)
        for name, place in places.items():
            if name not in without:
                points[KEYPOINT_INDEX[name]] = scale * np.array(place) @ [[c, s], [-s, c]]
                states[KEYPOINT_INDEX[name]] = Visibility.VISIBLE
        return garment_of(category, points, states)

    return make


def known(garment):
    return {name: value for name, value in shape_descriptors(garment).items() if value is not None}


def test_right_values(made):
    sleeve = np.hypot(24, 32)
    assert known(made("dress", DRESS)) == pytest.approx({
        "sleeve_to_body": sleeve / 120,
        "body_to_shoulders": 3.0,
        "hem_to_waist": 2.0,
        "neckline_width": 0.5,
        "neckline_depth": 0.2,
    }, rel=1e-5)  # fmt: skip
    found = shape_descriptors(made("skirt", SKIRT))
    assert found["hem_to_waist"] == pytest.approx(2)
    assert found["length_to_waist"] == pytest.approx(2)
    assert found["sleeve_to_body"] is None
    assert tuple(found) == DESCRIPTORS


@given(scale=st.floats(0.1, 20), turn=st.floats(-3.1, 3.1))
def test_they_do_not_depend_on_size_and_turn(made, scale, turn):
    base, moved = (known(made("dress", DRESS, **options))
                   for options in ({}, {"scale": scale, "turn": turn}))  # fmt: skip
    assert moved == pytest.approx(base, rel=1e-3)


def test_nor_on_which_side_is_which(made, garment_of):
    base = made("dress", DRESS, without=["cuff_left_in"])
    points = base.keypoints * [-1, 1]
    flipped = list(FLIP_INDICES)
    other = garment_of("dress", points[flipped], base.visibility[flipped])
    assert known(other) == pytest.approx(known(base), rel=1e-5)


def test_one_sleeve_stands_for_both_and_none_for_nothing(made):
    both = shape_descriptors(made("dress", DRESS))
    one = shape_descriptors(made("dress", DRESS, without=["cuff_left_in"]))
    assert one["sleeve_to_body"] == pytest.approx(both["sleeve_to_body"])
    none = shape_descriptors(made("dress", DRESS, without=["cuff_left_in", "cuff_right_out"]))
    assert none["sleeve_to_body"] is None


def test_a_waist_without_width_has_no_ratio(made):
    flat = {**SKIRT, "waistband_right": (0, 0)}
    assert shape_descriptors(made("skirt", flat))["hem_to_waist"] is None
