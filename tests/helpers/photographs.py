"""Drawn garments with a marker beside them, as a camera sees them that is held aslant."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
DICTIONARIES = {
    "4X4_50": cv2.aruco.DICT_4X4_50,
    "APRILTAG_36h11": cv2.aruco.DICT_APRILTAG_36h11,
}
FINE = 4
"""Pixels across of those that one of a photograph is the mean of."""


def marker_tile(number: int = 7, dictionary: str = "4X4_50", side: int = 90) -> Image:
    """A marker of so many pixels with the white margin that it needs, a quarter of its side."""
    square = cv2.aruco.generateImageMarker(
        cv2.aruco.getPredefinedDictionary(DICTIONARIES[dictionary]), number, side
    )
    margin = side // 4
    tile = cv2.copyMakeBorder(square, *[margin] * 4, cv2.BORDER_CONSTANT, value=250)
    return cv2.cvtColor(tile, cv2.COLOR_GRAY2BGR).astype(np.uint8)


def laid(image: Image, tile: Image, at: tuple[int, int]) -> Image:
    """A picture with a tile pasted into it, its upper left corner at x, y."""
    x, y = at
    out = image.copy()
    out[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    return out


def beside(image: Image, side: int = 90) -> Image:
    """A picture, made wider, with a marker to the right of it, in its plane."""
    height, width = image.shape[:2]
    tile = marker_tile(side=side)
    wide = cv2.copyMakeBorder(image, 0, 0, 0, tile.shape[1] + 16, cv2.BORDER_REPLICATE)
    return laid(wide.astype(np.uint8), tile, (width + 8, (height - tile.shape[0]) // 2))


def camera(tilt: float, roll: float, size: tuple[int, int]) -> NDArray[np.float64]:
    """Homography from a plane to its photograph.

    Args:
        tilt: Degrees by which the plane is turned away from the camera.
        roll: Degrees of the axis that it is turned about.
        size: Width and height of both.
    """
    width, height = size
    focal = 1.1 * max(size)
    angle = math.radians(roll)
    axis = np.array([math.cos(angle), math.sin(angle), 0]) * math.radians(tilt)
    turn, _ = cv2.Rodrigues(axis)
    lens = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    place = np.column_stack([turn[:, 0], turn[:, 1], [0, 0, 1.4 * focal]])
    onto: NDArray[np.float64] = (
        lens @ place @ np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    )
    return onto


def photographed(
    image: Image, onto: NDArray[np.float64], noise: float = 0.0
) -> tuple[Image, NDArray[np.float64]]:
    """A photograph of a picture, without jagged edges.

    Args:
        image: ``(H, W, 3)`` BGR.
        onto: Homography from its pixels to those of the photograph, of the same size.
        noise: Standard deviation of each pixel's.

    Returns:
        The photograph, and the exact homography from pixel to pixel.
    """
    height, width = image.shape[:2]
    enlarge = np.diag([FINE, FINE, 1]) @ onto
    fine = cv2.warpPerspective(
        image, enlarge, (FINE * width, FINE * height), borderValue=(200, 200, 200)
    )
    photograph = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA).astype(np.float64)
    photograph += np.random.default_rng(0).normal(0, noise, photograph.shape)
    # A pixel lies in the middle of those that it is the mean of.
    middle = (FINE - 1) / 2
    shrink = np.array([[1 / FINE, 0, -middle / FINE], [0, 1 / FINE, -middle / FINE], [0, 0, 1]])
    return np.clip(photograph, 0, 255).astype(np.uint8), shrink @ enlarge
