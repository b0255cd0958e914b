"""How points and lines are drawn: strokes, dots and rings of a size that suits the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Point = NDArray[np.float64]
"""``(2,)`` x and y in pixels."""
Stroke = tuple[Point, Point]
Rectangle = tuple[int, int, int, int]
"""x1, y1, x2, y2 in pixels; the last column and row are not part of it."""

LIGHT = (250, 250, 250)
DARK = (40, 36, 34)
FONT = cv2.FONT_HERSHEY_SIMPLEX
_SUBPIXEL_BITS = 4


@dataclass(frozen=True)
class Pen:
    """Sizes in pixels that suit a picture, and the garment's colour (BGR)."""

    color: tuple[int, int, int]
    line: int
    edge: int
    radius: float
    text: float
    """Height of a capital letter."""

    @classmethod
    def fitting(cls, width: int, height: int, color: tuple[int, int, int]) -> Pen:
        """A pen for a picture of this size; it is made for 512 pixels."""
        scale = max(width, height) / 512
        return cls(
            color=color,
            line=max(1, round(2.2 * scale)),
            edge=max(1, round(0.9 * scale)),
            radius=max(1.5, 5 * scale),
            text=min(max(7.0, 8.5 * scale), max(7.0, height / 16)),
        )

    @property
    def reach(self) -> float:
        """How far from its centre a point is drawn."""
        return self.radius + self.edge + 1

    @property
    def ink(self) -> tuple[int, int, int]:
        """Light or dark, whichever is read better on the garment's colour."""
        blue, green, red = self.color
        return DARK if 0.114 * blue + 0.587 * green + 0.299 * red > 150 else LIGHT

    @property
    def ring_radius(self) -> float:
        """Wide enough for a ring to show what lies within."""
        return self.radius + self.line / 4

    def dashes(self, start: Point, end: Point) -> list[Stroke]:
        """The line cut into dashes, whole ones at both ends."""
        length = float(np.linalg.norm(end - start))
        dash, gap = 3.2 * self.line, 2.6 * self.line
        count = max(2, round((length + gap) / (dash + gap)))
        share = dash / (dash + gap)
        unit = (end - start) / (count - 1 + share)
        return [(start + i * unit, start + (i + share) * unit) for i in range(count)]

    def strokes(self, canvas: Image, strokes: Sequence[Stroke], *, edge: bool = False) -> None:
        """Draw lines in the garment's colour, or the light edge that goes below them."""
        color = LIGHT if edge else self.color
        width = self.line + 2 * self.edge if edge else self.line
        for start, end in strokes:
            a, b = _fixed(start), _fixed(end)
            cv2.line(canvas, a, b, color, width, cv2.LINE_AA, _SUBPIXEL_BITS)

    def dot(self, canvas: Image, center: Point) -> None:
        """Draw a visible point."""
        self._disc(canvas, center, self.radius + self.edge, LIGHT)
        self._disc(canvas, center, self.radius, self.color)

    def ring(self, canvas: Image, center: Point) -> None:
        """Draw an occluded point."""
        at, bits = _fixed(center), _SUBPIXEL_BITS
        light = (self.ring_radius + self.edge / 2, LIGHT, self.line + self.edge)
        for radius, color, width in (light, (self.ring_radius, self.color, self.line)):
            cv2.circle(canvas, at, round(radius * 2**bits), color, width, cv2.LINE_AA, bits)

    def leader(self, canvas: Image, point: Point, place: Rectangle) -> None:
        """A thin line from a point's edge to its name."""
        end = nearest(point, place)
        start = point + (end - point) * min(1.0, self.reach / float(np.linalg.norm(end - point)))
        for width, color in ((self.edge + 2, LIGHT), (self.edge, self.color)):
            a, b = _fixed(start), _fixed(end)
            cv2.line(canvas, a, b, color, width, cv2.LINE_AA, _SUBPIXEL_BITS)

    def clear(self, canvas: Image, image: Image, center: Point) -> None:
        """Put the bare picture back where a ring is to stand."""
        mask = np.zeros(canvas.shape[:2], np.uint8)
        self._disc(mask, center, self.ring_radius, (255,))
        np.copyto(canvas, image, where=mask[..., None] > 127)

    def _disc(self, canvas: Image, center: Point, radius: float, color: tuple[int, ...]) -> None:
        bits = _SUBPIXEL_BITS
        cv2.circle(
            canvas, _fixed(center), round(radius * 2**bits), color, cv2.FILLED, cv2.LINE_AA, bits
        )


def _fixed(point: Point) -> tuple[int, int]:
    """A point in OpenCV's fixed-point numbers."""
    x, y = (round(float(value) * 2**_SUBPIXEL_BITS) for value in point)
    return x, y


def font_scale(height: float) -> float:
    """Factor by which OpenCV's font has capitals this many pixels high."""
    (_, at_one), _ = cv2.getTextSize("H", FONT, 1, 1)
    return height / at_one


def nearest(point: Point, place: Rectangle) -> Point:
    """The point of a rectangle that is nearest to a point."""
    return np.clip(point, place[:2], place[2:])


def distance(point: Point, place: Rectangle) -> float:
    """How far a point lies from a rectangle; 0 inside."""
    return float(np.linalg.norm(nearest(point, place) - point))
