import re

import pytest

from fashionkp_mm.core.garments import CATEGORIES, KEYPOINT_NAMES, mirrored_name
from fashionkp_mm.core.parts import (
    ATTRIBUTES,
    GROUPS,
    PART_NAMES,
    level_line,
    parts_of,
    require_parts,
    unit_of,
)


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_part_goes_by_points_of_its_category(category):
    for part in parts_of(category, GROUPS):
        assert part.points_of(category)
        axis = part.upright(category)
        defined = CATEGORIES[category].keypoints
        assert set(axis.start) & set(defined) and set(axis.end) & set(defined)
        assert {*part.points, *axis.start, *axis.end} <= set(KEYPOINT_NAMES)


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_category_has_each_part_once(category):
    names = [part.name for part in parts_of(category, GROUPS)]
    assert len(names) == len(set(names))
    assert [part.name for part in parts_of(category, reversed(PART_NAMES))] == names


@pytest.mark.parametrize("category", CATEGORIES)
def test_what_is_on_the_right_mirrors_what_is_on_the_left(category):
    parts = {part.name: part for part in parts_of(category, GROUPS)}
    for name, part in parts.items():
        other = parts[mirrored_name(name)]
        assert {*map(mirrored_name, part.points)} == set(other.points) or part.side is None
        assert part.reach == other.reach
        assert (part.side is None) == ("_left" not in name and "_right" not in name)


def test_the_parts_of_each_category():
    assert [part.name for part in parts_of("skirt", GROUPS)] == [
        "garment", "waist", "hem", "skirt_length",
    ]  # fmt: skip
    assert [part.name for part in parts_of("outwear", ["sleeve", "cuff_left", "crotch"])] == [
        "sleeve_left", "sleeve_right", "cuff_left",
    ]  # fmt: skip


def test_all_tasks_of_the_attribute_track_are_there():
    assert set(ATTRIBUTES) <= set(GROUPS)
    assert len(ATTRIBUTES) == 8


@pytest.mark.parametrize("name", ["sleeve_length", "coat_length", "skirt_length", "pant_length"])
def test_where_the_class_is_a_length_the_part_reaches_beyond(name):
    for category in CATEGORIES:
        for part in parts_of(category, [name]):
            assert part.reach.beyond > 0


def test_shoulders_or_the_waistband_are_level():
    assert unit_of("dress") == ("shoulder_left", "shoulder_right")
    assert unit_of("trousers") == ("waistband_left", "waistband_right")
    line = level_line("skirt")
    assert (line.start, line.end, line.level) == (("waistband_left",), ("waistband_right",), True)


def test_a_part_that_is_not_there_is_refused_with_those_that_are():
    require_parts(["sleeve_left", "sleeve", "hem"])
    with pytest.raises(ValueError, match=re.escape("no part 'pocket'; expected of garment, ")):
        require_parts(["hem", "pocket"])
