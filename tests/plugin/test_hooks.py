"""Hooks that keep a training from failing late."""

import copy
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MMLogger
from mmpose.datasets import CombinedDataset
from torch import nn

from fashionkp_mm.images import BrokenImageError
from fashionkp_mm.plugin import CheckImagesHook, KeepNormStatisticsHook


def runner(train, val=None):
    def loop(dataset):
        return SimpleNamespace(dataloader=SimpleNamespace(dataset=dataset), stop_training=False)

    return SimpleNamespace(
        train_loop=loop(train),
        val_loop=None if val is None else loop(val),
        logger=MMLogger.get_current_instance(),
    )


def test_all_images_there(drawn_dataset):
    CheckImagesHook().before_train(runner(drawn_dataset("train"), drawn_dataset("val")))


@pytest.mark.parametrize("split", ["train", "val"])
def test_missing_images_are_named_before_training(split, drawn_dataset, tmp_path):
    sets = {name: drawn_dataset(name) for name in ("train", "val")}
    sets[split] = drawn_dataset(split, data_prefix={"img": str(tmp_path)})
    first = Path(sets[split].get_data_info(0)["img_path"]).name
    count = len(sets[split])
    with pytest.raises(BrokenImageError, match=rf"{count} of the {count} images .*{first}"):
        CheckImagesHook().before_train(runner(sets["train"], sets["val"]))


class Joint:
    """What MMPose's CombinedDataset and MMEngine's ConcatDataset have in common."""

    def __init__(self, *datasets):
        self.datasets = datasets


class Wrapper:
    """What MMEngine's RepeatDataset and torch's Subset have in common."""

    def __init__(self, dataset):
        self.dataset = dataset


@pytest.mark.parametrize(
    "wrap",
    [Joint, lambda good, bad: Wrapper(Joint(good, Wrapper(bad)))],
)
def test_sees_into_data_sets_of_data_sets(wrap, drawn_dataset, tmp_path):
    good, bad = drawn_dataset("train"), drawn_dataset("val", data_prefix={"img": str(tmp_path)})
    with pytest.raises(BrokenImageError, match=rf"{len(bad)} of the {len(bad)} images"):
        CheckImagesHook().before_train(runner(wrap(good, bad)))
    CheckImagesHook().before_train(runner(wrap(good, good)))


def test_sees_into_mmposes_combined_dataset(drawn_dataset, tmp_path):
    parts = [drawn_dataset("train"), drawn_dataset("val", data_prefix={"img": str(tmp_path)})]
    combined = CombinedDataset.__new__(CombinedDataset)
    combined.datasets = parts
    with pytest.raises(BrokenImageError, match="are missing"):
        CheckImagesHook().before_train(runner(combined))


def test_norms_keep_their_statistics_and_learn():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout())
    before = copy.deepcopy(model.state_dict())
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    hook = KeepNormStatisticsHook()
    for step in range(2):
        model.train()  # as a loop does in each epoch
        hook.before_train_iter(SimpleNamespace(model=model), step)
        model(5 + torch.randn(8, 3, 4, 4)).square().mean().backward()
        optimiser.step()
    after = model.state_dict()
    for name in ("1.running_mean", "1.running_var", "1.num_batches_tracked"):
        assert torch.equal(after[name], before[name])
    assert model[2].training
    assert not torch.equal(after["1.weight"], before["1.weight"])
