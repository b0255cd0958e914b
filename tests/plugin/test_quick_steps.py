"""Grouped steps of a training give what MMEngine's single ones give."""

import copy

import pytest
import torch
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.structures import InstanceData, PixelData
from mmpose.engine.hooks.ema_hook import ExpMomentumEMA
from mmpose.models import PoseDataPreprocessor
from mmpose.structures import PoseDataSample
from torch import nn

from fashionkp_mm.plugin import (
    GroupedDataPreprocessor,
    GroupedMomentumEMA,
    GroupedOptimWrapperConstructor,
)

SETTINGS = (
    {"type": "OptimWrapper", "optimizer": {"type": "AdamW", "lr": 1e-3, "weight_decay": 0.05}},
    {
        "norm_decay_mult": 0,
        "bias_decay_mult": 0,
        "bypass_duplicate": True,
        "custom_keys": {"backbone": {"lr_mult": 0.3}},
    },
)


def network():
    torch.manual_seed(0)
    return nn.ModuleDict(
        {
            "backbone": nn.Sequential(
                nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3)
            ),
            "head": nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)),
        }
    )


def test_parameters_of_the_same_options_are_one_group():
    model = network()
    model["tied"] = nn.Sequential(model["head"][0])
    model["backbone"][0].weight.requires_grad = False
    single, grouped = (
        constructor(*SETTINGS)(model).optimizer.param_groups
        for constructor in (DefaultOptimWrapperConstructor, GroupedOptimWrapperConstructor)
    )

    def options(groups):
        return {
            id(parameter): (group["lr"], group["weight_decay"])
            for group in groups
            for parameter in group["params"]
        }

    assert options(grouped) == options(single)
    trained = [each for each in model.parameters() if each.requires_grad]
    assert len(options(grouped)) == len(trained) == 8
    assert len(single) == 8
    # The backbone and the rest, decayed and not.
    assert len(grouped) <= 4


def test_one_option_for_all_needs_no_groups():
    (group,) = GroupedOptimWrapperConstructor(SETTINGS[0])(network()).optimizer.param_groups
    assert len(group["params"]) == 9


@pytest.mark.parametrize("settings", [{}, {"interval": 2}, {"update_buffers": False}])
def test_the_average_is_mmposes(settings):
    model = network()
    settings = {"momentum": 0.002, "gamma": 3, "update_buffers": True, **settings}
    grouped = GroupedMomentumEMA(model, **settings)
    single = ExpMomentumEMA(copy.deepcopy(model), **settings)
    for step in range(6):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter))
        model["head"](model["backbone"](torch.randn(2, 3, 8, 8)))
        for average in (grouped, single):
            average.update_parameters(model)
        ours, theirs = grouped.module.state_dict(), single.module.state_dict()
        assert ours.keys() == theirs.keys()
        for name, value in theirs.items():
            torch.testing.assert_close(ours[name], value, msg=f"{name} in step {step}")
    assert int(grouped.steps) == int(single.steps) == 6


def batch(*, labelled=True):
    torch.manual_seed(1)
    samples = []
    for number in range(3):
        sample = PoseDataSample(metainfo={"img_shape": (8, 8), "number": number})
        sample.gt_instances = InstanceData(keypoints=torch.rand(1, 4, 2).numpy())
        if labelled:
            sample.gt_instance_labels = InstanceData(keypoint_weights=torch.rand(1, 4))
            sample.gt_fields = PixelData(heatmaps=torch.rand(4, 2, 2))
        samples.append(sample)
    return {
        "inputs": torch.randint(0, 256, (3, 3, 8, 8), dtype=torch.uint8),
        "data_samples": samples,
    }


SETUP = {"mean": [127.0] * 3, "std": [128.0] * 3, "bgr_to_rgb": True}


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("stacked", [True, False])
def test_a_batch_is_what_mmpose_makes_of_it(labelled, stacked):
    def prepared(kind):
        data = batch(labelled=labelled)
        if not stacked:
            data["inputs"] = list(data["inputs"])
        return kind(**SETUP)(data, training=labelled)

    ours, theirs = prepared(GroupedDataPreprocessor), prepared(PoseDataPreprocessor)
    assert torch.equal(ours["inputs"], theirs["inputs"])
    for sample, other in zip(ours["data_samples"], theirs["data_samples"], strict=True):
        assert sample.metainfo == other.metainfo
        assert (sample.gt_instances.keypoints == other.gt_instances.keypoints).all()
        if labelled:
            assert torch.equal(sample.gt_fields.heatmaps, other.gt_fields.heatmaps)
            weights = sample.gt_instance_labels.keypoint_weights
            assert torch.equal(weights, other.gt_instance_labels.keypoint_weights)


def test_labels_of_several_shapes_are_moved_one_by_one():
    data = batch()
    data["data_samples"][0].gt_instance_labels = InstanceData(keypoint_weights=torch.ones(2, 4))
    samples = GroupedDataPreprocessor(**SETUP)(data, training=True)["data_samples"]
    assert [len(sample.gt_instance_labels.keypoint_weights) for sample in samples] == [2, 1, 1]
