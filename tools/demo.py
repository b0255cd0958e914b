"""Draw, train, test and score in some minutes, without any data: ``make demo``."""

from pathlib import Path

from fashionkp_mm.demo import run

if __name__ == "__main__":
    run(Path(__file__).resolve().parents[1], Path("demo_out").resolve())
