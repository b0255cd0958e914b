"""Dimension lines: figures never lie over one another, and can be read."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashionkp_mm.visualization import dimensions
from fashionkp_mm.visualization.dimensions import MIN_SIDE, Dimension, draw_dimensions
from fashionkp_mm.visualization.labels import overlap
from fashionkp_mm.visualization.pen import DARK, LIGHT

GRAY = np.full((512, 512, 3), 128, np.uint8)


def line(start, end, text="52.3 cm", *, hidden=False):
    return Dimension(np.array(start, float), np.array(end, float), text, (230, 85, 60), hidden)


def places(lines, image):
    """Where the figures stand."""
    found = []
    of_all = dimensions.figure_places
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            dimensions, "figure_places", lambda *args: found.append(of_all(*args)) or found[0]
        )
        draw_dimensions(image, lines)
    return found[0]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_no_figure_lies_over_another_or_outside(data):
    place = st.tuples(st.floats(-50, 560), st.floats(-50, 560))
    lines = data.draw(st.lists(st.builds(line, place, place), min_size=2, max_size=14))
    found = [each for each in places(lines, GRAY) if each is not None]
    assert all(overlap(a, b) == 0 for a, b in combinations(found, 2))
    for x1, y1, x2, y2 in found:
        assert 0 <= x1 < x2 <= 512 and 0 <= y1 < y2 <= 512


def test_all_figures_of_a_garment_find_a_place():
    """Fourteen lines in a bunch, as of a garment that fills a quarter of the picture."""
    lines = [line((200 + 8 * i, 200), (200 + 8 * i, 320 - 4 * i)) for i in range(14)]
    assert all(place is not None for place in places(lines, GRAY))


def test_a_single_figure_stands_on_its_line():
    (place,) = places([line((100, 300), (400, 300))], GRAY)
    assert place[0] < 250 < place[2] and place[1] < 300 < place[3]


@pytest.mark.parametrize("ground", [0, 128, 255, "noise"])
def test_a_figure_is_read_on_any_ground(ground):
    """Light on dark, whatever is behind it."""
    image = np.random.default_rng(0).integers(0, 256, GRAY.shape).astype(np.uint8)
    if ground != "noise":
        image[:] = ground
    lines = [line((100, 300), (400, 300))]
    (place,) = places(lines, image)
    x1, y1, x2, y2 = place
    plate = draw_dimensions(image, lines)[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2].reshape(-1, 3)
    low, high = plate.min(axis=0), plate.max(axis=0)
    assert (low == DARK).all() and (high >= np.array(LIGHT) - 40).all()


def test_the_line_runs_from_end_to_end_above_a_light_edge():
    drawn = draw_dimensions(GRAY, [line((100, 300), (400, 300), "1")])
    color = (60, 85, 230)
    for x in (100, 150, 380, 399):
        assert tuple(drawn[300, x]) == color
    changed = np.argwhere((drawn != GRAY).any(axis=2))
    assert changed[:, 1].min() > 90 and changed[:, 1].max() < 410


def test_the_line_to_a_hidden_end_is_dashed():
    color = np.array((60, 85, 230))
    whole, dashed = (
        (draw_dimensions(GRAY, [line((100, 300), (400, 300), "1", hidden=hidden)])[300] == color)
        .all(axis=1)
        .sum()
        for hidden in (False, True)
    )
    assert 0.3 * whole < dashed < 0.8 * whole


def test_a_small_picture_is_enlarged():
    small = cv2.resize(GRAY, (90, 60))
    drawn = draw_dimensions(small, [line((10, 10), (80, 50))])
    assert max(drawn.shape[:2]) == MIN_SIDE


def test_the_picture_is_left_as_it_is_and_nothing_is_drawn_of_nothing():
    before = GRAY.copy()
    drawn = draw_dimensions(GRAY, [])
    assert (drawn == before).all() and drawn is not GRAY
    draw_dimensions(GRAY, [line((3, 3), (3, 3))])
    assert (before == GRAY).all()
