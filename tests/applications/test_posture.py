"""Whether a garment is turned, or uneven."""

import math

import numpy as np
import pytest

from fashionkp_mm.applications.posture import posture_of
from fashionkp_mm.core.canonical_shapes import canonical_shape
from fashionkp_mm.core.garments import CATEGORIES, KEYPOINT_NAMES


def points_of(category, turn=0.0):
    shape = canonical_shape(category)
    c, s = math.cos(turn), math.sin(turn)
    shape = shape @ np.array([[c, s], [-s, c]])
    return {
        name: tuple(place)
        for name, place in zip(KEYPOINT_NAMES, shape.tolist(), strict=True)
        if np.isfinite(place).all()
    }


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("degrees", [-80, -20, 0, 5, 60])
def test_the_turn_of_an_even_garment(category, degrees):
    posture = posture_of(points_of(category, math.radians(degrees)))
    assert posture.turn == pytest.approx(degrees, abs=1e-4)
    assert posture.asymmetry == pytest.approx(0, abs=1e-5)


def test_a_sleeve_that_is_bent_makes_it_uneven():
    points = points_of("blouse")
    x, y = points["cuff_left_out"]
    points["cuff_left_out"] = x + 200, y - 200
    points["cuff_left_in"] = points["cuff_left_out"]
    assert posture_of(points).asymmetry > 0.1


@pytest.mark.parametrize(
    "points",
    [{}, {"armpit_left": (0, 0), "armpit_right": (1, 0)},
     {f"{name}_{side}": (3, 3) for name in ("armpit", "shoulder") for side in ("left", "right")}],
)  # fmt: skip
def test_too_few_points_have_none(points):
    assert posture_of(points) is None
