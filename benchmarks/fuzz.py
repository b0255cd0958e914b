"""Damages input of every kind by the thousand, and prints tries and faults.

``benchmarks/fuzz.py --cases 10000`` is the long run whose figures stand in docs/reliability.md;
``--target pictures --first 1234 --cases 1`` repeats one case of it. A case depends on its number
alone, and on the versions of the libraries that write the undamaged files. ``make test`` runs a few
hundred cases of each target, chosen by Hypothesis: tests/fuzz.
"""

from __future__ import annotations

import argparse
import importlib
import math
import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "helpers"))

from fuzzing import TARGETS
from fuzzing.child import Child

_PROGRESS_SECONDS = 30.0


def fuzz(target: str, numbers: range) -> tuple[Counter[str], float]:
    """Check some cases of a target and print each fault: how many of which outcome, and seconds."""
    module = importlib.import_module(f"fuzzing.{target}")
    outcomes: Counter[str] = Counter()
    start = said = time.monotonic()
    numbers = numbers[: math.ceil(len(numbers) / getattr(module, "EACH_COSTS", 1))]
    with Child(target) as child:
        for number in numbers:
            verdict = child.check(module.make(random.Random(f"{target} {number}")))
            outcomes[verdict.outcome] += 1
            if verdict.outcome == "fault":
                print(f"{target} {number}: {verdict.reason}", flush=True)
            if time.monotonic() - said > _PROGRESS_SECONDS:
                said = time.monotonic()
                print(f"{target}: {outcomes.total()} of {len(numbers)}", file=sys.stderr)
    return outcomes, time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--cases",
        type=int,
        default=1000,
        help="cases of each target; a hundredth of them for kills",
    )
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--target", choices=list(TARGETS), help="this one only")
    arguments = parser.parse_args()
    numbers = range(arguments.first, arguments.first + arguments.cases)

    table = [
        "| input | tries | accepted | refused | faults | minutes |",
        "|---|---|---|---|---|---|",
    ]
    faults = 0
    for target in [arguments.target] if arguments.target else TARGETS:
        outcomes, seconds = fuzz(target, numbers)
        faults += outcomes["fault"]
        counts = [outcomes.total(), *(outcomes[name] for name in ("accepted", "refused", "fault"))]
        cells = [TARGETS[target], *(f"{count:,}" for count in counts), f"{seconds / 60:.1f}"]
        table.append(f"| {' | '.join(cells)} |")
    print("\n".join(table))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
