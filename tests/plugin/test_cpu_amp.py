"""Mixed precision on the CPU, and channels last without it."""

import copy

import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import OPTIM_WRAPPERS
from mmpose.models import build_pose_estimator
from torch import nn

from fashionkp_mm.plugin import CPUAmpOptimWrapper, cpu_amp
from fashionkp_mm.plugin.cpu_bfloat16 import CpuPrecision


class Estimator(nn.Module):
    """Records the type of what its backbone hands to its head."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Conv2d(3, 4, 3)
        self.seen = []

    def forward(self, images):
        features = self.backbone(images)
        self.seen.append(features.dtype)
        return features.square().mean()


@pytest.fixture
def estimator():
    torch.manual_seed(0)
    return Estimator()


@pytest.fixture(autouse=True)
def choose(monkeypatch):
    """Makes a choice in place of the measurement; it is bfloat16 until another is made."""

    def make(dtype):
        precision = CpuPrecision(dtype, "a test says so")
        monkeypatch.setattr(cpu_amp, "cpu_precision", lambda: precision)

    make(torch.bfloat16)
    return make


def wrapper(model):
    return CPUAmpOptimWrapper(optimizer=torch.optim.SGD(model.parameters(), lr=0.1))


def test_the_head_gets_float32(estimator):
    with wrapper(estimator).optim_context(estimator):
        loss = estimator(torch.rand(2, 3, 8, 8))
    assert estimator.seen[-1] == loss.dtype == torch.float32


def test_the_backbone_computes_in_bfloat16(estimator):
    images = torch.rand(2, 3, 8, 8)
    exact = estimator.backbone(images)
    with wrapper(estimator).optim_context(estimator):
        rounded = estimator.backbone(images)
    assert rounded.dtype == torch.float32
    assert torch.equal(rounded, rounded.bfloat16().float()), "no more than bfloat16's digits"
    torch.testing.assert_close(rounded, exact, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("place", ["neck", "head.neck"])
def test_a_neck_computes_in_bfloat16_too(estimator, place):
    neck = nn.Conv2d(3, 4, 1)
    estimator.head = nn.Module()
    owner, _, name = place.rpartition(".")
    setattr(estimator.get_submodule(owner), name, neck)
    with wrapper(estimator).optim_context(estimator):
        rounded = neck(torch.rand(2, 3, 8, 8))
    assert rounded.dtype == torch.float32
    assert torch.equal(rounded, rounded.bfloat16().float())
    assert "forward" not in vars(neck)


def test_nothing_stays_behind(estimator):
    images = torch.rand(2, 3, 8, 8)
    before = estimator.backbone(images)
    with pytest.raises(RuntimeError, match="stop"), wrapper(estimator).optim_context(estimator):
        estimator(images)
        raise RuntimeError("stop")
    assert "forward" not in vars(estimator.backbone)
    torch.testing.assert_close(estimator.backbone(images), before)
    assert {p.dtype for p in estimator.parameters()} == {torch.float32}


def test_without_bfloat16_it_computes_in_float32_channels_last(estimator, choose, logged):
    choose(torch.float32)
    images = torch.rand(2, 3, 8, 8)
    exact = estimator.backbone(images)
    with wrapper(estimator).optim_context(estimator):
        features = estimator.backbone(images)
    assert features.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(features, exact, rtol=1e-6, atol=1e-6)
    assert [line for line in logged if "float32, channels last: a test says so" in line]


def test_a_pose_estimator_learns_with_it(demo_config, drawn_dataset, choose):
    choose(torch.float32)  # some CPUs would only emulate the other, for a minute
    torch.manual_seed(0)
    config = copy.deepcopy(demo_config.model)
    config.backbone.init_cfg = None
    model = build_pose_estimator(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    wrapped = OPTIM_WRAPPERS.build({"type": "CPUAmpOptimWrapper", "optimizer": optimizer})
    dataset = drawn_dataset("train")
    batch = pseudo_collate([dataset[index] for index in range(8)])
    losses = [float(model.train_step(batch, wrapped)["loss"]) for _ in range(12)]
    assert losses[-1] < 0.8 * losses[0]
