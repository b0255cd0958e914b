"""Draw, train, test and score in some minutes, without any data: ``make demo``."""

import sys
from pathlib import Path

from fashionkp_mm.demo import DemoError, run

if __name__ == "__main__":
    try:
        run(Path(__file__).resolve().parents[1], Path("demo_out").resolve())
    except DemoError as error:
        sys.exit(f"error: {error}")
