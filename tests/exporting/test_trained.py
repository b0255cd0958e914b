"""Checkpoints that belong to their config, and those that do not."""

from __future__ import annotations

import pytest
import torch

from fashionkp_mm.compat.checkpoints import CheckpointError
from fashionkp_mm.exporting.errors import ExportError
from fashionkp_mm.exporting.trained import load_trained_model


@pytest.fixture
def changed(simcc, tmp_path):
    """Writes the checkpoint with its content changed."""

    def write(change):
        content = torch.load(simcc.checkpoint, weights_only=True)
        path = tmp_path / "changed.pth"
        torch.save(change(content), path)
        return path

    return write


def test_the_model_is_frozen_and_has_the_checkpoints_weights(simcc):
    trained = load_trained_model(simcc.config, simcc.checkpoint)
    stored = torch.load(simcc.checkpoint, weights_only=True)["state_dict"]
    weights = trained.model.state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in stored.items())
    assert not trained.model.training
    assert not any(weight.requires_grad for weight in trained.model.parameters())
    assert trained.name == "small_fashion"


def test_averaged_weights_are_those_of_state_dict(simcc, changed):
    def with_unaveraged(content):
        unaveraged = {f"module.{n}": t + 1 for n, t in content["state_dict"].items()}
        return {**content, "ema_state_dict": unaveraged}

    trained = load_trained_model(simcc.config, changed(with_unaveraged))
    expected = load_trained_model(simcc.config, simcc.checkpoint).model.state_dict()
    for name, tensor in trained.model.state_dict().items():
        assert torch.equal(tensor, expected[name])


def test_a_bare_state_dict_will_do(simcc, changed):
    path = changed(lambda content: content["state_dict"])
    assert load_trained_model(simcc.config, path).meta == {}


def test_weights_of_a_distributed_model_will_do(simcc, changed):
    path = changed(
        lambda content: {"state_dict": {f"module.{n}": t for n, t in content["state_dict"].items()}}
    )
    load_trained_model(simcc.config, path)


def test_a_tensor_that_is_missing_is_named(simcc, changed):
    def without(content):
        del content["state_dict"]["head.pose_head.cls_x.weight"]
        return content

    with pytest.raises(ExportError, match=r"1 missing \(head\.pose_head\.cls_x\.weight\)"):
        load_trained_model(simcc.config, changed(without))


def test_a_tensor_too_many_is_named(simcc, changed):
    def with_more(content):
        content["state_dict"]["head.other"] = torch.zeros(1)
        return content

    with pytest.raises(ExportError, match=r"1 not the model's \(head\.other\)"):
        load_trained_model(simcc.config, changed(with_more))


def test_a_tensor_of_another_shape_is_named(simcc, changed):
    def reshaped(content):
        content["state_dict"]["head.pose_head.cls_x.weight"] = torch.zeros(3, 4)
        return content

    message = (
        r"cls_x\.weight is float32 \(3, 4\) instead of float32 \(128, 256\)\)\. Give the config"
    )
    with pytest.raises(ExportError, match=message):
        load_trained_model(simcc.config, changed(reshaped))


def test_a_checkpoint_of_another_model_is_named_with_the_config(simcc, heatmaps):
    with pytest.raises(ExportError, match=f"{heatmaps.checkpoint} does not belong to"):
        load_trained_model(simcc.config, heatmaps.checkpoint)


def test_a_checkpoint_cut_short_is_named(simcc, tmp_path):
    path = tmp_path / "short.pth"
    path.write_bytes(simcc.checkpoint.read_bytes()[:-5000])
    with pytest.raises(CheckpointError, match=r"short\.pth: not a readable checkpoint"):
        load_trained_model(simcc.config, path)


def test_a_file_without_weights_is_named(simcc, changed):
    with pytest.raises(ExportError, match="there are no weights in it"):
        load_trained_model(simcc.config, changed(lambda content: {"meta": {}}))


def test_a_config_without_a_model_is_named(simcc, tmp_path):
    config = tmp_path / "data.py"
    config.write_text("data_root = 'data'")
    with pytest.raises(ExportError, match=r"data\.py: there is no 'model' in it"):
        load_trained_model(config, simcc.checkpoint)
