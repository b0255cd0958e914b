"""Contact sheets: what stands where, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fashionkp_mm.visualization.sheet import contact_sheet, fitted


def ground(size: int = 1024, shade: int = 90) -> NDArray[np.uint8]:
    return np.full((size, size, 3), shade, np.uint8)


def color_at(image: NDArray[np.uint8], x: float, y: float) -> tuple[int, ...]:
    return tuple(image[round(y), round(x)].tolist())


class TestContactSheet:
    def test_places_each_picture_in_its_tile(self) -> None:
        shades = [10, 60, 110]

        sheet = contact_sheet([ground(64, shade) for shade in shades], columns=2, tile=48)

        height, width = sheet.shape[:2]
        centers = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75)]
        for shade, (x, y) in zip(shades, centers, strict=True):
            assert color_at(sheet, x * width, y * height) == (shade,) * 3
        assert min(color_at(sheet, 0.75 * width, 0.75 * height)) > 200

    def test_keeps_proportions(self) -> None:
        sheet = contact_sheet([np.zeros((100, 50, 3), np.uint8)], columns=1, tile=80)

        dark = (sheet == 0).all(axis=2)
        assert (dark.any(axis=1).sum(), dark.any(axis=0).sum()) == (80, 40)

    def test_is_no_wider_than_its_pictures(self) -> None:
        one = contact_sheet([ground()], columns=1, tile=50)

        assert contact_sheet([ground()], columns=6, tile=50).shape == one.shape

    def test_captions_stand_below_and_are_cut_to_the_tile(self) -> None:
        picture = np.zeros((64, 64, 3), np.uint8)
        plain = contact_sheet([picture], columns=1, tile=100)

        sheet = contact_sheet([picture], columns=1, tile=100, captions=["name " * 30])

        extra = sheet.shape[0] - plain.shape[0]
        assert extra > 0
        gap = (sheet.shape[1] - 100) // 2
        below = sheet[gap + 100 :]
        assert below.min() < 100
        assert (below[:, :gap] > 200).all()
        assert (below[:, gap + 100 :] > 200).all()

    @pytest.mark.parametrize(
        ("count", "columns", "tile", "captions"),
        [(0, 1, 9, None), (1, 0, 9, None), (1, 1, 0, None), (2, 1, 9, ["one"])],
    )
    def test_refuses(self, count: int, columns: int, tile: int, captions: list[str] | None) -> None:
        with pytest.raises(ValueError, match=r"expected 1 or more each|captions for"):
            contact_sheet([ground()] * count, columns=columns, tile=tile, captions=captions)

    @pytest.mark.parametrize("shape", [(37, 64, 3), (900, 500, 3), (48, 20, 3)])
    def test_of_pictures_that_were_fitted_before_is_the_same(self, shape: tuple[int, ...]) -> None:
        image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)

        sheet = contact_sheet([fitted(image, 48)], columns=1, tile=48)

        assert np.array_equal(sheet, contact_sheet([image], columns=1, tile=48))
