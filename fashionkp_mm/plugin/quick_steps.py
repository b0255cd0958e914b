"""What MMEngine does between a network's passes, in a few large operations instead of many small.

A GPU waits while a process starts operations one by one: some for each weight that is averaged or
optimised, and for each picture that is normalised. Results are the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import MODELS as ALL_MODELS
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.structures import BaseDataElement
from mmpose.engine.hooks.ema_hook import ExpMomentumEMA
from mmpose.models import PoseDataPreprocessor
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

_LABELS = ("gt_fields", "gt_instance_labels")
"""Where a sample keeps the tensors that a loss is computed from."""


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class GroupedOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """MMEngine's constructor, with one group of all parameters that have the same options.

    MMEngine makes a group of each parameter, and an optimiser takes its groups one by one.
    """

    def add_params(
        self,
        params: list[dict[str, Any]],
        module: nn.Module,
        prefix: str = "",
        is_dcn_module: int | float | None = None,
    ) -> None:
        """Append to ``params`` the groups of a module and of all below it."""
        super().add_params(params, module, prefix, is_dcn_module)
        if not prefix:
            params[:] = _merged(params)


def _merged(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    merged: dict[tuple[tuple[str, Any], ...], list[nn.Parameter]] = {}
    for group in groups:
        options = tuple(sorted((key, value) for key, value in group.items() if key != "params"))
        merged.setdefault(options, []).extend(group["params"])
    return [{**dict(options), "params": params} for options, params in merged.items()]


@ALL_MODELS.register_module()
class GroupedMomentumEMA(ExpMomentumEMA):
    """MMPose's `ExpMomentumEMA`, all tensors at once."""

    def update_parameters(self, model: nn.Module) -> None:
        """Move the average a step towards ``model``."""
        steps = int(self.steps)
        if steps == 0 or steps % self.interval or not self.update_buffers:
            super().update_parameters(model)
            return
        source = model.state_dict()
        names = [name for name, value in self.avg_parameters.items() if value.is_floating_point()]
        momentum = (1 - self.momentum) * math.exp(-(1 + steps) / self.gamma) + self.momentum
        get_ema_multi_avg_fn(1 - momentum)(
            [self.avg_parameters[name] for name in names],
            [source[name].to(self.avg_parameters[name].device) for name in names],
            self.steps,
        )
        self.steps += 1


@MODELS.register_module()
class GroupedDataPreprocessor(PoseDataPreprocessor):
    """MMPose's preprocessor, which moves a training batch to the device in few pieces.

    Pictures are one piece where the loader stacks them, by
    ``collate_fn=dict(type='default_collate')``; here each kind of label becomes one as well.
    """

    def cast_data(self, data: Any) -> Any:
        """Move what a loader gave to the model's device."""
        samples = data.get("data_samples") if isinstance(data, Mapping) else None
        if not samples or not all(part in sample for sample in samples for part in _LABELS):
            return super().cast_data(data)
        for part in _LABELS:
            self._move_together([sample.get(part) for sample in samples])
        return {**data, "inputs": super().cast_data(data["inputs"])}

    def _move_together(self, labels: Sequence[BaseDataElement]) -> None:
        for name, first in labels[0].items():
            values = [label.get(name) for label in labels]
            if all(isinstance(value, Tensor) and value.shape == first.shape for value in values):
                together = torch.stack(values)
                if self.device.type == "cuda":
                    together = together.pin_memory()
                together = together.to(self.device, non_blocking=True)
                for label, moved in zip(labels, together, strict=True):
                    label.set_field(moved, name)
            else:
                for label, value in zip(labels, values, strict=True):
                    label.set_field(super().cast_data(value), name)
