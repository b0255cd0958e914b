"""The network of a config without weights, for benchmarks that only time it."""

from __future__ import annotations

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import nn

import fashionkp_mm.plugin  # noqa: F401


def untrained(config_path: str) -> tuple[nn.Module, tuple[int, int]]:
    """The network, and the width and height of what it looks at."""
    init_default_scope("mmpose")
    config = Config.fromfile(config_path).model
    config.backbone.init_cfg = None
    return MODELS.build(config), tuple(config.head.pose_head.decoder.input_size)
