"""Mixed precision for training on a CPU, which MMEngine's `AmpOptimWrapper` refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from mmengine.dist import broadcast_object_list
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import Tensor, nn

from fashionkp_mm.plugin.cpu_bfloat16 import cpu_precision

_PARTS = ("backbone", "neck", "head.neck")
"""What computes in the chosen type, where a model has it: all that costs time."""


@OPTIM_WRAPPERS.register_module()
class CPUAmpOptimWrapper(OptimWrapper):
    """Runs a model's backbone and neck channels last while it trains on a CPU, and in bfloat16.

    In bfloat16 only where that is faster on this CPU (`cpu_precision`), otherwise in float32; the
    log says which, and why. All processes of a distributed training do as the first one.

    The head and the loss stay in float32: they cost little, and a SimCC loss in bfloat16 loses the
    half pixel it is after. Parameters, gradients and checkpoints are float32 as ever; validation is
    not touched.

    Args:
        kwargs: `OptimWrapper`'s.

    Attributes:
        dtype: What backbone and neck compute in.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        precision = [cpu_precision()]
        broadcast_object_list(precision)
        self.dtype = precision[0].dtype
        print_log(f"Mixed precision on the CPU: {precision[0]}", "current")

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Train step of ``model``, with its backbone and neck in the chosen type."""
        inner = model.get_submodule("module") if is_model_wrapper(model) else model
        with super().optim_context(model), ExitStack() as stack:
            for name in _PARTS:
                part = _submodule(inner, name)
                if part is not None:
                    stack.enter_context(_channels_last(part, self.dtype))
            yield


def _submodule(model: nn.Module, name: str) -> nn.Module | None:
    module: nn.Module | None = model
    for step in name.split("."):
        module = getattr(module, step, None)
    return module


@contextmanager
def _channels_last(part: nn.Module, dtype: torch.dtype) -> Iterator[None]:
    part.to(memory_format=torch.channels_last)
    reduced = dtype != torch.float32
    forward = part.forward

    def channels_last_forward(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(inputs, Tensor):
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=reduced):
            features = forward(inputs, *args, **kwargs)
        return _to_float(features)

    part.forward = channels_last_forward
    try:
        yield
    finally:
        del part.forward  # the class's own shows again


def _to_float(features: Any) -> Any:
    if isinstance(features, Tensor):
        return features.float()
    return type(features)(_to_float(feature) for feature in features)
