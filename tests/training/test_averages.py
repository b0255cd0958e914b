"""Tests of the mean of several trainings' weights."""

from __future__ import annotations

import pytest
import torch

from fashionkp_mm.training import arguments


@pytest.fixture
def checkpoint(tmp_path):
    """Save a checkpoint of one weight and one counter."""

    def save(name, weight, counter=1, **meta):
        path = tmp_path / name
        state = {"weight": torch.tensor(weight), "batches": torch.tensor(counter)}
        torch.save({"meta": meta, "state_dict": state, "optimizer": {}}, path)
        return str(path)

    return save


def test_each_weight_is_the_mean(checkpoint, tmp_path):
    out = tmp_path / "mean.pth"
    first = checkpoint("a.pth", [1.0, 2.0], 7, epoch=28, seed=1, dataset_meta={"name": "x"})
    second = checkpoint("b.pth", [3.0, 8.0], 9, epoch=28, seed=2, dataset_meta={"name": "x"})
    arguments.average([str(out), first, second])
    mean = torch.load(out, weights_only=True)
    assert mean["state_dict"]["weight"].tolist() == [2, 5]
    assert mean["state_dict"]["batches"] == 7
    assert mean["meta"] == {"epoch": 28, "dataset_meta": {"name": "x"}}
    assert "optimizer" not in mean


def test_half_precision_is_averaged_in_single(checkpoint, tmp_path):
    out = tmp_path / "mean.pth"
    names = [checkpoint(name, [1.0]) for name in ("a.pth", "b.pth")]
    for name, value in zip(names, (1.0, 1.0 + 2**-10), strict=True):
        torch.save({"state_dict": {"weight": torch.tensor([value]).half()}}, name)
    arguments.average([str(out), *names])
    assert torch.load(out, weights_only=True)["state_dict"]["weight"].item() == 1 + 2**-11


@pytest.mark.parametrize("weight", [[1.0, 2.0, 3.0], [[1.0, 2.0]]], ids=["longer", "two axes"])
def test_other_networks_are_refused(checkpoint, tmp_path, weight):
    files = [checkpoint("a.pth", [1.0, 2.0]), checkpoint("b.pth", weight)]
    with pytest.raises(SystemExit, match=r"b\.pth and .*a\.pth are not of one network: weight"):
        arguments.average([str(tmp_path / "mean.pth"), *files])
    assert not (tmp_path / "mean.pth").exists()


def test_what_is_no_checkpoint_is_refused(checkpoint, tmp_path):
    file = tmp_path / "weights.pth"
    torch.save({"weight": torch.zeros(1)}, file)
    with pytest.raises(SystemExit, match=r"weights\.pth: holds no state_dict"):
        arguments.average([str(tmp_path / "mean.pth"), str(file)])


def test_no_checkpoint_is_overwritten(checkpoint):
    file = checkpoint("a.pth", [1.0])
    with pytest.raises(SystemExit, match=r"a\.pth"):
        arguments.average([file, file, checkpoint("b.pth", [2.0])])
    assert torch.load(file, weights_only=True)["state_dict"]["weight"].tolist() == [1]
