"""Boxes for the next look at each picture, written where metrics are computed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS
from numpy.typing import NDArray

from fashionkp_mm.core.box_files import write_boxes
from fashionkp_mm.core.boxes import refined_boxes
from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS, NUM_KEYPOINTS, Visibility


@METRICS.register_module()
class RefinedBoxes(BaseMetric):
    """Writes a box around the points that were found on each image; it measures nothing.

    The file is one for `FashionAIDataset`'s ``bbox_source``, see `core.boxes.refined_boxes`. Points
    that the model says are absent are not enclosed; a model without a `GarmentHead` has all points
    of the given category enclosed, and all there are where none is given.

    Args:
        file: The CSV to write.
        collect_device, collect_dir: As in `BaseMetric`.
    """

    default_prefix = "fashionai"

    def __init__(
        self, file: str, collect_device: str = "cpu", collect_dir: str | None = None
    ) -> None:
        super().__init__(collect_device=collect_device, collect_dir=collect_dir)
        self.file = file

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep of each sample the points, which of them to enclose, and the image's size."""
        for sample in data_samples:
            predicted = sample["pred_instances"]
            defined = _defined(sample)
            present = defined
            if "keypoint_visibility" in predicted:
                present = np.asarray(predicted["keypoint_visibility"][0]) != Visibility.ABSENT
            height, width = sample["ori_shape"][:2]
            self.results.append(
                {
                    "id": sample["id"],
                    "img_id": sample["img_id"],
                    "keypoints": np.asarray(predicted["keypoints"][0], np.float32)[:, :2],
                    "present": present & defined,
                    "defined": defined,
                    "image_size": (width, height),
                }
            )

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Write the boxes, in the order of the data set."""
        unique = {result["id"]: result for result in results}
        rows = [unique[key] for key in sorted(unique)]
        boxes = refined_boxes(
            np.stack([row["keypoints"] for row in rows]),
            np.stack([row["present"] for row in rows]),
            np.array([row["image_size"] for row in rows]),
            np.stack([row["defined"] for row in rows]),
        )
        write_boxes(Path(self.file), [row["img_id"] for row in rows], boxes)
        return {}


def _defined(sample: dict[str, Any]) -> NDArray[np.bool_]:
    """``(K,)``: the points of the category that the model chose or, if it knows none, was given."""
    predicted = sample["pred_instances"]
    if "category_indices" in predicted:
        known = predicted
    elif sample.get("category_given", True):
        known = sample["gt_instances"]
    else:
        return np.ones(NUM_KEYPOINTS, np.bool_)
    defined: NDArray[np.bool_] = CATEGORY_KEYPOINTS[int(known["category_indices"][0])]
    return defined
