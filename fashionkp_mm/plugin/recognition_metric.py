"""Accuracy of the recognised category and visibility as an MMPose metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from fashionkp_mm.core.recognition import (
    Confusion,
    category_confusion,
    confusion_frame,
    visibility_confusion,
)


@METRICS.register_module()
class GarmentRecognition(BaseMetric):
    """How well a model with a `GarmentHead` tells categories and visibilities, in percent.

    Reports ``fashionai/category_accuracy`` and ``fashionai/visibility_accuracy``, each also as the
    mean of its classes (``…_balanced``) and for each class (``…_dress``, ``…_occluded``), and logs
    the tables of counts; see `core.recognition`. The category is the one that users get, or the
    network's own opinion where the caller gave one. Visibility is scored on the points that the
    labelled category defines.

    Images without a prediction are left out. Of a model that predicts neither, nothing is reported,
    which is logged once.

    Args:
        collect_device, collect_dir, prefix: As in `BaseMetric`; the prefix is ``fashionai`` by
            default.
    """

    default_prefix = "fashionai"

    def __init__(
        self,
        collect_device: str = "cpu",
        collect_dir: str | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, collect_dir=collect_dir, prefix=prefix)
        self._said_that_nothing_is_recognised = False

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep of each sample its labelled and its predicted category and visibility."""
        for sample in data_samples:
            truth, predicted = sample["gt_instances"], sample["pred_instances"]
            result = {"id": sample["id"], "is_found": len(predicted["keypoints"]) > 0}
            if "category_scores" in predicted and "keypoint_visibility" in predicted:
                result.update(
                    category=int(truth["category_indices"][0]),
                    visibility=np.asarray(truth["keypoint_visibility"][0]),
                    predicted_category=_category(sample),
                    predicted_visibility=_array(predicted["keypoint_visibility"])[0],
                )
            self.results.append(result)

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Count over all samples; a sample that two processes have both seen counts once."""
        logger = MMLogger.get_current_instance()
        unique = {result["id"]: result for result in results}
        rows = [row for row in unique.values() if "predicted_category" in row]
        if not rows:
            is_found = any(row["is_found"] for row in unique.values())
            if is_found and not self._said_that_nothing_is_recognised:
                logger.info(
                    "The model has no GarmentHead: its predictions have no category_scores and"
                    " keypoint_visibility, so their accuracy is not reported"
                )
                self._said_that_nothing_is_recognised = True
            return {}
        labelled = np.array([row["category"] for row in rows])
        category = category_confusion(
            np.array([row["predicted_category"] for row in rows]), labelled
        )
        visibility = visibility_confusion(
            np.stack([row["predicted_visibility"] for row in rows]),
            np.stack([row["visibility"] for row in rows]),
            labelled,
        )
        metrics: dict[str, float] = {}
        for what, confusion in (("category", category), ("visibility", visibility)):
            if confusion.total:
                logger.info("%s", _in_words(what, confusion))
                metrics[f"{what}_accuracy"] = confusion.accuracy
                metrics[f"{what}_accuracy_balanced"] = confusion.balanced_accuracy
                for name, share in confusion.per_class.items():
                    metrics[f"{what}_accuracy_{name}"] = share
        return metrics


def _category(sample: dict[str, Any]) -> int:
    predicted = sample["pred_instances"]
    if not sample.get("category_given", True):
        return int(predicted["category_indices"][0])
    return int(np.argmax(_array(predicted["category_scores"])[0]))


def _array(values: Any) -> np.ndarray[Any, Any]:
    """An array of what may still be a tensor on a device."""
    return np.asarray(values.cpu() if hasattr(values, "cpu") else values)


def _in_words(what: str, confusion: Confusion) -> str:
    table = confusion_frame(confusion).to_string(float_format="%.2f")
    return (
        f"{what.capitalize()} accuracy {confusion.accuracy:.2f} %, mean of the classes"
        f" {confusion.balanced_accuracy:.2f} %, {confusion.total} predictions:\n{table}"
    )
