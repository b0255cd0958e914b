"""Depthwise convolutions that train quickly on a CPU in bfloat16."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_TILE = 3
"""Side of the kernels whose weights' gradient oneDNN computes quickly."""


class DepthwiseConv2d(nn.Conv2d):
    """A depthwise `nn.Conv2d` with the same weights, results and gradients.

    oneDNN has quick code for the gradient of a 3x3 kernel's weights. Of a 5x5 kernel it is forty
    times as slow for channels last in bfloat16, and was half of a training step of
    `EfficientNetLite`. A larger kernel's gradient is that of 3x3 tiles of it, though, each on a
    shifted input, so that is how it is computed here. The gradient of the input is slow in bfloat16
    for strides above 1, and computed in float32.

    Args:
        channels: Of the input and of the output.
        kernel_size: The kernel's side, 3 or more.
        stride: Of both axes.
        padding: Of all four sides.
    """

    def __init__(self, channels: int, kernel_size: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__(
            channels,
            channels,
            kernel_size,
            stride=stride,
            padding=padding,
            groups=channels,
            bias=False,
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, C, h, w)``."""
        slow = self.kernel_size[0] > _TILE or self.stride[0] > 1
        if not (
            slow
            and inputs.device.type == "cpu"
            and torch.is_autocast_enabled("cpu")
            and torch.is_grad_enabled()
        ):
            return super().forward(inputs)
        dtype = torch.get_autocast_dtype("cpu")
        inputs, weight = inputs.to(dtype), self.weight.to(dtype)
        output: Tensor = _Depthwise.apply(inputs, weight, self.stride[0], self.padding[0])
        return output


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(inputs, weight, None, stride, padding, 1, len(weight))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, None, None]:
        inputs, weight = ctx.saved_tensors
        stride, padding = ctx.stride, ctx.padding
        of_inputs = None
        if ctx.needs_input_grad[0]:
            of_inputs = _of_inputs(gradient, inputs, weight, stride, padding)
        return of_inputs, _of_weight(gradient, inputs, weight, stride, padding), None, None


def _of_inputs(
    gradient: Tensor, inputs: Tensor, weight: Tensor, stride: int, padding: int
) -> Tensor:
    if stride == 1:
        return _backward(gradient, inputs, weight, stride, padding, weights=False)
    # Only their shape and layout matter here.
    like_inputs = torch.empty_like(inputs, dtype=torch.float32)
    exact = _backward(gradient.float(), like_inputs, weight.float(), stride, padding, weights=False)
    return exact.to(inputs.dtype)


def _of_weight(
    gradient: Tensor, inputs: Tensor, weight: Tensor, stride: int, padding: int
) -> Tensor:
    side = weight.shape[-1]
    padded = functional.pad(inputs, [padding] * 4)
    height, width = ((length - 1) * stride + _TILE for length in gradient.shape[-2:])
    result = torch.empty_like(weight)
    # Tiles overlap where 3 does not divide the side.
    starts = sorted({min(start, side - _TILE) for start in range(0, side, _TILE)})
    for top in starts:
        for left in starts:
            seen = padded[..., top : top + height, left : left + width]
            seen = seen.contiguous(memory_format=torch.channels_last)
            rows, columns = slice(top, top + _TILE), slice(left, left + _TILE)
            tile = weight[..., rows, columns].contiguous()
            result[..., rows, columns] = _backward(gradient, seen, tile, stride, 0, weights=True)
    return result


def _backward(
    gradient: Tensor, inputs: Tensor, weight: Tensor, stride: int, padding: int, *, weights: bool
) -> Tensor:
    both = torch.ops.aten.convolution_backward(
        gradient,
        inputs,
        weight,
        None,
        [stride] * 2,
        [padding] * 2,
        [1, 1],
        False,
        [0, 0],
        len(weight),
        [not weights, weights, False],
    )
    result: Tensor = both[1 if weights else 0]
    return result
