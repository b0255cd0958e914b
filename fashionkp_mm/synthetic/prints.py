"""Prints: each draws on a square tile that repeats without a seam in both directions.

``unit`` is the number of the tile's pixels to the centimetre.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.synthetic.colors import Color, contrasting, mixed

Tile = NDArray[np.uint8]
Print = Callable[[np.random.Generator, Tile, Color, Color, float], None]


def _count(side: int, size_px: float) -> int:
    """How many times a motif of that size repeats in a tile, so that the tile has no seam."""
    return max(1, round(side / max(size_px, 4.0)))


def _stripes(rng: np.random.Generator, tile: Tile, base: Color, ink: Color, unit: float) -> None:
    side = len(tile)
    count = _count(side, unit * rng.choice([1.5, 2.4, 4.0, 6.5]))
    phase = (np.arange(side) + 0.5) * count / side % 1
    mask = np.clip((phase - (1 - rng.choice([0.18, 0.35, 0.5]))) * side / count + 0.5, 0, 1)
    stripe = np.array(base) + mask[:, None] * np.subtract(ink, base)
    tile[:] = np.rint(stripe)[:, None]
    if rng.random() < 0.4:
        tile[:] = tile.transpose(1, 0, 2).copy()


def _diagonal(rng: np.random.Generator, tile: Tile, base: Color, ink: Color, unit: float) -> None:
    side = len(tile)
    count = _count(side, unit * rng.uniform(2, 6))
    y, x = np.mgrid[:side, :side]
    wave = np.sin(2 * np.pi * count * (x + y) / side) * side / (count * 6.3) + 0.5
    tile[:] = np.rint(np.array(base) + np.clip(wave, 0, 1)[..., None] * np.subtract(ink, base))


def _checks(rng: np.random.Generator, tile: Tile, base: Color, ink: Color, unit: float) -> None:
    side = len(tile)
    count = _count(side, unit * rng.choice([1.8, 3.0, 6.0]))
    phase = (np.arange(side) + 0.5) * count / side % 1
    band = np.clip((0.25 - np.abs(phase - 0.5)) * side / count + 0.5, 0, 1)
    weave = (band[:, None] + band[None, :]) / 2
    if rng.random() < 0.5:
        thin = np.clip((0.04 - np.abs(phase - 0.1)) * side / count + 0.5, 0, 1)
        weave = np.maximum(weave, 0.8 * np.maximum(thin[:, None], thin[None, :]))
    tile[:] = np.rint(np.array(base) + weave[..., None] * np.subtract(ink, base))


def _wrapped(side: int, x: float, y: float, reach: float) -> list[tuple[float, float]]:
    """Where to draw a motif so that what leaves the tile on one side enters on the other."""
    xs = [x + d for d in (-side, 0, side) if -reach < x + d < side + reach]
    ys = [y + d for d in (-side, 0, side) if -reach < y + d < side + reach]
    return [(a, b) for a in xs for b in ys]


def _disc(
    tile: Tile, center: tuple[float, float], radii: tuple[float, float], turn: float, color: Color
) -> None:
    """A filled ellipse, turned by degrees."""
    (x, y), (rx, ry) = center, radii
    for a, b in _wrapped(len(tile), x, y, max(rx, ry) + 1):
        cv2.ellipse(
            tile, (int(a * 16), int(b * 16)), (max(int(rx * 16), 8), max(int(ry * 16), 8)),
            turn, 0, 360, color, -1, cv2.LINE_AA, 4,
        )  # fmt: skip


def _dots(rng: np.random.Generator, tile: Tile, base: Color, ink: Color, unit: float) -> None:
    side = len(tile)
    count = 2 * _count(side, 2 * unit * rng.choice([1.6, 2.6, 4.5]))
    step = side / count
    radius = step * rng.uniform(0.18, 0.34)
    for row in range(count):
        for column in range(count):
            x = (column + 0.5 * (row % 2) + 0.25) * step
            _disc(tile, (x % side, (row + 0.5) * step), (radius, radius), 0, ink)


def _flowers(rng: np.random.Generator, tile: Tile, base: Color, ink: Color, unit: float) -> None:
    side = len(tile)
    size = max(unit * rng.uniform(1.0, 2.6), 3.0)
    count = _count(side, size * 3.2)
    leaf = mixed(contrasting(rng, base, 80), (70, 110, 60), 0.7)
    heart = contrasting(rng, ink, 90)
    second = mixed(ink, contrasting(rng, base, 80), 0.6)
    for row in range(count):
        for column in range(count):
            x, y = (np.array([column, row]) + rng.uniform(0.2, 0.8, 2)) * side / count
            turn, grow = rng.uniform(0, 360), size * rng.uniform(0.6, 1.15)
            petals = ink if rng.random() < 0.65 else second
            for angle in (turn + 40, turn + 190):
                dx, dy = np.cos(np.radians(angle)), np.sin(np.radians(angle))
                place = x + 1.2 * grow * dx, y + 1.2 * grow * dy
                _disc(tile, place, (0.6 * grow, 0.24 * grow), angle, leaf)
            for angle in turn + np.arange(5) * 72:
                dx, dy = np.cos(np.radians(angle)), np.sin(np.radians(angle))
                place = x + 0.5 * grow * dx, y + 0.5 * grow * dy
                _disc(tile, place, (0.46 * grow, 0.34 * grow), angle, petals)
            _disc(tile, (x, y), (0.26 * grow, 0.26 * grow), 0, heart)


def _spots(rng: np.random.Generator, tile: Tile, base: Color, ink: Color, unit: float) -> None:
    side = len(tile)
    size = max(unit * rng.uniform(0.8, 1.5), 2.5)
    count = _count(side, size * 2.4)
    inner = mixed(base, ink, 0.45)
    for row in range(count):
        for column in range(count):
            x, y = (np.array([column, row]) + rng.uniform(0.15, 0.85, 2)) * side / count
            turn = rng.uniform(0, 180)
            rx, ry = size * rng.uniform(0.5, 1.0), size * rng.uniform(0.4, 0.7)
            _disc(tile, (x, y), (rx, ry), turn, ink)
            _disc(tile, (x + 0.2 * size, y), (0.55 * rx, 0.55 * ry), turn, inner)


def _lattice(rng: np.random.Generator, tile: Tile, base: Color, ink: Color, unit: float) -> None:
    side = len(tile)
    count = _count(side, unit * rng.uniform(3.0, 7.0))
    step = side / count
    y, x = (np.mgrid[:side, :side] + 0.5) / step % 1 - 0.5
    diamond = (np.abs(x) + np.abs(y)) * step
    if rng.random() < 0.5:
        wave = np.clip(0.3 * step - diamond + 0.5, 0, 1)
    else:
        wave = np.clip(1.0 + 0.03 * step - np.abs(diamond - 0.4 * step), 0, 1)
    tile[:] = np.rint(np.array(base) + wave[..., None] * np.subtract(ink, base))


PRINTS: tuple[tuple[Print | None, float], ...] = (
    (None, 0.44), (_stripes, 0.15), (_checks, 0.09), (_dots, 0.07), (_flowers, 0.13),
    (_diagonal, 0.03), (_spots, 0.04), (_lattice, 0.05),
)  # fmt: skip
"""The prints and how often each is met; None is plain cloth."""
