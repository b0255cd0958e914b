"""Print the table of docs/benchmarks.md: NE on the validation images, by model and by boxes.

    FASHIONAI_ROOT=… python benchmarks/results.py [--detector CONFIG CHECKPOINT] \\
        CONFIG=CHECKPOINT [CONFIG=CHECKPOINT …]

Each checkpoint is tested by ``tools/test.py`` with every source of boxes, told the labelled
category and then left to choose one itself. The first rows answer the mean shape of the training
set's category instead of a model's prediction. A second table says what the shipped files find
where they are told nothing, and a picture may show several garments.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from common import (
    RECOGNITION,
    SEVERAL,
    SEVERAL_BOXES,
    normalized_errors,
    print_row,
    several_garments,
    test_model,
)
from numpy.typing import NDArray

from fashionkp_mm.core.boxes import keypoint_boxes
from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import CATEGORY_NAMES, Visibility
from fashionkp_mm.core.image_paths import locate_images
from fashionkp_mm.core.shape import mean_shape_error
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.images import image_size
from fashionkp_mm.runtime import FashionPredictor, shipped_model

SHAPE_BOXES = ("label", "whole")
MODEL_BOXES = ("label", "whole", "refine")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--detector", nargs=2, metavar=("CONFIG", "CHECKPOINT"), help="for its boxes as well"
    )
    parser.add_argument("models", nargs="*", metavar="CONFIG=CHECKPOINT")
    args = parser.parse_args()
    models = [model.split("=", 1) for model in args.models]
    if any(len(model) != 2 for model in models):
        parser.error("each model is CONFIG=CHECKPOINT")

    print_mean_shapes()
    for config, checkpoint in models:
        print_model(config, checkpoint, args.detector)
    print_several()


def print_mean_shapes() -> None:
    """The table's head, and the rows that need no model."""
    data = Path(os.environ.get("FASHIONAI_ROOT", "data/fashionai"))
    tables = {s: read_labels(data / s / "Annotations" / f"{s}.csv") for s in ("train", "val")}
    names = ["model", "epochs", "boxes", "all", *CATEGORY_NAMES, "all, own category", *RECOGNITION]
    print(f"NE % on {len(tables['val'])} images, {len(tables['train'])} trained on\n")
    print("|", " | ".join(names), "|")
    print("|" + "---|" * len(names))
    for source in SHAPE_BOXES:
        boxes = {split: find_boxes(table, data / split, source) for split, table in tables.items()}
        result = mean_shape_error(tables["train"], boxes["train"], tables["val"], boxes["val"])
        by_category = [result.per_category[name].value for name in CATEGORY_NAMES]
        unknown = [None] * (1 + len(RECOGNITION))
        print_row(["always the mean shape", "-", source], [result.value, *by_category, *unknown])


def find_boxes(table: KeypointTable, root: Path, source: str) -> NDArray[np.floating]:
    if source == "label":
        return keypoint_boxes(table.keypoints, table.visibility != Visibility.ABSENT)
    paths = locate_images(table.image_ids, root)
    return np.array([(0, 0, *image_size(paths[image_id])) for image_id in table.image_ids], float)


def print_model(config: str, checkpoint: str, detector: Sequence[str] | None) -> None:
    """A model's rows, one for each source of boxes."""
    # The mean of several trainings is not after one epoch.
    meta = torch.load(checkpoint, weights_only=True, map_location="cpu")["meta"]
    sources = [*MODEL_BOXES, *(["detector", "fast"] if detector else [])]
    given = test_model(config, checkpoint, sources, detector=detector)
    recognises = "fashionai/category_accuracy" in given[sources[0]]
    own = (
        test_model(config, checkpoint, sources, category="own", detector=detector)
        if recognises
        else {}
    )
    for source, metrics in given.items():
        values = [
            *normalized_errors(metrics),
            own[source]["fashionai/NE"] if own else None,
            *(metrics.get(name) for name in RECOGNITION.values()),
        ]
        print_row([f"`{Path(config).name}`", str(meta.get("epoch", "-")), source], values)


def print_several() -> None:
    """What the shipped files find where nothing is known of the picture."""
    root = Path(os.environ.get("FASHIONAI_ROOT", "data/fashionai")) / "val"
    answers = read_labels(root / "Annotations" / "val.csv")
    predictor = FashionPredictor(detector=shipped_model("detector"))
    print("\n|", " | ".join(["boxes", *SEVERAL]), "|")
    print("|" + "---|" * (1 + len(SEVERAL)))
    for boxes in SEVERAL_BOXES:
        print(f"| `{boxes}` |", " | ".join(several_garments(predictor, answers, root, boxes)), "|")


if __name__ == "__main__":
    main()
