"""A garment made ready for a picture, and its outline, seams and points drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.visualization.pen import Image, Pen

_EDGE_OPACITY = 0.65


class Drawable(Protocol):
    """What can be drawn: a `runtime.Garment`, or a row of a table as a `DrawnGarment`.

    Attributes:
        keypoints: ``(K, 2)`` x and y in pixels of the image. Points may lie outside of it.
        visibility: ``(K,)`` of ``garments.Visibility``. Absent points, points that the category
            does not define and points that are not finite are not drawn.
        category: Name of the garment's category.
    """

    @property
    def keypoints(self) -> NDArray[np.floating[Any]]: ...  # noqa: D102

    @property
    def visibility(self) -> NDArray[np.integer[Any]]: ...  # noqa: D102

    @property
    def category(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class DrawnGarment:
    """A `Drawable` made of its parts."""

    keypoints: NDArray[np.floating[Any]]
    visibility: NDArray[np.integer[Any]]
    category: str


@dataclass(frozen=True)
class Sketch:
    """A garment ready to be drawn: its points in the picture's reach, its lines, its pen."""

    points: NDArray[np.float64]
    """``(K, 2)``; (0, 0) where absent."""
    present: NDArray[np.bool_]
    occluded: NDArray[np.bool_]
    links: list[tuple[int, int]]
    pen: Pen
    label: str

    @classmethod
    def of(cls, garment: Drawable, label: str, image: Image) -> Sketch:
        """A garment made ready for a picture.

        Raises:
            ValueError: A shape or the category is none that can be drawn.
        """
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
            pen=Pen.fitting(width, height, (blue, green, red)),
            label=label,
        )


def draw_sketch(drawn: Image, image: Image, sketch: Sketch) -> None:
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
