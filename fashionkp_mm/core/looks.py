"""What several looks at one garment say together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def merged_keypoints(
    keypoints: NDArray[np.float32],
    scores: NDArray[np.float32],
    category_indices: NDArray[np.integer],
) -> NDArray[np.float32]:
    """Points on which the looks at a garment settle: their mean, weighted by the squared score.

    Crops that differ a little give points that differ a little, and now and then one look takes
    the wrong sleeve and is less sure of it. A look that took the garment for one of another
    category than the last look did was after other points, and has no say.

    Args:
        keypoints: ``(L, N, K, 2)`` x and y in pixels of the image, one look after the other.
        scores: ``(L, N, K)``, 0 or more.
        category_indices: ``(L, N)``, the category that each look went by.

    Returns:
        ``(N, K, 2)``; where no look has a score, the last one's point.
    """
    agrees = category_indices == category_indices[-1]
    weights = np.square(scores, dtype=np.float64) * agrees[..., None]
    total = weights.sum(axis=0)
    weighted = (keypoints * weights[..., None]).sum(axis=0)
    known = total > 0
    merged: NDArray[np.float32] = keypoints[-1].copy()
    merged[known] = weighted[known] / total[known, None]
    return merged
