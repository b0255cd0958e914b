"""Colours: a palette that clothes come in, and how to choose from it."""

from __future__ import annotations

import numpy as np

Color = tuple[float, float, float]
"""BGR, 0 to 255."""

PALETTE: tuple[tuple[int, int, int], ...] = (
    (244, 240, 230), (250, 250, 250), (226, 205, 178), (193, 154, 107), (122, 84, 58),
    (62, 44, 40), (28, 28, 32), (88, 90, 96), (168, 172, 178), (30, 42, 78), (60, 92, 150),
    (138, 176, 214), (196, 214, 232), (26, 96, 92), (120, 150, 120), (196, 210, 180),
    (92, 98, 56), (226, 180, 64), (244, 220, 150), (216, 116, 66), (196, 60, 52),
    (124, 30, 48), (226, 160, 166), (244, 210, 210), (188, 92, 130), (150, 120, 180),
    (206, 190, 224), (238, 96, 104), (20, 130, 120), (74, 56, 96),
)  # fmt: skip
"""RGB of the season's colours."""

DENIM: tuple[tuple[int, int, int], ...] = (
    (38, 50, 82), (62, 88, 130), (98, 130, 170), (150, 178, 206), (40, 42, 50),
)  # fmt: skip


def bgr(rgb: tuple[int, int, int]) -> Color:
    """The colour in OpenCV's order."""
    return float(rgb[2]), float(rgb[1]), float(rgb[0])


def mixed(a: Color, b: Color, share: float) -> Color:
    """The colour ``share`` of the way from a to b."""
    return tuple(x + (y - x) * share for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def pick_color(rng: np.random.Generator) -> Color:
    """A colour of the palette, a little off, as two dye lots are."""
    rgb = PALETTE[int(rng.integers(len(PALETTE)))]
    b, g, r = bgr(rgb) + rng.normal(0, 5, 3)
    return float(np.clip(b, 12, 252)), float(np.clip(g, 12, 252)), float(np.clip(r, 12, 252))


def contrast(a: Color, b: Color) -> float:
    """Distance of two colours, about 0 to 440."""
    return float(np.hypot.reduce(np.subtract(a, b)))


def contrasting(rng: np.random.Generator, color: Color, least: float = 110.0) -> Color:
    """A colour of the palette that stands out against another."""
    best = pick_color(rng)
    for _ in range(12):
        if contrast(best, color) >= least:
            return best
        best = max(best, pick_color(rng), key=lambda c: contrast(c, color))
    return best
