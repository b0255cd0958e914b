"""A test that makes as many passes over each picture as prediction does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner, TestLoop
from mmengine.runner.amp import autocast
from mmengine.structures import InstanceData
from mmpose.registry import LOOPS
from mmpose.structures import PoseDataSample
from numpy.typing import NDArray

from fashionkp_mm.core.box_sources import BoxSource, StartBoxes, further_passes
from fashionkp_mm.core.garments import (
    FLIP_INDICES,
    NUM_KEYPOINTS,
    UNKNOWN_CATEGORY,
    Visibility,
)
from fashionkp_mm.plugin.config_files import ConfigError

_FLIP = list(FLIP_INDICES)


@LOOPS.register_module()
class PassesTestLoop(TestLoop):
    """Tests a model in the passes of `core.box_sources`, as `FashionPredictor` uses it.

    Metrics and hooks see each sample once, after its last pass. ``pred_instances`` are the last
    pass's, its box among them as ``bboxes``, with the fused points as ``keypoints``. Of the
    garments that a detector finds in a picture, the best one counts, and without a given category
    it is the detector that says what it is. Where it finds none, ``pred_instances`` are empty.

    In several processes each one tests its share; they exchange nothing but the metrics' results.

    Args:
        runner: As in `TestLoop`.
        dataloader: As in `TestLoop`, of a `FashionAIDataset`; its ``bbox_source`` is ignored.
        evaluator: As in `TestLoop`.
        boxes: ``refine``, ``detector`` or ``fast``.
        detector: Config and checkpoint of the detector; needed for all but ``refine``.
        fp16: As in `TestLoop`.

    Raises:
        ConfigError: There is no detector where one is needed, or it cannot be used.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: Mapping[str, Any],
        evaluator: Evaluator | Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        boxes: BoxSource,
        detector: Sequence[str] | None = None,
        fp16: bool = False,
    ) -> None:
        dataset = {**dataloader["dataset"], "bbox_source": "whole"}
        super().__init__(runner, {**dataloader, "dataset": dataset}, evaluator, fp16)
        self._boxes = boxes
        self._dataset = self.dataloader.dataset
        self.evaluator.dataset_meta = {**self._dataset.metainfo, "bbox_source": boxes}
        # Ids stay what they are where a config takes only some of the data.
        infos = map(self._dataset.get_data_info, range(len(self._dataset)))
        self._index_of = {info["id"]: index for index, info in enumerate(infos)}
        self._detector = None if boxes == "refine" else _detector(detector)
        self._mirror = not self._model.test_cfg.get("flip_test", False)
        self._pool: Executor

    @property
    def _model(self) -> Any:
        model = self.runner.model
        return model.module if is_model_wrapper(model) else model

    def run(self) -> dict[str, float]:
        """Test all samples."""
        with ThreadPoolExecutor(max(1, self.dataloader.num_workers)) as self._pool:
            metrics: dict[str, float] = super().run()
        return metrics

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: dict[str, Any]) -> None:
        """Make all passes over one batch, whose first pass is at whole pictures."""
        self.runner.call_hook("before_test_iter", batch_idx=idx, data_batch=data_batch)
        outputs = self._predict(data_batch)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook(
            "after_test_iter", batch_idx=idx, data_batch=data_batch, outputs=outputs
        )

    def _predict(self, batch: dict[str, Any]) -> list[PoseDataSample]:
        samples = batch["data_samples"]
        starts = self._start(samples)
        outputs = [_without_garment(sample) for sample in samples]
        sources = [start.source if len(start.boxes) else None for start in starts]
        for source in dict.fromkeys(source for source in sources if source is not None):
            rows = [row for row, each in enumerate(sources) if each == source]
            boxes = np.stack([starts[row].boxes[0] for row in rows])
            wanted = [int(starts[row].category_indices[0]) for row in rows]
            run_pass = partial(self._pass, [samples[row].id for row in rows], wanted)
            if source == "refine":
                # Here the loader's workers have made the crops.
                first = self._test_step({key: [batch[key][row] for row in rows] for key in batch})
            else:
                first = run_pass(boxes)
            sizes = np.array([samples[row].ori_shape[::-1] for row in rows])
            fused = further_passes(source, boxes, first, sizes, run_pass, mirror=self._mirror)
            for row, sample, points in zip(rows, fused.last.samples, fused.keypoints, strict=True):
                sample.pred_instances.keypoints = points[None]
                outputs[row] = sample
        return outputs

    def _start(self, samples: Sequence[PoseDataSample]) -> list[StartBoxes]:
        """The boxes of the first pass in each picture."""
        wanted = [_given_category(sample) for sample in samples]
        if self._detector is not None:
            paths = [sample.img_path for sample in samples]
            detected: list[StartBoxes] = self._detector(paths, wanted, self._boxes)
            return detected
        return [
            StartBoxes.whole(sample.ori_shape[::-1], category, self._boxes)
            for sample, category in zip(samples, wanted, strict=True)
        ]

    def _pass(
        self,
        ids: Sequence[int],
        wanted: Sequence[int],
        boxes: NDArray[np.float32],
        mirrored: bool = False,
    ) -> _TestPass:
        """One pass over boxes ``(N, 4)`` of ``N`` samples, as they are or mirrored."""
        items = list(self._pool.map(self._item, ids, wanted, boxes))
        if not mirrored:
            return self._test_step(pseudo_collate(items))
        for item in items:
            item["inputs"] = item["inputs"].flip(-1)
        return self._test_step(pseudo_collate(items), mirrored=True)

    def _item(self, sample_id: int, wanted: int, box: NDArray[np.float32]) -> dict[str, Any]:
        info = self._dataset.get_data_info(self._index_of[sample_id])
        item: dict[str, Any] = self._dataset.pipeline({**info, "bbox": box[None]})
        item["data_samples"].set_metainfo({"wanted_category": wanted})
        return item

    def _test_step(self, batch: dict[str, Any], *, mirrored: bool = False) -> _TestPass:
        with autocast(enabled=self.fp16):
            samples = self.runner.model.test_step(batch)
        for sample in samples if mirrored else ():
            _mirror_back(sample, self._model.head.decoder)
        return _TestPass.of(samples)


@dataclass(frozen=True)
class _TestPass:
    """A pass over ``N`` samples, as `core.box_sources.PassResult`.

    A model without a `GarmentHead` takes the category that it is given, and calls no point absent.
    """

    samples: Sequence[PoseDataSample]
    keypoints: NDArray[np.float32]
    keypoint_scores: NDArray[np.float32]
    visibility: NDArray[np.int8]
    category_indices: NDArray[np.int64]

    @classmethod
    def of(cls, samples: Sequence[PoseDataSample]) -> _TestPass:
        """What is in the samples' predictions."""
        predicted = [sample.pred_instances for sample in samples]
        keypoints = np.concatenate([found.keypoints for found in predicted])[..., :2]
        visible = np.full((1, keypoints.shape[1]), Visibility.VISIBLE)
        categories = [
            int(sample.pred_instances.category_indices[0])
            if "category_indices" in sample.pred_instances
            else _wanted_category(sample)
            for sample in samples
        ]
        return cls(
            samples,
            keypoints.astype(np.float32),
            np.concatenate([found.keypoint_scores for found in predicted]).astype(np.float32),
            np.concatenate([found.get("keypoint_visibility", visible) for found in predicted]),
            np.array(categories),
        )


def _detector(files: Sequence[str] | None) -> Any:
    if files is None:
        raise ConfigError("boxes from a detector need a detector: its config and its checkpoint")
    # All of MMDetection's models come with it.
    from fashionkp_mm.plugin.detection.detected_boxes import DetectedBoxes  # noqa: PLC0415

    return DetectedBoxes(*files)


def _given_category(sample: PoseDataSample) -> int | None:
    """The labelled category, if the model may know it."""
    if not sample.metainfo.get("category_given", True):
        return None
    return int(sample.gt_instances.category_indices[0])


def _wanted_category(sample: PoseDataSample) -> int:
    given = _given_category(sample)
    default = UNKNOWN_CATEGORY if given is None else given
    return int(sample.metainfo.get("wanted_category", default))


def _mirror_back(sample: PoseDataSample, codec: Any) -> None:
    """Turn what was found in a mirrored crop into what it means for the crop itself.

    As in MMPose's flip test, it is the codec's maps that are mirrored. Those of SimCC begin at the
    crop's first pixel and end a bin before its width, which shifts the mirror's axis.
    """
    found, (center, scale) = sample.pred_instances, (sample.input_center, sample.input_scale)
    bin_width = 1 / codec.simcc_split_ratio if hasattr(codec, "simcc_split_ratio") else 0
    width = sample.metainfo["input_size"][0]
    keypoints = found.keypoints.copy()
    keypoints[..., 0] = 2 * center[0] - keypoints[..., 0] - bin_width * scale[0] / width
    found.keypoints = keypoints
    for name, values in found.items():
        if np.ndim(values) > 1 and values.shape[1] == NUM_KEYPOINTS:
            found.set_field(values[:, _FLIP], name)
    if "pred_fields" in sample and "heatmaps" in sample.pred_fields:
        sample.pred_fields.heatmaps = sample.pred_fields.heatmaps.flip(-1)[_FLIP]


def _without_garment(sample: PoseDataSample) -> PoseDataSample:
    """The sample with an answer of no garment at all."""
    answer: PoseDataSample = sample.new()
    answer.pred_instances = InstanceData(
        bboxes=np.empty((0, 4), np.float32),
        bbox_scores=np.empty(0, np.float32),
        keypoints=np.empty((0, NUM_KEYPOINTS, 2), np.float32),
        keypoint_scores=np.empty((0, NUM_KEYPOINTS), np.float32),
        category_indices=np.empty(0, np.int64),
    )
    return answer
