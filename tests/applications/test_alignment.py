"""Garments laid onto templates: where they come to lie, and what changes nothing."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fashionkp_mm.applications import GarmentError, Template, align
from fashionkp_mm.applications.alignment import LARGE_RESIDUAL
from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_INDEX,
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    FLIP_INDICES,
    KEYPOINT_INDEX,
    KEYPOINT_NAMES,
    Visibility,
    mirrored_name,
)
from fashionkp_mm.core.planar_maps import moved
from fashionkp_mm.visualization.sketch import DrawnGarment

METHODS = ("similarity", "affine", "tps")
STRAIGHT = ("similarity", "affine")
GRAY = np.full((512, 512, 3), 128, np.uint8)
seeds = st.integers(0, 10_000)
categories = st.sampled_from(CATEGORY_NAMES)


def random_garment(category: str, seed: int, spread: float = 15.0) -> DrawnGarment:
    """The template, turned, scaled, bent a little, and with some points occluded or absent."""
    generator = np.random.default_rng(seed)
    points = Template.canonical(category).keypoints
    points = points + generator.normal(0, spread, points.shape)
    angle, scale = generator.uniform(-0.6, 0.6), generator.uniform(0.5, 1.2)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (points - 256) @ turn.T + 256
    defined = np.flatnonzero(CATEGORY_KEYPOINTS[CATEGORY_INDEX[category]])
    visibility = np.full(len(points), Visibility.ABSENT)
    visibility[defined] = Visibility.VISIBLE
    order = generator.permutation(defined)
    visibility[order[:2]] = Visibility.OCCLUDED
    if len(defined) > 4:
        visibility[order[2]] = Visibility.ABSENT
    return DrawnGarment(np.where(visibility[:, None] >= 0, points, -1), visibility, category)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("category", CATEGORY_NAMES)
def test_a_garment_that_lies_on_the_template_stays(category: str, method) -> None:
    template = Template.canonical(category)
    states = np.where(np.isfinite(template.keypoints[:, 0]), 1, -1)
    garment = DrawnGarment(np.nan_to_num(template.keypoints, nan=-1), states, category)
    picture = np.random.default_rng(0).integers(0, 256, (512, 512, 3), np.uint8)
    alignment = align(picture, garment, method=method)
    assert alignment.residual < 1e-6
    assert not alignment.warnings
    assert abs(alignment.image[..., :3].astype(int) - picture).max() <= 1
    assert (alignment.image[..., 3] == 255).all()


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=25, deadline=None)
@given(category=categories, seed=seeds, factor=st.floats(0.3, 3), angle=st.floats(-3, 3))
def test_turning_and_scaling_the_picture_changes_nothing(
    method, category: str, seed: int, factor: float, angle: float
) -> None:
    garment = random_garment(category, seed)
    turn = factor * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([turn, [30, -40]])
    turned = replace(garment, keypoints=moved(matrix, garment.keypoints))
    one, other = align(GRAY, garment, method=method), align(GRAY, turned, method=method)
    np.testing.assert_allclose(other.keypoints, one.keypoints, atol=1e-4)
    assert other.residual == pytest.approx(one.residual, abs=1e-4)
    places = np.random.default_rng(seed).uniform(50, 460, (20, 2))
    np.testing.assert_allclose(
        other.to_picture(places), moved(matrix, one.to_picture(places)), atol=1e-4
    )


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=25, deadline=None)
@given(category=categories, seed=seeds)
def test_a_mirrored_picture_gives_the_mirrored_garment(method, category: str, seed: int) -> None:
    garment = random_garment(category, seed)
    flip = list(FLIP_INDICES)
    mirrored = DrawnGarment(
        (garment.keypoints * (-1, 1) + (511, 0))[flip], garment.visibility[flip], category
    )
    one, other = align(GRAY, garment, method=method), align(GRAY, mirrored, method=method)
    # The canonical shapes are symmetric to a hundredth of a pixel.
    np.testing.assert_allclose(other.keypoints, one.keypoints[flip] * (-1, 1) + (511, 0), atol=0.3)
    assert other.residual == pytest.approx(one.residual, abs=0.3)


@pytest.mark.parametrize("method", STRAIGHT)
@settings(max_examples=25, deadline=None)
@given(category=categories, seed=seeds)
def test_aligning_an_aligned_garment_changes_nothing(method, category: str, seed: int) -> None:
    garment = random_garment(category, seed)
    once = align(GRAY, garment, method=method)
    there = DrawnGarment(np.nan_to_num(once.keypoints, nan=-1), garment.visibility, category)
    twice = align(GRAY, there, method=method)
    np.testing.assert_allclose(twice.keypoints, once.keypoints, atol=1e-6)
    places = np.random.default_rng(seed).uniform(0, 511, (20, 2))
    np.testing.assert_allclose(twice.to_picture(places), places, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(category=categories, seed=seeds)
def test_a_second_spline_changes_no_more_than_the_first_one_missed_by(
    category: str, seed: int
) -> None:
    garment = random_garment(category, seed, spread=5)
    once = align(GRAY, garment, method="tps")
    assume(np.nanmax(once.distances) < 8)  # what is missed by more gave way to avoid a fold
    there = DrawnGarment(np.nan_to_num(once.keypoints, nan=-1), garment.visibility, category)
    twice = align(GRAY, there, method="tps")
    # It is smoothed, so it misses points by a little, and the second one makes up for some of that.
    similar = align(GRAY, garment).residual
    assert twice.residual <= once.residual + 0.5
    assert once.residual <= similar + 0.5
    moved_by = np.nanmax(abs(twice.keypoints - once.keypoints)) * 100 / once.template.normalizer
    assert moved_by <= once.distances[np.isfinite(once.distances)].max() + 0.5


@settings(max_examples=25, deadline=None)
@given(category=categories, seed=seeds)
def test_the_more_a_method_may_do_the_nearer_it_comes(category: str, seed: int) -> None:
    garment = random_garment(category, seed, spread=5)
    similarity, affine, spline = (align(GRAY, garment, method=m).residual for m in METHODS)
    assert affine <= similarity + 1e-9
    # A spline meets points in the picture, not in the template, and may have to give way.
    assert spline <= similarity + 0.5


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=20, deadline=None)
@given(category=categories, seed=seeds)
def test_there_and_back(method, category: str, seed: int) -> None:
    alignment = align(GRAY, random_garment(category, seed), method=method)
    places = np.random.default_rng(seed).uniform(0, 511, (4, 5, 2))
    back = alignment.to_template(alignment.to_picture(places))
    np.testing.assert_allclose(back, places, atol=1e-3)
    rows, columns = np.mgrid[0:512:73, 0:512:73]
    exact = alignment.to_picture(np.stack([columns, rows], -1))
    # Between its nodes the map is interpolated.
    np.testing.assert_allclose(alignment.map[rows, columns], exact, atol=1.5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("category", CATEGORY_NAMES)
def test_the_picture_shows_each_point_where_it_is_said_to_be(category: str, method, drawn) -> None:
    truth = drawn(category, 3)
    garment = DrawnGarment(truth.keypoints, truth.visibility, category)
    alignment = align(truth.image, garment, method=method)
    for k in np.flatnonzero(truth.visibility >= 0):
        dot = np.zeros((*truth.image.shape[:2], 3), np.uint8)
        cv2.circle(dot, tuple(truth.keypoints[k].tolist()), 5, (255, 255, 255), -1)
        x, y = np.rint(alignment.keypoints[k]).astype(int)
        if 0 <= x < 512 and 0 <= y < 512:
            shown = replace(alignment, picture=dot).image
            assert shown[y, x].tolist() == [255] * 4, KEYPOINT_NAMES[k]


def test_an_occluded_point_counts_less_and_an_absent_one_nothing() -> None:
    template = Template.canonical("dress")
    points = np.nan_to_num(template.keypoints, nan=-1)
    states = np.where(np.isfinite(template.keypoints[:, 0]), 1, -1)
    k = KEYPOINT_INDEX["hemline_left"]
    points[k] += (-120, 60)
    misses = []
    for state in (Visibility.VISIBLE, Visibility.OCCLUDED, Visibility.ABSENT):
        states[k] = state
        alignment = align(GRAY, DrawnGarment(points, states, "dress"))
        misses.append(alignment.to_template(points[k : k + 1])[0] - template.keypoints[k])
    visible, occluded, absent = np.linalg.norm(misses, axis=1)
    assert visible < occluded < absent
    np.testing.assert_allclose(misses[2], (-120, 60), atol=1e-6)
    # Absent, it has no place, and the others lie on the template.
    assert np.isnan(alignment.keypoints[k]).all()
    assert alignment.residual == pytest.approx(0, abs=1e-6)


def test_a_crossed_sleeve_is_missed_and_the_body_is_met() -> None:
    template = Template.canonical("blouse")
    points = np.nan_to_num(template.keypoints, nan=-1)
    states = np.where(np.isfinite(template.keypoints[:, 0]), 1, -1)
    names = ("cuff_left_in", "cuff_left_out")
    for name in names:
        points[KEYPOINT_INDEX[name]] = template.keypoints[KEYPOINT_INDEX["armpit_right"]] + (20, 40)
    points[KEYPOINT_INDEX["cuff_left_in"]] += (0, 25)
    alignment = align(GRAY, DrawnGarment(points, states, "blouse"), method="tps")
    assert any("the spline would fold: cuff_left" in warning for warning in alignment.warnings)
    for name in ("shoulder_left", "armpit_left", "armpit_right", "neckline_left", "top_hem_right"):
        assert alignment.distances[KEYPOINT_INDEX[name]] < 20, name
    assert all(alignment.distances[KEYPOINT_INDEX[name]] > 60 for name in names)
    corners = np.stack(np.meshgrid(np.arange(0, 512, 8), np.arange(0, 512, 8)), -1)
    seen = alignment.to_picture(corners.reshape(-1, 2)).reshape(corners.shape)
    across, down = np.diff(seen, axis=1)[:-1], np.diff(seen, axis=0)[:, :-1]
    assert (across[..., 0] * down[..., 1] > across[..., 1] * down[..., 0]).all()


def test_sides_swapped_by_mistake_do_not_mirror_the_picture() -> None:
    garment = random_garment("trousers", 1, spread=2)
    swapped = replace(
        garment,
        keypoints=garment.keypoints[list(FLIP_INDICES)],
        visibility=garment.visibility[list(FLIP_INDICES)],
    )
    for method in METHODS:
        alignment = align(GRAY, swapped, method=method)
        corner, right, below = alignment.to_picture(np.array([[0, 0], [9, 0], [0, 9]]))
        (a, b), (c, d) = right - corner, below - corner
        assert a * d - b * c > 0
        assert alignment.residual > LARGE_RESIDUAL
        assert "the garment is unlike the template" in alignment.warnings[-1]
    assert any("this is a similarity" in warning for warning in alignment.warnings)


def test_points_of_two_neighbours_say_little_of_the_rest() -> None:
    garment = random_garment("blouse", 1)
    states = np.full(24, Visibility.ABSENT)
    for name in ("cuff_left_in", "cuff_left_out"):
        states[KEYPOINT_INDEX[name]] = Visibility.VISIBLE
    alignment = align(GRAY, replace(garment, visibility=states))
    assert alignment.warnings == (
        "only cuff_left_in, cuff_left_out to go by, which lie close together: what is far from"
        " them is a guess",
    )


@pytest.mark.parametrize(
    ("method", "names", "message"),
    [
        ("similarity", [], "skirt: 0 points to align by, similarity needs 2 or more of waist"),
        ("similarity", ["hemline_left"], "skirt: 1 point to align by"),
        ("affine", ["hemline_left", "hemline_right"], "skirt: 2 points to align by, affine"),
        ("tps", ["hemline_left", "hemline_right"], "skirt: 2 points to align by, tps needs 3"),
    ],
)
def test_too_few_points(method, names: list[str], message: str) -> None:
    states = np.full(24, Visibility.ABSENT)
    for name in (*names, "crotch"):  # which a skirt does not have
        states[KEYPOINT_INDEX[name]] = Visibility.VISIBLE
    points = np.random.default_rng(0).uniform(0, 500, (24, 2))
    with pytest.raises(GarmentError, match=message):
        align(GRAY, DrawnGarment(points, states, "skirt"), method=method)


def test_degenerate_shapes() -> None:
    states = np.where(CATEGORY_KEYPOINTS[CATEGORY_INDEX["trousers"]], 1, -1)
    line = np.arange(24)[:, None] * np.array([3.0, 7.0])
    for method in ("affine", "tps"):
        with pytest.raises(GarmentError, match=f"on one line, which fixes no {method} map"):
            align(GRAY, DrawnGarment(line, states, "trousers"), method=method)
    assert align(GRAY, DrawnGarment(line, states, "trousers")).warnings
    for method in METHODS:
        with pytest.raises(GarmentError, match="all points of the garment are in one place"):
            align(GRAY, DrawnGarment(np.full((24, 2), 7.0), states, "trousers"), method=method)


def test_points_that_are_no_numbers_are_absent() -> None:
    garment = random_garment("dress", 5)
    points = garment.keypoints.copy()
    k = int(np.flatnonzero(garment.visibility == 1)[0])
    points[k] = np.nan
    states = garment.visibility.copy()
    states[k] = Visibility.ABSENT
    one = align(GRAY, replace(garment, keypoints=points))
    other = align(GRAY, replace(garment, visibility=states))
    np.testing.assert_array_equal(one.map, other.map)


@settings(max_examples=100, deadline=None)
@given(
    category=categories,
    seed=seeds,
    size=st.sampled_from([1e-3, 1.0, 500.0, 1e6]),
    method=st.sampled_from(METHODS),
)
def test_any_points_give_a_picture_or_an_error(category, seed, size: float, method) -> None:
    generator = np.random.default_rng(seed)
    points = generator.normal(0, size, (24, 2))
    if seed % 3 == 0:
        points = np.round(points / size) * size  # some in one place, some on one line
    garment = DrawnGarment(points, generator.integers(-1, 2, 24), category)
    template = Template.canonical(category, (48, 32))
    try:
        alignment = align(GRAY[:50, :60], garment, method=method, template=template)
    except GarmentError:
        return
    assert alignment.image.shape == (32, 48, 4)
    assert np.isfinite(alignment.map).all()
    assert np.isfinite(alignment.residual)


def test_the_template_decides_category_and_size() -> None:
    garment = random_garment("dress", 2)
    wide = align(GRAY, garment, template=Template.canonical("dress", (640, 320)))
    assert wide.image.shape == (320, 640, 4)
    assert wide.map.shape == (320, 640, 2)
    with pytest.raises(ValueError, match="a template of skirt for a garment of dress"):
        align(GRAY, garment, template=Template.canonical("skirt"))
    with pytest.raises(ValueError, match="there is no method 'bend'; expected one of similarity"):
        align(GRAY, garment, method="bend")  # type: ignore[arg-type]


def test_points_that_the_template_lacks_are_carried_along() -> None:
    garment = random_garment("dress", 4)
    template = Template.canonical("dress")
    points = template.keypoints.copy()
    k = KEYPOINT_INDEX["hemline_left"]
    points[k] = np.nan
    alignment = align(GRAY, garment, template=replace(template, keypoints=points))
    assert np.isfinite(alignment.keypoints[k]).all()
    assert np.isnan(alignment.distances[k])


def test_every_category_has_its_mirror_in_its_points() -> None:
    for category in CATEGORIES.values():
        assert {mirrored_name(name) for name in category.keypoints} == set(category.keypoints)
