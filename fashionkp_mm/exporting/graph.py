"""From a PyTorch module to the bytes of an ONNX file, with nothing in it that is not needed."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 18
"""Version of ONNX's operators. ONNX Runtime knows it since 1.14."""
IR_VERSION = 10
"""Version of ONNX's file format. ONNX Runtime reads it since 1.18."""

BATCH = "batch"
"""Name of the first axis of every input and output; its length is free."""


def to_onnx(
    network: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    metadata: Mapping[str, str],
) -> bytes:
    """Make an ONNX file of a module in evaluation mode.

    Constants are folded. Batch norms become a factor and a summand behind their convolutions, whose
    weights stay the checkpoint's own, so that rounding those (`half`, `publish`) gives the same
    network whether PyTorch or ONNX Runtime runs it; the latter joins them when it opens the file.
    What the exporter notes about the source code, paths of this machine among it, is left out.

    Args:
        network: Takes ``inputs`` by name and returns a tensor, or a tuple of them.
        inputs: Example inputs, ``(N, ...)`` with N of 2 or more; N is free in the file.
        outputs: Names of the outputs.
        metadata: For the file's ``metadata_props``.

    Returns:
        The file's content, which `onnx.checker` has passed.
    """
    # Training goes without it.
    import onnx  # noqa: PLC0415

    batch = torch.export.Dim(BATCH)
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            _without_batch_norms(network),
            kwargs=dict(inputs),
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=OPSET,
            dynamo=True,
            dynamic_shapes={name: {0: batch} for name in inputs},
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    model.ir_version = min(model.ir_version, IR_VERSION)
    _strip(model)
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


class _Affine(nn.Module):
    """What a batch norm in evaluation mode does to ``(N, C, H, W)``."""

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        shift = norm.bias.double() - norm.running_mean.double() * scale
        self.register_buffer("scale", scale.float()[:, None, None])
        self.register_buffer("shift", shift.float()[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale + self.shift


def _without_batch_norms(network: nn.Module) -> nn.Module:
    """A copy of the network in which each batch norm is a factor and a summand.

    The exporter would multiply batch norms into the weights, and a product of a weight that float16
    can hold is in general none that it can.
    """
    network = copy.deepcopy(network)
    norms = [
        (name, module)
        for name, module in network.named_modules()
        if isinstance(module, nn.BatchNorm2d)
    ]
    for name, norm in norms:
        network.set_submodule(name, _Affine(norm))
    return network


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks on MMPose's and its own code from the terminal."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _strip(model: ModelProto) -> None:
    graph = model.graph
    graph.doc_string = ""
    for values in (graph.value_info, model.metadata_props, graph.metadata_props):
        del values[:]
    for part in (*graph.node, *graph.input, *graph.output, *graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]
