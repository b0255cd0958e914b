"""What cloth is made of: colours, prints that repeat, and how it takes the light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.synthetic.canvas import BLOCK, Canvas, Color, Patch
from fashionkp_mm.synthetic.geometry import Axis

TILE = 256
"""Side of a print's tile in its own pixels; one of them is about one pixel of the picture."""

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


@dataclass(frozen=True)
class Fabric:
    """A cloth.

    Attributes:
        tile: ``(TILE, TILE, 3)`` uint8 BGR; repeats in both directions.
        base: Main colour, for parts that are too small for the print.
        trim: Colour that goes with it, for belts, cuffs, piping and buttons.
        sheen: 0 for wool to 1 for satin or leather.
        drape: How deep folds go: 0.4 for stiff cloth to 1.4 for silk.
        ribbed: Width of a knitted rib in cm; 0 for woven cloth.
    """

    tile: NDArray[np.uint8]
    base: Color
    trim: Color
    sheen: float = 0.1
    drape: float = 1.0
    ribbed: float = 0.0


@dataclass(frozen=True)
class Finish:
    """How a part of a garment is worked.

    Attributes:
        round: How much darker the sides are than the middle; 0 for cloth that lies flat.
        folds: Strength of the folds.
        gathers: Number of gathers or soft pleats across the part.
        gather_top: Their strength at the top, ...
        gather_bottom: ... and at the bottom.
        pleats: Number of pressed pleats across the part.
        fan: Whether the print widens with the part, as a circle skirt's does.
    """

    round: float = 0.30
    folds: float = 1.0
    gathers: int = 0
    gather_top: float = 0.0
    gather_bottom: float = 0.0
    pleats: int = 0
    fan: bool = False


# --- prints: each draws on a tile of `side` pixels, `unit` of them to the cm -----------------

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


def _disc(tile: Tile, x: float, y: float, rx: float, ry: float, turn: float, color: Color) -> None:
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
            _disc(tile, x % side, (row + 0.5) * step, radius, radius, 0, ink)


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
                _disc(tile, *place, 0.6 * grow, 0.24 * grow, angle, leaf)
            for angle in turn + np.arange(5) * 72:
                dx, dy = np.cos(np.radians(angle)), np.sin(np.radians(angle))
                place = x + 0.5 * grow * dx, y + 0.5 * grow * dy
                _disc(tile, *place, 0.46 * grow, 0.34 * grow, angle, petals)
            _disc(tile, x, y, 0.26 * grow, 0.26 * grow, 0, heart)


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
            _disc(tile, x, y, rx, ry, turn, ink)
            _disc(tile, x + 0.2 * size, y, 0.55 * rx, 0.55 * ry, turn, inner)


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


def make_fabric(
    rng: np.random.Generator, pixels_per_cm: float, *, plain: float = 0.0, denim: float = 0.0
) -> Fabric:
    """Choose a cloth.

    Args:
        rng: Source of the choice.
        pixels_per_cm: Scale of the picture, so that a print is drawn at the size it is seen in.
        plain: Chance to leave the print away, on top of the usual one.
        denim: Chance that it is denim.
    """
    tile = np.empty((TILE, TILE, 3), dtype=np.uint8)
    if rng.random() < denim:
        base = bgr(DENIM[int(rng.integers(len(DENIM)))])
        twill = rng.normal(0, 7, (TILE, TILE)) + 5 * np.sin(np.arange(TILE) * np.pi / 2)
        tile[:] = np.clip(np.array(base) + twill[..., None], 0, 255)
        return Fabric(tile, base, mixed(base, (40, 120, 190), 0.75), 0.05, 0.7)
    base = pick_color(rng)
    ink = contrasting(rng, base)
    tile[:] = np.rint(base)
    chances = np.array([chance for _, chance in PRINTS])
    draw = PRINTS[int(rng.choice(len(PRINTS), p=chances / chances.sum()))][0]
    if rng.random() < plain:
        draw = None
    if draw is not None:
        draw(rng, tile, base, ink, pixels_per_cm)
    elif rng.random() < 0.35:  # melange: wool and linen are not one colour
        noise = cv2.GaussianBlur(rng.normal(0, 16, (TILE, TILE)), (0, 0), 0.8)
        tile[:] = np.clip(np.array(base) + noise[..., None], 0, 255)
    ribbed = float(rng.uniform(0.5, 1.0)) if draw is None and rng.random() < 0.2 else 0.0
    sheen = float(rng.choice([0.03, 0.1, 0.3, 0.6], p=[0.4, 0.35, 0.17, 0.08]))
    return Fabric(tile, base, ink, sheen, float(rng.uniform(0.55, 1.3)), ribbed)


def plain_fabric(color: Color, drape: float = 1.0) -> Fabric:
    """Cloth of one colour."""
    tile = np.empty((TILE, TILE, 3), dtype=np.uint8)
    tile[:] = np.clip(np.rint(color), 0, 255)
    return Fabric(tile, color, mixed(color, (0.0, 0.0, 0.0), 0.3), drape=drape)


# --- light ------------------------------------------------------------------------------------


def cloth_pixels(
    canvas: Canvas,
    patch: Patch,
    axis: Axis,
    fabric: Fabric,
    finish: Finish,
    light: float,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """The cloth of one part as it looks in the picture, ``(h, w, 3)``.

    Args:
        canvas: Gives the camera.
        patch: The part's place.
        axis: The part's own coordinates.
        fabric: Its cloth.
        finish: How it is worked.
        light: Side that the light comes from, -1 for the viewer's left to 1 for the right.
        rng: Source of the folds.
    """
    along, across, half = axis.project(canvas.garment_grid(patch))
    half = np.maximum(half, 0.5)
    span = max(axis.length, 1.0)
    s, t = np.clip(along / span, -0.1, 1.1), np.clip(across / half, -1.2, 1.2)
    # Folds: a relief of random waves, longer than wide, that slides under the light.
    rows = 3 + int(span / 22)
    relief = cv2.resize(rng.normal(0, 1, (rows, 7)), (56, 16 * rows), interpolation=cv2.INTER_CUBIC)
    slope = np.gradient(relief, axis=1) * 4.2 - np.gradient(relief, axis=0) * 1.2
    where = (
        ((t + 1.2) / 2.4 * 55).astype(np.float32),
        ((s + 0.1) / 1.2 * (16 * rows - 1)).astype(np.float32),
    )
    depth = 0.055 * finish.folds * fabric.drape
    side = -1.0 if light < 0 else 1.0
    shade = depth * side * cv2.remap(slope.astype(np.float32), *where, cv2.INTER_LINEAR)
    wobble = cv2.remap(relief.astype(np.float32), *where, cv2.INTER_LINEAR) * 0.5 * finish.folds
    shade = shade - finish.round * (0.85 * t**2 * np.abs(t) - 0.22 * light * t)
    size = patch.cover.shape
    grown = [_grow(field, size) for field in (shade, s, t, across + wobble, along, half)]
    shade, s, t, across, along, half = grown
    shade = shade + fabric.sheen * 0.5 * np.exp(-((t - 0.3 * light) ** 2) / 0.06)
    if finish.gathers:
        shade = shade + _gathers(rng, finish, s, t)
    if finish.pleats:
        phase = (t + 1) / 2 * finish.pleats % 1
        fade = np.clip(s * 6, 0, 1)
        shade = shade + fade * (0.1 * phase - 0.34 * np.clip((phase - 0.78) / 0.22, 0, 1) ** 2)
    if fabric.ribbed:
        shade = shade + 0.055 * np.cos(across * np.float32(2 * np.pi / fabric.ribbed))
    if finish.fan:
        across = t * np.float32(axis.half_width.mean())
    scale = np.float32(canvas.camera.pixels_per_cm)
    pixels = cv2.remap(
        fabric.tile, across * scale % TILE, along * scale % TILE,
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP,
    )  # fmt: skip
    return lit(pixels, shade)


def lit(pixels: NDArray[np.uint8], shade: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Pixels ``(h, w, 3)`` under a shade ``(h, w)``: -0.3 is 30 % darker, 0.3 is nearer white."""
    shade = np.clip(shade, -0.75, 0.6).astype(np.float32)
    gain = cv2.merge([1 + np.minimum(shade, 0.0)] * 3)
    lift = cv2.merge([np.maximum(shade, 0.0)] * 3)
    color = pixels.astype(np.float32) * gain
    color += (255 - color) * lift * np.float32(0.55)
    return np.clip(color, 0, 255).astype(np.uint8)


def _grow(field: NDArray[np.floating], size: tuple[int, ...]) -> NDArray[np.float32]:
    """A field per block as a field per pixel ``(h, w)``."""
    rows, columns = field.shape
    big = cv2.resize(
        field.astype(np.float32), (columns * BLOCK, rows * BLOCK), interpolation=cv2.INTER_LINEAR
    )
    return np.ascontiguousarray(big[: size[0], : size[1]], dtype=np.float32)


def _gathers(
    rng: np.random.Generator, finish: Finish, s: NDArray[np.float32], t: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Shade of soft folds that run down the part, of uneven width."""
    knots = np.linspace(-1.2, 1.2, 4 * finish.gathers + 1)
    bends = np.cumsum(rng.uniform(0.4, 1.6, len(knots)))
    phase = np.interp(t, knots, bends).astype(np.float32) * np.float32(np.pi / 2)
    strength = finish.gather_top + (finish.gather_bottom - finish.gather_top) * np.clip(s, 0, 1)
    wave = np.sin(phase + 0.5 * np.sin(3 * s))
    return (0.2 * strength * (wave - 0.35 * wave**2)).astype(np.float32)
