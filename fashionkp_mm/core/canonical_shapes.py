"""The canonical shape of each category, and where a garment's absent points would be by it.

The shapes are the symmetrised means of all public labels of FashionAI but those of the validation
images, as ``benchmarks/canonical_shapes.py`` writes them: a file of labels, one row a category.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_KEYPOINTS, Visibility
from fashionkp_mm.core.planar_maps import fit_similarity, moved

SHAPES_FILE = Path(__file__).with_suffix(".csv")
FRAME = 1000
"""Width and height of the square, in pixels, that the shapes stand in, upright and centred."""

OCCLUDED_WEIGHT = 0.3
"""How much an occluded point counts beside a visible one, since its place is a guess."""


def canonical_shape(category: str) -> NDArray[np.float64]:
    """The mean shape of a category, symmetric about ``x = FRAME / 2``.

    Args:
        category: One of ``garments.CATEGORY_NAMES``.

    Returns:
        ``(K, 2)`` x and y in pixels of a square of `FRAME`; NaN for points that the category does
        not define. Not to be written to.
    """
    shape: NDArray[np.float64] = _shapes()[CATEGORY_INDEX[category]]
    return shape


def visibility_weights(visibility: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """``(...)`` how much points of these states count in a fit: 1, `OCCLUDED_WEIGHT` or 0."""
    return np.select(
        [visibility == Visibility.VISIBLE, visibility == Visibility.OCCLUDED],
        [1.0, OCCLUDED_WEIGHT],
        0.0,
    )


def fitted_shape(
    category: str,
    keypoints: NDArray[np.floating[Any]],
    visibility: NDArray[np.integer[Any]],
) -> NDArray[np.float64]:
    """The canonical shape laid over a garment: where its absent points would be.

    Turned, scaled and shifted so that it lies nearest to the points that the garment has, by least
    squares with `visibility_weights`.

    Args:
        category: The garment's category.
        keypoints: ``(K, 2)`` pixels of the picture.
        visibility: ``(K,)`` of ``garments.Visibility``.

    Returns:
        ``(K, 2)`` pixels of the picture; NaN for points that the category does not define.

    Raises:
        ValueError: Fewer than two points of the category are there, or all are in one place.
    """
    weights = visibility_weights(visibility) * CATEGORY_KEYPOINTS[CATEGORY_INDEX[category]]
    shape, used = canonical_shape(category), weights > 0
    return moved(fit_similarity(shape[used], keypoints[used], weights[used]), shape)


@cache
def _shapes() -> NDArray[np.float64]:
    """``(C, K, 2)``, as `canonical_shape`."""
    table = read_labels(SHAPES_FILE)
    shapes = np.full((len(table), *table.keypoints.shape[1:]), np.nan)
    placed = table.placed
    for row, index in enumerate(table.category_indices):
        shapes[index, placed[row]] = table.keypoints[row, placed[row]]
    shapes.flags.writeable = False
    return shapes
