import cv2
import numpy as np
import pytest

from fashionkp_mm.applications.colors import dominant_colors
from fashionkp_mm.applications.errors import GarmentError
from fashionkp_mm.core.garments import KEYPOINT_INDEX, Visibility

CORNERS = {
    "waistband_left": (50, 40), "waistband_right": (150, 40),
    "hemline_left": (50, 160), "hemline_right": (150, 160),
}  # fmt: skip


@pytest.fixture
def skirt(garment_of):
    points, states = np.full((24, 2), -1.0), np.full(24, Visibility.ABSENT)
    for name, place in CORNERS.items():
        points[KEYPOINT_INDEX[name]] = place
        states[KEYPOINT_INDEX[name]] = Visibility.VISIBLE
    return garment_of("skirt", points, states, (200, 200))


def test_colours_come_with_their_share_the_largest_first(skirt):
    image = np.full((200, 200, 3), (0, 255, 0), np.uint8)  # a ground that must not count
    image[40:161, 50:151] = (200, 40, 30)
    image[40:70, 50:151] = (40, 60, 220)
    first, second = dominant_colors(image, skirt)
    assert np.allclose(first.rgb, (30, 40, 200), atol=3)
    assert np.allclose(second.rgb, (220, 60, 40), atol=3)
    assert first.share == pytest.approx(0.75, abs=0.03)
    assert first.share + second.share == pytest.approx(1)
    assert str(first).startswith("#")


def test_light_and_shade_are_one_colour(skirt):
    shade = np.linspace(0.8, 1, 200)[:, None]
    image = np.rint(shade[..., None] * np.full((200, 200, 3), (60, 90, 180.0))).astype(np.uint8)
    (only,) = dominant_colors(image, skirt)
    assert only.share == pytest.approx(1)
    assert np.allclose(only.rgb, (162, 81, 54), atol=12)


def test_the_same_picture_has_the_same_colours(skirt):
    image = np.random.default_rng(0).integers(0, 256, (200, 200, 3)).astype(np.uint8)
    found = []
    for seed in (1, 2):
        cv2.setRNGSeed(seed)
        found.append(dominant_colors(image, skirt))
    assert found[0] == found[1]
    assert len(found[0]) <= 3


def test_one_pixel_of_a_garment_has_a_colour(garment_of, skirt):
    image = np.full((1, 1, 3), (10, 20, 30), np.uint8)
    tiny = garment_of("skirt", skirt.keypoints / 100 - 1, skirt.visibility, (1, 1))
    (only,) = dominant_colors(image, tiny)
    assert np.allclose(only.rgb, (30, 20, 10), atol=2)


def test_out_of_the_picture_there_are_none(garment_of, skirt):
    image = np.zeros((50, 50, 3), np.uint8)
    away = garment_of("skirt", skirt.keypoints + 500, skirt.visibility, (50, 50))
    assert dominant_colors(image, away) == []


def test_a_line_of_points_encloses_none(garment_of, skirt):
    states = skirt.visibility.copy()
    states[[KEYPOINT_INDEX["hemline_left"], KEYPOINT_INDEX["hemline_right"]]] = Visibility.ABSENT
    line = garment_of("skirt", skirt.keypoints, states, (200, 200))
    assert dominant_colors(np.zeros((200, 200, 3), np.uint8), line) == []


def test_a_garment_without_points_is_refused(skirt):
    skirt.visibility[:] = Visibility.ABSENT
    with pytest.raises(GarmentError):
        dominant_colors(np.zeros((200, 200, 3), np.uint8), skirt)
