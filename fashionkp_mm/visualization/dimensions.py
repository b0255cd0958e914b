"""Dimension lines with their figures, as a drawing of a garment for a tailor has them.

A line runs from end to end with a bar at each; it is dashed where an end is hidden. Its figure
stands on it, or else near it with a thin line back, so that no figure ever lies over another one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.visualization.labels import overlap, plate_size
from fashionkp_mm.visualization.pen import (
    DARK,
    FONT,
    LIGHT,
    Image,
    Pen,
    Point,
    Rectangle,
    Stroke,
    distance,
)

MIN_SIDE = 512
"""Pixels of the long side; smaller pictures are enlarged, as figures would not fit on them."""
_SHARES = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)
"""Of a line, where its figure may stand."""
_RINGS, _WAYS = 16, 16
"""How far from its line, and in how many directions, a place for a figure is looked for."""
_LINE_COST = 3.0
"""What it costs to cover other lines all over, in heights of a figure's distance from its line."""


@dataclass(frozen=True, eq=False)
class Dimension:
    """A line to draw.

    Attributes:
        start, end: ``(2,)`` x and y in pixels of the picture.
        text: Its figure.
        color: RGB.
        hidden: Whether an end of it is.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    text: str
    color: tuple[int, int, int]
    hidden: bool = False


def draw_dimensions(image: Image, dimensions: Sequence[Dimension]) -> Image:
    """Draw dimension lines and their figures.

    Args:
        image: ``(H, W, 3)`` BGR; it is left as it is.
        dimensions: What to draw. The figure of one for which there is no place left is left out.

    Returns:
        BGR; of the same size, or enlarged to `MIN_SIDE`.
    """
    factor = max(1.0, MIN_SIDE / max(image.shape[:2]))
    canvas = image.copy()
    if factor > 1:
        enlarged = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        canvas = enlarged.astype(np.uint8)
    lines = [_Line.of(dimension, factor, canvas) for dimension in dimensions]
    for line in lines:
        line.draw(canvas)
    places = figure_places(lines, (canvas.shape[1], canvas.shape[0]))
    for line, place in zip(lines, places, strict=True):
        if place is not None and distance(line.middle, place) > 0:
            line.lead_to(canvas, place)
    for line, place in zip(lines, places, strict=True):
        if place is not None:
            line.write(canvas, place)
    return canvas


@dataclass(frozen=True, eq=False)
class _Line:
    """A dimension as it is drawn, in pixels of the canvas."""

    start: Point
    end: Point
    text: str
    hidden: bool
    pen: Pen

    @classmethod
    def of(cls, dimension: Dimension, factor: float, canvas: Image) -> _Line:
        height, width = canvas.shape[:2]
        red, green, blue = dimension.color
        pen = Pen.fitting(width, height, (blue, green, red))
        # Where the middle of an enlarged pixel lies.
        start, end = (factor * (end + 0.5) - 0.5 for end in (dimension.start, dimension.end))
        return cls(start, end, dimension.text, dimension.hidden, pen)

    @property
    def middle(self) -> Point:
        middle: Point = (self.start + self.end) / 2
        return middle

    @property
    def length(self) -> float:
        return math.dist(self.start, self.end)

    @property
    def figure(self) -> tuple[float, int, tuple[int, int]]:
        """Font scale, padding, and size of the figure's plate."""
        return plate_size(self.text, self.pen.text)

    def strokes(self) -> list[Stroke]:
        """The line, and a bar across each of its ends."""
        line = [(self.start, self.end)]
        if self.length == 0:
            return line
        if self.hidden:
            line = self.pen.dashes(self.start, self.end)
        along = (self.end - self.start) / self.length
        bar = np.array([-along[1], along[0]]) * self.pen.radius
        return [*line, *((end - bar, end + bar) for end in (self.start, self.end))]

    def draw(self, canvas: Image) -> None:
        strokes = self.strokes()
        self.pen.strokes(canvas, strokes, edge=True)
        self.pen.strokes(canvas, strokes)

    def lead_to(self, canvas: Image, place: Rectangle) -> None:
        """A thin line to a figure that stands apart, from the nearest part of this line."""
        centre = np.array([(place[0] + place[2]) / 2, (place[1] + place[3]) / 2])
        onto = self.start
        if self.length:
            share = float((centre - self.start) @ (self.end - self.start)) / self.length**2
            onto = self.start + min(max(share, 0.15), 0.85) * (self.end - self.start)
        if distance(onto, place) > 0:
            self.pen.leader(canvas, onto, place)

    def write(self, canvas: Image, place: Rectangle) -> None:
        """The figure on a plate of its own, edged in the line's colour."""
        scale, pad, _ = self.figure
        x1, y1, x2, y2 = place
        canvas[y1:y2, x1:x2] = self.pen.color
        edge = max(1, self.pen.edge)
        canvas[y1 + edge : y2 - edge, x1 + edge : x2 - edge] = DARK
        at = x1 + round(1.5 * pad), y2 - pad
        cv2.putText(canvas, self.text, at, FONT, scale, LIGHT, 1, cv2.LINE_AA)


def figure_places(lines: Sequence[_Line], frame: tuple[int, int]) -> list[Rectangle | None]:
    """A place for each line's figure, none over another.

    Short lines come first, since they have the fewest places of their own.

    Args:
        lines: The lines.
        frame: Width and height of the picture.

    Returns:
        None for a figure that finds no place.
    """
    samples = [_samples(line) for line in lines]
    places: list[Rectangle | None] = [None] * len(lines)
    for index in sorted(range(len(lines)), key=lambda index: lines[index].length):
        others = np.concatenate([np.empty((0, 2)), *samples[:index], *samples[index + 1 :]])
        taken = [place for place in places if place is not None]
        places[index] = _best_place(lines[index], others, taken, frame)
    return places


def _best_place(
    line: _Line, others: NDArray[np.float64], taken: Sequence[Rectangle], frame: tuple[int, int]
) -> Rectangle | None:
    _, _, size = line.figure
    best, least = None, math.inf
    for place, away in _choices(line, size, frame):
        if away >= least:
            break  # all further ones are farther away
        if any(overlap(place, other) for other in taken):
            continue
        inside = ((others >= place[:2]) & (others < place[2:])).all(axis=1).sum()
        cost = away + _LINE_COST * min(1.0, inside * line.pen.line / size[0])
        if cost < least:
            best, least = place, cost
    return best


def _choices(
    line: _Line, size: tuple[int, int], frame: tuple[int, int]
) -> Iterator[tuple[Rectangle, float]]:
    """Places inside the picture, the nearest first, with their distance in heights of a figure."""
    width, height = size
    for rank, share in enumerate(_SHARES):
        centre = line.start + share * (line.end - line.start)
        if place := _inside(centre, size, frame):
            yield place, 0.05 * rank
    for ring, way in product(range(1, _RINGS + 1), range(_WAYS)):
        angle = 2 * math.pi * way / _WAYS
        step = ring * np.array(
            [math.cos(angle) * (0.4 * width + 0.6 * height), math.sin(angle) * height]
        )
        if place := _inside(line.middle + step, size, frame):
            yield place, float(ring)


def _inside(centre: Point, size: tuple[int, int], frame: tuple[int, int]) -> Rectangle | None:
    """A plate around a place, if it lies within the picture."""
    x, y = round(float(centre[0]) - size[0] / 2), round(float(centre[1]) - size[1] / 2)
    if x < 0 or y < 0 or x + size[0] > frame[0] or y + size[1] > frame[1]:
        return None
    return x, y, x + size[0], y + size[1]


def _samples(line: _Line) -> NDArray[np.float64]:
    """Places along a line, a line's width apart."""
    return np.linspace(line.start, line.end, 2 + int(line.length / line.pen.line))
