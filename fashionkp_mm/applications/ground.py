"""The ground that a garment is seen on: what a picture's edge says of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Color = tuple[int, int, int]
"""BGR, 0 to 255."""


def edge_pixels(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``(n, 3)`` the outermost pixels of a picture ``(H, W, 3)``."""
    rows, columns = image[[0, -1]], image[:, [0, -1]]
    return np.concatenate([rows.reshape(-1, 3), columns.reshape(-1, 3)])


def ground_color(image: NDArray[np.uint8]) -> Color:
    """The median colour along a picture's edge, with which it goes on beyond."""
    blue, green, red = np.median(edge_pixels(image), axis=0).round().astype(int).tolist()
    return blue, green, red
