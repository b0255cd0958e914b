"""Depthwise convolutions: what PyTorch's own computes, gradients included."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fashionkp_mm.plugin.depthwise import DepthwiseConv2d


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize(("stride", "padding"), [(1, 2), (1, 0), (2, 0), (2, 3)])
@pytest.mark.parametrize("size", [(9, 12), (16, 7)])
def test_is_pytorchs_convolution(
    kernel: int, stride: int, padding: int, size: tuple[int, int]
) -> None:
    torch.manual_seed(1)
    ours = DepthwiseConv2d(8, kernel, stride, padding).double()
    theirs = nn.Conv2d(8, 8, kernel, stride, padding, groups=8, bias=False).double()
    theirs.load_state_dict(ours.state_dict())
    inputs = torch.randn(3, 8, *size, dtype=torch.double)
    results = []
    for layer in (ours, theirs):
        own = inputs.clone().requires_grad_()
        output = layer(own)
        output.cos().sum().backward()
        assert own.grad is not None
        assert layer.weight.grad is not None
        results.append((output.detach(), own.grad, layer.weight.grad))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("kernel", "stride"), [(5, 1), (5, 2), (3, 2)])
def test_in_bfloat16_gradients_are_as_near_as_pytorchs(kernel: int, stride: int) -> None:
    torch.manual_seed(1)
    ours = DepthwiseConv2d(16, kernel, stride, padding=1).to(memory_format=torch.channels_last)
    theirs = nn.Conv2d(16, 16, kernel, stride, 1, groups=16, bias=False)
    theirs.load_state_dict(ours.state_dict())
    inputs = torch.randn(4, 16, 12, 13).contiguous(memory_format=torch.channels_last)
    exact = gradients(theirs, inputs)
    with torch.autocast("cpu", torch.bfloat16):
        found, reduced = gradients(ours, inputs), gradients(theirs, inputs)
    for name in ("inputs", "weight"):
        assert found[name].dtype == torch.float32
        error = (found[name] - exact[name]).norm() / exact[name].norm()
        theirs_error = (reduced[name] - exact[name]).norm() / exact[name].norm()
        assert error < max(1.5 * theirs_error, 1e-3)


def gradients(layer: nn.Conv2d, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    own = inputs.clone().requires_grad_()
    layer.weight.grad = None
    layer(own).float().square().sum().backward()
    assert own.grad is not None
    assert layer.weight.grad is not None
    return {"inputs": own.grad, "weight": layer.weight.grad}


def test_without_a_gradient_to_its_input() -> None:
    layer = DepthwiseConv2d(2, 5)
    with torch.autocast("cpu", torch.bfloat16):
        layer(torch.ones(1, 2, 6, 6)).float().sum().backward()
    assert layer.weight.grad is not None
    torch.testing.assert_close(layer.weight.grad, torch.full((2, 1, 5, 5), 4.0))


def test_nothing_is_kept_where_nothing_learns() -> None:
    layer = DepthwiseConv2d(2, 5)
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        assert layer(torch.ones(1, 2, 6, 6)).grad_fn is None
