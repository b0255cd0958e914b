"""Random transforms: what labels' boxes and few images do not show, and MMPose's own in less time.

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

from fashionkp_mm.core.garments import Visibility

_LEVELS = np.arange(256)


@TRANSFORMS.register_module()
class RandomWiderBBox(BaseTransform):
    """Sometimes widen the box towards the whole image; to be placed before `GetBBoxCenterScale`.

    Where there are no label boxes, the first pass takes the whole picture. A network that was
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
        """Widen ``bbox`` ``(1, 4)``, ``x1, y1, x2, y2`` in pixels of the image, or nothing.

        A garment beside the picture's main one is no longer ``named`` then: the whole picture goes
        by the main one's category.
        """
        # NumPy's global generator, as MMPose uses it, is what the workers are seeded by.
        if np.random.random() < self.prob:  # noqa: NPY002
            part = 1.0 if np.random.random() < self.whole_prob else np.random.random()  # noqa: NPY002
            height, width = results["img_shape"]
            whole = np.array([[0, 0, width, height]], np.float32)
            box = results["bbox"]
            results["bbox"] = (box + part * (whole - box)).astype(np.float32)
            if not results.get("main_garment", True):
                results["named"] = np.zeros(1, bool)
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


@TRANSFORMS.register_module()
class RandomCropPerspective(BaseTransform):
    """Sometimes see the crop from another side; to be placed behind `TopdownAffine`.

    Each of the crop's corners is moved by itself, so that sleeves and hems shear, stretch and
    foreshorten as rotation and scaling never make them.

    Args:
        prob: Share of the samples that are changed.
        max_shift: How far a corner may move along either axis, as a share of the crop's side.

    Raises:
        ValueError: ``max_shift`` is not from 0 to below 0.25: further on corners may cross.
    """

    def __init__(self, prob: float = 0.5, max_shift: float = 0.1) -> None:
        if not 0 <= max_shift < 0.25:
            raise ValueError(f"max_shift is {max_shift}, expected 0 or more and below 0.25")
        self.prob = prob
        self.max_shift = max_shift

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Warp ``img`` ``(H, W, 3)`` and ``transformed_keypoints`` ``(N, K, 2)``, or nothing.

        Points without a label stay where they are: they have no place in the picture.
        """
        if np.random.random() < self.prob:  # noqa: NPY002
            height, width = results["img"].shape[:2]
            right, bottom = width - 1, height - 1
            corners = np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], np.float32)
            shares = np.random.uniform(-self.max_shift, self.max_shift, (4, 2))  # noqa: NPY002
            moved = (corners + shares * (width, height)).astype(np.float32)
            matrix = cv2.getPerspectiveTransform(corners, moved)
            results["img"] = cv2.warpPerspective(results["img"], matrix, (width, height))
            points = results["transformed_keypoints"].astype(np.float32)
            labelled = results["keypoints_visible"] > 0
            if labelled.any():
                points[labelled] = cv2.perspectiveTransform(points[labelled][None], matrix)[0]
            results["transformed_keypoints"] = points
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prob={self.prob}, max_shift={self.max_shift})"


@TRANSFORMS.register_module()
class RandomCropErasing(BaseTransform):
    """Sometimes hide a rectangle of the crop, as a bag, a hand or hair does.

    It shows another place of the same crop, or one colour. What was visible beneath is occluded
    from then on and still has to be found. To be placed behind `TopdownAffine`.

    Args:
        prob: Share of the samples that are changed.
        sides: Least and largest side of the rectangle, as a share of the crop's.

    Raises:
        ValueError: ``sides`` are not two rising shares between 0 and 1.
    """

    def __init__(self, prob: float = 0.5, sides: tuple[float, float] = (0.1, 0.35)) -> None:
        lowest, highest = sides
        if not 0 < lowest <= highest < 1:
            raise ValueError(f"sides are {tuple(sides)}, expected two rising shares of 0 to 1")
        self.prob = prob
        self.sides = (lowest, highest)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change ``img`` ``(H, W, 3)`` and ``keypoint_visibility`` ``(N, K)``, or nothing."""
        if np.random.random() < self.prob:  # noqa: NPY002
            image = results["img"].copy()
            crop = np.array(image.shape[1::-1])
            side = (np.random.uniform(*self.sides, 2) * crop).astype(int).clip(1)  # noqa: NPY002
            # As `uniform` counts, the upper bound is left out.
            hidden, shown = np.random.uniform(size=(2, 2)) * (crop - side + 1)  # noqa: NPY002
            x, y = hidden.astype(int)
            other_x, other_y = shown.astype(int)
            width, height = side
            patch = image[other_y : other_y + height, other_x : other_x + width]
            if np.random.random() < 0.5:  # noqa: NPY002
                patch = np.random.randint(0, 256, (1, 1, 3))  # noqa: NPY002
            image[y : y + height, x : x + width] = patch.copy()
            results["img"] = image
            points = results["transformed_keypoints"]
            covered = ((points >= (x, y)) & (points < (x + width, y + height))).all(axis=-1)
            visibility = results["keypoint_visibility"].copy()
            visibility[covered & (visibility == Visibility.VISIBLE)] = Visibility.OCCLUDED
            results["keypoint_visibility"] = visibility
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prob={self.prob}, sides={self.sides})"
