"""Drawing: what is drawn where, how the three states differ, and that nothing runs out of frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_NAMES,
    KEYPOINT_INDEX,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.visualization.keypoints import draw_garment, draw_garments
from fashionkp_mm.visualization.sketch import DrawnGarment

SKIRT = {
    "waistband_left": (320.0, 240.0),
    "waistband_right": (720.0, 240.0),
    "hemline_left": (240.0, 800.0),
    "hemline_right": (800.0, 800.0),
}


def ground(size: int = 1024, shade: int = 90) -> NDArray[np.uint8]:
    return np.full((size, size, 3), shade, np.uint8)


def skirt(
    **states: Visibility,
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Points of a skirt, all visible but those named."""
    keypoints = np.full((NUM_KEYPOINTS, 2), -1, np.float32)
    visibility = np.full(NUM_KEYPOINTS, Visibility.ABSENT, np.int8)
    for name, xy in SKIRT.items():
        keypoints[KEYPOINT_INDEX[name]] = xy
        visibility[KEYPOINT_INDEX[name]] = states.get(name, Visibility.VISIBLE)
    return keypoints, visibility


def bgr(category: str) -> tuple[int, int, int]:
    red, green, blue = CATEGORIES[category].color
    return blue, green, red


def color_at(image: NDArray[np.uint8], x: float, y: float) -> tuple[int, ...]:
    return tuple(image[round(y), round(x)].tolist())


def share_colored(
    image: NDArray[np.uint8], start: tuple[float, float], end: tuple[float, float], category: str
) -> float:
    """Share of a line's inner pixels that have the category's colour."""
    at = np.linspace(start, end, 200)[20:-20].round().astype(int)
    return float((image[at[:, 1], at[:, 0]] == bgr(category)).all(axis=1).mean())


class TestDrawGarment:
    def test_leaves_the_image_alone(self) -> None:
        image = ground()

        drawn = draw_garment(image, *skirt(), "skirt", names=True)

        assert (image == 90).all()
        assert drawn.shape == image.shape
        assert drawn.dtype == np.uint8
        assert not np.array_equal(drawn, image)

    def test_visible_points_and_outline_have_the_category_colour(self) -> None:
        drawn = draw_garment(ground(), *skirt(), "skirt")

        for x, y in SKIRT.values():
            assert color_at(drawn, x, y) == bgr("skirt")
        assert share_colored(drawn, SKIRT["hemline_left"], SKIRT["hemline_right"], "skirt") == 1

    def test_occluded_points_are_hollow_and_their_links_dashed(self) -> None:
        points = skirt(hemline_left=Visibility.OCCLUDED)

        drawn = draw_garment(ground(), *points, "skirt")

        x, y = SKIRT["hemline_left"]
        assert color_at(drawn, x, y) == (90, 90, 90)
        assert bgr("skirt") in {color_at(drawn, x + dx, y) for dx in range(16)}
        dashed = share_colored(drawn, SKIRT["hemline_left"], SKIRT["hemline_right"], "skirt")
        assert 0.2 < dashed < 0.8
        whole = share_colored(drawn, SKIRT["waistband_left"], SKIRT["waistband_right"], "skirt")
        assert whole == 1

    def test_absent_points_are_not_drawn(self) -> None:
        points = skirt(hemline_left=Visibility.ABSENT)

        drawn = draw_garment(ground(), *points, "skirt")

        x, y = (round(value) for value in SKIRT["hemline_left"])
        assert (drawn[y - 20 : y + 21, x - 20 : x + 21] == 90).all()

    def test_points_of_other_categories_are_not_drawn(self) -> None:
        keypoints, visibility = skirt()
        expected = draw_garment(ground(), keypoints, visibility, "skirt", names=True)
        keypoints[KEYPOINT_INDEX["crotch"]] = (20, 20)
        visibility[KEYPOINT_INDEX["crotch"]] = Visibility.VISIBLE

        drawn = draw_garment(ground(), keypoints, visibility, "skirt", names=True)

        assert np.array_equal(drawn, expected)

    def test_a_garment_without_points_is_the_bare_image(self) -> None:
        nothing = np.full(NUM_KEYPOINTS, Visibility.ABSENT, np.int8)

        drawn = draw_garment(ground(), skirt()[0], nothing, "skirt", names=True)

        assert np.array_equal(drawn, ground())

    @pytest.mark.parametrize("shade", [0, 128, 255])
    def test_readable_on_any_ground(self, shade: int) -> None:
        drawn = draw_garment(ground(shade=shade), *skirt(), "skirt")

        x, y = (round(value) for value in SKIRT["waistband_left"])
        seen = drawn[y - 16 : y + 17, x - 16 : x + 17].reshape(-1, 3).astype(int)
        assert (np.abs(seen - bgr("skirt")).max(axis=1) < 10).any()
        assert (seen.min(axis=1) > 225).any()

    @pytest.mark.parametrize("category", CATEGORY_NAMES)
    def test_every_category(self, category: str) -> None:
        rng = np.random.default_rng(0)
        keypoints = rng.uniform(100, 900, (NUM_KEYPOINTS, 2))
        visibility = np.ones(NUM_KEYPOINTS, np.int8)

        drawn = draw_garment(ground(), keypoints, visibility, category)

        for name in CATEGORIES[category].keypoints:
            # A later point's light edge may cover a little of an earlier point, not most of them.
            x, y = keypoints[KEYPOINT_INDEX[name]]
            around = drawn[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3].reshape(-1, 3)
            assert (around == bgr(category)).all(axis=1).any()

    def test_sizes_follow_the_image(self) -> None:
        keypoints, visibility = skirt()
        small = draw_garment(ground(512), keypoints / 2, visibility, "skirt")
        large = draw_garment(ground(2048), keypoints * 2, visibility, "skirt")

        drawn = [float((image != 90).any(axis=2).mean()) for image in (small, large)]

        assert drawn[1] == pytest.approx(drawn[0], rel=0.35)

    @pytest.mark.parametrize(
        "place", [(np.nan, 3), (np.inf, 3), (1e30, 3), (-1e9, -1e9), (1100.0, 90.0)]
    )
    def test_wild_predictions_do_no_harm(self, place: tuple[float, float]) -> None:
        keypoints, visibility = skirt()
        keypoints[KEYPOINT_INDEX["hemline_left"]] = place

        drawn = draw_garment(ground(), keypoints, visibility, "skirt", names=True)

        assert color_at(drawn, *SKIRT["waistband_right"]) == bgr("skirt")

    @pytest.mark.parametrize("size", [(1, 1), (16, 200), (40, 30)])
    def test_tiny_images(self, size: tuple[int, int]) -> None:
        image = np.zeros((*size, 3), np.uint8)

        assert draw_garment(image, *skirt(), "skirt", names=True).shape == image.shape

    @pytest.mark.parametrize(
        ("image", "category", "expected"),
        [
            (np.zeros((9, 9), np.uint8), "skirt", r"shape \(9, 9\)"),
            (np.zeros((9, 9, 3), np.float32), "skirt", "type float32"),
            (np.zeros((9, 9, 3), np.uint8), "hat", "unknown category 'hat'; expected one of"),
        ],
    )
    def test_refuses(self, image: NDArray[np.uint8], category: str, expected: str) -> None:
        with pytest.raises(ValueError, match=expected):
            draw_garment(image, *skirt(), category)

    def test_refuses_points_of_another_shape(self) -> None:
        keypoints, visibility = skirt()
        with pytest.raises(ValueError, match=r"keypoints \(1, 24, 2\)"):
            draw_garment(ground(), keypoints[None], visibility, "skirt")


class TestNames:
    @pytest.mark.parametrize(
        "corner", [(0, 0), (1023, 0), (0, 1023), (1023, 1023), (512, 0), (0, 512), (512, 1023)]
    )
    def test_a_name_stays_inside_the_picture(
        self, monkeypatch: pytest.MonkeyPatch, corner: tuple[int, int]
    ) -> None:
        written: list[tuple[int, int, int, int]] = []
        put_text = cv2.putText

        def record(image, text, at, font, scale, *rest):  # type: ignore[no-untyped-def]
            (width, height), _ = cv2.getTextSize(text, font, scale, 1)
            written.append((at[0], at[1] - height, at[0] + width, at[1]))
            return put_text(image, text, at, font, scale, *rest)

        monkeypatch.setattr(cv2, "putText", record)
        keypoints, visibility = skirt()
        keypoints[KEYPOINT_INDEX["waistband_right"]] = corner

        draw_garment(ground(), keypoints, visibility, "skirt", names=True)

        assert len(written) == 4
        for x1, y1, x2, y2 in written:
            assert 0 <= x1 < x2 <= 1024
            assert 0 <= y1 < y2 <= 1024

    def test_names_keep_clear_of_each_other_and_of_the_points(self) -> None:
        plain = draw_garment(ground(), *skirt(), "skirt")

        named = draw_garment(ground(), *skirt(), "skirt", names=True)

        changed = (plain != named).any(axis=2).astype(np.uint8)
        count, _ = cv2.connectedComponents(changed)
        assert count - 1 == 4
        for x, y in SKIRT.values():
            assert color_at(named, x, y) == bgr("skirt")

    def test_crowded_names_give_way(self) -> None:
        keypoints, visibility = skirt()
        for number, name in enumerate(SKIRT):
            keypoints[KEYPOINT_INDEX[name]] = (500 + 3 * number, 400 + 14 * number)
        plain = draw_garment(ground(), keypoints, visibility, "skirt")

        named = draw_garment(ground(), keypoints, visibility, "skirt", names=True)

        count, _ = cv2.connectedComponents((plain != named).any(axis=2).astype(np.uint8))
        assert count - 1 == 4

    def test_a_point_outside_the_picture_has_no_name(self) -> None:
        keypoints, visibility = skirt()
        keypoints[KEYPOINT_INDEX["hemline_right"]] = (1500, 800)
        plain = draw_garment(ground(), keypoints, visibility, "skirt")

        named = draw_garment(ground(), keypoints, visibility, "skirt", names=True)

        count, _ = cv2.connectedComponents((plain != named).any(axis=2).astype(np.uint8))
        assert count - 1 == 3

    def test_a_name_without_room_beside_its_point_hangs_on_a_line(self) -> None:
        keypoints, visibility = skirt()
        for number, name in enumerate(SKIRT):
            keypoints[KEYPOINT_INDEX[name]] = (30 + number, 30 + number)
        plain = draw_garment(ground(), keypoints, visibility, "skirt")

        named = draw_garment(ground(), keypoints, visibility, "skirt", names=True)

        # In the corner there is room for two names at most; the others do not lie upon them.
        plates = ((plain != named).any(axis=2) & (named.max(axis=2) < 90)).astype(np.uint8)
        sizes = cv2.connectedComponentsWithStats(plates)[2][1:, cv2.CC_STAT_AREA]
        assert (sizes > 1000).sum() == 4


class TestLabel:
    def test_stands_above_the_garment_in_its_colour(self) -> None:
        plain = draw_garment(ground(), *skirt(), "skirt")

        labelled = draw_garment(ground(), *skirt(), "skirt", label="skirt 0.98")

        ys, xs = np.nonzero((plain != labelled).any(axis=2))
        assert ys.max() < SKIRT["waistband_left"][1]
        assert SKIRT["hemline_left"][0] <= xs.min()
        assert xs.max() <= SKIRT["hemline_right"][0]
        plate = labelled[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        assert (plate == bgr("skirt")).all(axis=2).mean() > 0.6

    @pytest.mark.parametrize("category", CATEGORY_NAMES)
    def test_can_be_read_on_every_colour(self, category: str) -> None:
        nothing = np.full(NUM_KEYPOINTS, Visibility.ABSENT, np.int8)

        drawn = draw_garment(ground(), skirt()[0], nothing, category, label="1")

        changed = drawn[(drawn != 90).any(axis=2)].astype(float)
        brightness = changed @ (0.114, 0.587, 0.299)
        ground_brightness = np.dot(bgr(category), (0.114, 0.587, 0.299))
        assert np.abs(brightness - ground_brightness).max() > 100

    def test_stays_inside_the_picture(self) -> None:
        keypoints, visibility = skirt()
        keypoints += (300, -239)

        drawn = draw_garment(ground(), keypoints, visibility, "skirt", label="skirt 0.98")

        plain = draw_garment(ground(), keypoints, visibility, "skirt")
        area = int((plain != drawn).any(axis=2).sum())
        assert area == pytest.approx(
            int(
                (
                    draw_garment(ground(), *skirt(), "skirt", label="skirt 0.98")
                    != draw_garment(ground(), *skirt(), "skirt")
                )
                .any(axis=2)
                .sum()
            ),
            rel=0.02,
        )


class TestDrawGarments:
    def test_each_in_its_own_colour(self) -> None:
        first = DrawnGarment(*skirt(), "skirt")
        keypoints = np.full((NUM_KEYPOINTS, 2), -1.0)
        visibility = np.full(NUM_KEYPOINTS, Visibility.ABSENT, np.int8)
        for name, xy in {
            "waistband_left": (30, 30),
            "bottom_left_out": (30, 180),
            "waistband_right": (160, 30),
        }.items():
            keypoints[KEYPOINT_INDEX[name]] = xy
            visibility[KEYPOINT_INDEX[name]] = Visibility.VISIBLE
        second = DrawnGarment(keypoints, visibility, "trousers")

        drawn = draw_garments(ground(), [first, second])

        assert color_at(drawn, *SKIRT["hemline_left"]) == bgr("skirt")
        assert color_at(drawn, 30, 180) == bgr("trousers")
        assert share_colored(drawn, (30, 30), (30, 180), "trousers") == 1

    def test_labels_and_names_keep_clear_of_each_other(self) -> None:
        points = skirt()
        shifted = (points[0] + 9, points[1])
        garments = [DrawnGarment(*points, "skirt"), DrawnGarment(*shifted, "skirt")]
        labels = ["skirt 0.98", "skirt 0.41"]

        drawn = draw_garments(ground(), garments, labels=labels, names=True)

        plates = (draw_garments(ground(), garments) != drawn).any(axis=2).astype(np.uint8)
        sizes = cv2.connectedComponentsWithStats(plates)[2][1:, cv2.CC_STAT_AREA]
        assert (sizes > 1000).sum() == 10

    def test_needs_a_label_for_each_garment(self) -> None:
        with pytest.raises(ValueError, match="2 labels for 1"):
            draw_garments(ground(), [DrawnGarment(*skirt(), "skirt")], labels=["one", "two"])

    def test_nothing_to_draw_is_the_bare_image(self) -> None:
        assert np.array_equal(draw_garments(ground(), [], names=True), ground())
