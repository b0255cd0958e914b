"""One checkpoint in the loop of ``tools/test.py`` and in the runtime: same boxes, same points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.registry import init_default_scope
from mmpose.registry import METRICS

from fashionkp_mm.core.box_sources import BOX_SOURCES, MIN_GIVEN_SCORE
from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_NAMES
from fashionkp_mm.core.image_paths import locate_images
from fashionkp_mm.exporting.export import export
from fashionkp_mm.plugin.detection.detected_boxes import DetectedBoxes
from fashionkp_mm.runtime import FashionPredictor, Prediction
from fashionkp_mm.training.box_comparison import compare_boxes

POSE = """
_base_ = ['{configs}/hrnet_fashion.py']
from fashionkp_mm.plugin.config_helpers import with_codec
codec = dict(type='CentroidHeatmap', input_size=(64, 96), heatmap_size=(16, 24), sigma=2)
model = dict(
    backbone=dict(
        _delete_=True, type='ResNet', depth=18, num_stages=1, strides=(1,), dilations=(1,),
        out_indices=(0,)),
    head=dict(pose_head=dict(in_channels=64, decoder=codec)))
test_dataloader = dict(
    num_workers=0, persistent_workers=False,
    dataset=dict(pipeline=with_codec(_base_.val_pipeline, codec)))
test_evaluator = [dict(type='KeptSamples')]
"""
UNDETECTED = ("skirt", "trousers")
"""Categories that the detector never finds."""
MAX_DIFFERENCE = 0.05
"""Pixels of the crop."""


@METRICS.register_module()
class KeptSamples(BaseMetric):
    """Keeps what metrics see."""

    samples: ClassVar[list[dict[str, Any]]] = []

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        self.samples.extend(data_samples)
        self.results.extend(sample["id"] for sample in data_samples)

    def compute_metrics(self, results: list[int]) -> dict[str, float]:
        return {"count": float(len(results))}


@dataclass(frozen=True)
class Networks:
    """Configs with checkpoints, and what was exported from them."""

    pose: tuple[Path, Path]
    detector: tuple[Path, Path]
    predictor: FashionPredictor


@pytest.fixture(scope="module")
def networks(small_model, small_detector, drawn_root, tmp_path_factory) -> Networks:
    folder = tmp_path_factory.mktemp("networks")
    pose = _contrary_network(small_model(POSE), folder)
    detector = _choosy_detector(small_detector, drawn_root, folder)
    export(*pose, folder / "pose.onnx")
    export(*detector, folder / "detector.onnx")
    predictor = FashionPredictor(
        folder / "pose.onnx", detector=folder / "detector.onnx", flip_test=True, threads=1
    )
    return Networks(pose, detector, predictor)


def _contrary_network(network: tuple[Path, Path], folder: Path) -> tuple[Path, Path]:
    """The network, left to itself never of the detector's opinion what a garment is."""
    weights = torch.load(network[1], weights_only=True)
    bias = weights["state_dict"]["head.category.5.bias"]
    bias[[CATEGORY_INDEX[category] for category in UNDETECTED]] += 20
    torch.save(weights, folder / "contrary.pth")
    return network[0], folder / "contrary.pth"


def _choosy_detector(
    small_detector: tuple[Path, Path], drawn_root: Path, folder: Path
) -> tuple[Path, Path]:
    """The detector, blind for some categories, and with a threshold that some pictures miss."""
    config, checkpoint = folder / "choosy.py", folder / "choosy.pth"
    weights = torch.load(small_detector[1], weights_only=True)
    for name, tensor in weights["state_dict"].items():
        if name.startswith("bbox_head.rtm_cls") and name.endswith("bias"):
            tensor[[CATEGORY_INDEX[category] for category in UNDETECTED]] = -20
    torch.save(weights, checkpoint)

    def write(threshold: float) -> None:
        config.write_text(f"_base_ = [{str(small_detector[0])!r}]\nscore_threshold = {threshold}\n")

    write(MIN_GIVEN_SCORE)
    paths = list(_pictures(drawn_root))
    starts = DetectedBoxes(config, checkpoint)(paths, [None] * len(paths))
    best = np.sort([start.scores[0] for start in starts])
    middle = slice(len(best) // 4, -len(best) // 4)
    gap = np.diff(best)[middle].argmax() + middle.start
    write(float((best[gap] + best[gap + 1]) / 2))
    return config, checkpoint


def _pictures(root: Path) -> dict[str, str | None]:
    """Paths of the validation pictures, in order, with the labelled category."""
    labels = read_labels(root / "val/Annotations/val.csv")
    paths = locate_images(labels.image_ids, root / "val")
    return {
        str(paths[image_id]): CATEGORY_NAMES[index]
        for image_id, index in zip(labels.image_ids, labels.category_indices, strict=True)
    }


@pytest.fixture(scope="module", params=["given", "own"])
def both(request, networks, drawn_root, tmp_path_factory):
    """By source of boxes: for each picture the sample that was tested, and the garments found."""
    given = request.param == "given"
    init_default_scope("mmpose")
    cfg = Config.fromfile(networks.pose[0])
    cfg.load_from = str(networks.pose[1])
    cfg.test_dataloader.dataset.update(data_root=str(drawn_root), category_given=given)
    pictures = _pictures(drawn_root)
    pairs = {}
    for source in BOX_SOURCES:
        KeptSamples.samples.clear()
        cfg.work_dir = str(tmp_path_factory.mktemp("work"))
        compare_boxes(cfg, [source], tuple(map(str, networks.detector)))
        samples = {sample["img_path"]: sample for sample in KeptSamples.samples}
        assert samples.keys() == pictures.keys()
        pairs[source] = [
            (samples[path], networks.predictor.predict(path, category if given else None, source))
            for path, category in pictures.items()
        ]
    return given, pairs


def _require_same(sample: dict[str, Any], garments: Prediction) -> None:
    predicted = sample["pred_instances"]
    if not garments:
        assert len(predicted["keypoints"]) == 0
        return
    best = garments[0]
    assert CATEGORY_INDEX[best.category] == predicted["category_indices"][0]
    np.testing.assert_array_equal(predicted["bboxes"][0], best.box)
    np.testing.assert_array_equal(predicted["keypoint_visibility"][0], best.visibility)
    pixel = np.array(sample["input_scale"]) / np.array(sample["input_size"])
    distances = np.linalg.norm((predicted["keypoints"][0] - best.keypoints) / pixel, axis=-1)
    assert distances.max() < MAX_DIFFERENCE


@pytest.mark.parametrize("source", BOX_SOURCES)
def test_both_find_the_same(both, source):
    for sample, garments in both[1][source]:
        _require_same(sample, garments)


def test_there_are_pictures_of_every_kind(both):
    given, pairs = both
    for sources in ("whole", "refine"):
        assert all(len(garments) == 1 for _, garments in pairs[sources])
    found = [garments for _, garments in pairs["detector"]]
    if given:
        used = {garments[0].box_source for garments in found}
        assert used == {"detector", "refine"}
    else:
        assert any(found)
        assert not all(found)
        # The detector's word is taken against the network's opinion.
        given = {garments[0].category for garments in found if garments}
        own = {garments[0].category for _, garments in pairs["whole"]}
        assert given.isdisjoint(own)
    # It is not one and the same box or point all over.
    boxes = {tuple(garments[0].box) for garments in found if garments}
    assert len(boxes) > len(found) // 3
