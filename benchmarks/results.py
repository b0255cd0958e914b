"""Print the README's results table: NE on the validation images, by model and by boxes.

    FASHIONAI_ROOT=… python benchmarks/results.py CONFIG=CHECKPOINT [CONFIG=CHECKPOINT …]

Each checkpoint is tested by ``tools/test.py``, with label boxes and with the whole image. The first
rows answer the mean shape of the training set's category instead of a model's prediction.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fashionkp_mm.core.annotations import KeypointTable, locate_images, read_labels
from fashionkp_mm.core.boxes import keypoint_boxes
from fashionkp_mm.core.garments import CATEGORY_NAMES, Visibility
from fashionkp_mm.core.mean_shape import mean_shape_error
from fashionkp_mm.images import image_size

ROOT = Path(__file__).resolve().parents[1]
BOXES = ("label", "whole")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="CONFIG=CHECKPOINT")
    models = [model.split("=", 1) for model in parser.parse_args().models]
    data = Path(os.environ.get("FASHIONAI_ROOT", "data/fashionai"))
    tables = {s: read_labels(data / s / "Annotations" / f"{s}.csv") for s in ("train", "val")}

    print(f"NE % on {len(tables['val'])} images, {len(tables['train'])} trained on\n")
    print("| model | epochs | boxes | all |", " | ".join(CATEGORY_NAMES), "|")
    print("|---|---|---|---|" + "---|" * len(CATEGORY_NAMES))
    for source in BOXES:
        boxes = {split: find_boxes(table, data / split, source) for split, table in tables.items()}
        result = mean_shape_error(tables["train"], boxes["train"], tables["val"], boxes["val"])
        by_category = [result.per_category[name].value for name in CATEGORY_NAMES]
        print_row("always the mean shape", "-", source, [result.value, *by_category])
    for config, checkpoint in models:
        epochs = torch.load(checkpoint, weights_only=True, map_location="cpu")["meta"]["epoch"]
        for source in BOXES:
            metrics = test(config, checkpoint, source)
            by_category = [metrics[f"fashionai/NE_{name}"] for name in CATEGORY_NAMES]
            name = f"`{Path(config).name}`"
            print_row(name, str(epochs), source, [metrics["fashionai/NE"], *by_category])


def find_boxes(table: KeypointTable, root: Path, source: str) -> NDArray[np.floating]:
    if source == "label":
        return keypoint_boxes(table.keypoints, table.visibility != Visibility.ABSENT)
    paths = locate_images(table.image_ids, root)
    return np.array([(0, 0, *image_size(paths[image_id])) for image_id in table.image_ids], float)


def test(config: str, checkpoint: str, source: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "metrics.json"
        command = [sys.executable, str(ROOT / "tools/test.py"), config, checkpoint]
        command += ["--work-dir", folder, "--out", str(out)]
        command += ["--cfg-options", f"test_dataloader.dataset.bbox_source={source}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        metrics: dict[str, float] = json.loads(out.read_text())
    return metrics


def print_row(name: str, epochs: str, source: str, values: list[float]) -> None:
    cells = [name, epochs, source, *(f"{value:.2f}" for value in values)]
    print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
