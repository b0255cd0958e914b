"""One set of points from several passes over one garment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def fused_keypoints(
    keypoints: NDArray[np.float32],
    scores: NDArray[np.float32],
    category_indices: NDArray[np.integer],
) -> NDArray[np.float32]:
    """Fuse the points of several passes: their mean, weighted by the squared score.

    Crops that differ a little give points that differ a little, and now and then one pass takes
    the wrong sleeve and is less sure of it. A pass that took the garment for one of another
    category than the last pass did looked for other points, and does not vote.

    Args:
        keypoints: ``(P, N, K, 2)`` x and y in pixels of the image, one pass after the other.
        scores: ``(P, N, K)``, 0 or more.
        category_indices: ``(P, N)``, the category that each pass looked for.

    Returns:
        ``(N, K, 2)``; where no pass has a score, the last one's point.
    """
    agrees = category_indices == category_indices[-1]
    weights = np.square(scores, dtype=np.float64) * agrees[..., None]
    total = weights.sum(axis=0)
    weighted = (keypoints * weights[..., None]).sum(axis=0)
    known = total > 0
    fused: NDArray[np.float32] = keypoints[-1].astype(np.float32)
    fused[known] = weighted[known] / total[known, None]
    return fused


def keypoint_spreads(
    keypoints: NDArray[np.float32], category_indices: NDArray[np.integer]
) -> NDArray[np.float32]:
    """How far apart the passes that vote have a point.

    Args:
        keypoints: ``(P, N, K, 2)`` x and y in pixels of the image, one pass after the other.
        category_indices: ``(P, N)``, the category that each pass looked for.

    Returns:
        ``(N, K)`` the largest distance of a pass's point from the last pass's, in pixels; NaN where
        the last pass is the only one that votes.
    """
    agrees = category_indices == category_indices[-1]
    distances = np.linalg.norm(keypoints - keypoints[-1], axis=-1)
    distances = np.where(agrees[..., None], distances, 0).max(axis=0)
    spreads: NDArray[np.float32] = np.where(agrees.sum(axis=0)[:, None] > 1, distances, np.nan)
    return spreads.astype(np.float32)
