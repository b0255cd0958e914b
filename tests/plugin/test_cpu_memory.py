"""Freed memory stays with the process, unless the user has seen to it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fashionkp_mm.plugin import cpu_memory

PROGRAM = """
import resource
import sys
import numpy as np
from fashionkp_mm.plugin.cpu_memory import keep_freed_memory

if sys.argv[1] == "kept" and not keep_freed_memory():
    sys.exit("not kept")
size, times = 64 * 2**20, 16
np.ones(size, np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(times):
    np.ones(size, np.uint8)
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(faults * resource.getpagesize() / (size * times))
"""


def page_faults(how: str) -> float:
    """Share of the memory of repeated large arrays that the system had to provide anew."""
    command = [sys.executable, "-c", PROGRAM, how]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    if done.returncode:
        pytest.skip(f"no glibc here: {done.stderr}")
    return float(done.stdout)


def test_large_blocks_are_used_again():
    plain = page_faults("plain")
    if plain < 0.002:
        pytest.skip("page faults are not counted here")
    assert page_faults("kept") < 0.1 * plain


@pytest.mark.parametrize("variable", ["MALLOC_MMAP_MAX_", "LD_PRELOAD"])
def test_the_users_own_choice_stands(variable, monkeypatch):
    monkeypatch.setenv(variable, "")
    assert not cpu_memory.keep_freed_memory()


def test_systems_without_glibc_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not cpu_memory.keep_freed_memory()
