"""What is behind the garment: studios, rooms, walls, floors and out-of-focus places."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.synthetic.colors import Color, bgr, mixed, pick_color
from fashionkp_mm.synthetic.fabric import lit

Image = NDArray[np.uint8]
PALE = ((248, 248, 248), (255, 255, 255), (238, 236, 232), (232, 226, 218), (226, 230, 234),
        (240, 226, 222), (214, 222, 214), (206, 208, 212), (224, 214, 196))  # fmt: skip
WOODS = ((196, 160, 120), (150, 110, 76), (222, 206, 186), (108, 80, 60), (176, 164, 152))


def _pale(rng: np.random.Generator) -> Color:
    return bgr(PALE[int(rng.integers(len(PALE)))])


def _plain(size: tuple[int, int], color: Color) -> Image:
    image = np.empty((*size, 3), dtype=np.uint8)
    image[:] = np.clip(np.rint(color), 0, 255)
    return image


def _relief(
    rng: np.random.Generator, size: tuple[int, int], cells: int, depth: float
) -> NDArray[np.float32]:
    """Soft light and shade ``(H, W)`` of about that many spots a side."""
    coarse = rng.normal(0, depth, (cells, cells)).astype(np.float32)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC).astype(
        np.float32, copy=False
    )


def _fill(image: Image, corners: NDArray[np.float64], color: Color) -> None:
    cv2.fillPoly(image, [np.rint(corners * 16).astype(np.int32)], color, cv2.LINE_AA, 4)


def _box(image: Image, corners: tuple[float, float, float, float], color: Color) -> None:
    x0, y0, x1, y1 = corners
    _fill(image, np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]), color)


def studio(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """Seamless paper, a little lighter in the middle."""
    color = (
        _pale(rng) if rng.random() < 0.75 else mixed(pick_color(rng), (190.0, 190.0, 190.0), 0.45)
    )
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in size)
    vignette = -rng.uniform(0.0, 0.16) * ((y[:, None] - rng.uniform(-0.4, 0.4)) ** 2 + x**2)
    return lit(_plain(size, color), vignette)


def white(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """The shop's plain white."""
    return _plain(size, (255.0 - rng.uniform(0, 6),) * 3)


def room(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """A wall with panels or pictures, a floor, and sometimes a plant."""
    height, width = size
    wall, floor = _pale(rng), bgr(WOODS[int(rng.integers(len(WOODS)))])
    if rng.random() < 0.25:
        wall = mixed(pick_color(rng), (200.0, 200.0, 200.0), 0.4)
    image = _plain(size, wall)
    edge = height * rng.uniform(0.68, 0.9)
    if rng.random() < 0.5:
        step = width / rng.integers(2, 5)
        for x in np.arange(0.1 * step, width, step).tolist():
            for grow, color in ((0, mixed(wall, (0.0, 0.0, 0.0), 0.14)), (3, wall)):
                _box(
                    image,
                    (x + grow, 0.06 * height + grow, x + 0.8 * step - grow, edge - 30 - grow),
                    color,
                )
    for _ in range(int(rng.integers(0, 3))):
        x, y = rng.uniform(0, 0.9) * width, rng.uniform(0, 0.4) * height
        w, h = rng.uniform(0.12, 0.25, 2) * width
        _box(image, (x, y, x + w, y + h), mixed(pick_color(rng), (60.0, 60.0, 60.0), 0.5))
        _box(image, (x + 4, y + 4, x + w - 4, y + h - 4), _pale(rng))
        _box(image, (x + 0.25 * w, y + 0.3 * h, x + 0.75 * w, y + 0.7 * h), pick_color(rng))
    _box(image, (0, edge, width, height), floor)
    _box(image, (0, edge - 9, width, edge), mixed(wall, (255.0,) * 3, 0.5))
    for x in np.linspace(-width, 2 * width, 16).tolist():
        line = np.array(
            [
                [x, edge],
                [x + 1, edge],
                [1.8 * x - 0.4 * width + 2, height],
                [1.8 * x - 0.4 * width, height],
            ]
        )
        _fill(image, line, mixed(floor, (0.0, 0.0, 0.0), 0.18))
    if rng.random() < 0.45:
        _plant(rng, image, rng.choice([0.06, 0.94]) * width, edge + 0.05 * height, 0.4 * height)
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 2.5)).astype(np.uint8, copy=False)
    return lit(image, _relief(rng, size, 3, 0.07))


def _plant(rng: np.random.Generator, image: Image, x: float, y: float, tall: float) -> None:
    for _ in range(16):
        angle, reach = rng.uniform(-1.1, 1.1), tall * rng.uniform(0.5, 1.0)
        tip = np.array([x + reach * np.sin(angle), y - 0.15 * tall - reach * np.cos(angle)])
        base = np.array([x, y - 0.15 * tall])
        aside = np.array([tip[1] - base[1], base[0] - tip[0]]) * 0.07
        green = (rng.uniform(50, 90), rng.uniform(90, 150), rng.uniform(40, 90))
        _fill(
            image, np.stack([base, (base + tip) / 2 + aside, tip, (base + tip) / 2 - aside]), green
        )
    w = 0.13 * tall
    pot = np.array(
        [
            [x - w, y - 0.2 * tall],
            [x + w, y - 0.2 * tall],
            [x + 0.8 * w, y + 0.1 * tall],
            [x - 0.8 * w, y + 0.1 * tall],
        ]
    )
    _fill(image, pot, _pale(rng))


def brick(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """A brick or tiled wall."""
    height, width = size
    base = bgr(
        ((176, 98, 74), (222, 218, 212), (150, 140, 132), (236, 232, 228))[int(rng.integers(4))]
    )
    image = _plain(size, mixed(base, (200.0, 205.0, 210.0), 0.5))
    h = rng.uniform(14, 30)
    w = h * float(rng.choice([1.0, 2.2, 3.0]))
    for row, y in enumerate(np.arange(0, height, h).tolist()):
        for x in np.arange(-w * (row % 2) / 2, width, w).tolist():
            _box(
                image,
                (x + 1, y + 1, x + w - 1, y + h - 1),
                mixed(base, (0.0, 0.0, 0.0), rng.uniform(0, 0.2)),
            )
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.0)).astype(np.uint8, copy=False)
    return lit(image, _relief(rng, size, 4, 0.08))


def street(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """A place far out of focus, with spots of light."""
    small = 64, max(8, round(64 * size[1] / size[0]))
    image = _plain(small, mixed(_pale(rng), (120.0, 120.0, 120.0), 0.4))
    for _ in range(14):
        x, y = rng.uniform(0, small[1]), rng.uniform(0, 46)
        w, h = rng.uniform(4, 16), rng.uniform(10, 40)
        _box(image, (x, y, x + w, y + h), mixed(pick_color(rng), (150.0, 150.0, 150.0), 0.4))
    _box(
        image, (0, rng.uniform(46, 56), small[1], 64), mixed(_pale(rng), (110.0, 110.0, 110.0), 0.6)
    )
    image = cv2.GaussianBlur(image, (0, 0), 2.2).astype(np.uint8, copy=False)
    image = cv2.resize(image, size[::-1], interpolation=cv2.INTER_CUBIC).astype(
        np.uint8, copy=False
    )
    lights = image.copy()
    for _ in range(int(rng.integers(0, 14))):
        x, y = rng.uniform(0, size[1]), rng.uniform(0, 0.7 * size[0])
        radius = rng.uniform(5, 17)
        color = mixed(pick_color(rng), (220.0, 240.0, 255.0), 0.7)
        cv2.circle(lights, (int(x * 16), int(y * 16)), int(radius * 16), color, -1, cv2.LINE_AA, 4)
    return cv2.addWeighted(image, 0.6, lights, 0.4, 0).astype(np.uint8, copy=False)


def planks(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """Floorboards seen from above."""
    height, width = size
    base = bgr(WOODS[int(rng.integers(len(WOODS)))])
    image = _plain(size, base)
    board = rng.uniform(38, 90)
    grain = cv2.resize(
        rng.normal(0, 0.05, (height, 12)).astype(np.float32),
        (width, height),
        interpolation=cv2.INTER_LINEAR,
    )
    for y in np.arange(-rng.uniform(0, board), height, board).tolist():
        _box(
            image,
            (0, y + 1, width, y + board),
            mixed(base, (20.0, 30.0, 40.0), rng.uniform(0, 0.16)),
        )
        _box(image, (0, y, width, y + 1.2), mixed(base, (0.0, 0.0, 0.0), 0.45))
    image = lit(image, grain + _relief(rng, size, 3, 0.03))
    return np.ascontiguousarray(
        image if rng.random() < 0.6 else cv2.resize(np.rot90(image).copy(), (width, height))
    )


def sheet(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """A bedspread or a carpet."""
    color = _pale(rng) if rng.random() < 0.6 else pick_color(rng)
    shade = _relief(rng, size, 9, 0.07) + _relief(rng, size, 4, 0.05)
    if rng.random() < 0.4:
        shade = shade + _relief(rng, size, 170, 0.02)
    return lit(_plain(size, color), np.gradient(shade, axis=1) * 4 + shade * 0.6)


Backdrop = Callable[[np.random.Generator, tuple[int, int]], Image]
BACKDROPS: dict[str, tuple[tuple[Backdrop, float], ...]] = {
    "flat": ((white, 0.4), (studio, 0.2), (planks, 0.22), (sheet, 0.18)),
    "hanger": ((white, 0.15), (studio, 0.35), (room, 0.25), (brick, 0.25)),
    "mannequin": ((white, 0.2), (studio, 0.4), (room, 0.4)),
    "person": ((white, 0.1), (studio, 0.3), (room, 0.25), (brick, 0.1), (street, 0.25)),
}
"""Backdrops by the way the garment is worn, with their shares."""


def make_backdrop(rng: np.random.Generator, size: tuple[int, int], worn: str) -> tuple[str, Image]:
    """Choose a backdrop and paint it.

    Returns:
        Its function's name, such as ``studio``, and ``(H, W, 3)`` of ``size`` (height, width).
    """
    choices = BACKDROPS[worn]
    index = int(rng.choice(len(choices), p=[share for _, share in choices]))
    backdrop = choices[index][0]
    return backdrop.__name__, backdrop(rng, size)
