"""The choice between bfloat16 and float32 on a CPU."""

import os
import platform
import subprocess
import sys

import pytest
import torch

from fashionkp_mm.plugin.cpu_bfloat16 import (
    WORTH,
    choose_precision,
    cpu_precision,
    measured_speedup,
)


def never():
    raise AssertionError("it is measured")


def test_what_the_cpu_lacks_is_not_measured():
    choice = choose_precision(supported=False, measure=never)
    assert choice.dtype == torch.float32
    assert str(choice) == "float32, channels last: this CPU has no bfloat16"


@pytest.mark.parametrize(
    ("speedup", "dtype"),
    [(0.1, torch.float32), (1.0, torch.float32), (WORTH, torch.bfloat16), (2.0, torch.bfloat16)],
)
def test_the_faster_one_is_chosen(speedup, dtype):
    choice = choose_precision(supported=True, measure=lambda: speedup)
    assert choice.dtype == dtype
    assert f"{speedup:.2f} times" in choice.reason


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="limits of x86 alone")
def test_emulated_bfloat16_is_refused():
    """Under these settings every x86 CPU is one with AVX2 and no more."""
    program = "from fashionkp_mm.plugin.cpu_bfloat16 import cpu_precision; print(cpu_precision())"
    limits = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **limits},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "float32, channels last: this CPU has no bfloat16\n"


def test_a_measurement_leaves_the_process_as_it_was():
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("this CPU would only emulate bfloat16")
    torch.manual_seed(3)
    expected, threads = torch.rand(2), torch.get_num_threads()
    torch.manual_seed(3)
    with torch.no_grad():
        assert 0.01 < measured_speedup() < 100
    assert torch.equal(torch.rand(2), expected)
    assert torch.get_num_threads() == threads


def test_it_is_measured_once():
    assert cpu_precision() is cpu_precision()
