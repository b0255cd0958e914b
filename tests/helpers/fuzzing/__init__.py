"""Fuzzers: what makes damaged input, and what says whether the package took it as it promises.

Each module but `child` and `mutations` is one target and has

``make(random)``
    One case, a picklable object, from nothing but a ``random.Random``. Hypothesis hands in one that
    it can shrink, ``benchmarks/fuzz.py`` one seeded by the case's number.
``prepare(folder)``
    What a child process does once, before its time and memory are limited.
``check(case, folder)``
    Hands the case to the package. Returns how it was answered, ``accepted`` or ``refused``, or
    raises `Fault`. Any other exception is a fault as well.
``LIMITS``
    The time and memory that one case may take.
``EACH_COSTS``
    Only where a case takes so long that there should be fewer: how many others it is worth.
"""

from __future__ import annotations

TARGETS = {
    "csv_files": "CSV files",
    "pictures": "pictures",
    "models": "ONNX files",
    "checkpoints": "checkpoints",
    "journals": "journals",
    "kills": "killed runs",
}
"""Modules, each with what it damages."""


class Fault(AssertionError):  # noqa: N818  It is what the fuzzers count, not an error of theirs.
    """The package did what it promises not to do."""
