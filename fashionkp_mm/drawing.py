"""Keypoints drawn on pictures of garments, and contact sheets of the results.

A visible point is a filled dot, an occluded one a hollow ring, and a line that ends in an occluded
point is dashed. Colours are the categories' own (``garments.Category.color``); a light edge keeps
them readable on dark and on busy ground. All sizes follow the picture's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

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
_LABEL_OPACITY = 0.72
_SUBPIXEL_BITS = 4
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_garment(
    image: _Image,
    keypoints: NDArray[np.floating],
    visibility: NDArray[np.integer],
    category: str,
    *,
    names: bool = False,
) -> _Image:
    """Draw a garment's outline, seams and points.

    Args:
        image: ``(H, W, 3)`` BGR; it is left as it is.
        keypoints: ``(K, 2)`` x and y in pixels of the image. Points may lie outside of it.
        visibility: ``(K,)`` of ``garments.Visibility``. Absent points, points that the category
            does not define and points that are not finite are not drawn.
        category: Name of the garment's category.
        names: Whether to write each point's name beside it.

    Returns:
        ``(H, W, 3)`` BGR.

    Raises:
        ValueError: A shape or the category is none of the above.
    """
    _require(image, keypoints, visibility, category)
    points = np.asarray(keypoints, np.float64)
    present = (
        (visibility != Visibility.ABSENT)
        & np.isfinite(points).all(axis=1)
        & CATEGORY_KEYPOINTS[CATEGORY_NAMES.index(category)]
    )
    height, width = image.shape[:2]
    # A wild prediction must not overflow OpenCV's fixed-point coordinates.
    reach = 4 * max(height, width)
    points = np.where(present[:, None], points, 0).clip(-reach, reach)
    occluded = visibility == Visibility.OCCLUDED
    red, green, blue = CATEGORIES[category].color
    pen = _Pen.fitting(width, height, (blue, green, red))

    lines = [
        (points[a], points[b], bool(occluded[a] or occluded[b]))
        for a, b in CATEGORIES[category].links(present)
    ]
    strokes = [
        stroke
        for start, end, hidden in lines
        for stroke in (pen.dashes(start, end) if hidden else [(start, end)])
    ]
    dots = [(points[k], bool(occluded[k])) for k in np.flatnonzero(present)]

    # The rings are hollow: what is drawn below them is taken back inside.
    drawn = image.copy()
    edges = image.copy()
    pen.strokes(edges, strokes, edge=True)
    cv2.addWeighted(edges, _EDGE_OPACITY, drawn, 1 - _EDGE_OPACITY, 0, dst=drawn)
    pen.strokes(drawn, strokes)
    for center, hidden in dots:
        if hidden:
            pen.clear(drawn, image, center)
    for center, hidden in dots:
        pen.ring(drawn, center) if hidden else pen.dot(drawn, center)
    if names:
        indices = np.flatnonzero(present)
        texts = [KEYPOINT_NAMES[k].replace("_", " ") for k in indices]
        _write_names(drawn, points[indices], texts, pen)
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


def _require(
    image: _Image,
    keypoints: NDArray[np.floating],
    visibility: NDArray[np.integer],
    category: str,
) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            f"the image has shape {image.shape} and type {image.dtype}, expected (H, W, 3) uint8"
        )
    if np.shape(keypoints) != (NUM_KEYPOINTS, 2) or np.shape(visibility) != (NUM_KEYPOINTS,):
        raise ValueError(
            f"keypoints {np.shape(keypoints)} and visibility {np.shape(visibility)},"
            f" expected {(NUM_KEYPOINTS, 2)} and {(NUM_KEYPOINTS,)}"
        )
    if category not in CATEGORIES:
        raise ValueError(f"unknown category {category!r}; expected one of {', '.join(CATEGORIES)}")


# --- text


def _font_scale(height: float) -> float:
    """Factor by which OpenCV's font has capitals this many pixels high."""
    (_, at_one), _ = cv2.getTextSize("H", _FONT, 1, 1)
    return height / at_one


def _write_names(
    canvas: _Image, points: NDArray[np.float64], texts: Sequence[str], pen: _Pen
) -> None:
    """Write names beside the points inside the picture, on free ground where there is any."""
    height, width = canvas.shape[:2]
    scale = _font_scale(pen.text)
    pad = max(2, round(0.35 * pen.text))
    middle = points.mean(axis=0) if len(points) else np.zeros(2)
    reach = pen.radius + pen.edge + 1
    taken: list[_Rectangle] = [
        (int(x - reach), int(y - reach), int(x + reach) + 1, int(y + reach) + 1) for x, y in points
    ]
    plates: list[tuple[_Rectangle, str]] = []
    for point, text in zip(points, texts, strict=True):
        if not (0 <= point[0] <= width and 0 <= point[1] <= height):
            continue
        (text_width, text_height), _ = cv2.getTextSize(text, _FONT, scale, 1)
        size = (text_width + 2 * pad, text_height + 2 * pad)
        plate = _free_place(
            point, size, point - middle, reach=reach, frame=(width, height), taken=taken
        )
        taken.append(plate)
        plates.append((plate, text))

    shaded = canvas.copy()
    for (x1, y1, x2, y2), _ in plates:
        cv2.rectangle(shaded, (x1, y1), (x2 - 1, y2 - 1), _DARK, cv2.FILLED)
    cv2.addWeighted(shaded, _LABEL_OPACITY, canvas, 1 - _LABEL_OPACITY, 0, dst=canvas)
    for (x1, _, _, y2), text in plates:
        cv2.putText(canvas, text, (x1 + pad, y2 - pad), _FONT, scale, _LIGHT, 1, cv2.LINE_AA)


def _free_place(
    point: _Point,
    size: tuple[int, int],
    outward: _Point,
    *,
    reach: float,
    frame: tuple[int, int],
    taken: Sequence[_Rectangle],
) -> _Rectangle:
    """Where a plate covers least of what is taken; of equals, the one farther outward."""
    best: _Rectangle = (0, 0, *size)
    least = math.inf
    for dx, dy in product((-1, 0, 1), (-1, 0, 1)):
        if (dx, dy) == (0, 0):
            continue
        x = point[0] + dx * reach - (1 - dx) / 2 * size[0]
        y = point[1] + dy * reach - (1 - dy) / 2 * size[1]
        x1 = int(min(max(x, 0), max(frame[0] - size[0], 0)))
        y1 = int(min(max(y, 0), max(frame[1] - size[1], 0)))
        plate = (x1, y1, x1 + size[0], y1 + size[1])
        covered = sum(_overlap(plate, other) for other in taken)
        away = dx * outward[0] + dy * outward[1]
        cost = covered - 1e-3 * away / (math.hypot(*outward) + 1)
        if cost < least:
            best, least = plate, cost
    return best


def _overlap(a: _Rectangle, b: _Rectangle) -> int:
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


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
