"""A detector's boxes as a file that pose networks are tested with (``bbox_source=FILE``)."""

from __future__ import annotations

import copy
import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, DefaultScope
from mmengine.runner import load_checkpoint
from numpy.typing import NDArray

import fashionkp_mm.plugin.detection  # noqa: F401
from fashionkp_mm.core.boxes import MIN_GIVEN_SCORE, MIN_SIDE, without_margin
from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.garments import CATEGORY_NAMES

COLUMNS = ("image_id", "x1", "y1", "x2", "y2", "score", "category")

_BATCH = 16


def write_detected_boxes(
    config: str | os.PathLike[str],
    checkpoint: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    dataset: dict[str, Any] | None = None,
    category_given: bool = True,
) -> Path:
    """Detect one garment in each image of a data set and write its box.

    The detector's boxes lie around whole garments; the category's margin is taken off, so that
    those in the file lie around the points, as label boxes do. Where nothing was found, it is the
    whole image, with a score of 0.

    Args:
        config: Path of a detector's config.
        checkpoint: Path of its weights.
        out: CSV to write, with the columns ``COLUMNS``, one row an image in the data set's order.
        dataset: Settings to change of the config's test set, for instance ``ann_file``,
            ``data_root``, ``data_prefix``. A test list of ids and categories will do.
        category_given: Take the best box of the category that the CSV states; otherwise the best
            of all.

    Returns:
        The path of ``out``.

    Raises:
        DataNotFoundError, AnnotationError, BrokenImageError: As `FashionAIDetDataset`.
        OSError: The checkpoint cannot be read, or ``out`` cannot be written.
    """
    cfg = Config.fromfile(config)
    cfg.model.backbone.init_cfg = None
    settings = {**copy.deepcopy(cfg.test_dataloader.dataset), **(dataset or {})}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    # A pose network's run may be going on around this one.
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model).eval()
        load_checkpoint(model, os.fspath(checkpoint), map_location="cpu")
        model.to("cuda" if torch.cuda.is_available() else "cpu")
        for sample in _predictions(model, DATASETS.build(settings)):
            box, score, index = _best(sample, category_given)
            corners = [f"{corner:.9g}" for corner in box.tolist()]
            writer.writerow([sample.img_id, *corners, f"{score:.4f}", CATEGORY_NAMES[index]])
    path = Path(out)
    write_atomically(path, text.getvalue().encode())
    return path


def _predictions(model: Any, images: Any) -> Iterator[Any]:
    with torch.no_grad():
        for start in range(0, len(images), _BATCH):
            rows = range(start, min(start + _BATCH, len(images)))
            yield from model.test_step(pseudo_collate([images[row] for row in rows]))


def _best(sample: Any, category_given: bool) -> tuple[NDArray[np.float32], float, int]:
    """The point box, score and category index of the garment that a sample is about."""
    found = sample.pred_instances
    boxes = found.bboxes.cpu().numpy().astype(np.float32)
    scores = found.scores.cpu().numpy()
    indices = found.labels.cpu().numpy()
    height, width = sample.ori_shape
    inside = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
    tight = without_margin(inside, indices)
    usable = (scores >= MIN_GIVEN_SCORE) & (tight[:, 2:] - tight[:, :2] >= MIN_SIDE).all(axis=1)
    if category_given:
        usable &= indices == sample.label_category
    if not usable.any():
        return np.array([0, 0, width, height], np.float32), 0.0, sample.label_category
    best = int(np.argmax(np.where(usable, scores, -1)))
    return tight[best], float(scores[best]), int(indices[best])
