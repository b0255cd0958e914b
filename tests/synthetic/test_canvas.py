import numpy as np
import pytest

from fashionkp_mm.synthetic.canvas import Canvas
from fashionkp_mm.synthetic.geometry import Camera, points

RED = (0.0, 0.0, 255.0)


@pytest.fixture
def canvas():
    """100 by 80 pixels, one to the centimetre."""
    return Canvas(np.full((80, 100, 3), 255, np.uint8), Camera(np.eye(3)))


def box(x0, y0, x1, y1):
    return points((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def test_a_patch_covers_the_area_of_its_outline(canvas):
    patch = canvas.patch(box(10.25, 20.5, 40.75, 50.0))
    # OpenCV draws an anti-aliased shape a third of a pixel wider on each side.
    assert patch.cover.sum() / 255 == pytest.approx(31.2 * 30.2, rel=0.01)


def test_an_outline_out_of_the_picture_has_no_patch(canvas):
    assert canvas.patch(box(-50, -50, -20, -20)) is None


def test_painting_changes_the_patch_and_nothing_else(canvas):
    canvas.paint(canvas.patch(box(10, 20, 40, 50)), RED)
    assert tuple(canvas.image[30, 30]) == (0, 0, 255)
    canvas.image[18:53, 8:43] = 255
    assert (canvas.image == 255).all()


def layer(canvas, name, outline, *, hides=True):
    canvas.remember(name, canvas.patch(outline), hides=hides)


def test_a_point_is_hidden_by_a_later_layer_only_well_inside_it(canvas):
    layer(canvas, "skirt", box(10, 10, 60, 60))
    layer(canvas, "bag", box(40, 40, 80, 70))
    owners = frozenset({"skirt"})
    assert canvas.hidden((50, 50), owners)
    assert not canvas.hidden((40, 50), owners), "a layer that ends at a point does not hide it"
    assert not canvas.hidden((20, 20), owners)


def test_a_point_is_not_hidden_by_earlier_layers_or_its_last_owner(canvas):
    layer(canvas, "arm", box(10, 10, 60, 60))
    layer(canvas, "body", box(10, 10, 60, 60))
    layer(canvas, "sleeve", box(10, 10, 60, 60))
    assert not canvas.hidden((30, 30), frozenset({"body", "sleeve"}))
    assert canvas.hidden((30, 30), frozenset({"body"}))


def test_a_piece_sewn_onto_another_hides_nothing(canvas):
    layer(canvas, "body", box(10, 10, 60, 60))
    layer(canvas, "belt", box(10, 30, 60, 40), hides=False)
    assert not canvas.hidden((30, 35), frozenset({"body"}))


def test_the_corner_of_a_picture_can_be_hidden(canvas):
    layer(canvas, "body", box(-10, -10, 60, 60))
    layer(canvas, "card", box(-10, -10, 30, 30))
    assert canvas.hidden((0, 0), frozenset({"body"}))


def test_the_mask_is_what_is_seen_of_the_garment(canvas):
    canvas.paint(canvas.patch(box(0, 0, 90, 70)), RED)
    with canvas.painting_garment():
        canvas.paint(canvas.patch(box(10, 10, 60, 60)), RED)
        with canvas.painting_garment(False):
            canvas.paint(canvas.patch(box(12, 12, 18, 18)), RED)
        canvas.paint(canvas.patch(box(52, 20, 70, 30)), RED, 0.5)
    canvas.paint(canvas.patch(box(40, 40, 80, 70)), RED)
    canvas.shade(canvas.patch(box(20, 20, 30, 30)), 0.5)
    seen = {(30, 30): 255, (11, 11): 255, (15, 15): 0, (50, 50): 0, (5, 5): 0, (56, 25): 255}
    assert {place: int(canvas.mask[place[::-1]]) for place in seen} == seen
    assert canvas.mask[25, 66] == 128, "half of what is seen there"
