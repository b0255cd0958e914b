"""Every pose network's config builds a model that learns from a batch and predicts for another."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmpose.models import build_pose_estimator
from mmpose.registry import DATASETS, HOOKS

from fashionkp_mm.core.garments import NUM_KEYPOINTS
from fashionkp_mm.exchange.formats import read_table, write_table

CONFIGS = [
    path
    for path in sorted((Path(__file__).parents[2] / "configs").glob("*.py"))
    if not path.stem.startswith("rtmdet")  # see detection/test_configs.py
]


@pytest.fixture(params=CONFIGS, ids=lambda path: path.stem)
def config(request, drawn_root, tmp_path, monkeypatch):
    monkeypatch.setenv("FASHIONAI_ROOT", str(drawn_root))
    # What a user would bring for configs/heatmap_lite2_320_shapes_fashion.py …
    shapes = drawn_root / "train" / "Annotations" / "train.csv"
    monkeypatch.setenv("FASHIONAI_SHAPES", str(shapes))
    # … and for configs/finetune_fashion.py.
    monkeypatch.setenv("OWN_DATA", str(tmp_path))
    (tmp_path / "Images").symlink_to(drawn_root / "train" / "Images")
    labels = read_table(shapes)
    for name in ("train.json", "val.json"):
        write_table(tmp_path / name, labels, "json")
    return Config.fromfile(request.param)


def test_config_trains_and_predicts(config):
    config.model.backbone.init_cfg = None
    torch.manual_seed(0)
    model = build_pose_estimator(config.model)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    batch = pseudo_collate([dataset[index] for index in (0, 1)])
    model.train()
    losses = model.parse_losses(model(**model.data_preprocessor(batch, True), mode="loss"))[0]
    losses.backward()
    assert torch.isfinite(losses)
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert any((gradient != 0).any() for gradient in gradients)

    dataset = DATASETS.build(config.test_dataloader.dataset)
    model.eval()
    with torch.no_grad():
        (sample,) = model.test_step(pseudo_collate([dataset[0]]))
    assert sample.pred_instances.keypoints.shape == (1, NUM_KEYPOINTS, 2)
    size = tuple(config.codec["input_size"])
    assert dataset[0]["inputs"].shape[1:] == size[::-1]


def test_all_epochs_of_the_schedule_follow_one_number(monkeypatch):
    path = next(path for path in CONFIGS if path.stem == "rtmpose_fashion")
    monkeypatch.setenv("MAX_EPOCHS", "8")
    config = Config.fromfile(path)
    assert config.train_cfg.max_epochs == 8
    warmup, cosine = config.param_scheduler
    assert (warmup.end, cosine.begin, cosine.end, cosine.T_max) == (1, 4, 8, 4)
    assert config.custom_hooks[-1].switch_epoch == 6


def test_stock_demos_find_what_they_ask_for(config):
    assert {"dataset_type", "data_mode", "default_scope"} <= config.keys()
    assert config.data_mode == "topdown"
    assert isinstance(config.test_dataloader.dataset.pipeline, list)


def test_hooks_can_be_built(config):
    hooks = copy.deepcopy(config.custom_hooks)
    built = [HOOKS.build(hook) for hook in hooks]
    assert "CheckImagesHook" in [type(hook).__name__ for hook in built]
