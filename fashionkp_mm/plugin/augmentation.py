"""Random transforms: boxes as they come without labels, and MMPose's own in less time.

Those that stand for one of MMPose's draw the same numbers from NumPy's generator, so that a seed
gives the same samples with either.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.datasets.transforms import RandomBBoxTransform, YOLOXHSVRandomAug
from mmpose.registry import TRANSFORMS
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri  # type: ignore[import-untyped]

_LEVELS = np.arange(256)


@TRANSFORMS.register_module()
class RandomWiderBBox(BaseTransform):
    """Sometimes widen the box towards the whole image; to be placed before `GetBBoxCenterScale`.

    Where there are no label boxes, the first look at a picture is at all of it. A network that was
    trained on label boxes alone has never seen a garment that small, nor a second one beside it.

    Args:
        prob: Share of the samples whose box is widened.
        whole_prob: Share of these that get the whole image; the others' boxes end somewhere
            between their own and the whole image.
    """

    def __init__(self, prob: float = 0.3, whole_prob: float = 0.5) -> None:
        self.prob = prob
        self.whole_prob = whole_prob

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Widen ``bbox`` ``(1, 4)``, ``x1, y1, x2, y2`` in pixels of the image, or nothing."""
        # NumPy's global generator, as MMPose uses it, is what the workers are seeded by.
        if np.random.random() < self.prob:  # noqa: NPY002
            part = 1.0 if np.random.random() < self.whole_prob else np.random.random()  # noqa: NPY002
            height, width = results["img_shape"]
            whole = np.array([[0, 0, width, height]], np.float32)
            box = results["bbox"]
            results["bbox"] = (box + part * (whole - box)).astype(np.float32)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prob={self.prob}, whole_prob={self.whole_prob})"


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
