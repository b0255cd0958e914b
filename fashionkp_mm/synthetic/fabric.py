"""What cloth is made of and how it takes the light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.synthetic.canvas import BLOCK, Canvas, Patch
from fashionkp_mm.synthetic.colors import DENIM, Color, bgr, contrasting, mixed, pick_color
from fashionkp_mm.synthetic.geometry import Axis
from fashionkp_mm.synthetic.prints import PRINTS

TILE = 256
"""Side of a print's tile in its own pixels; one of them is about one pixel of the picture."""


@dataclass(frozen=True)
class Fabric:
    """A cloth.

    Attributes:
        tile: ``(TILE, TILE, 3)`` uint8 BGR, repeats in both directions; None for
            cloth of one colour.
        base: Main colour, for parts that are too small for the print.
        trim: Colour that goes with it, for belts, cuffs, piping and buttons.
        sheen: 0 for wool to 1 for satin or leather.
        drape: How deep folds go: 0.4 for stiff cloth to 1.4 for silk.
        ribbed: Width of a knitted rib in cm; 0 for woven cloth.
    """

    tile: NDArray[np.uint8] | None
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
    melange = draw is None and rng.random() < 0.35
    if melange:  # melange: wool and linen are not one colour
        noise = cv2.GaussianBlur(rng.normal(0, 16, (TILE, TILE)), (0, 0), 0.8)
        tile[:] = np.clip(np.array(base) + noise[..., None], 0, 255)
    ribbed = float(rng.uniform(0.5, 1.0)) if draw is None and rng.random() < 0.2 else 0.0
    sheen = float(rng.choice([0.03, 0.1, 0.25, 0.45], p=[0.4, 0.35, 0.17, 0.08]))
    solid = draw is None and not melange
    return Fabric(None if solid else tile, base, ink, sheen, float(rng.uniform(0.55, 1.3)), ribbed)


def plain_fabric(color: Color, drape: float = 1.0) -> Fabric:
    """Cloth of one colour."""
    return Fabric(None, color, mixed(color, (0.0, 0.0, 0.0), 0.3), drape=drape)


def cloth_pixels(
    canvas: Canvas,
    patch: Patch,
    axis: Axis,
    fabric: Fabric,
    finish: Finish,
    *,
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
    shade, s, t, across, along = (
        _grow(field, size) for field in (shade, s, t, across + wobble, along)
    )
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
    if fabric.tile is None:
        return lit(np.clip(np.rint(fabric.base), 0, 255), shade)
    pixels = cv2.remap(
        fabric.tile, across * scale % TILE, along * scale % TILE,
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP,
    )  # fmt: skip
    return lit(pixels, shade)


def lit(pixels: NDArray[Any], shade: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Pixels ``(h, w, 3)``, or one colour ``(3,)``, in light and shade.

    Args:
        pixels: BGR.
        shade: ``(h, w)``; -0.3 is 30 % darker, 0.3 is nearer to white.
    """
    shade = np.clip(shade, -0.75, 0.6).astype(np.float32)
    gain = cv2.merge([1 + np.minimum(shade, 0.0)] * 3)
    lift = cv2.merge([np.maximum(shade, 0.0)] * 3)
    color: NDArray[np.float32] = gain * pixels.astype(np.float32)
    color += (255 - color) * lift * np.float32(0.55)
    return np.clip(color, 0, 255).astype(np.uint8)


def _grow(field: NDArray[np.floating], size: tuple[int, ...]) -> NDArray[Any]:
    """A field per block as a field per pixel ``(h, w)``."""
    rows, columns = field.shape
    big = cv2.resize(
        field.astype(np.float32), (columns * BLOCK, rows * BLOCK), interpolation=cv2.INTER_LINEAR
    )
    return np.ascontiguousarray(big[: size[0], : size[1]], dtype=np.float32)


def _gathers(
    rng: np.random.Generator, finish: Finish, s: NDArray[np.floating], t: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Shade of soft folds that run down the part, of uneven width."""
    knots = np.linspace(-1.2, 1.2, 4 * finish.gathers + 1)
    bends = np.cumsum(rng.uniform(0.4, 1.6, len(knots)))
    phase = np.interp(t, knots, bends).astype(np.float32) * np.float32(np.pi / 2)
    strength = finish.gather_top + (finish.gather_bottom - finish.gather_top) * np.clip(s, 0, 1)
    wave: NDArray[np.floating] = np.sin(phase + 0.5 * np.sin(3 * s))
    return (0.2 * strength * (wave - 0.35 * wave**2)).astype(np.float32)
