"""From one look at each picture to the next, where metrics are computed: boxes and points."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS
from numpy.typing import NDArray

from fashionkp_mm.core.box_files import write_boxes
from fashionkp_mm.core.boxes import refined_boxes
from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS, NUM_KEYPOINTS, Visibility
from fashionkp_mm.core.looks import merged_keypoints


@METRICS.register_module()
class RefinedBoxes(BaseMetric):
    """Writes a box around the points that were found on each image; it measures nothing.

    The file is one for `FashionAIDataset`'s ``bbox_source``, see `core.boxes.refined_boxes`. Points
    that the model says are absent are not enclosed; a model without a `GarmentHead` has all points
    of the given category enclosed, and all there are where none is given.

    Args:
        file: The CSV to write.
        looks_file: A file to write for `MergedLooks`: what was found, by sample.
        collect_device, collect_dir: As in `BaseMetric`.
    """

    default_prefix = "fashionai"

    def __init__(
        self,
        file: str,
        looks_file: str | None = None,
        collect_device: str = "cpu",
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, collect_dir=collect_dir)
        self.file = file
        self.looks_file = looks_file

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
                    "scores": np.asarray(predicted["keypoint_scores"][0], np.float32),
                    "category_index": _category(predicted),
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
        if self.looks_file is not None:
            look = io.BytesIO()
            np.savez(
                look,
                ids=np.array([row["id"] for row in rows]),
                keypoints=np.stack([row["keypoints"] for row in rows]),
                scores=np.stack([row["scores"] for row in rows]),
                category_indices=np.array([row["category_index"] for row in rows]),
            )
            write_atomically(Path(self.looks_file), look.getvalue())
        return {}


@METRICS.register_module()
class MergedLooks(BaseMetric):
    """Moves the predicted points to where this look and earlier ones settle; it measures nothing.

    To be placed before the metrics that are to see the points of `core.looks.merged_keypoints`: an
    evaluator hands the same samples to all of them.

    Args:
        looks_files: What `RefinedBoxes` wrote in the earlier looks, the first one first.
        collect_device, collect_dir: As in `BaseMetric`.

    Raises:
        OSError: A file cannot be read.
    """

    default_prefix = "fashionai"

    def __init__(
        self,
        looks_files: Sequence[str],
        collect_device: str = "cpu",
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, collect_dir=collect_dir)
        self._looks = [_read_look(file) for file in looks_files]

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Change each sample's ``pred_instances.keypoints`` ``(1, K, 2)``."""
        for sample in data_samples:
            predicted = sample["pred_instances"]
            keypoints = np.asarray(predicted["keypoints"], np.float32)[..., :2]
            scores = np.asarray(predicted["keypoint_scores"], np.float32)
            looks = [look[sample["id"]] for look in self._looks]
            looks.append((keypoints[0], scores[0], _category(predicted)))
            predicted["keypoints"] = merged_keypoints(
                np.stack([points for points, _, _ in looks])[:, None],
                np.stack([sure for _, sure, _ in looks])[:, None],
                np.array([[category] for _, _, category in looks]),
            )
            self.results.append(sample["id"])

    def compute_metrics(self, results: list[int]) -> dict[str, float]:
        """Nothing."""
        return {}


_Look = tuple[NDArray[np.float32], NDArray[np.float32], int]
"""Points ``(K, 2)``, scores ``(K,)`` and the category that the look went by."""


def _read_look(file: str) -> dict[int, _Look]:
    """What `RefinedBoxes` wrote, by the samples' ids."""
    with np.load(file) as look:
        columns = [look[name] for name in ("ids", "keypoints", "scores", "category_indices")]
    return {
        int(number): (points, scores, int(category))
        for number, points, scores, category in zip(*columns, strict=True)
    }


def _category(predicted: dict[str, Any]) -> int:
    """The category that a look went by; one for all where the model knows none."""
    return int(predicted["category_indices"][0]) if "category_indices" in predicted else -1


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
