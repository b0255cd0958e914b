"""Transforms that keep the three states of a keypoint apart through MMPose's pipelines."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.datasets.transforms import RandomFlip
from mmpose.registry import TRANSFORMS
from numpy.typing import NDArray

from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.images import load_image


@TRANSFORMS.register_module()
class LoadGarmentImage(BaseTransform):
    """Load an image as BGR, whatever it was stored as, and name it if it is broken.

    Grayscale, RGBA and CMYK files become BGR, the EXIF rotation is applied. Adds ``img``
    ``(H, W, 3)`` uint8, ``img_shape`` and ``ori_shape`` ``(H, W)``. An ``img`` that is there
    already, as in MMPose's inference functions, is taken as it is.

    Args:
        cache_mb: MiB of decoded images that each process keeps, so that the next epoch need not
            decode them again; 0 keeps none. FashionAI's 512x512 pixels take 0.75. What is full
            stays as it is: in shuffled order, one image is as likely to come next as another.
        max_megapixels: Millions of pixels above which an image is refused.

    Raises:
        BrokenImageError: The file is missing, truncated, too large, or not an image.
        ValueError: ``cache_mb`` is negative.
    """

    def __init__(self, cache_mb: float = 0, max_megapixels: float = MAX_MEGAPIXELS) -> None:
        if cache_mb < 0:
            raise ValueError(f"cache_mb is {cache_mb}, expected 0 or more")
        self.cache_mb = cache_mb
        self.max_megapixels = max_megapixels
        self._cache: dict[str, NDArray[np.uint8]] = {}
        self._free = int(cache_mb * 2**20)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Load ``results['img_path']`` unless ``results['img']`` is given."""
        if "img" not in results:
            results["img"] = self._load(results["img_path"])
        results.setdefault("img_path", None)
        results["img_shape"] = results["ori_shape"] = results["img"].shape[:2]
        return results

    def _load(self, path: str) -> NDArray[np.uint8]:
        image = self._cache.get(path)
        if image is None:
            image = load_image(path, max_megapixels=self.max_megapixels)
            if image.nbytes <= self._free:
                # A transform that wrote to it would write into every later epoch.
                image.flags.writeable = False
                self._cache[path] = image
                self._free -= image.nbytes
        return image

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(cache_mb={self.cache_mb:g},"
            f" max_megapixels={self.max_megapixels:g})"
        )


@TRANSFORMS.register_module()
class GarmentFlip(RandomFlip):
    """MMPose's `RandomFlip` that mirrors ``keypoint_visibility`` with the points.

    Arguments are those of `RandomFlip`. As there, left and right names swap.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Flip image, boxes, points and their visibility, or nothing."""
        results = super().transform(results)
        if results["flip"] and "keypoint_visibility" in results:
            flipped = results["keypoint_visibility"][:, results["flip_indices"]]
            results["keypoint_visibility"] = flipped
        return results


@TRANSFORMS.register_module()
class WeightOccludedKeypoints(BaseTransform):
    """Scale the loss weight of occluded keypoints; to be placed behind `GenerateTarget`.

    Args:
        weight: Factor for occluded points, 1 to train on them as on visible ones, 0 to ignore them.
            Absent points have weight 0 in any case.

    Raises:
        ValueError: The weight is negative.
    """

    def __init__(self, weight: float = 1.0) -> None:
        if weight < 0:
            raise ValueError(f"the weight of occluded keypoints is {weight}, expected 0 or more")
        self.weight = weight

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Scale ``keypoint_weights`` ``(1, K)``."""
        occluded = results["keypoint_visibility"] == Visibility.OCCLUDED
        factor = np.where(occluded, self.weight, 1).astype(np.float32)
        results["keypoint_weights"] = results["keypoint_weights"] * factor
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(weight={self.weight})"
