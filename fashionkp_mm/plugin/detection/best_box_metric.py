"""How well a detector serves the pose network that takes its boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from numpy.typing import NDArray

_THRESHOLDS = (0.5, 0.75)


@METRICS.register_module()
class BestBoxOverlap(BaseMetric):
    """Overlap of the labelled garment with the best box of its category.

    COCO's AP takes a rightly found garment for a false alarm if it has no label, and FashionAI
    labels one garment an image. This asks what a pose network needs to know instead:

    * ``best_IoU50`` and ``best_IoU75``: the share of garments that the box with the highest score
      of the *labelled* category overlaps by this IoU, as when the category is given; where several
      garments of a category are labelled, the closest of as many boxes counts;
    * ``best_IoU``: that overlap's mean, 0 where no box was found;
    * ``own_category``: the share of garments in whose image the best of *all* boxes has the
      category of a labelled one. The best box may lie on another garment of the picture, unlabelled
      but rightly found, so this is a lower bound.

    Boxes include their category's margin. Images without a labelled box are left out. The prefix
    is ``fashionai`` by default; arguments are those of `BaseMetric`.
    """

    default_prefix = "fashionai"

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep each sample's overlap and what was the best box's category."""
        for sample in data_samples:
            predicted = sample["pred_instances"]
            scores = predicted["scores"].cpu().numpy()
            labels = predicted["labels"].cpu().numpy()
            boxes = predicted["bboxes"].cpu().numpy()
            labelled = [truth["bbox_label"] for truth in sample["instances"]]
            right = bool(scores.size) and int(labels[scores.argmax()]) in labelled
            for number, truth in enumerate(sample["instances"]):
                of_category = np.flatnonzero(labels == truth["bbox_label"])
                ranked = of_category[np.argsort(-scores[of_category], kind="stable")]
                best = ranked[: labelled.count(truth["bbox_label"])]
                overlaps = [iou(boxes[index], np.asarray(truth["bbox"])) for index in best]
                key = (sample["img_id"], number)
                self.results.append((key, max(overlaps, default=0.0), right))

    def compute_metrics(
        self, results: list[tuple[tuple[str, int], float, bool]]
    ) -> dict[str, float]:
        """Average over garments; one that two processes have both seen counts once."""
        unique = {key: values for key, *values in results}
        overlaps, right = np.array(list(unique.values()), dtype=float).T
        shares = {f"best_IoU{round(100 * t)}": float((overlaps >= t).mean()) for t in _THRESHOLDS}
        return {
            **shares,
            "best_IoU": float(overlaps.mean()),
            "own_category": float(right.mean()),
        }


def iou(box: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Intersection over union of two boxes ``x1, y1, x2, y2``."""
    sides = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    common = float(np.prod(np.maximum(sides, 0)))
    areas = [float(np.prod(corners[2:] - corners[:2])) for corners in (box, other)]
    return common / max(sum(areas) - common, 1e-9)
