"""A target that does what the others must not, to see that it is noticed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Literal

from fuzzing import Fault
from fuzzing.child import Limits

LIMITS = Limits(seconds=1.0, mebibytes=64, audited=True, silent=True)


def prepare(folder: Path) -> None:
    """Nothing to do."""


def check(case: str, folder: Path) -> Literal["accepted", "refused"]:
    """Misbehave as the case says."""
    if case == "hang":
        time.sleep(60)
    elif case == "take long":
        stop = time.process_time() + 1.3
        while time.process_time() < stop:
            pass
    elif case == "die":
        os._exit(3)
    elif case == "grow":
        _ = b"\1" * (80 << 20)
    elif case == "grow without end":
        _ = b"\1" * (1 << 32)
    elif case == "run a program":
        os.system("true")
    elif case == "complain":
        os.write(2, b"Corrupt data\n")
    elif case == "raise":
        raise KeyError(case)
    elif case == "answer wrongly":
        raise Fault("a wrong answer")
    return "accepted"
