"""Keypoints drawn on pictures of garments.

A visible point is a filled dot, an occluded one a hollow ring, and a line that ends in an occluded
point is dashed. Colours are the categories' own (``garments.Category.color``); a light edge keeps
them readable on dark and on busy ground. Names and labels stand where they cover least, and a thin
line leads to a name that found no room beside its point. All sizes follow the picture's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.visualization.labels import write_texts
from fashionkp_mm.visualization.pen import Image
from fashionkp_mm.visualization.sketch import Drawable, DrawnGarment, Sketch, draw_sketch


def draw_garment(
    image: Image,
    keypoints: NDArray[np.floating[Any]],
    visibility: NDArray[np.integer[Any]],
    category: str,
    *,
    names: bool = False,
    label: str = "",
) -> Image:
    """Draw one garment; see `Drawable` for its arguments and `draw_garments` for the rest."""
    garment = DrawnGarment(keypoints, visibility, category)
    return draw_garments(image, [garment], labels=[label], names=names)


def draw_garments(
    image: Image,
    garments: Sequence[Drawable],
    *,
    labels: Sequence[str] | None = None,
    names: bool = False,
) -> Image:
    """Draw garments' outlines, seams and points, and their labels above all of them.

    Args:
        image: ``(H, W, 3)`` BGR; it is left as it is.
        garments: What to draw, the later ones above the earlier ones.
        labels: A text for each garment, such as ``skirt 0.98``, which stands by it on a plate of
            the category's colour; an empty one is left out.
        names: Whether to write each point's name beside it.

    Returns:
        ``(H, W, 3)`` BGR.

    Raises:
        ValueError: A shape or a category is none of the above, or labels and garments differ in
            number.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            f"the image has shape {image.shape} and type {image.dtype}, expected (H, W, 3) uint8"
        )
    labels = [""] * len(garments) if labels is None else labels
    if len(labels) != len(garments):
        raise ValueError(f"{len(labels)} labels for {len(garments)} garments")
    sketches = [
        Sketch.of(garment, label, image) for garment, label in zip(garments, labels, strict=True)
    ]
    drawn = image.copy()
    for sketch in sketches:
        draw_sketch(drawn, image, sketch)
    write_texts(drawn, sketches, names=names)
    return drawn
