"""MMPose's random transforms with the same outcome in less time.

They draw the same numbers from NumPy's generator, so that a seed gives the same samples with these
as with the transforms they stand for.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from mmpose.datasets.transforms import RandomBBoxTransform, YOLOXHSVRandomAug
from mmpose.registry import TRANSFORMS
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri  # type: ignore[import-untyped]

_LEVELS = np.arange(256)


@TRANSFORMS.register_module()
class GarmentBBoxTransform(RandomBBoxTransform):
    """MMPose's `RandomBBoxTransform`; arguments are the same.

    `scipy.stats.truncnorm` spends nearly all of its time on checking its arguments.
    """

    @staticmethod
    def _truncnorm(
        low: float = -1.0, high: float = 1.0, size: tuple[int, ...] = ()
    ) -> NDArray[np.float32]:
        shares = np.random.uniform(size=size)  # noqa: NPY002 - as MMPose does, so that seeds count
        values: NDArray[np.float32] = ndtri(ndtr(low) + shares * (ndtr(high) - ndtr(low)))
        return values.astype(np.float32)


@TRANSFORMS.register_module()
class GarmentHSVAug(YOLOXHSVRandomAug):
    """MMPose's `YOLOXHSVRandomAug` by lookup table; arguments are the same."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Shift hue, saturation and value of ``img`` ``(H, W, 3)`` uint8, BGR."""
        hue, saturation, value = self._get_hsv_gains()
        table = np.stack(
            [
                (_LEVELS + hue) % 180,
                np.clip(_LEVELS + saturation, 0, 255),
                np.clip(_LEVELS + value, 0, 255),
            ],
            axis=-1,
        ).astype(np.uint8)
        image = cv2.cvtColor(results["img"], cv2.COLOR_BGR2HSV)
        cv2.LUT(image, table[None], dst=image)
        results["img"] = cv2.cvtColor(image, cv2.COLOR_HSV2BGR, dst=image)
        return results
