"""The colours that a garment has most of."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications.anchors import Anchors
from fashionkp_mm.applications.outline import outline_mask, outline_polygons
from fashionkp_mm.runtime import Garment

MOST_COLORS = 3
_SAMPLE_SIDE = 64
"""Longer side in pixels of the reduced garment that colours are counted on."""
_CLUSTERS, _ROUNDS = 6, 12
_ALIKE = 16.0
"""Distance in CIELAB (CIE76) below which two colours are one: light and shade on one cloth."""
_LEAST_SHARE = 0.05
_WEIGHTS = np.array([0.6, 1.0, 1.0])
"""How much lightness counts beside hue, since folds change it and not the cloth."""


@dataclass(frozen=True)
class DominantColor:
    """A colour of a garment.

    Attributes:
        rgb: Red, green and blue, 0 to 255.
        share: Of the area inside the outline.
    """

    rgb: tuple[int, int, int]
    share: float

    def __str__(self) -> str:
        return f"#{bytes(self.rgb).hex()} {self.share:.2f}"


def dominant_colors(image: NDArray[np.uint8], garment: Garment) -> list[DominantColor]:
    """The colours inside a garment's outline, by their share, the largest first.

    What lies over the garment counts as well. Clusters of k-means in CIELAB, those that are alike
    made one.

    Args:
        image: ``(H, W, 3)`` BGR, the picture that the garment was found in.
        garment: The garment.

    Returns:
        Up to `MOST_COLORS`; none where the outline has no area in the picture.

    Raises:
        GarmentError: The garment has fewer than two points, or all in one place.
    """
    pixels = _inside(image, Anchors.of(garment))
    if not len(pixels):
        return []
    lab = cv2.cvtColor(pixels[None].astype(np.float32) / 255, cv2.COLOR_BGR2LAB)[0]
    means, counts = _clusters((lab * _WEIGHTS).astype(np.float32))
    means, counts = _merged(means, counts)
    order = np.argsort(-counts, kind="stable")[:MOST_COLORS]
    shares = counts / counts.sum()
    colors = []
    for index in order[shares[order] >= _LEAST_SHARE]:
        light = means[index] / _WEIGHTS
        rgb = cv2.cvtColor(light[None, None].astype(np.float32), cv2.COLOR_LAB2RGB)[0, 0]
        red, green, blue = np.rint(255 * np.clip(rgb, 0, 1)).astype(int).tolist()
        colors.append(DominantColor((red, green, blue), float(shares[index])))
    return colors


def _inside(image: NDArray[np.uint8], anchors: Anchors) -> NDArray[np.uint8]:
    """``(n, 3)`` pixels of the reduced picture inside the outline."""
    polygons = outline_polygons(anchors)
    if not polygons:
        return np.empty((0, 3), np.uint8)
    corners, limits = np.concatenate(polygons), np.array(image.shape[1::-1])
    low = np.clip(np.floor(corners.min(axis=0)), 0, limits).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + 1, 0, limits).astype(int)
    if not (high > low).all():
        return np.empty((0, 3), np.uint8)
    scale = min(1.0, _SAMPLE_SIDE / float(max(high - low)))
    width, height = np.maximum(np.rint(scale * (high - low)), 1).astype(int).tolist()
    small = cv2.resize(
        image[low[1] : high[1], low[0] : high[0]], (width, height), interpolation=cv2.INTER_AREA
    )
    steps = (width, height) / (high - low)
    matrix = np.column_stack([np.diag(steps), (0.5 - low) * steps - 0.5])
    return small[outline_mask(anchors, (width, height), matrix)].astype(np.uint8, copy=False)


def _clusters(points: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means ``(k, 3)`` and sizes ``(k,)`` of k-means, which starts from a spread over lightness."""
    count = min(_CLUSTERS, len(points))
    if count == 1:  # OpenCV takes one point of three values for three points
        return points.astype(np.float64), np.ones(1)
    starts = np.empty((len(points), 1), np.int32)
    starts[np.argsort(points[:, 0], kind="stable"), 0] = (
        np.arange(len(points)) * count // len(points)
    )
    rounds = (cv2.TERM_CRITERIA_COUNT, _ROUNDS, 0)
    _, labels, _ = cv2.kmeans(points, count, starts, rounds, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    sizes = np.bincount(labels[:, 0], minlength=count).astype(np.float64)
    sums = np.stack([np.bincount(labels[:, 0], axis, count) for axis in points.T], axis=1)
    return sums / np.maximum(sizes, 1)[:, None], sizes


def _merged(
    means: NDArray[np.float64], sizes: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Clusters of which no two are alike: the nearest two are made one until none are."""
    keep = sizes > 0
    means, sizes = means[keep], sizes[keep]
    while len(means) > 1:
        gaps = np.hypot.reduce(means[:, None] - means, axis=-1) + np.diag(
            np.full(len(means), np.inf)
        )
        first, second = np.unravel_index(int(gaps.argmin()), gaps.shape)
        if gaps[first, second] >= _ALIKE:
            break
        both = sizes[first] + sizes[second]
        means[first] = (sizes[first] * means[first] + sizes[second] * means[second]) / both
        sizes[first] = both
        means, sizes = np.delete(means, second, axis=0), np.delete(sizes, second)
    return means, sizes
