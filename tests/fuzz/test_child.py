"""What the fuzzers count as a fault is noticed, and the next case is checked all the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fuzzing.child import Child


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with Child("misbehaving") as it:
        yield it


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("hang", "no answer in 10 s"),
        ("take long", "at most 1 allowed"),
        ("die", "the process died (exit status 3)"),
        ("grow", "MiB taken, at most 64 allowed"),
        ("grow without end", "MemoryError in misbehaving.py"),
        ("run a program", "code was executed: os.system"),
        ("complain", "a library says: Corrupt data"),
        ("raise", "KeyError in misbehaving.py"),
        ("answer wrongly", "a wrong answer"),
    ],
)
def test_a_fault_is_noticed(child: Child, case: str, reason: str) -> None:
    verdict = child.check(case)

    assert verdict.outcome == "fault"
    assert reason in verdict.reason
    assert child.check("behave").outcome == "accepted"
