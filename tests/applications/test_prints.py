"""Prints: they lie where the template says, and follow the cloth's folds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashionkp_mm.applications import Template, align, paste_print
from fashionkp_mm.applications.prints import PrintError
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.visualization.sketch import DrawnGarment

METHODS = ("similarity", "affine", "tps")


def aligned(category: str, method, seed: int = 0, picture: np.ndarray | None = None, size=512):
    generator = np.random.default_rng(seed)
    points = Template.canonical(category).keypoints
    angle, scale = generator.uniform(-0.5, 0.5), generator.uniform(0.5, 0.8)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (points + generator.normal(0, 8, points.shape) - 256) @ turn.T + 256
    states = np.where(np.isfinite(points[:, 0]), 1, -1)
    if picture is None:
        picture = np.full((512, 512, 3), 128, np.uint8)
    garment = DrawnGarment(np.nan_to_num(points, nan=-1), states, category)
    template = Template.canonical(category, (size, size))
    return align(picture, garment, method=method, template=template)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=15, deadline=None)
@given(category=st.sampled_from(CATEGORY_NAMES), seed=st.integers(0, 1000))
def test_a_dot_comes_to_lie_where_the_template_says(method, category: str, seed: int) -> None:
    alignment = aligned(category, method, seed)
    place = np.random.default_rng(seed).uniform(150, 360, 2)
    design = np.zeros((1024, 1024, 4), np.uint8)
    rows, columns = np.mgrid[0:1024, 0:1024]
    distance = np.hypot(*(np.stack([columns, rows]) - (2 * place + 0.5)[:, None, None]))
    design[distance < 24] = 255
    result = paste_print(alignment, design)
    changed = (result != alignment.picture).any(axis=-1)
    assert changed.any()
    middle = np.argwhere(changed).mean(axis=0)[::-1]
    assert np.linalg.norm(middle - alignment.to_picture(place[None])[0]) < 1.5


@pytest.mark.parametrize("method", METHODS)
def test_what_is_aligned_and_pasted_back_is_the_picture(method) -> None:
    ramp = np.linspace(60, 200, 512)
    picture = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], 128.0), -1)
    picture = picture.astype(np.uint8)
    alignment = aligned("dress", method, 2, picture)
    # On even cloth, which has no folds, a print keeps its colours.
    even = aligned("dress", method, 2)
    back = paste_print(even, alignment.image)
    rows, columns = np.mgrid[190:330:20, 190:330:20]
    shown = back[rows, columns].astype(int)
    assert abs(shown - picture[rows, columns]).max() <= 4


def test_where_the_print_is_clear_the_picture_stays() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (512, 512, 3), np.uint8)
    alignment = aligned("blouse", "tps", 1, picture)
    np.testing.assert_array_equal(
        paste_print(alignment, np.zeros((256, 256, 4), np.uint8)), picture
    )
    assert alignment.picture is picture


def test_a_print_follows_light_and_shade_and_keeps_its_colours_in_between() -> None:
    picture = np.full((512, 512, 3), 120, np.uint8)
    picture[:, 240:262] = 60  # a fold
    alignment = aligned("blouse", "similarity", 0, picture)
    result = paste_print(alignment, np.full((64, 64, 3), (50, 100, 150), np.uint8))
    assert abs(result[256, 200].astype(int) - (50, 100, 150)).max() <= 2
    shade = (60 + 12) / (120 + 12)
    assert abs(result[256, 251] - np.array([50, 100, 150]) * shade).max() <= 4


def test_a_mask_keeps_the_print_off() -> None:
    alignment = aligned("blouse", "similarity")
    mask = np.zeros((512, 512), np.uint8)
    mask[:, :256] = 255
    mask[:, 220] = 51
    result = paste_print(alignment, np.full((64, 64, 3), 255, np.uint8), mask)
    np.testing.assert_array_equal(result[:, 256:], alignment.picture[:, 256:])
    assert (result[256, 200] == 255).all()
    assert abs(result[256, 220].astype(int) - (128 + (255 - 128) / 5)).max() <= 1


def test_a_garment_outside_the_picture_gets_no_print() -> None:
    states = np.where(np.isfinite(Template.canonical("skirt").keypoints[:, 0]), 1, -1)
    points = np.nan_to_num(Template.canonical("skirt").keypoints, nan=-1) + 5000
    picture = np.full((100, 80, 3), 9, np.uint8)
    alignment = align(picture, DrawnGarment(points, states, "skirt"))
    assert not alignment.image[..., 3].any()
    result = paste_print(alignment, np.full((64, 64, 3), 255, np.uint8))
    np.testing.assert_array_equal(result, picture)


def test_a_print_of_another_ratio_is_refused() -> None:
    alignment = aligned("skirt", "similarity")
    with pytest.raises(PrintError, match="a print of 200x100 pixels for a template of 512x512"):
        paste_print(alignment, np.zeros((100, 200, 4), np.uint8))
