"""The normalized error as an MMPose metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from fashionkp_mm.core.csv_format import write_predictions, write_submission
from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS, Visibility
from fashionkp_mm.core.normalized_error import (
    ScoredPoints,
    normalized_error,
    score_frame,
)
from fashionkp_mm.core.table import KeypointTable


@METRICS.register_module()
class NormalizedError(BaseMetric):
    """FashionAI's normalized error (NE), in percent; see `core.normalized_error`.

    Reports ``fashionai/NE``, ``fashionai/NE_<category>`` for each category and
    ``fashionai/points``, and logs a table per category and keypoint that names the boxes used. For
    ``save_best='fashionai/NE'`` set ``rule='less'``.

    Where a model chose the category itself, points that its choice lacks count as an error of 1
    each, as in ``fashionkp evaluate``: nobody is shown them. So do all points of an image in which
    no garment was found (no instance in ``pred_instances``); it is in none of the files either.

    Args:
        submission_file: Write the predictions there as a contest CSV: whole pixels, labelled
            categories, every point visible.
        predictions_file: Write them there as they are: with decimals, and with the category and the
            visibility that a `GarmentHead` predicted.
        scored_points: ``visible`` as the contest does, or ``labelled`` for occluded ones as well.
        collect_device, collect_dir, prefix: As in `BaseMetric`; the prefix is ``fashionai`` by
            default.
    """

    default_prefix = "fashionai"

    def __init__(
        self,
        *,
        submission_file: str | None = None,
        predictions_file: str | None = None,
        scored_points: ScoredPoints = "visible",
        collect_device: str = "cpu",
        collect_dir: str | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, collect_dir=collect_dir, prefix=prefix)
        self.submission_file = submission_file
        self.predictions_file = predictions_file
        self.scored_points = scored_points

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep of each sample what the score and the submission need."""
        for sample in data_samples:
            truth, predicted = sample["gt_instances"], sample["pred_instances"]
            category = truth["category_indices"]
            visible = np.ones_like(truth["keypoint_visibility"])
            result = {
                "id": sample["id"],
                "img_id": sample["img_id"],
                "category_index": int(category[0]),
                "keypoints": truth["keypoints"][0],
                "visibility": truth["keypoint_visibility"][0],
                "normalizer": float(truth["normalizers"][0]),
            }
            if len(predicted["keypoints"]):
                result.update(
                    predicted_category=int(predicted.get("category_indices", category)[0]),
                    predicted_visibility=predicted.get("keypoint_visibility", visible)[0],
                    prediction=np.asarray(predicted["keypoints"][0], np.float32)[:, :2],
                )
            self.results.append(result)

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Score all samples; a sample that two processes have both seen counts once."""
        unique = {result["id"]: result for result in results}
        rows = [unique[key] for key in sorted(unique)]
        table = KeypointTable(
            image_ids=tuple(row["img_id"] for row in rows),
            category_indices=np.array([row["category_index"] for row in rows], np.int8),
            keypoints=np.stack([row["keypoints"] for row in rows]),
            visibility=np.stack([row["visibility"] for row in rows]),
            rows=np.array([row["id"] for row in rows], np.int64),
        )
        found = np.array(["prediction" in row for row in rows])
        nowhere = np.full_like(table.keypoints[0], -1, np.float32)
        unseen = np.full_like(table.visibility[0], Visibility.ABSENT)
        predictions = KeypointTable(
            image_ids=table.image_ids,
            category_indices=np.array(
                [row.get("predicted_category", row["category_index"]) for row in rows], np.int8
            ),
            keypoints=np.stack([row.get("prediction", nowhere) for row in rows]),
            visibility=np.stack([row.get("predicted_visibility", unseen) for row in rows]).astype(
                np.int8
            ),
            rows=table.rows,
        )
        logger = MMLogger.get_current_instance()
        # A CSV holds one garment an image.
        _, first = np.unique(np.array(table.image_ids), return_index=True)
        kept = found & np.isin(np.arange(len(table)), first)
        if self.submission_file:
            entry = replace(predictions, category_indices=table.category_indices)
            write_submission(self.submission_file, entry.select(kept))
        if self.predictions_file:
            write_predictions(self.predictions_file, predictions.select(kept))
        if (self.submission_file or self.predictions_file) and kept.sum() < found.sum():
            logger.warning(
                "%d garments beyond the first of their image are not in the CSV of predictions",
                found.sum() - kept.sum(),
            )
        for path in filter(None, (self.submission_file, self.predictions_file)):
            logger.info("Predictions written to %s", Path(path).resolve())

        result = normalized_error(
            predictions.keypoints,
            table.keypoints,
            table.visibility,
            table.category_indices,
            normalizer=np.array([row["normalizer"] for row in rows]),
            scored_points=self.scored_points,
            failed=~(found[:, None] & CATEGORY_KEYPOINTS[predictions.category_indices]),
        )
        meta = self.dataset_meta or {}
        logger.info(
            "Normalized error with boxes from '%s'%s, %d images, %d without a normaliser%s:\n%s",
            meta.get("bbox_source", "unknown"),
            "" if meta.get("category_given", True) else " and categories of the model's choice",
            result.images,
            result.skipped_images,
            "" if found.all() else f", {(~found).sum()} without a prediction, errors of 1",
            score_frame(result).to_string(float_format="%.2f"),
        )
        return {
            "NE": result.value,
            **{f"NE_{name}": score.value for name, score in result.per_category.items()},
            "points": result.points,
        }
