"""Labels and the points' names, written where they cover least."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import KEYPOINT_NAMES
from fashionkp_mm.visualization.pen import (
    DARK,
    FONT,
    LIGHT,
    Image,
    Pen,
    Point,
    Rectangle,
    distance,
    font_scale,
)
from fashionkp_mm.visualization.sketch import Sketch

_NAME_OPACITY = 0.72


@dataclass(frozen=True)
class _Plate:
    """A text on a ground of its own, and the point it belongs to where that lies apart."""

    place: Rectangle
    text: str
    scale: float
    pad: int
    pen: Pen
    anchor: Point | None = None


def write_texts(canvas: Image, sketches: Sequence[Sketch], *, names: bool) -> None:
    """Write labels, and names beside the points inside the picture."""
    room = _Room.around(canvas, sketches)
    labels = [_label(sketch, room) for sketch in sketches if sketch.label]
    plates = [plate for sketch in sketches for plate in _names(sketch, room)] if names else []

    for plate in plates:
        if plate.anchor is not None:
            plate.pen.leader(canvas, plate.anchor, plate.place)
    shaded = canvas.copy()
    for plate in plates:
        _fill(shaded, plate.place, DARK)
    cv2.addWeighted(shaded, _NAME_OPACITY, canvas, 1 - _NAME_OPACITY, 0, dst=canvas)
    for plate in plates:
        x1, y1, _, y2 = plate.place
        # Whose point this is, where garments lie close together.
        _fill(canvas, (x1, y1, x1 + max(2, plate.pad // 2), y2), plate.pen.color)
        _write(canvas, plate, LIGHT, indent=2)
    for plate in labels:
        _fill(canvas, plate.place, plate.pen.color)
        _write(canvas, plate, plate.pen.ink, indent=1.5)


def _fill(canvas: Image, place: Rectangle, color: tuple[int, int, int]) -> None:
    x1, y1, x2, y2 = place
    canvas[y1:y2, x1:x2] = color


def _write(canvas: Image, plate: _Plate, color: tuple[int, int, int], indent: float) -> None:
    at = (plate.place[0] + round(indent * plate.pad), plate.place[3] - plate.pad)
    cv2.putText(canvas, plate.text, at, FONT, plate.scale, color, 1, cv2.LINE_AA)


def _label(sketch: Sketch, room: _Room) -> _Plate:
    """The label above the garment, or where else by its edge there is room."""
    scale, pad, (width, height) = plate_size(sketch.label, 1.15 * sketch.pen.text)
    if sketch.present.any():
        x1, y1 = sketch.points[sketch.present].min(axis=0)
        x2, y2 = sketch.points[sketch.present].max(axis=0)
    else:
        x1, y1, x2, y2 = 0.0, 0.0, *room.frame
    away = sketch.pen.reach + pad
    columns = (x1, (x1 + x2 - width) / 2, x2 - width)
    rows = (y1 - away - height, y2 + away)
    corners = [(x, y, 0.02 * i) for i, (y, x) in enumerate(product(rows, columns))]
    beside = [(x1 - away - width, y1, 0.2), (x2 + away, y1, 0.2), (x1 + away, y1 + away, 0.3)]
    place = room.take((width, height), [*corners, *beside])
    return _Plate(place, sketch.label, scale, pad, sketch.pen)


def _names(sketch: Sketch, room: _Room) -> list[_Plate]:
    """The points' names: close by and outward if that place is free, else at the end of a line."""
    indices = np.flatnonzero(sketch.present & room.within(sketch.points))
    middle = sketch.points[sketch.present].mean(axis=0) if len(indices) else np.zeros(2)
    plates = []
    for k in indices:
        point, text = sketch.points[k], KEYPOINT_NAMES[k].replace("_", " ")
        scale, pad, (width, height) = plate_size(text, sketch.pen.text)
        outward = (point - middle) / (np.linalg.norm(point - middle) + 1)
        choices = []
        for step, (dx, dy) in product(range(_NAME_STEPS), product((-1, 0, 1), (-1, 0, 1))):
            if (dx, dy) == (0, 0):
                continue
            away = sketch.pen.reach + 1.2 * step * height
            x = point[0] + dx * away - (1 - dx) / 2 * width
            y = point[1] + dy * away - (1 - dy) / 2 * height
            cost = 0.25 * step - 0.05 * float(dx * outward[0] + dy * outward[1])
            choices.append((x, y, cost))
        place = room.take((width, height), choices)
        near = distance(point, place) <= sketch.pen.reach + 0.5 * height
        plates.append(_Plate(place, text, scale, pad, sketch.pen, None if near else point))
    return plates


_NAME_STEPS = 3
"""Distances from its point at which a name is tried."""
_PLATE_COST, _POINT_COST, _LINE_COST = 8.0, 4.0, 2.0
"""What it costs to cover another text, a point or a line, by the share of the plate that does."""


@dataclass(frozen=True)
class _Room:
    """What of a picture is taken, by points, lines and the texts placed so far."""

    frame: tuple[int, int]
    """Width and height."""
    points: list[Rectangle]
    line_samples: NDArray[np.float64]
    """``(S, 2)``, places along the lines, each of them standing for ``sample_area`` pixels."""
    sample_area: float
    texts: list[Rectangle]

    @classmethod
    def around(cls, canvas: Image, sketches: Sequence[Sketch]) -> _Room:
        height, width = canvas.shape[:2]
        points, samples, area = [], [np.empty((0, 2))], 1.0
        for sketch in sketches:
            reach, line = sketch.pen.reach, sketch.pen.line
            area = 2.0 * line * line
            for x, y in sketch.points[sketch.present]:
                points.append(
                    (int(x - reach), int(y - reach), int(x + reach) + 1, int(y + reach) + 1)
                )
            for a, b in sketch.links:
                start, end = sketch.points[a], sketch.points[b]
                count = 2 + int(np.linalg.norm(end - start) / (2 * line))
                samples.append(np.linspace(start, end, count))
        return cls((width, height), points, np.concatenate(samples), area, [])

    def within(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of the points ``(K, 2)`` lie inside the picture."""
        inside: NDArray[np.bool_] = np.all((points >= 0) & (points <= self.frame), axis=1)
        return inside

    def take(
        self, size: tuple[int, int], choices: Sequence[tuple[float, float, float]]
    ) -> Rectangle:
        """Take the best of some places, moved into the picture where they leave it.

        Args:
            size: Width and height of the plate.
            choices: x and y of the upper left corner, and what is to be said against the place,
                on the scale of what covering the whole plate costs.
        """
        best, least = (0, 0, *size), math.inf
        for x, y, against in choices:
            x1 = int(min(max(x, 0), max(self.frame[0] - size[0], 0)))
            y1 = int(min(max(y, 0), max(self.frame[1] - size[1], 0)))
            place = (x1, y1, x1 + size[0], y1 + size[1])
            cost = against + self._covered(place) / (size[0] * size[1])
            if cost < least:
                best, least = place, cost
        self.texts.append(best)
        return best

    def _covered(self, place: Rectangle) -> float:
        texts = sum(overlap(place, other) for other in self.texts)
        points = sum(overlap(place, other) for other in self.points)
        below = (self.line_samples >= place[:2]) & (self.line_samples < place[2:])
        lines = float(below.all(axis=1).sum()) * self.sample_area
        return _PLATE_COST * texts + _POINT_COST * points + _LINE_COST * lines


def plate_size(text: str, height: float) -> tuple[float, int, tuple[int, int]]:
    """Font scale, padding, and width and height of a plate for a text of that capital height."""
    scale = font_scale(height)
    pad = max(2, round(0.35 * height))
    (text_width, text_height), _ = cv2.getTextSize(text, FONT, scale, 1)
    return scale, pad, (text_width + 3 * pad, text_height + 2 * pad)


def overlap(a: Rectangle, b: Rectangle) -> int:
    """Pixels that two rectangles have in common."""
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
