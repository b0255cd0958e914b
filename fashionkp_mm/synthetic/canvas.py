"""The picture being painted, layer on layer, and the memory of which layer covers which pixel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from fashionkp_mm.synthetic.colors import Color
from fashionkp_mm.synthetic.geometry import Camera, FloatArray

BLOCK = 4
"""Cloth coordinates are smooth: they are worked out once per block of this many pixels a side."""


@dataclass(frozen=True)
class Patch:
    """A rectangle of the picture and how much of each of its pixels a shape covers.

    Attributes:
        x: Column of the rectangle's first pixel.
        y: Row of the rectangle's first pixel.
        cover: ``(h, w)`` uint8, 255 where the shape covers the whole pixel.
    """

    x: int
    y: int
    cover: NDArray[np.uint8]

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the rectangle in the picture."""
        height, width = self.cover.shape
        return slice(self.y, self.y + height), slice(self.x, self.x + width)

    def clipped(self, other: Patch) -> Patch | None:
        """The part of this shape that the other one covers too; None if there is none."""
        x0, y0 = max(self.x, other.x), max(self.y, other.y)
        x1 = min(self.x + self.cover.shape[1], other.x + other.cover.shape[1])
        y1 = min(self.y + self.cover.shape[0], other.y + other.cover.shape[0])
        if x1 <= x0 or y1 <= y0:
            return None
        mine, theirs = (p.cover[y0 - p.y : y1 - p.y, x0 - p.x : x1 - p.x] for p in (self, other))
        return Patch(x0, y0, np.minimum(mine, theirs))

    def hides(self, x: int, y: int) -> bool:
        """Whether the shape covers this pixel and its eight neighbours.

        The neighbours are there because a layer that merely ends at a point, as a sleeve does at
        the armpit, does not hide it.
        """
        row, column = y - self.y, x - self.x
        near = self.cover[
            max(row - 1, 0) : max(row + 2, 0), max(column - 1, 0) : max(column + 2, 0)
        ]
        return near.size > 0 and bool(near.min() > 127)


@dataclass
class Canvas:
    """A picture ``(H, W, 3)`` uint8 BGR and, in painting order, its layers: name, place and
    whether it can hide a point of a layer below it.

    Attributes:
        mask: ``(H, W)`` uint8, 255 where all that is seen of a pixel was painted while
            `painting_garment`.
    """

    image: NDArray[np.uint8]
    camera: Camera
    layers: list[tuple[str, Patch, bool]] = field(default_factory=list)
    mask: NDArray[np.uint8] = field(init=False)
    _own: int = field(default=0, init=False)
    """What a pixel's mask becomes where it is painted over."""

    def __post_init__(self) -> None:
        self.mask = np.zeros(self.image.shape[:2], np.uint8)

    @contextmanager
    def painting_garment(self, own: bool = True) -> Iterator[None]:
        """Count what is painted meanwhile, if it is the garment's ``own``, as seen of it."""
        before, self._own = self._own, 255 * own
        try:
            yield
        finally:
            self._own = before

    def patch(self, outline: ArrayLike, margin: int = 0) -> Patch | None:
        """Rasterise a closed outline ``(N, 2)`` in cm; None where it lies out of the picture."""
        return self.patch_pixels(self.camera.to_pixels(outline), margin)

    def patch_pixels(self, outline: FloatArray, margin: int = 0) -> Patch | None:
        """Rasterise a closed outline ``(N, 2)`` in pixels, at twice the size against jags."""
        height, width = self.image.shape[:2]
        limit = 4.0 * max(height, width)
        outline = np.clip(outline, -limit, limit)
        x0, y0 = np.maximum(np.floor(outline.min(axis=0)).astype(int) - 1 - margin, 0)
        x1, y1 = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 2 + margin, (width, height))
        if x1 <= x0 or y1 <= y0:
            return None
        # A whole number of blocks, so that what is worked out per block lines up.
        x1, y1 = min(x1 + -(x1 - x0) % BLOCK, width), min(y1 + -(y1 - y0) % BLOCK, height)
        double = np.zeros((2 * (y1 - y0), 2 * (x1 - x0)), dtype=np.uint8)
        corners = np.rint((2 * (outline - (x0, y0)) + 0.5) * 16).astype(np.int32)
        cv2.fillPoly(double, [corners], 255, lineType=cv2.LINE_AA, shift=4)
        cover = cv2.resize(double, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
        return Patch(int(x0), int(y0), cover.astype(np.uint8, copy=False))

    def garment_grid(self, patch: Patch) -> FloatArray:
        """Garment-space position of the middle of each block of a patch, ``(h', w', 2)`` in cm."""
        rows, columns = (-(-size // BLOCK) for size in patch.cover.shape)
        x = patch.x + np.arange(columns) * BLOCK + (BLOCK - 1) / 2
        y = patch.y + np.arange(rows) * BLOCK + (BLOCK - 1) / 2
        return self.camera.to_garment(np.stack(np.meshgrid(x, y), axis=-1))

    def paint(
        self, patch: Patch | None, color: Color | NDArray[np.uint8], opacity: float = 1.0
    ) -> None:
        """Lay one colour, or pixels ``(h, w, 3)`` of the patch's size, over the picture."""
        if patch is None:
            return
        under = self.image[patch.window]
        if isinstance(color, tuple):
            over = np.full_like(under, np.array(color).clip(0, 255).astype(np.uint8))
        else:
            over = color
        alpha = patch.cover.astype(np.float32) * np.float32(opacity / 255.0)
        under[:] = cv2.blendLinear(over, under, alpha, 1 - alpha)
        mask = self.mask[patch.window]
        mask[:] = np.rint(mask + (self._own - mask.astype(np.float32)) * alpha)

    def shade(self, patch: Patch | None, strength: float, blur_px: float = 0.0) -> None:
        """Darken (or, below 0, lighten) the picture under a patch, by its share of the light."""
        if patch is None:
            return
        cover = patch.cover
        if blur_px > 0.3:
            cover = cv2.GaussianBlur(cover, (0, 0), blur_px).astype(np.uint8, copy=False)
        under = self.image[patch.window]
        target = np.zeros_like(under) if strength > 0 else np.full_like(under, 255)
        alpha = cover.astype(np.float32) * np.float32(abs(strength) / 255.0)
        under[:] = cv2.blendLinear(target, under, alpha, 1 - alpha)

    def shadow(
        self, outline: ArrayLike, shift_cm: ArrayLike, blur_cm: float, strength: float
    ) -> None:
        """A soft shadow of an outline in cm, moved by ``shift_cm``."""
        blur = blur_cm * self.camera.pixels_per_cm
        moved = np.asarray(outline, dtype=np.float64) + np.asarray(shift_cm)
        self.shade(self.patch(moved, margin=int(2 * blur) + 1), strength, blur)

    def line(
        self,
        curve: ArrayLike,
        width_cm: float,
        color: Color | float,
        within: Patch | None = None,
    ) -> None:
        """Draw a curve ``(N, 2)`` in cm: in a colour, or as a share of the light taken away.

        Of a line on a piece of cloth only what lies ``within`` the piece is drawn.
        """
        pixels = self.camera.to_pixels(curve)
        width = width_cm * self.camera.pixels_per_cm
        side = np.zeros_like(pixels)
        tangent = np.gradient(pixels, axis=0)
        tangent /= np.maximum(np.hypot(*tangent.T), 1e-9)[:, None]
        # A line below one pixel is drawn one pixel wide and fainter.
        side[:, 0], side[:, 1] = -tangent[:, 1], tangent[:, 0]
        side *= max(width, 1.0) / 2
        patch = self.patch_pixels(np.concatenate([pixels + side, (pixels - side)[::-1]]))
        if patch is not None and within is not None:
            patch = patch.clipped(within)
        thin = min(width, 1.0)
        if isinstance(color, float):
            self.shade(patch, color * thin)
        else:
            self.paint(patch, color, thin)

    def remember(self, name: str, patch: Patch, *, hides: bool) -> None:
        """Note that a layer of this name now covers the patch, for :meth:`hidden`."""
        self.layers.append((name, patch, hides))

    def hidden(self, point: ArrayLike, owners: frozenset[str]) -> bool:
        """Whether a pixel ``(2,)`` is covered by a layer painted after the last of its owners."""
        x, y = (int(value) for value in np.asarray(point))
        last = max(i for i, (name, _, _) in enumerate(self.layers) if name in owners)
        return any(hides and patch.hides(x, y) for _, patch, hides in self.layers[last + 1 :])
