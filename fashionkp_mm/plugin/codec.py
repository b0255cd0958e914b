"""MMPose's unbiased heatmaps, read as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmpose.codecs import UDPHeatmap
from mmpose.registry import KEYPOINT_CODECS
from numpy.typing import NDArray

from fashionkp_mm.core.heatmaps import centroids


@KEYPOINT_CODECS.register_module()
class CentroidHeatmap(UDPHeatmap):
    """MMPose's Gaussian `UDPHeatmap` whose points are centroids, see `core.heatmaps.centroids`.

    What a network is trained on is the same, so a network that was trained with the one can be read
    with the other.

    Args:
        input_size, heatmap_size, sigma: As in `UDPHeatmap`.
        power, floor: As in `centroids`.

    Raises:
        ValueError: ``power`` is not above 0, or ``floor`` is not between 0 and 1.
    """

    def __init__(
        self,
        input_size: tuple[int, int],
        heatmap_size: tuple[int, int],
        sigma: float = 2.0,
        *,
        power: float = 4.0,
        floor: float = 0.2,
    ) -> None:
        if power <= 0:
            raise ValueError(f"power is {power}, expected more than 0")
        if not 0 < floor < 1:
            raise ValueError(f"floor is {floor}, expected a share between 0 and 1")
        super().__init__(input_size, heatmap_size, sigma=sigma)
        self.power = power
        self.floor = floor

    def decode(self, encoded: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Points ``(1, K, 2)`` in pixels of the crop and scores ``(1, K)`` of ``(K, H, W)``."""
        points, scores = centroids(encoded, power=self.power, floor=self.floor)
        width, height = self.heatmap_size
        points = points / (np.array([width, height], np.float32) - 1) * self.input_size
        return points[None], scores[None]
