"""From heatmaps to points: centroids of their peaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def centroids(
    heatmaps: NDArray[np.float32], *, power: float, floor: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read one point from each heatmap: the centroid of what rises high enough in it.

    The parabola through the highest cell and its neighbours (DARK, arXiv:1910.06278) knows nothing
    of the rest of the peak, which in an unsure heatmap is neither Gaussian nor symmetric. The
    centroid weighs all of it; a high power keeps it with the highest peak where there are two.

    Args:
        heatmaps: ``(M, H, W)``.
        power: A cell's weight is its height above the floor, to this power.
        floor: What lies below this share of the maximum does not count.

    Returns:
        Points ``(M, 2)``, x and y in cells, and the maxima ``(M,)``. Where no cell is above 0 the
        point is -1, -1, as MMPose has it.
    """
    _, height, width = heatmaps.shape
    peaks = heatmaps.max(axis=(1, 2))
    found = peaks > 0
    scale = np.where(found, peaks, 1).astype(np.float32)[:, None, None]
    weights = np.maximum(heatmaps / scale - np.float32(floor), 0) ** np.float32(power)
    columns, rows = weights.sum(axis=1), weights.sum(axis=2)
    total = np.where(found, rows.sum(axis=1), 1)
    points = np.stack(
        [columns @ np.arange(width, dtype=np.float32), rows @ np.arange(height, dtype=np.float32)],
        axis=-1,
    )
    points /= total[:, None]
    points[~found] = -1
    return points.astype(np.float32), peaks
