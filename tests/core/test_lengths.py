"""The table of lengths: which a category has, and where they lie."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import ClassVar

import pytest

from fashionkp_mm.core.garments import CATEGORIES, mirrored_name
from fashionkp_mm.core.lengths import (
    LENGTHS,
    Length,
    lengths_of,
    normalizer_length,
    place_of,
    sideless,
)

_TOP = {
    "shoulder_width", "chest", "neck_width", "body_length", "sleeve_length_left",
    "sleeve_length_right", "cuff_width_left", "cuff_width_right", "armhole_depth_left",
    "armhole_depth_right", "hem_width",
}  # fmt: skip
OF_CATEGORY = {
    "blouse": _TOP | {"front_length"},
    "outwear": _TOP | {"waist"},
    "dress": _TOP | {"front_length", "waist"},
    "skirt": {"waist", "skirt_length", "hem_width"},
    "trousers": {
        "waist", "outseam_left", "outseam_right", "inseam_left", "inseam_right", "front_rise",
        "leg_opening_left", "leg_opening_right",
    },
}  # fmt: skip


@pytest.mark.parametrize("category", CATEGORIES)
def test_of_a_category(category: str) -> None:
    lengths = lengths_of(category)
    names = [length.name for length in lengths]
    assert sorted(names) == sorted(OF_CATEGORY[category])
    for length in lengths:
        assert {*length.start, *length.end} <= set(CATEGORIES[category].keypoints)


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_mirror_image_of_a_length_is_a_length(category: str) -> None:
    lengths = {length.name: length for length in lengths_of(category)}
    for length in lengths.values():
        other = lengths[mirrored_name(length.name)]
        ends = [{frozenset(each.start), frozenset(each.end)} for each in (length, other)]
        mirrored = {frozenset(map(mirrored_name, names)) for names in (length.start, length.end)}
        assert ends[1] == mirrored
        assert length.description == other.description


@pytest.mark.parametrize(
    ("category", "name"), [("blouse", "chest"), ("skirt", "waist"), ("trousers", "waist")]
)
def test_the_normaliser_is_a_length(category: str, name: str) -> None:
    assert normalizer_length(category).name == name
    assert all(normalizer_length(each) for each in CATEGORIES)


class TestEnds:
    POINTS: ClassVar = {
        "neckline_left": (4.0, 1.0),
        "neckline_right": (6.0, 0.0),
        "top_hem_left": (0.0, 10.0),
        "top_hem_right": (10.0, 10.0),
    }

    @staticmethod
    def of(name: str) -> Length:
        return next(length for length in LENGTHS if length.name == name)

    def test_of_a_plumb_length(self) -> None:
        """From the higher neckline point straight down."""
        ends = self.of("body_length").ends(self.POINTS)
        assert ends is not None
        start, end = ends
        assert start == {"neckline_right": 1.0}
        assert place_of(end, self.POINTS) == pytest.approx((6, 10))

    def test_of_a_plumb_length_on_a_sloping_hem(self) -> None:
        """At a right angle to the hem's line."""
        points = {**self.POINTS, "top_hem_left": (0.0, 6.0), "top_hem_right": (8.0, 12.0)}
        ends = self.of("body_length").ends(points)
        assert ends is not None
        (x1, y1), (x2, y2) = (place_of(each, points) for each in ends)
        assert (x2 - x1) * 8 + (y2 - y1) * 6 == pytest.approx(0)
        # |ax + by + c| of the line through the hem: 3x - 4y + 24 = 0
        assert math.dist((x1, y1), (x2, y2)) == pytest.approx(abs(3 * x1 - 4 * y1 + 24) / 5)

    def test_of_a_plumb_length_do_with_one_of_its_starts(self) -> None:
        points = {name: at for name, at in self.POINTS.items() if name != "neckline_right"}
        ends = self.of("body_length").ends(points)
        assert ends is not None and ends[0] == {"neckline_left": 1.0}

    @pytest.mark.parametrize("missing", ["top_hem_left", "top_hem_right"])
    def test_are_none_without_a_point(self, missing: str) -> None:
        points = {name: at for name, at in self.POINTS.items() if name != missing}
        assert self.of("body_length").ends(points) is None

    def test_are_none_where_a_hem_is_one_point(self) -> None:
        points = {**self.POINTS, "top_hem_left": (10.0, 10.0)}
        assert self.of("body_length").ends(points) is None

    def test_of_a_sleeve_lie_in_the_middle_of_the_cuff(self) -> None:
        points = {
            "shoulder_left": (0.0, 0.0),
            "cuff_left_in": (4.0, 10.0),
            "cuff_left_out": (2.0, 14.0),
        }
        ends = self.of("sleeve_length_left").ends(points)
        assert ends is not None
        assert [place_of(each, points) for each in ends] == [(0, 0), (3, 12)]


def test_the_page_has_them_all() -> None:
    """`docs/measure.md`: names, where they lie and whose they are."""
    page = (Path(__file__).parents[2] / "docs" / "measure.md").read_text()
    table = page[page.index("| length | from where") :].split("\n\n")[0].splitlines()[2:]
    told = {}
    for row in table:
        names, description, categories = (cell.strip() for cell in row.strip("|").split("|"))
        for name in re.findall(r"`(\w+)`", names):
            told[name] = (description, set(categories.split(", ")))
    assert list(told) == list(dict.fromkeys(length.name for length in LENGTHS))
    for length in LENGTHS:
        description, categories = told[length.name]
        assert set(length.categories) <= categories
        assert length.description.split(", ")[-1] in description
    of_all = {name: set() for name in told}
    for length in LENGTHS:
        of_all[length.name] |= set(length.categories)
    assert of_all == {name: categories for name, (_, categories) in told.items()}


def test_sideless() -> None:
    assert sideless("cuff_left_in") == "cuff_in"
    assert sideless("sleeve_length_right") == "sleeve_length"
    assert sideless("crotch") == "crotch"
