"""A picture seen through any map of the plane, as `cv2.remap` takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def dense_map(
    place: Callable[[NDArray[np.float64]], NDArray[np.floating[Any]]],
    size: tuple[int, int],
    step: int = 8,
) -> NDArray[np.float32]:
    """Where each pixel of a new picture comes from, for `cv2.remap`.

    The map is computed at every ``step``-th pixel and interpolated between them: smooth maps lose
    hundredths of a pixel, and it is some fifty times as fast.

    Args:
        place: ``(n, 2)`` pixels of the new picture to ``(n, 2)`` pixels of the old one, x and y.
        size: Width and height of the new picture.
        step: Distance of the pixels that are computed.

    Returns:
        ``(height, width, 2)`` pixels of the old picture.
    """
    width, height = size
    columns = max(2, -(-(width - 1) // step) + 1)
    rows = max(2, -(-(height - 1) // step) + 1)
    xs = np.linspace(0, width - 1, columns)
    ys = np.linspace(0, height - 1, rows)
    nodes = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    coarse = np.asarray(place(nodes), np.float32).reshape(rows, columns, 2)
    # By two products: OpenCV's own interpolation counts in 32nds of a node's distance.
    across = _between(columns, width)
    down = _between(rows, height)
    half = np.tensordot(down, coarse, axes=1)
    return np.ascontiguousarray(np.einsum("wc,hcx->hwx", across, half, optimize=True))


def _between(nodes: int, pixels: int) -> NDArray[np.float32]:
    """``(pixels, nodes)`` shares of the nodes in each pixel, first on first and last on last."""
    places = np.linspace(0, nodes - 1, pixels)
    return np.clip(1 - np.abs(places[:, None] - np.arange(nodes)), 0, None).astype(np.float32)
