"""Pretrained weights: what is asked for is what training starts from, or there is an error."""

import copy
import urllib.error

import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader
from mmpose.models import build_pose_estimator
from mmpose.registry import MODELS

from fashionkp_mm.training.pretrained import PretrainedError, set_pretrained


@pytest.fixture
def config(demo_config):
    return copy.deepcopy(demo_config)


@pytest.fixture
def weights(config):
    """A backbone's state dict that nobody's random start would give."""
    backbone = MODELS.build({**config.model.backbone, "init_cfg": None})
    return {name: torch.full_like(value, 3) for name, value in backbone.state_dict().items()}


def started(config):
    model = build_pose_estimator(config.model)
    model.init_weights()
    return model.backbone.state_dict()


def test_none_starts_at_random(config):
    set_pretrained(config, "none")
    assert config.model.backbone.init_cfg is None


def test_a_file_of_a_backbone(config, weights, tmp_path):
    torch.save(weights, tmp_path / "backbone.pth")
    set_pretrained(config, str(tmp_path / "backbone.pth"))
    assert all((value == 3).all() for value in started(config).values())


def test_a_checkpoint_of_a_whole_estimator(config, weights, tmp_path):
    state = {f"backbone.{name}": value for name, value in weights.items()}
    state["head.x"] = torch.zeros(1)
    torch.save({"state_dict": state, "meta": {}}, tmp_path / "epoch_1.pth")
    set_pretrained(config, str(tmp_path / "epoch_1.pth"))
    assert all((value == 3).all() for value in started(config).values())


def test_a_file_that_does_not_exist(config):
    with pytest.raises(PretrainedError, match=r"nowhere\.pth: no such file"):
        set_pretrained(config, "nowhere.pth")


def test_weights_of_another_model_are_refused(config, tmp_path):
    torch.save({"layer1.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(PretrainedError, match=r"fit only 0 of the \d+ tensors.*--pretrained none"):
        set_pretrained(config, str(tmp_path / "other.pth"))


def test_no_network_ends_in_an_error_that_names_the_switch(config, monkeypatch):
    def offline(*args, **kwargs):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(CheckpointLoader, "load_checkpoint", offline)
    with pytest.raises(
        PretrainedError, match=r"efficientnet_lite2.*--pretrained FILE.*--pretrained none"
    ):
        set_pretrained(config, "default")
