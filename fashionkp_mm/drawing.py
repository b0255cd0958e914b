"""Keypoints drawn on pictures of garments, and contact sheets of the results.

A visible point is a filled dot, an occluded one a hollow ring, and a line that ends in an occluded
point is dashed. Colours are the categories' own (``garments.Category.color``); a light edge keeps
them readable on dark and on busy ground. Names and labels stand where they cover least, and a thin
line leads to a name that found no room beside its point. All sizes follow the picture's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)

_Image = NDArray[np.uint8]
_Point = NDArray[np.float64]
"""``(2,)`` x and y in pixels."""
_Stroke = tuple[_Point, _Point]
_Rectangle = tuple[int, int, int, int]
"""x1, y1, x2, y2 in pixels; the last column and row are not part of it."""

_LIGHT = (250, 250, 250)
_DARK = (40, 36, 34)
_PAPER = (244, 244, 246)
_EDGE_OPACITY = 0.65
_NAME_OPACITY = 0.72
_SUBPIXEL_BITS = 4
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class DrawnGarment:
    """One garment to draw.

    Attributes:
        keypoints: ``(K, 2)`` x and y in pixels of the image. Points may lie outside of it.
        visibility: ``(K,)`` of ``garments.Visibility``. Absent points, points that the category
            does not define and points that are not finite are not drawn.
        category: Name of the garment's category.
        label: Text on a plate of the category's colour by the garment, such as ``skirt 0.98``.
    """

    keypoints: NDArray[np.floating[Any]]
    visibility: NDArray[np.integer[Any]]
    category: str
    label: str = ""


def draw_garment(
    image: _Image,
    keypoints: NDArray[np.floating[Any]],
    visibility: NDArray[np.integer[Any]],
    category: str,
    *,
    names: bool = False,
    label: str = "",
) -> _Image:
    """Draw one garment; see `DrawnGarment` for its arguments and `draw_garments` for the rest."""
    garment = DrawnGarment(keypoints, visibility, category, label)
    return draw_garments(image, [garment], names=names)


def draw_garments(
    image: _Image, garments: Sequence[DrawnGarment], *, names: bool = False
) -> _Image:
    """Draw garments' outlines, seams and points, and their labels above all of them.

    Args:
        image: ``(H, W, 3)`` BGR; it is left as it is.
        garments: What to draw, the later ones above the earlier ones.
        names: Whether to write each point's name beside it.

    Returns:
        ``(H, W, 3)`` BGR.

    Raises:
        ValueError: A shape or a category is none of the above.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            f"the image has shape {image.shape} and type {image.dtype}, expected (H, W, 3) uint8"
        )
    sketches = [_Sketch.of(garment, image) for garment in garments]
    drawn = image.copy()
    for sketch in sketches:
        _draw_sketch(drawn, image, sketch)
    _write_texts(drawn, sketches, names=names)
    return drawn


def contact_sheet(
    images: Sequence[_Image],
    *,
    columns: int,
    tile: int,
    captions: Sequence[str] | None = None,
) -> _Image:
    """Arrange pictures in a grid.

    Args:
        images: ``(H, W, 3)`` BGR each, of any size.
        columns: Pictures in a row; fewer pictures than that make a narrower sheet.
        tile: Side in pixels of the square that each picture is fitted into.
        captions: A line of text below each picture; what is too long is cut.

    Returns:
        The sheet, BGR.

    Raises:
        ValueError: There is no picture, a number is below 1, or captions and pictures differ in
            number.
    """
    if not images or columns < 1 or tile < 1:
        raise ValueError(
            f"{len(images)} images in {columns} columns of {tile} pixels: expected 1 or more each"
        )
    if captions is not None and len(captions) != len(images):
        raise ValueError(f"{len(captions)} captions for {len(images)} images")
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    gap = max(2, tile // 24)
    line = max(12, tile // 10) if captions is not None else 0
    sheet = np.full(
        (gap + rows * (tile + line + gap), gap + columns * (tile + gap), 3), _PAPER, np.uint8
    )
    for index, (row, column) in enumerate(product(range(rows), range(columns))):
        if index == len(images):
            break
        x, y = gap + column * (tile + gap), gap + row * (tile + line + gap)
        _paste(sheet, images[index], x, y, tile)
        if captions is not None:
            _caption(sheet, captions[index], (x, y + tile, x + tile, y + tile + line))
    return sheet


@dataclass(frozen=True)
class _Sketch:
    """A garment ready to be drawn: its points in the picture's reach, its lines, its pen."""

    points: NDArray[np.float64]
    """``(K, 2)``; (0, 0) where absent."""
    present: NDArray[np.bool_]
    occluded: NDArray[np.bool_]
    links: list[tuple[int, int]]
    pen: _Pen
    label: str

    @classmethod
    def of(cls, garment: DrawnGarment, image: _Image) -> _Sketch:
        shapes = np.shape(garment.keypoints), np.shape(garment.visibility)
        expected = (NUM_KEYPOINTS, 2), (NUM_KEYPOINTS,)
        if shapes != expected:
            raise ValueError(
                f"keypoints {shapes[0]} and visibility {shapes[1]},"
                f" expected {expected[0]} and {expected[1]}"
            )
        if garment.category not in CATEGORIES:
            raise ValueError(
                f"unknown category {garment.category!r}; expected one of {', '.join(CATEGORIES)}"
            )
        points = np.asarray(garment.keypoints, np.float64)
        present = (
            (garment.visibility != Visibility.ABSENT)
            & np.isfinite(points).all(axis=1)
            & CATEGORY_KEYPOINTS[CATEGORY_NAMES.index(garment.category)]
        )
        height, width = image.shape[:2]
        # A wild prediction must not overflow OpenCV's fixed-point coordinates.
        reach = 4 * max(height, width)
        red, green, blue = CATEGORIES[garment.category].color
        return cls(
            points=np.where(present[:, None], points, 0).clip(-reach, reach),
            present=present,
            occluded=garment.visibility == Visibility.OCCLUDED,
            links=CATEGORIES[garment.category].links(present),
            pen=_Pen.fitting(width, height, (blue, green, red)),
            label=garment.label,
        )


def _draw_sketch(drawn: _Image, image: _Image, sketch: _Sketch) -> None:
    """Draw lines and points over ``drawn``; the rings show the bare ``image`` inside."""
    points, occluded, pen = sketch.points, sketch.occluded, sketch.pen
    lines = [(points[a], points[b], bool(occluded[a] or occluded[b])) for a, b in sketch.links]
    strokes = [
        stroke
        for start, end, hidden in lines
        for stroke in (pen.dashes(start, end) if hidden else [(start, end)])
    ]
    dots = [(points[k], bool(occluded[k])) for k in np.flatnonzero(sketch.present)]

    edges = drawn.copy()
    pen.strokes(edges, strokes, edge=True)
    cv2.addWeighted(edges, _EDGE_OPACITY, drawn, 1 - _EDGE_OPACITY, 0, dst=drawn)
    pen.strokes(drawn, strokes)
    # The rings are hollow: what is drawn below them is taken back inside.
    for center, hidden in dots:
        if hidden:
            pen.clear(drawn, image, center)
    for center, hidden in dots:
        pen.ring(drawn, center) if hidden else pen.dot(drawn, center)


@dataclass(frozen=True)
class _Pen:
    """Sizes in pixels that suit a picture, and the garment's colour (BGR)."""

    color: tuple[int, int, int]
    line: int
    edge: int
    radius: float
    text: float
    """Height of a capital letter."""

    @classmethod
    def fitting(cls, width: int, height: int, color: tuple[int, int, int]) -> _Pen:
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
        return _DARK if 0.114 * blue + 0.587 * green + 0.299 * red > 150 else _LIGHT

    @property
    def ring_radius(self) -> float:
        """Wide enough for a ring to show what lies within."""
        return self.radius + self.line / 4

    def dashes(self, start: _Point, end: _Point) -> list[_Stroke]:
        """The line cut into dashes, whole ones at both ends."""
        length = float(np.linalg.norm(end - start))
        dash, gap = 3.2 * self.line, 2.6 * self.line
        count = max(2, round((length + gap) / (dash + gap)))
        share = dash / (dash + gap)
        unit = (end - start) / (count - 1 + share)
        return [(start + i * unit, start + (i + share) * unit) for i in range(count)]

    def strokes(self, canvas: _Image, strokes: Sequence[_Stroke], *, edge: bool = False) -> None:
        color = _LIGHT if edge else self.color
        width = self.line + 2 * self.edge if edge else self.line
        for start, end in strokes:
            a, b = _fixed(start), _fixed(end)
            cv2.line(canvas, a, b, color, width, cv2.LINE_AA, _SUBPIXEL_BITS)

    def dot(self, canvas: _Image, center: _Point) -> None:
        self._disc(canvas, center, self.radius + self.edge, _LIGHT)
        self._disc(canvas, center, self.radius, self.color)

    def ring(self, canvas: _Image, center: _Point) -> None:
        at, bits = _fixed(center), _SUBPIXEL_BITS
        light = (self.ring_radius + self.edge / 2, _LIGHT, self.line + self.edge)
        for radius, color, width in (light, (self.ring_radius, self.color, self.line)):
            cv2.circle(canvas, at, round(radius * 2**bits), color, width, cv2.LINE_AA, bits)

    def leader(self, canvas: _Image, point: _Point, place: _Rectangle) -> None:
        """A thin line from a point's edge to its name."""
        end = _nearest(point, place)
        start = point + (end - point) * min(1.0, self.reach / float(np.linalg.norm(end - point)))
        for width, color in ((self.edge + 2, _LIGHT), (self.edge, self.color)):
            a, b = _fixed(start), _fixed(end)
            cv2.line(canvas, a, b, color, width, cv2.LINE_AA, _SUBPIXEL_BITS)

    def clear(self, canvas: _Image, image: _Image, center: _Point) -> None:
        """Put the bare picture back where a ring is to stand."""
        mask = np.zeros(canvas.shape[:2], np.uint8)
        self._disc(mask, center, self.ring_radius, (255,))
        np.copyto(canvas, image, where=mask[..., None] > 127)

    def _disc(self, canvas: _Image, center: _Point, radius: float, color: tuple[int, ...]) -> None:
        bits = _SUBPIXEL_BITS
        cv2.circle(
            canvas, _fixed(center), round(radius * 2**bits), color, cv2.FILLED, cv2.LINE_AA, bits
        )


def _fixed(point: _Point) -> tuple[int, int]:
    """A point in OpenCV's fixed-point numbers."""
    x, y = (round(float(value) * 2**_SUBPIXEL_BITS) for value in point)
    return x, y


# --- text


def _font_scale(height: float) -> float:
    """Factor by which OpenCV's font has capitals this many pixels high."""
    (_, at_one), _ = cv2.getTextSize("H", _FONT, 1, 1)
    return height / at_one


@dataclass(frozen=True)
class _Plate:
    """A text on a ground of its own, and the point it belongs to where that lies apart."""

    place: _Rectangle
    text: str
    scale: float
    pad: int
    pen: _Pen
    anchor: _Point | None = None


def _write_texts(canvas: _Image, sketches: Sequence[_Sketch], *, names: bool) -> None:
    """Write labels, and names beside the points inside the picture."""
    room = _Room.around(canvas, sketches)
    labels = [_label(sketch, room) for sketch in sketches if sketch.label]
    plates = [plate for sketch in sketches for plate in _names(sketch, room)] if names else []

    for plate in plates:
        if plate.anchor is not None:
            plate.pen.leader(canvas, plate.anchor, plate.place)
    shaded = canvas.copy()
    for plate in plates:
        _fill(shaded, plate.place, _DARK)
    cv2.addWeighted(shaded, _NAME_OPACITY, canvas, 1 - _NAME_OPACITY, 0, dst=canvas)
    for plate in plates:
        x1, y1, _, y2 = plate.place
        # Whose point this is, where garments lie close together.
        _fill(canvas, (x1, y1, x1 + max(2, plate.pad // 2), y2), plate.pen.color)
        _write(canvas, plate, _LIGHT, indent=2)
    for plate in labels:
        _fill(canvas, plate.place, plate.pen.color)
        _write(canvas, plate, plate.pen.ink, indent=1.5)


def _fill(canvas: _Image, place: _Rectangle, color: tuple[int, int, int]) -> None:
    x1, y1, x2, y2 = place
    canvas[y1:y2, x1:x2] = color


def _write(canvas: _Image, plate: _Plate, color: tuple[int, int, int], indent: float) -> None:
    at = (plate.place[0] + round(indent * plate.pad), plate.place[3] - plate.pad)
    cv2.putText(canvas, plate.text, at, _FONT, plate.scale, color, 1, cv2.LINE_AA)


def _label(sketch: _Sketch, room: _Room) -> _Plate:
    """The label above the garment, or where else by its edge there is room."""
    scale, pad, (width, height) = _measured(sketch.label, 1.15 * sketch.pen.text)
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


def _names(sketch: _Sketch, room: _Room) -> list[_Plate]:
    """The points' names: close by and outward if that place is free, else at the end of a line."""
    indices = np.flatnonzero(sketch.present & room.within(sketch.points))
    middle = sketch.points[sketch.present].mean(axis=0) if len(indices) else np.zeros(2)
    plates = []
    for k in indices:
        point, text = sketch.points[k], KEYPOINT_NAMES[k].replace("_", " ")
        scale, pad, (width, height) = _measured(text, sketch.pen.text)
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
        near = _distance(point, place) <= sketch.pen.reach + 0.5 * height
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
    points: list[_Rectangle]
    line_samples: NDArray[np.float64]
    """``(S, 2)``, places along the lines, each of them standing for ``sample_area`` pixels."""
    sample_area: float
    texts: list[_Rectangle]

    @classmethod
    def around(cls, canvas: _Image, sketches: Sequence[_Sketch]) -> _Room:
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
        return np.all((points >= 0) & (points <= self.frame), axis=1)

    def take(
        self, size: tuple[int, int], choices: Sequence[tuple[float, float, float]]
    ) -> _Rectangle:
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

    def _covered(self, place: _Rectangle) -> float:
        texts = sum(_overlap(place, other) for other in self.texts)
        points = sum(_overlap(place, other) for other in self.points)
        below = (self.line_samples >= place[:2]) & (self.line_samples < place[2:])
        lines = float(below.all(axis=1).sum()) * self.sample_area
        return _PLATE_COST * texts + _POINT_COST * points + _LINE_COST * lines


def _measured(text: str, height: float) -> tuple[float, int, tuple[int, int]]:
    """Font scale, padding, and width and height of a plate for a text of that capital height."""
    scale = _font_scale(height)
    pad = max(2, round(0.35 * height))
    (text_width, text_height), _ = cv2.getTextSize(text, _FONT, scale, 1)
    return scale, pad, (text_width + 3 * pad, text_height + 2 * pad)


def _overlap(a: _Rectangle, b: _Rectangle) -> int:
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


def _nearest(point: _Point, place: _Rectangle) -> _Point:
    return np.clip(point, place[:2], place[2:])


def _distance(point: _Point, place: _Rectangle) -> float:
    return float(np.linalg.norm(_nearest(point, place) - point))


# --- contact sheets


def _paste(sheet: _Image, image: _Image, x: int, y: int, tile: int) -> None:
    height, width = image.shape[:2]
    factor = tile / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    x, y = x + (tile - size[0]) // 2, y + (tile - size[1]) // 2
    sheet[y : y + size[1], x : x + size[0]] = cv2.resize(image, size, interpolation=way)


def _caption(sheet: _Image, text: str, place: _Rectangle) -> None:
    x1, y1, x2, y2 = place
    scale = _font_scale(max(7.0, 0.42 * (y2 - y1)))

    def measure(words: str) -> int:
        return int(cv2.getTextSize(words, _FONT, scale, 1)[0][0])

    shown = text
    while shown and measure(shown) > x2 - x1:
        text = text[:-1]
        shown = f"{text}..." if text else ""
    (width, height), _ = cv2.getTextSize(shown, _FONT, scale, 1)
    at = (x1 + (x2 - x1 - width) // 2, y1 + (y2 - y1 + height) // 2)
    cv2.putText(sheet, shown, at, _FONT, scale, _DARK, 1, cv2.LINE_AA)
