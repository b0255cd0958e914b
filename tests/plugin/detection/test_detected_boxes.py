"""Boxes for a pose network, from a detector's checkpoint."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope

from fashionkp_mm.core.boxes import without_margin
from fashionkp_mm.images import BrokenImageError, image_size
from fashionkp_mm.plugin.config_files import ConfigError
from fashionkp_mm.plugin.detection.detected_boxes import DetectedBoxes
from fashionkp_mm.plugin.weights import WeightsError

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.fixture
def config_file(small_detector):
    return small_detector[0]


@pytest.fixture
def checkpoint(small_detector):
    return small_detector[1]


@pytest.fixture
def infos(drawn_boxes):
    dataset = drawn_boxes("val")
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def detect(config_file, checkpoint, infos, *, given=True):
    wanted = [info["label_category"] if given else None for info in infos]
    return DetectedBoxes(config_file, checkpoint)([info["img_path"] for info in infos], wanted)


def test_it_is_the_best_box_of_the_wanted_category(
    config_file, checkpoint, infos, eager, drawn_boxes
):
    dataset = drawn_boxes("val")
    for index, start in enumerate(detect(config_file, checkpoint, infos)):
        info = infos[index]
        assert start.source == "detector"
        assert set(start.category_indices.tolist()) == {info["label_category"]}
        with torch.no_grad():
            (sample,) = eager.test_step(pseudo_collate([dataset[index]]))
        found = sample.pred_instances
        found = found[found.labels == info["label_category"]]
        inside = np.clip(found.bboxes.numpy(), 0, np.tile((info["width"], info["height"]), 2))
        tight = without_margin(inside.astype(np.float32), found.labels.numpy())
        # Boxes in the padding beside the picture are none.
        solid = (tight[:, 2:] - tight[:, :2] >= 4).all(axis=1)
        tight, scores = tight[solid], found.scores.numpy()[solid]
        assert start.scores[0] == pytest.approx(scores.max(), abs=1e-3)
        # On plain ground, several can be the best but for rounding.
        tight = tight[scores > scores.max() - 1e-4]
        assert np.abs(tight - start.boxes[0]).max(axis=1).min() < 0.6  # it has whole pixels


def test_without_a_category_it_is_the_best_of_all(config_file, checkpoint, infos):
    given = detect(config_file, checkpoint, infos)
    own = detect(config_file, checkpoint, infos, given=False)
    assert all(a.scores[0] >= b.scores[0] for a, b in zip(own, given, strict=True))
    assert any(
        a.category_indices[0] != b.category_indices[0] for a, b in zip(own, given, strict=True)
    )


def test_an_untrained_detector_finds_nothing(config_file, detector, infos, tmp_path):
    torch.save({"state_dict": detector.state_dict()}, tmp_path / "untrained.pth")
    for info, start in zip(
        infos, detect(config_file, tmp_path / "untrained.pth", infos), strict=True
    ):
        assert start.source == "refine"
        assert start.boxes.tolist() == [[0, 0, *image_size(info["img_path"])]]
    for start in detect(config_file, tmp_path / "untrained.pth", infos, given=False):
        assert len(start.boxes) == 0


def test_the_scope_of_a_run_around_it_stays(config_file, checkpoint, infos):
    with DefaultScope.overwrite_default_scope("mmpose"):
        detect(config_file, checkpoint, infos[:1])
        assert DefaultScope.get_current_instance().scope_name == "mmpose"


def test_a_broken_image_is_named(config_file, checkpoint, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(BrokenImageError, match=r"broken\.jpg"):
        DetectedBoxes(config_file, checkpoint)([str(tmp_path / "broken.jpg")], [None])


def test_weights_of_another_model_are_refused(config_file, tmp_path):
    torch.save({"state_dict": {"head.weight": torch.zeros(1)}}, tmp_path / "pose.pth")
    with pytest.raises(WeightsError, match=r"pose\.pth does not belong to .*small_detector\.py"):
        DetectedBoxes(config_file, tmp_path / "pose.pth")


def test_a_config_without_a_threshold_is_refused(config_file, checkpoint, tmp_path):
    config = tmp_path / "without.py"
    config.write_text(f"_base_ = [{str(config_file)!r}]\ndel _base_.score_threshold\n")
    with pytest.raises(ConfigError, match=r"without\.py: there is no 'score_threshold'"):
        DetectedBoxes(config, checkpoint)


def test_a_pose_network_is_no_detector(checkpoint):
    with pytest.raises(ConfigError, match=r"demo_fashion\.py: not an RTMDet"):
        DetectedBoxes(CONFIGS / "demo_fashion.py", checkpoint)
