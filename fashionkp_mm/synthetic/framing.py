"""The picture's size and where the camera stands."""

from __future__ import annotations

import numpy as np

from fashionkp_mm.core.garments import CATEGORIES
from fashionkp_mm.synthetic.geometry import Camera, FloatArray, homography, points
from fashionkp_mm.synthetic.pattern import GarmentPattern

LONG_SIDE = 512
"""Longest side of a picture in pixels, as in the FashionAI data."""


def choose_size(rng: np.random.Generator) -> tuple[int, int]:
    """Height and width: two in three pictures are square, the others mostly upright."""
    if rng.random() < 0.68:
        return LONG_SIDE, LONG_SIDE
    short = int(rng.integers(320, LONG_SIDE))
    return (LONG_SIDE, short) if rng.random() < 0.75 else (short, LONG_SIDE)


def make_camera(
    rng: np.random.Generator, garment: GarmentPattern, size: tuple[int, int], worn: str
) -> Camera:
    """Frame a garment.

    One picture in twenty comes so near that points fall out of the frame; those that the
    normalized error needs, which the real data nearly always has, stay in.
    """
    low, high = _extent(garment)
    if worn == "person" and rng.random() < 0.6:  # the whole person, or most of them
        low = np.minimum(low, (-20.0, rng.uniform(-4, 24)))
        high = np.maximum(high, (20.0, rng.uniform(100, 174)))
    middle, span = (low + high) / 2, high - low
    room = rng.uniform(*{"flat": (0.7, 0.93), "hanger": (0.64, 0.84)}.get(worn, (0.64, 0.92)))
    scale = room * min(size[1] / span[0], size[0] / span[1])
    slack = np.maximum(np.array(size[::-1]) - scale * span, 0.0)
    center = np.array(size[::-1]) / 2 + rng.uniform(-0.34, 0.34, 2) * slack
    tilt = np.radians(
        rng.normal(0, {"flat": 6.0, "hanger": 1.5, "mannequin": 1.5, "person": 3.0}[worn])
    )
    stance = worn in {"person", "mannequin"}
    turn = float(rng.uniform(-0.2, 0.2)) if stance else 0.0
    sway = float(rng.normal(0, 1.3)) if worn == "person" else 0.0
    corners = points(
        *((sx * span[0] / 2, sy * span[1] / 2) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)))
    )
    bend = rng.normal(0, 0.018, (4, 2)) * min(size)
    close = 1.0
    shift = np.zeros(2)
    if rng.random() < 1 / 20:
        close = float(rng.uniform(1.1, 1.4))
        shift = rng.uniform(-0.2, 0.2, 2) * size[::-1]
    camera = None
    for _ in range(12):
        camera = _camera(
            corners,
            middle,
            scale=scale * close,
            tilt=tilt,
            center=center + shift,
            bend=bend,
            turn=turn,
            sway=sway,
        )
        if _keeps(camera, garment, size):
            break
        close, shift, bend = 0.94 * close, 0.7 * shift, 0.8 * bend
    assert camera is not None
    return camera


def _extent(garment: GarmentPattern) -> tuple[FloatArray, FloatArray]:
    outlines = np.concatenate([piece.outline for piece in garment.pieces])
    return outlines.min(axis=0), outlines.max(axis=0)


def _camera(
    corners: FloatArray,
    middle: FloatArray,
    *,
    scale: float,
    tilt: float,
    center: FloatArray,
    bend: FloatArray,
    turn: float,
    sway: float,
) -> Camera:
    turned = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    target = corners @ turned * scale + center + bend
    source = [(float(x), float(y)) for x, y in corners + middle]
    return Camera(homography(source, [(float(x), float(y)) for x, y in target]), turn, sway)


def _keeps(camera: Camera, garment: GarmentPattern, size: tuple[int, int]) -> bool:
    """Whether the points that normalise the error are in the picture."""
    names = CATEGORIES[garment.category].normalizer
    places = np.stack([garment.keypoints[name][0] for name in names])
    pixels = camera.to_pixels(places)
    return bool(np.all((pixels >= 1) & (pixels <= np.array(size[::-1]) - 2)))
