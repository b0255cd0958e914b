"""Damaged files of every kind get a right answer; `benchmarks/fuzz.py` is the long run of this."""

from __future__ import annotations

import importlib
from random import Random

import pytest
from fuzzing import TARGETS
from fuzzing.child import Child
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

EXAMPLES = {
    "csv_files": 300,
    "pictures": 300,
    "models": 150,
    "checkpoints": 200,
    "journals": 200,
}
"""Runs that are killed have tests of their own, which know when: tests/commands/test_predict.py."""


@pytest.mark.parametrize("target", EXAMPLES)
def test_damaged_input_is_read_rightly_or_refused(target: str) -> None:
    module = importlib.import_module(f"fuzzing.{target}")
    with Child(target) as child:

        @settings(
            max_examples=EXAMPLES[target],
            deadline=None,  # the child has its own, which is a finding
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(st.randoms(use_true_random=False))
        def check(random: Random) -> None:
            case = module.make(random)
            note(f"{case!r:.2000}")
            verdict = child.check(case)
            assert verdict.outcome != "fault", verdict.reason

        check()


@pytest.mark.parametrize("target", TARGETS)
def test_a_case_depends_on_its_number_alone(target: str) -> None:
    make = importlib.import_module(f"fuzzing.{target}").make

    assert [make(Random(number)) for number in range(20)] == [
        make(Random(number)) for number in range(20)
    ]
