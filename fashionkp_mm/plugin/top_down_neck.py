"""A light feature pyramid that ends in one fine feature map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional


@MODELS.register_module()
class TopDownNeck(BaseModule):
    """Carries what deep features know to the finest ones, as a feature pyramid (FPN) does.

    MMPose's `FPN` filters every level, of which a pose head reads one; this one filters only what
    leads there. Few labelled images are enough for heatmaps at stride 4, where a fully connected
    head has to learn every place by itself. The features' sizes must be multiples of each other.

    Args:
        in_channels: Channels of the backbone's features, fine to coarse.
        out_channels: Channels of the result.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.in_channels = tuple(in_channels)
        self.out_channels = out_channels
        self.laterals = nn.ModuleList(
            _conv(channels, out_channels, 1) for channels in self.in_channels
        )
        self.filters = nn.ModuleList(
            _conv(out_channels, out_channels, 3) for _ in self.in_channels[:-1]
        )

    def forward(self, feats: Sequence[Tensor]) -> tuple[Tensor]:
        """One map ``(N, out_channels, H, W)`` of the size of the first, finest feature map."""
        x = self.laterals[-1](feats[-1])
        for feature, lateral, merge in zip(
            feats[-2::-1], self.laterals[-2::-1], self.filters[::-1], strict=True
        ):
            factor = feature.shape[-1] // x.shape[-1]
            if factor > 1:
                x = functional.interpolate(x, scale_factor=factor, mode="nearest")
            x = merge(x + lateral(feature))
        return (x,)


def _conv(in_channels: int, out_channels: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )
