"""How fast garments are measured: alone, drawn, by a marker, and a whole folder.

    python benchmarks/measure.py [--images N] [--repeats N]

Pictures are drawn garments of 512 pixels. A folder is predicted and measured by the real commands;
they take turns over parts of it, so that both see the same machine, and the processor's time is
what is compared.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from application_pictures import drawn_garments
from common import interleaved

from fashionkp_mm.applications import (
    Marker,
    Scale,
    errors_of_model,
    measure,
    scale_of_marker,
)
from fashionkp_mm.applications.dimension_lines import draw_measurements
from fashionkp_mm.runtime import shipped_model
from fashionkp_mm.synthetic.dataset import write_dataset

PARTS = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=50)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"{platform.machine()}, {os.cpu_count()} cores, one of them used")
    print()
    print("| of one garment of 512 pixels | ms |")
    print("|---|---|")
    for name, seconds in of_one_garment(arguments.repeats).items():
        print(f"| {name} | {1000 * seconds:.2f} |", flush=True)
    if arguments.images:
        predict, measured = of_a_folder(arguments.images)
        print()
        print(f"| {arguments.images} pictures of a folder | s of processor time |")
        print("|---|---|")
        print(f"| `fashionkp predict` | {predict:.1f} |")
        print(f"| `fashionkp measure` | {measured:.1f} |")
        print(f"| ratio | {measured / predict:.3f} |")


def of_one_garment(repeats: int) -> dict[str, float]:
    """Median seconds, the mean of the five categories."""
    errors = errors_of_model(shipped_model())
    scale = Scale.of_pixels(8.0)
    square = cv2.aruco.generateImageMarker(
        cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50), 0, 60
    )
    runs: dict[str, Callable[[], object]] = {}
    pairs = drawn_garments()

    def each(work: Callable[[object, object], object]) -> Callable[[], object]:
        return lambda: [work(truth, garment) for truth, garment in pairs]

    runs["measured, with intervals"] = each(
        lambda _, garment: measure(garment, scale=scale, errors=errors)
    )
    found = {id(garment): measure(garment, scale=scale) for _, garment in pairs}
    runs["drawn"] = each(
        lambda truth, garment: draw_measurements(truth.image, [found[id(garment)]])
    )
    marked = []
    for truth, _ in pairs:
        image = truth.image.copy()
        image[:80, :80] = 255
        image[10:70, 10:70] = square[..., None]
        marked.append(image)
    for name, marker in (
        ("marker of a dictionary that is named", Marker(3.0, "4X4_50")),
        ("marker of any dictionary", Marker(3.0)),
    ):
        runs[name] = lambda marker=marker: [scale_of_marker(image, marker) for image in marked]
    seconds = interleaved(repeats, *runs.values())
    return {name: value / len(pairs) for name, value in zip(runs, seconds, strict=True)}


def of_a_folder(images: int) -> tuple[float, float]:
    """Seconds of processor time that predicting and measuring take."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_dataset(root / "drawn", images, seed=0)
        pictures = sorted((root / "drawn").rglob("*.jpg"))
        totals = {"predict": 0.0, "measure": 0.0}
        for part, some in enumerate(np.array_split(np.arange(len(pictures)), PARTS)):
            folder = root / f"part{part}"
            folder.mkdir()
            for index in some:
                shutil.copy(pictures[index], folder)
            # Whoever is first finds a cold disk; they take turns in that, too.
            for command in list(totals)[:: 1 if part % 2 else -1]:
                totals[command] += processor_seconds(command, folder, root / f"{command}{part}.csv")
        return totals["predict"], totals["measure"]


def processor_seconds(command: str, folder: Path, out: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "fashionkp_mm", command, str(folder), "--out", str(out)],
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not out.is_file():
        sys.exit(f"error: fashionkp {command} failed")
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


if __name__ == "__main__":
    main()
