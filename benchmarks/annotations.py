"""Reading and checking a big CSV, against a plain loop; time and memory of the data set on it."""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

from common import fashionai_root, interleaved, random_table

from fashionkp_mm.core.csv_format import check_annotations, write_labels

REPEATS = 5

# Peak memory belongs to a whole process, so the data set is made in one of its own.
DATASET = """
import resource, sys, time, warnings
from mmengine.registry import init_default_scope
from fashionkp_mm.plugin import FashionAIDataset

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

warnings.simplefilter("ignore")
init_default_scope("mmpose")
before, start = peak(), time.perf_counter()
dataset = FashionAIDataset(ann_file=sys.argv[1], data_mode="topdown", pipeline=[], lazy_init=False)
seconds = time.perf_counter() - start
print(f"FashionAIDataset of {len(dataset)} images ready in {seconds:.2f} s (target: under 3 s);"
      f" peak memory {peak():.0f} MB (target: under 600 MB), of which imports {before:.0f} MB")
"""


def plain_loop(path: Path) -> list[tuple[str, str, list[list[int]]]]:
    """What reading takes without any library: every row with its numbers, nothing checked."""
    with path.open(newline="") as file:
        reader = csv.reader(file)
        next(reader)
        return [
            (row[0], row[1], [[int(number) for number in cell.split("_")] for cell in row[2:]])
            for row in reader
        ]


def plain_loop_without_keeping(path: Path) -> None:
    """The same numbers thrown away at once: no memory to be had, no lists to be collected."""
    with path.open(newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for row in reader:
            for cell in row[2:]:
                for number in cell.split("_"):
                    int(number)


def measure(path: Path) -> None:
    ours, loop, bare = interleaved(
        REPEATS,
        lambda: check_annotations(path),
        lambda: plain_loop(path),
        lambda: plain_loop_without_keeping(path),
    )
    print(f"read and checked in          {ours:.3f} s (target: under 0.5 s)")
    print(f"plain loop                   {loop:.3f} s, {loop / ours:.1f} times (target: 8 times)")
    print(f"plain loop, nothing kept     {bare:.3f} s, {bare / ours:.1f} times")
    subprocess.run([sys.executable, "-W", "ignore", "-c", DATASET, path], check=True)


def main() -> None:
    root = fashionai_root()
    if root:
        path = root / "annotations_2018.csv"
        print(f"data: {path}; medians of {REPEATS}")
        measure(path)
        return
    print(f"data: 64,131 random rows, as FASHIONAI_ROOT is not there; medians of {REPEATS}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.csv"
        write_labels(path, random_table(64_131))
        measure(path)


if __name__ == "__main__":
    main()
