"""Mixed precision for training on a CPU, which MMEngine's `AmpOptimWrapper` refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import Tensor, nn


@OPTIM_WRAPPERS.register_module()
class CPUAmpOptimWrapper(OptimWrapper):
    """Runs a pose estimator's backbone in bfloat16, channels last, while it trains on a CPU.

    The head and the loss stay in float32: they cost little, and a SimCC loss in bfloat16 loses the
    half pixel it is after. Parameters, gradients and checkpoints are float32 as ever; validation is
    not touched.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Train step of ``model``, with its backbone under autocast."""
        wrapped = is_model_wrapper(model)
        backbone = model.get_submodule("module.backbone" if wrapped else "backbone")
        with super().optim_context(model), _bfloat16(backbone):
            yield


@contextmanager
def _bfloat16(backbone: nn.Module) -> Iterator[None]:
    backbone.to(memory_format=torch.channels_last)
    forward = backbone.forward

    def autocast_forward(images: Tensor, *args: Any, **kwargs: Any) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            features = forward(
                images.contiguous(memory_format=torch.channels_last), *args, **kwargs
            )
        return _to_float(features)

    backbone.forward = autocast_forward  # type: ignore[method-assign]
    try:
        yield
    finally:
        del backbone.forward  # the class's own shows again


def _to_float(features: Any) -> Any:
    if isinstance(features, Tensor):
        return features.float()
    return type(features)(_to_float(feature) for feature in features)
