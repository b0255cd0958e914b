"""Boxes for a pose network, from a detector's checkpoint."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmdet.models.dense_heads import RTMDetHead
from mmengine.config import Config, ConfigDict
from mmengine.dataset import Compose
from mmengine.registry import MODELS, DefaultScope

import fashionkp_mm.plugin.detection  # noqa: F401
from fashionkp_mm.core.box_sources import BoxSource, StartBoxes, lowest_score, select_detections
from fashionkp_mm.plugin.config_files import ConfigError, read_config
from fashionkp_mm.plugin.weights import read_checkpoint, require_match, weights_of

_ALL = 1_000_000
"""Candidates of a level that MMDetection keeps; the choice among them is `core.box_sources`'."""


class DetectedBoxes:
    """Boxes for the first pass over pictures, as `FashionPredictor` takes them of an exported file.

    Args:
        config: Path of a detector's config, such as ``configs/rtmdet_lite2_fashion.py``.
        checkpoint: Path of its weights.

    Raises:
        ConfigError: The config cannot be read, or is not of an RTMDet with a score threshold,
            which is what the runtime takes.
        WeightsError, CheckpointError: The checkpoint is none of this config.
        OSError: A file cannot be read.
    """

    def __init__(self, config: str | os.PathLike[str], checkpoint: str | os.PathLike[str]) -> None:
        name, checkpoint = os.fspath(config), os.fspath(checkpoint)
        cfg = read_config(name)
        model = self._model = _build(cfg, name)
        if "score_threshold" not in cfg:
            raise ConfigError(
                f"{name}: there is no 'score_threshold' in it, from which on a box is taken for a"
                " garment; add it as configs/rtmdet_fashion.py has it"
            )
        self._score_threshold = float(cfg.score_threshold)
        self._iou_threshold = float(model.bbox_head.test_cfg.nms.iou_threshold)
        self._scope = cfg.get("default_scope", "mmdet")
        # A pose network's run is going on around this.
        with DefaultScope.overwrite_default_scope(self._scope):
            self._pipeline = Compose(cfg.test_dataloader.dataset.pipeline)
        weights = weights_of(read_checkpoint(checkpoint), checkpoint)
        require_match(model.state_dict(), weights, name, checkpoint)
        model.load_state_dict(weights)
        model.to("cuda" if torch.cuda.is_available() else "cpu")

    @torch.no_grad()
    def __call__(
        self, paths: Sequence[str], wanted: Sequence[int | None], source: BoxSource = "detector"
    ) -> list[StartBoxes]:
        """Detect garments, best first.

        Args:
            paths: ``N`` image files.
            wanted: ``N`` indices of categories that are known to be in the pictures, or None.
            source: What the boxes are for.

        Raises:
            BrokenImageError: A file is no usable image.
        """
        model = self._model
        lowest = min(lowest_score(self._score_threshold, category) for category in wanted)
        with DefaultScope.overwrite_default_scope(self._scope):
            items = [
                self._pipeline({"img_path": path, "img_id": path, "instances": []})
                for path in paths
            ]
            data = model.data_preprocessor(
                {name: [item[name] for item in items] for name in ("inputs", "data_samples")}
            )
            candidates = model.bbox_head.predict_by_feat(
                *model.bbox_head(model.extract_feat(data["inputs"])),
                batch_img_metas=[sample.metainfo for sample in data["data_samples"]],
                cfg=ConfigDict(score_thr=lowest, nms_pre=_ALL),
                rescale=True,
                with_nms=False,
            )
        starts = []
        for item, found, category in zip(items, candidates, wanted, strict=True):
            height, width = item["data_samples"].ori_shape
            detections = select_detections(
                found.bboxes.cpu().numpy().astype(np.float32),
                found.scores.cpu().numpy(),
                found.labels.cpu().numpy(),
                (width, height),
                wanted=category,
                score_threshold=self._score_threshold,
                iou_threshold=self._iou_threshold,
            )
            starts.append(StartBoxes.detected(detections, (width, height), category, source))
        return starts


def _build(cfg: Config, name: str) -> Any:
    """The config's detector, with weights at random."""
    model: Any = None
    if "bbox_head" in cfg.get("model", {}):
        cfg.model.backbone.init_cfg = None
        with DefaultScope.overwrite_default_scope(cfg.get("default_scope", "mmdet")):
            model = MODELS.build(cfg.model).eval()
    if not isinstance(getattr(model, "bbox_head", None), RTMDetHead):
        raise ConfigError(
            f"{name}: not an RTMDet for garments; expected a config as configs/rtmdet_fashion.py"
        )
    return model
