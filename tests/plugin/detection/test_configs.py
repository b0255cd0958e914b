"""Every detector's config trains, is scored and finds boxes, straight from the CSV."""

import copy
import json

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS
from mmengine.runner import Runner

from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.plugin.detection.recipes import with_input_size
from fashionkp_mm.training import arguments as launch

from .conftest import CONFIGS, SIZE

NAMES = sorted(path.stem for path in CONFIGS.glob("rtmdet*.py"))


@pytest.fixture(params=NAMES)
def config(request, drawn_root, monkeypatch, tmp_path):
    monkeypatch.setenv("FASHIONAI_ROOT", str(drawn_root))
    monkeypatch.setenv("MAX_EPOCHS", "1")
    config = Config.fromfile(CONFIGS / f"{request.param}.py")
    config.work_dir = str(tmp_path)
    config.model.backbone.init_cfg = None
    for split in ("train", "val", "test"):
        loader = config[f"{split}_dataloader"]
        loader.update(batch_size=4, num_workers=0, persistent_workers=False)
        loader.dataset.update(pipeline=with_input_size(loader.dataset.pipeline, SIZE), indices=8)
    return config


@pytest.mark.parametrize("wrapper", ["OptimWrapper", "CPUAmpOptimWrapper"])
def test_config_trains_and_is_scored(config, wrapper, tmp_path):
    config.optim_wrapper.type = wrapper
    config.experiment_name = f"{wrapper}_{tmp_path.name}"
    runner = Runner.from_cfg(config)
    before = copy.deepcopy(runner.model.state_dict())
    runner.train()
    assert runner.iter == 2
    after = runner.model.state_dict()
    assert all(torch.isfinite(tensor).all() for tensor in after.values())
    assert any((after[name] != before[name]).any() for name in before if "rtm_cls" in name)
    scores = runner.message_hub.log_scalars
    assert 0 <= scores["val/coco/bbox_mAP"].current() <= 1
    assert 0 <= scores["val/fashionai/best_IoU"].current() <= 1
    assert list(tmp_path.glob("best_coco_bbox_mAP_epoch_1.pth"))


def test_perfect_boxes_have_an_ap_of_one(config):
    runner = Runner.from_cfg({**config, "experiment_name": f"perfect_{id(config)}"})
    dataset = DATASETS.build(config.val_dataloader.dataset)
    evaluator = runner.build_evaluator(config.val_evaluator)
    evaluator.dataset_meta = dataset.metainfo
    for index in range(len(dataset)):
        sample = dataset[index]["data_samples"]
        (label,) = sample.instances
        sample.pred_instances = type(sample.gt_instances)(
            bboxes=torch.tensor([label["bbox"]]),
            scores=torch.tensor([0.9]),
            labels=torch.tensor([label["bbox_label"]]),
        )
        evaluator.process([sample], None)
    result = evaluator.evaluate(len(dataset))
    assert result["coco/bbox_mAP"] == pytest.approx(1, abs=1e-3)
    assert result["fashionai/best_IoU"] == pytest.approx(1, abs=1e-4)
    assert result["fashionai/own_category"] == 1


def test_predictions_have_boxes_scores_and_categories(config):
    model = MODELS.build(config.model).eval()
    dataset = DATASETS.build(config.test_dataloader.dataset)
    with torch.no_grad():
        (sample,) = model.test_step(pseudo_collate([dataset[0]]))
    found = sample.pred_instances
    assert found.bboxes.shape == (len(found.scores), 4)
    assert set(found.labels.tolist()) <= set(range(len(CATEGORY_NAMES)))


def test_all_is_ready_for_a_machine_without_a_gpu(config):
    assert "SyncBN" not in str(config.model)
    assert config.optim_wrapper.type == "OptimWrapper"


def test_an_input_that_is_no_square_is_refused():
    with pytest.raises(ValueError, match=r"\(128, 96\), expected a square"):
        with_input_size([{"type": "Resize"}], (128, 96))


def test_the_tools_test_and_draw(small_detector, tmp_path, drawn_root):
    config, checkpoint = map(str, small_detector)
    out, pictures = tmp_path / "metrics.json", tmp_path / "pictures"
    folders = ["--work-dir", str(tmp_path / "work"), "--show-dir", str(pictures)]
    launch.test([config, checkpoint, "--out", str(out), *folders])
    metrics = json.loads(out.read_text())
    assert {"coco/bbox_mAP", "fashionai/best_IoU50"} <= metrics.keys()
    images = read_labels(drawn_root / "val/Annotations/val.csv").image_ids
    assert len(list(pictures.glob("*.jpg"))) == len(images)


@pytest.mark.parametrize("phase", ["train", "test"])
def test_the_tools_draw_what_the_network_is_shown(phase, small_detector, drawn_root, tmp_path):
    options = ["--phase", phase, "--max-items", "2", "--output-dir", str(tmp_path)]
    data = f"train_dataloader.dataset.data_root={drawn_root}"
    launch.browse([str(small_detector[0]), *options, "--cfg-options", data])
    assert len(list(tmp_path.glob("*.png"))) == 2


def test_labels_are_drawn_on_the_picture_as_it_is(small_detector):
    cfg = Config.fromfile(small_detector[0])
    item = DATASETS.build(cfg.test_dataloader.dataset)[0]["data_samples"]
    (label,) = item.instances
    torch.testing.assert_close(item.gt_instances.bboxes.tensor, torch.tensor([label["bbox"]]))
