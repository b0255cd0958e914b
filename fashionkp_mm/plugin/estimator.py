"""MMPose's top-down estimator that knows which points a garment can have."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS


@MODELS.register_module()
class GarmentPoseEstimator(TopdownPoseEstimator):
    """`TopdownPoseEstimator` whose predictions respect the garment's category where it is known.

    Points that the category does not define keep their place but get score 0, so that nothing draws
    them, MMPose's own visualizer included. ``pred_instances`` carries ``category_indices`` then.
    Without ``gt_instances.category_indices``, as in MMPose's demos, it does what its parent does.
    Arguments and state dict are those of the parent.
    """

    def add_pred_to_datasample(self, *args: Any, **kwargs: Any) -> list[PoseDataSample]:
        """Add predictions to their samples, and take what cannot be there out of sight."""
        samples: list[PoseDataSample] = super().add_pred_to_datasample(*args, **kwargs)
        for sample in samples:
            if "category_indices" in sample.gt_instances:
                indices = np.asarray(sample.gt_instances.category_indices)
                predicted = sample.pred_instances
                scores = np.where(CATEGORY_KEYPOINTS[indices], predicted.keypoint_scores, 0)
                predicted.keypoint_scores = predicted.keypoints_visible = scores
                predicted.category_indices = indices
        return samples
