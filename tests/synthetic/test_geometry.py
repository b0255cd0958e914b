import numpy as np
import pytest

from fashionkp_mm.synthetic.geometry import (
    Axis,
    Camera,
    homography,
    inside,
    points,
    smooth,
    tube,
    xy,
)

SQUARE = points((0, 0), (10, 0), (10, 10), (0, 10))


def test_a_smooth_curve_keeps_its_knots():
    knots = points((0, 0), (3, 5), (9, 4), (10, -2))
    curve = smooth(knots, 8)
    np.testing.assert_allclose(curve[::8], knots, atol=1e-12)


def test_a_homography_carries_its_four_points():
    target = [(12.0, 8.0), (300.0, 20.0), (280.0, 400.0), (30.0, 380.0)]
    matrix = homography([(0.0, 0.0), (50.0, 0.0), (50.0, 90.0), (0.0, 90.0)], target)
    camera = Camera(matrix)
    carried = camera.to_pixels(points((0, 0), (50, 0), (50, 90), (0, 90)))
    np.testing.assert_allclose(carried, target, atol=1e-9)


@pytest.mark.parametrize("turn", [-0.2, 0.0, 0.2])
def test_the_camera_can_be_undone(turn):
    source = [(-30.0, 0.0), (30.0, 0.0), (30.0, 170.0), (-30.0, 170.0)]
    target = [(100.0, 20.0), (380.0, 40.0), (400.0, 500.0), (80.0, 480.0)]
    camera = Camera(homography(source, target), turn=turn, sway=1.5)
    places = np.random.default_rng(0).uniform((-40, 0), (40, 170), (200, 2))
    np.testing.assert_allclose(camera.to_garment(camera.to_pixels(places)), places, atol=1e-6)


def test_cloth_coordinates_of_a_straight_piece_are_its_height_and_side():
    axis = Axis(points((5, 10), (5, 30)), np.array([4.0, 8.0]))
    along, across, half = axis.project(points((5, 10), (7, 20), (2, 30)))
    np.testing.assert_allclose(along, [0, 10, 20])
    np.testing.assert_allclose(across, [0, 2, -3])
    np.testing.assert_allclose(half, [4, 6, 8])


def test_the_first_half_of_a_tube_is_the_viewers_left_edge():
    outline, _ = tube(points((0, 0), (0, 10)), 2.0)
    np.testing.assert_allclose(outline, points((-2, 0), (-2, 10), (2, 10), (2, 0)), atol=1e-12)


def test_a_rounded_tube_is_longer_by_its_half_widths():
    outline, _ = tube(points((0, 0), (0, 10)), 2.0, rounded=True)
    np.testing.assert_allclose(outline[:, 1].min(), -2, atol=0.05)
    np.testing.assert_allclose(outline[:, 1].max(), 12, atol=0.05)


@pytest.mark.parametrize(
    ("place", "expected"), [((5, 5), True), ((11, 5), False), ((5, -1), False)]
)
def test_inside(place, expected):
    assert inside(SQUARE, xy(*place)) is expected
