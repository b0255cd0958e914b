"""Round trips through every format of `fashionkp convert`: what comes back, and how fast.

    python benchmarks/formats.py [LABELS] [--images DIR] [--rows N]

The first table takes the labels of a data set through each format and back and compares them cell
by cell. The second takes N drawn-up rows; a reader is set beside what it is built on, `json.load`
or `ElementTree.parse`, both with the time that it takes to free what was read. All times are of the
processor, so that other programs do not count.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from common import fashionai_root, random_table

from fashionkp_mm.core.csv_format import write_labels
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.exchange.formats import FORMATS, Format, read_table, write_table
from fashionkp_mm.exchange.pictures import find_pictures, with_sizes
from fashionkp_mm.exchange.table import GarmentTable

NAMES: dict[Format, str] = {
    "fashionai": "labels.csv",
    "json": "labels.json",
    "parquet": "labels.parquet",
    "coco": "coco.json",
    "yolo-pose": "yolo",
    "cvat": "annotations.xml",
    "label-studio": "label-studio.json",
    "labelme": "labelme",
}
PARSERS: dict[Format, Callable[[Path], Any]] = {
    "json": lambda path: json.loads(path.read_bytes()),
    "coco": lambda path: json.loads(path.read_bytes()),
    "label-studio": lambda path: json.loads(path.read_bytes()),
    "cvat": ET.parse,
}


def seconds(run: Callable[..., Any], *arguments: Any) -> float:
    """CPU seconds of a call, with freeing what it returns."""
    start = time.process_time()
    run(*arguments)
    return time.process_time() - start


def cells_alike(one: KeypointTable, other: KeypointTable) -> tuple[int, int]:
    """Cells of keypoints that are the same to 0.01 px with the same visibility, and all cells."""
    row_of = {image_id: row for row, image_id in enumerate(other.image_ids)}
    other = other.select(np.array([row_of[image_id] for image_id in one.image_ids]))
    places = np.round(one.keypoints, 2) == np.round(other.keypoints, 2)
    alike = places.all(axis=2) & (one.visibility == other.visibility)
    alike &= (one.category_indices == other.category_indices)[:, None]
    return int(alike.sum()), alike.size


def formats() -> list[Format]:
    return [form for form in FORMATS if form != "parquet" or find_spec("pyarrow")]


def round_trips(table: GarmentTable, pictures: dict[str, Path], folder: Path) -> None:
    print("| format | cells that come back the same | written, s | read, s |\n|---|---|---|---|")
    for form in formats():
        path = folder / NAMES[form]
        wrote = seconds(write_table, path, table, form, pictures)
        read = seconds(read_table, path)
        alike, cells = cells_alike(table.garments, read_table(path).garments)
        print(f"| {form} | {alike:,} of {cells:,} | {wrote:.2f} | {read:.2f} |")


def large(rows: int, folder: Path) -> None:
    path = folder / NAMES["fashionai"]
    write_labels(path, random_table(rows))
    table = read_table(path)
    table = replace(table, sizes=np.full((len(table.pictures), 2), 512))
    print(
        "| format | written, s | read, s | its parser, s | read / parser |\n|---|---|---|---|---|"
    )
    for form in formats():
        if form in ("yolo-pose", "labelme"):  # a file a picture: the disk's time, not ours
            continue
        path = folder / NAMES[form]
        wrote = seconds(write_table, path, table, form)
        read = min(seconds(read_table, path) for _ in range(3))
        line = f"| {form} | {wrote:.1f} | {read:.2f} |"
        if form in PARSERS:
            parsed = min(seconds(PARSERS[form], path) for _ in range(3))
            line += f" {parsed:.2f} | {read / parsed:.2f} |"
        print(line if form in PARSERS else f"{line} - | - |", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\n{len(table):,} rows; {peak:.1f} GiB of memory at most, all formats in one process")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = fashionai_root()
    default = None if root is None else root / "val" / "Annotations" / "val.csv"
    parser.add_argument("labels", type=Path, nargs="?", default=default)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--rows", type=int, default=64_131)
    args = parser.parse_args()
    if args.labels is None:
        parser.error("there is no FashionAI data; name labels, such as those of `fashionkp synth`")
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        table = read_table(args.labels)
        pictures = find_pictures(table, args.labels, args.images)
        print(f"{args.labels.name}: {len(table):,} garments\n")
        round_trips(with_sizes(table, pictures, args.labels), pictures, Path(name))
    print()
    with tempfile.TemporaryDirectory() as name:
        large(args.rows, Path(name))


if __name__ == "__main__":
    main()
