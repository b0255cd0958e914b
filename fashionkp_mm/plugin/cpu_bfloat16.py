"""Whether a CPU trains faster in bfloat16 than in float32: asked of oneDNN, then measured.

oneDNN says which kernels it would run, and it has some for every CPU with AVX-512; on a CPU without
bfloat16 in hardware (AMX, AVX512-BF16, Arm's bf16) they convert to float32 and back, and cost
several times as much as float32 itself. Even where the hardware has it, float32 in the channels
last format can be the faster one. So the answer is a measured one.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

WORTH = 1.05
"""How many times as fast bfloat16 has to be: below that, float32 is as fast and more exact."""

_SHAPE = (4, 32, 32, 32)
_REPEATS = 5


@dataclass(frozen=True)
class CpuPrecision:
    """In which type `CPUAmpOptimWrapper` computes on this CPU.

    Attributes:
        dtype: ``torch.bfloat16`` or ``torch.float32``.
        reason: Why, as a clause that begins in lower case.
    """

    dtype: torch.dtype
    reason: str

    def __str__(self) -> str:
        name = "bfloat16" if self.dtype == torch.bfloat16 else "float32"
        return f"{name}, channels last: {self.reason}"


@functools.cache
def cpu_precision() -> CpuPrecision:
    """What suits this process's CPU, measured once in about a tenth of a second."""
    # A PyTorch without oneDNN does not have the question either.
    supported = torch.backends.mkldnn.is_available() and bool(
        torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
    return choose_precision(supported, measured_speedup)


def choose_precision(supported: bool, measure: Callable[[], float]) -> CpuPrecision:
    """Choose by what oneDNN says and what is measured.

    Args:
        supported: Whether oneDNN has bfloat16 kernels for this CPU. If not, nothing is measured:
            PyTorch's own way round would take far longer than a tenth of a second.
        measure: Gives how many times as fast as float32 bfloat16 is; see `measured_speedup`.
    """
    if not supported:
        return CpuPrecision(torch.float32, "this CPU has no bfloat16")
    speedup = measure()
    dtype = torch.bfloat16 if speedup >= WORTH else torch.float32
    return CpuPrecision(dtype, f"bfloat16 is {speedup:.2f} times as fast as float32 on this CPU")


def measured_speedup() -> float:
    """How many times as fast as in float32 a convolution trains under bfloat16 autocast.

    Both ways take turns, forward and backward, channels last, on one thread. The best of each
    counts, in this thread's own processor time: what other processes do does not matter.
    """
    threads, random_state = torch.get_num_threads(), torch.get_rng_state()
    torch.set_num_threads(1)
    try:
        layer = nn.Conv2d(_SHAPE[1], _SHAPE[1], 3, padding=1)
        layer.to(memory_format=torch.channels_last)
        inputs = torch.rand(_SHAPE).contiguous(memory_format=torch.channels_last)
        seconds: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(1 + _REPEATS):  # the first is slow, and never the best
            for reduced, taken in seconds.items():
                start = time.thread_time()
                _step(layer, inputs, reduced)
                taken.append(time.thread_time() - start)
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(random_state)
    return min(seconds[False]) / max(min(seconds[True]), 1e-9)


def _step(layer: nn.Module, inputs: torch.Tensor, reduced: bool) -> None:
    # Called while a model is built, which may be where gradients are off.
    with torch.enable_grad():
        with torch.autocast("cpu", torch.bfloat16, enabled=reduced):
            outputs = layer(inputs)
        outputs.float().sum().backward()
    layer.zero_grad(set_to_none=True)
