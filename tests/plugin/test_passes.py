"""A test in several passes: which boxes they take, what metrics and hooks see."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmpose.registry import METRICS, MODELS

from fashionkp_mm.core.box_sources import VOTES, StartBoxes
from fashionkp_mm.core.boxes import refined_boxes
from fashionkp_mm.core.garments import (
    CATEGORY_KEYPOINTS,
    FLIP_INDICES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.plugin import FashionAIDataset
from fashionkp_mm.plugin.config_files import ConfigError
from fashionkp_mm.plugin.detection import detected_boxes

DRESS = 2
SHRINK = 0.25


@MODELS.register_module(force=True)
class Shrinking(BaseModel):
    """Finds the points on the diagonal of a box that is the given one, shrunk.

    So that each pass finds other points, and the next box follows from them. It remembers what it
    was asked for.
    """

    asked: ClassVar[list[tuple[str, list[float], int | None]]] = []
    seen: ClassVar[list[tuple[str, Any]]] = []

    def __init__(self, flip_test: bool = False) -> None:
        super().__init__()
        self.test_cfg = {"flip_test": flip_test}
        self.head = SimpleNamespace(decoder=None)

    def test_step(self, data: Any) -> Any:
        for sample, inputs in zip(data["data_samples"], data["inputs"], strict=True):
            self.seen.append((sample.img_id, inputs))
            box = sample.gt_instances.bboxes[0]
            wanted = sample.metainfo.get("wanted_category")
            self.asked.append((sample.img_id, box.tolist(), wanted))
            given = sample.metainfo.get("category_given", True)
            category = int(sample.gt_instances.category_indices[0]) if given else DRESS
            if wanted is not None and wanted >= 0:
                category = wanted
            shares = SHRINK + (1 - 2 * SHRINK) * np.linspace(0, 1, NUM_KEYPOINTS)
            points = box[:2] + shares[:, None] * (box[2:] - box[:2])
            sample.pred_instances = InstanceData(
                bboxes=box[None],
                bbox_scores=np.ones(1, np.float32),
                keypoints=points[None].astype(np.float32),
                keypoint_scores=np.ones((1, NUM_KEYPOINTS), np.float32),
                keypoint_visibility=np.full((1, NUM_KEYPOINTS), Visibility.VISIBLE, np.int8),
                category_indices=np.array([category]),
                category_scores=np.eye(5, dtype=np.float32)[[category]],
            )
        return data["data_samples"]

    def forward(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError


@METRICS.register_module(force=True)
class Kept(BaseMetric):
    """Keeps the samples that metrics see."""

    samples: ClassVar[list[dict[str, Any]]] = []

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.samples.extend(data_samples)
        self.results.extend(sample["id"] for sample in data_samples)

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        return {"count": float(len(results))}


@HOOKS.register_module(force=True)
class Shown(Hook):
    """Keeps the points that hooks see, as the one that draws pictures."""

    points: ClassVar[list[np.ndarray]] = []

    def after_test_iter(self, runner: Any, batch_idx: int, data_batch: Any, outputs: Any) -> None:
        self.points.extend(sample.pred_instances.keypoints for sample in outputs)


Tested = tuple[FashionAIDataset, list[dict[str, Any]], dict[str, float]]


@pytest.fixture
def run(demo_config: Config, drawn_root, tmp_path) -> Callable[..., Tested]:
    """Tests `Shrinking`; gives the data set, what metrics saw by image, and their figures."""
    for kept in (Shrinking.asked, Shrinking.seen, Kept.samples, Shown.points):
        kept.clear()

    def test(
        boxes: str, detector: Any = None, *, flip_test: bool = False, **dataset: Any
    ) -> Tested:
        cfg = copy.deepcopy(demo_config)
        cfg.work_dir = str(tmp_path)
        cfg.model = {"type": "Shrinking", "flip_test": flip_test}
        cfg.custom_hooks = [{"type": "ContactSheetHook"}, {"type": "Shown"}]
        pictures = str(tmp_path / "pictures")
        cfg.default_hooks.visualization.update(enable=True, out_dir=pictures)
        cfg.test_dataloader.update(num_workers=0, persistent_workers=False, batch_size=3)
        cfg.test_dataloader.dataset.update(data_root=str(drawn_root), **dataset)
        cfg.test_evaluator = [{"type": "Kept"}, *cfg.test_evaluator]
        cfg.test_evaluator[1]["predictions_file"] = str(tmp_path / "found.csv")
        cfg.test_cfg = {"type": "PassesTestLoop", "boxes": boxes, "detector": detector}
        runner = Runner.from_cfg(cfg)
        metrics = runner.test()
        return runner.test_dataloader.dataset, list(Kept.samples), metrics

    return test


class FixedDetector:
    """Finds the same dress in every second picture."""

    box = np.float32([20, 30, 140, 160])

    def __init__(self, *files: str) -> None:
        assert files == ("config.py", "weights.pth")
        self.count = 0

    def __call__(self, paths: list[str], wanted: list[int | None], source: str) -> list[StartBoxes]:
        assert source == "detector"
        starts = []
        for category in wanted:
            self.count += 1
            if self.count % 2:
                found = DRESS if category is None else category
                starts.append(StartBoxes(
                    self.box[None], np.array([found]), "detector", np.float32([0.9])
                ))  # fmt: skip
            elif category is None:
                starts.append(StartBoxes(
                    np.empty((0, 4), np.float32), np.empty(0, int), "detector", np.empty(0)
                ))  # fmt: skip
            else:
                starts.append(StartBoxes.whole((256, 256), category, "refine"))
        return starts


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.setattr(detected_boxes, "DetectedBoxes", FixedDetector)
    return "config.py", "weights.pth"


def asked_of(image_id: str) -> list[list[float]]:
    return [box for asked, box, _ in Shrinking.asked if asked == image_id]


def points_in(box: list[float]) -> np.ndarray:
    corners = np.float32(box)
    shares = SHRINK + (1 - 2 * SHRINK) * np.linspace(0, 1, NUM_KEYPOINTS)
    return corners[:2] + shares[:, None].astype(np.float32) * (corners[2:] - corners[:2])


def mirrored_points_in(box: list[float]) -> np.ndarray:
    """What it means for the picture that these points were found in the mirrored crop."""
    points = points_in(box)[list(FLIP_INDICES)]
    points[:, 0] = box[0] + box[2] - points[:, 0]
    return points


def votes_in(box: list[float]) -> np.ndarray:
    return np.mean([points_in(box), mirrored_points_in(box)], axis=0)


def log_in(folder: Path) -> str:
    (file,) = folder.rglob("*.log")
    return file.read_text()


def size_of(sample: dict[str, Any]) -> tuple[int, int]:
    height, width = sample["ori_shape"]
    return width, height


def box_after(box: list[float], sample: dict[str, Any], category: int) -> list[float]:
    defined = CATEGORY_KEYPOINTS[[category]]
    (after,) = refined_boxes(points_in(box)[None], defined, np.array([size_of(sample)]))
    return after.tolist()


def test_the_passes_that_vote_look_where_the_first_one_found_points(run):
    dataset, samples, metrics = run("refine")
    assert metrics["count"] == len(dataset) == len(samples)
    for sample in samples:
        category = int(sample["gt_instances"]["category_indices"][0])
        whole, *voting = asked_of(sample["img_id"])
        assert whole == [0, 0, *size_of(sample)]
        assert voting == [box_after(whole, sample, category)] * VOTES
        _, plain, mirrored = (seen for name, seen in Shrinking.seen if name == sample["img_id"])
        assert torch.equal(mirrored, plain.flip(-1))


def test_with_a_flip_test_each_pass_looks_where_the_one_before_found_points(run):
    _, samples, _ = run("refine", flip_test=True)
    for sample in samples:
        category = int(sample["gt_instances"]["category_indices"][0])
        boxes = asked_of(sample["img_id"])
        assert len(boxes) == 1 + VOTES
        for before, after in pairwise(boxes):
            assert after == box_after(before, sample, category)
        fused = np.mean([points_in(box) for box in boxes[-VOTES:]], axis=0)
        defined = CATEGORY_KEYPOINTS[category]
        found = sample["pred_instances"]["keypoints"][0]
        np.testing.assert_allclose(found[defined], fused[defined], atol=1e-3)


def test_metrics_and_hooks_see_the_fused_points_and_the_last_box(run):
    _, samples, _ = run("refine")
    for sample, shown in zip(samples, Shown.points, strict=True):
        *_, last = asked_of(sample["img_id"])
        predicted = sample["pred_instances"]
        defined = CATEGORY_KEYPOINTS[int(sample["gt_instances"]["category_indices"][0])]
        found = predicted["keypoints"][0][defined]
        np.testing.assert_allclose(found, votes_in(last)[defined], atol=1e-3)
        np.testing.assert_array_equal(shown, predicted["keypoints"])
        assert predicted["bboxes"].tolist() == [last]


def test_what_the_config_says_of_boxes_does_not_matter(run, tmp_path):
    dataset, samples, _ = run("refine", bbox_source="label")
    assert dataset.bbox_source == "whole"
    for sample in samples:
        assert asked_of(sample["img_id"])[0] == [0, 0, *size_of(sample)]
    assert "boxes from 'refine'" in log_in(tmp_path)


def test_some_of_the_images_will_do(run):
    dataset, samples, _ = run("refine", indices=[5, 2])
    assert len(dataset) == 2
    for index, sample in enumerate(samples):
        assert sample["img_id"] == dataset.image_ids[index]
        assert len(asked_of(sample["img_id"])) == 1 + VOTES


def test_a_detectors_box_takes_the_place_of_the_whole_image(run, detector):
    _, samples, _ = run("detector", detector)
    for index, sample in enumerate(samples):
        boxes = asked_of(sample["img_id"])
        category = int(sample["gt_instances"]["category_indices"][0])
        if index % 2:  # it was missed
            assert len(boxes) == 1 + VOTES
            assert boxes[0] == [0, 0, *size_of(sample)]
        else:
            assert boxes == [FixedDetector.box.tolist()] * VOTES
        fused = votes_in(boxes[-1])
        defined = CATEGORY_KEYPOINTS[category]
        found = sample["pred_instances"]["keypoints"][0]
        np.testing.assert_allclose(found[defined], fused[defined], atol=1e-3)


def test_without_a_category_the_detector_says_what_it_is(run, detector, tmp_path):
    dataset, samples, metrics = run("detector", detector, category_given=False)
    assert len(samples) == len(dataset)
    assert {wanted for _, _, wanted in Shrinking.asked} == {DRESS}
    found = [sample["img_id"] for sample in samples[::2]]
    for sample in samples[1::2]:
        assert asked_of(sample["img_id"]) == []
        assert len(sample["pred_instances"]["keypoints"]) == 0
    # Nobody is shown a garment there: each scored point is an error of 1, and no file has a row.
    written = (tmp_path / "found.csv").read_text().splitlines()[1:]
    assert [line.split(",")[0] for line in written] == found
    assert len(list((tmp_path / "pictures").iterdir())) == len(dataset)
    count = len(dataset) - len(found)
    assert f"{count} without a prediction" in log_in(tmp_path)
    assert metrics["fashionai/NE"] > 0


def test_a_detector_has_to_be_named(run):
    with pytest.raises(ConfigError, match="its config and its checkpoint"):
        run("detector")
