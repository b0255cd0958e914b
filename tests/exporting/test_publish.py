"""Clean weights: what is in the file, what is not, and that every tool takes it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner.checkpoint import load_checkpoint
from mmpose.apis import inference_topdown, init_model
from typer.testing import CliRunner

from fashionkp_mm.cli import app
from fashionkp_mm.exporting import publish as publish_module
from fashionkp_mm.exporting.errors import ExportError
from fashionkp_mm.exporting.provenance import provenance
from fashionkp_mm.exporting.publish import publish
from fashionkp_mm.exporting.trained import load_trained_model


@pytest.fixture(scope="module")
def trained(trained_heatmaps):
    return trained_heatmaps


@pytest.fixture(scope="module")
def published(trained, tmp_path_factory):
    out = tmp_path_factory.mktemp("published") / "weights.pth"
    return out, publish(trained.config, trained.checkpoint, out, licence="research only")


@pytest.fixture
def content(published):
    return torch.load(published[0], weights_only=True)


def test_it_holds_weights_and_what_is_to_be_known_of_them(content, trained):
    assert set(content) == {"meta", "state_dict"}
    meta = content["meta"]
    assert meta["config"] == trained.config.name
    assert meta["licence"] == "research only"
    assert "12 epochs" in meta["training_data"]
    assert (meta["epoch"], meta["iter"]) == (12, 1056)
    before = torch.load(trained.checkpoint, weights_only=True)["meta"]
    assert meta["dataset_meta"] == before["dataset_meta"]


def test_nothing_of_the_machine_is_in_it(published):
    content = published[0].read_bytes()
    assert b"somebody" not in content
    assert b"secret" not in content


def test_large_weights_are_rounded_and_nothing_else(content, trained):
    before = torch.load(trained.checkpoint, weights_only=True)["state_dict"]
    assert set(content["state_dict"]) == set(before)
    for name, tensor in content["state_dict"].items():
        large = before[name].ndim > 1 and before[name].numel() >= 16_384
        if before[name].is_floating_point() and large:
            assert tensor.dtype == torch.float16
            torch.testing.assert_close(tensor.float(), before[name], rtol=1e-3, atol=1e-7)
        else:
            assert tensor.dtype == before[name].dtype
            assert torch.equal(tensor, before[name])


def test_what_was_said_is_what_is_in_it(published, content):
    out, said = published
    assert said.size == out.stat().st_size
    assert said.parameters == sum(t.numel() for t in content["state_dict"].values())
    assert 0 < said.rounding < 1e-3


def test_mmengine_loads_it_into_float32(published, trained):
    model = load_trained_model(trained.config, trained.checkpoint).model
    for parameter in model.parameters():
        parameter.data.zero_()
    load_checkpoint(model, str(published[0]), strict=True)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert all(p.abs().sum() > 0 for name, p in model.named_parameters() if "weight" in name)


def test_mmpose_finds_the_same_points(published, trained):
    image = np.random.default_rng(0).integers(0, 256, (200, 160, 3), dtype=np.uint8)
    found = []
    for checkpoint in (trained.checkpoint, published[0]):
        model = init_model(Config.fromfile(trained.config), str(checkpoint), device="cpu")
        (sample,) = inference_topdown(model, image)
        found.append(sample.pred_instances)
    moved = np.linalg.norm(found[0].keypoints - found[1].keypoints, axis=-1)
    assert np.median(moved) < 0.5
    np.testing.assert_allclose(found[0].category_scores, found[1].category_scores, atol=0.02)


def test_an_export_of_it_says_the_same_of_its_origin(published, trained):
    out, said = published
    assert provenance(load_trained_model(trained.config, out)) == said.provenance


def test_the_same_checkpoint_gives_the_same_bytes(published, trained, tmp_path):
    again = tmp_path / "another_name.pth"
    publish(trained.config, trained.checkpoint, again, licence="research only")
    assert again.read_bytes() == published[0].read_bytes()


def test_publishing_what_is_published_changes_no_weight(published, content, trained, tmp_path):
    publish(trained.config, published[0], tmp_path / "again.pth")
    again = torch.load(tmp_path / "again.pth", weights_only=True)
    assert again["meta"] == content["meta"]
    for name, tensor in again["state_dict"].items():
        assert torch.equal(tensor, content["state_dict"][name])


@pytest.mark.parametrize("name", ["weights.pt", "weights"])
def test_another_kind_of_file_is_refused(trained, tmp_path, name):
    with pytest.raises(ExportError, match=r"does not end in \.pth"):
        publish(trained.config, trained.checkpoint, tmp_path / name)


def test_the_checkpoint_is_never_written_over(trained):
    before = trained.checkpoint.read_bytes()
    with pytest.raises(FileExistsError, match="would overwrite the input"):
        publish(trained.config, trained.checkpoint, trained.checkpoint)
    assert trained.checkpoint.read_bytes() == before


def test_what_is_too_large_for_a_repository_is_refused(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(publish_module, "MAX_BYTES", 1000)
    with pytest.raises(ExportError, match="publish a smaller model"):
        publish(trained.config, trained.checkpoint, tmp_path / "w.pth")
    assert not list(tmp_path.iterdir())


def test_the_command_says_what_it_wrote(trained, tmp_path):
    out = tmp_path / "w.pth"
    arguments = ["publish", str(trained.config), str(trained.checkpoint), str(out)]
    result = CliRunner().invoke(app, [*arguments, "--training-data", "drawn garments"])
    assert result.exit_code == 0, result.output
    assert f"{out}: " in result.stdout
    assert "training data: drawn garments" in result.stdout


def test_a_checkpoint_of_another_model_is_one_message(trained, simcc, tmp_path):
    arguments = [str(trained.config), str(simcc.checkpoint), str(tmp_path / "w.pth")]
    result = CliRunner().invoke(app, ["publish", *arguments])
    assert result.exit_code == 1
    assert "does not belong to" in result.stderr
    assert "Traceback" not in result.stderr
