"""Mixed precision for training on a CPU, which MMEngine's `AmpOptimWrapper` refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import Tensor, nn

_PARTS = ("backbone", "neck", "head.neck")
"""What runs in bfloat16, where a model has it: all that costs time."""


@OPTIM_WRAPPERS.register_module()
class CPUAmpOptimWrapper(OptimWrapper):
    """Runs a model's backbone and neck in bfloat16, channels last, while it trains on a CPU.

    The head and the loss stay in float32: they cost little, and a SimCC loss in bfloat16 loses the
    half pixel it is after. Parameters, gradients and checkpoints are float32 as ever; validation is
    not touched.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Train step of ``model``, with its backbone and neck under autocast."""
        inner = model.get_submodule("module") if is_model_wrapper(model) else model
        with super().optim_context(model), ExitStack() as stack:
            for name in _PARTS:
                part = _submodule(inner, name)
                if part is not None:
                    stack.enter_context(_bfloat16(part))
            yield


def _submodule(model: nn.Module, name: str) -> nn.Module | None:
    module: nn.Module | None = model
    for step in name.split("."):
        module = getattr(module, step, None)
    return module


@contextmanager
def _bfloat16(part: nn.Module) -> Iterator[None]:
    part.to(memory_format=torch.channels_last)
    forward = part.forward

    def autocast_forward(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(inputs, Tensor):
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            features = forward(inputs, *args, **kwargs)
        return _to_float(features)

    part.forward = autocast_forward  # type: ignore[method-assign]
    try:
        yield
    finally:
        del part.forward  # the class's own shows again


def _to_float(features: Any) -> Any:
    if isinstance(features, Tensor):
        return features.float()
    return type(features)(_to_float(feature) for feature in features)
