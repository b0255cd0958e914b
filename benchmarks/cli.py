"""How soon `fashionkp --help` answers, and which heavy modules its commands import."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from common import interleaved, random_table

from fashionkp_mm.core.csv_format import write_labels

REPEATS = 7
HEAVY = ("torch", "torchvision", "mmengine", "mmcv", "mmpose", "mmdet", "cv2", "scipy", "pandas")
FASHIONKP = Path(sys.executable).with_name("fashionkp")

IMPORTED = """
import atexit, sys
def report():
    heavy = [name for name in {heavy} if name in sys.modules]
    print("imports", ", ".join(heavy) or "none of them", file=sys.stderr)
atexit.register(report)
from fashionkp_mm.cli import app
app()
"""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, check=True, capture_output=True, text=True)


def main() -> None:
    command = [FASHIONKP] if FASHIONKP.exists() else [sys.executable, "-m", "fashionkp_mm"]
    print(f"data: 100 random rows; medians of {REPEATS}")
    bare, help_ = interleaved(
        REPEATS, lambda: run(sys.executable, "-c", ""), lambda: run(*command, "--help")
    )
    print(f"python alone      {bare:.3f} s")
    print(f"fashionkp --help  {help_:.3f} s (target: under 0.5 s)")
    print(f"of {', '.join(HEAVY)}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        write_labels(path, random_table(100))
        for arguments in (["--help"], ["check", path], ["evaluate", path, path]):
            done = subprocess.run(
                [sys.executable, "-c", IMPORTED.format(heavy=HEAVY), *arguments],
                check=True,
                capture_output=True,
                text=True,
                env={**os.environ, "COLUMNS": "200"},
            )
            reported = next(line for line in done.stderr.splitlines() if line.startswith("imports"))
            print(f"fashionkp {arguments[0]:9s} {reported}")


if __name__ == "__main__":
    main()
