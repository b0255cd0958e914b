"""MMPose's visualizer, drawing each garment by its own category."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmengine.structures import InstanceData
from mmpose.registry import VISUALIZERS
from mmpose.visualization import PoseLocalVisualizer
from numpy.typing import NDArray

from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS, CATEGORY_NAMES, Visibility
from fashionkp_mm.visualization.keypoints import draw_garment


@VISUALIZERS.register_module()
class FashionVisualizer(PoseLocalVisualizer):
    """Draws the category's own outline, occluded points hollow, absent ones not at all.

    Labels and predictions are drawn with their three-way visibility, predictions where the score
    reaches ``kpt_thr``. ``show_kpt_idx=True`` writes the keypoints' names beside them. Instances
    without a category (``category_indices``), as a model without a `GarmentHead` predicts them,
    are drawn as MMPose draws them. Arguments are those of `PoseLocalVisualizer`.
    """

    def _draw_instances_kpts(
        self,
        image: NDArray[np.uint8],
        instances: InstanceData,
        kpt_thr: float = 0.3,
        show_kpt_idx: bool = False,
        skeleton_style: str = "mmpose",
    ) -> NDArray[np.uint8]:
        if "keypoints" not in instances or "category_indices" not in instances:
            drawn: NDArray[np.uint8] = super()._draw_instances_kpts(
                image, instances, kpt_thr, show_kpt_idx, skeleton_style
            )
            return drawn
        keypoints = np.asarray(instances.get("transformed_keypoints", instances.keypoints))
        canvas = np.ascontiguousarray(image[..., ::-1])
        for points, visibility, index in zip(
            keypoints, _visibility(instances, kpt_thr), instances.category_indices, strict=True
        ):
            canvas = draw_garment(
                canvas, points[:, :2], visibility, CATEGORY_NAMES[int(index)], names=show_kpt_idx
            )
        self.set_image(np.ascontiguousarray(canvas[..., ::-1]))
        shown: NDArray[np.uint8] = self.get_image()
        return shown


def _visibility(instances: InstanceData, kpt_thr: float) -> NDArray[np.int8]:
    """``(N, K)`` of `Visibility`: as predicted, or as labelled."""
    if "keypoint_scores" in instances:
        return predicted_visibility(instances, instances.category_indices, kpt_thr)
    return np.asarray(instances.keypoint_visibility)


def predicted_visibility(
    instances: InstanceData, category_indices: NDArray[np.integer[Any]], kpt_thr: float
) -> NDArray[np.int8]:
    """How to draw predicted points, as ``(N, K)`` of `Visibility`.

    Args:
        instances: Predictions with ``keypoint_scores`` ``(N, K)`` and, from a `GarmentHead`,
            ``keypoint_visibility`` ``(N, K)``; without it, all points count as visible.
        category_indices: ``(N,)``; points that the category does not define count as absent.
        kpt_thr: Score below which a point counts as absent.
    """
    shown = np.asarray(instances.keypoint_scores) >= kpt_thr
    shown &= CATEGORY_KEYPOINTS[np.asarray(category_indices, int)]
    states = instances.get("keypoint_visibility", np.full(shown.shape, Visibility.VISIBLE))
    return np.where(shown, states, Visibility.ABSENT).astype(np.int8)
