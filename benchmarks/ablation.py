"""Print the ablation table: what each part of the shipped way to predict is worth.

    FASHIONAI_ROOT=… python benchmarks/ablation.py CONFIG CHECKPOINT [CONFIG=CHECKPOINT …]

The first rows test the model as it ships and, of the same weights, one change at a time; ``tools/
test.py`` tests them all on the validation images, the category given. One row a further model
follows, each with all that its own config says. The last rows, with the ONNX file that ships, vary
how many passes are made on crops around what was found, and whether these passes are fused.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import fashionai_root, print_row, test_model

from fashionkp_mm.core import box_sources
from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.core.image_paths import locate_images
from fashionkp_mm.core.normalized_error import evaluate
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.runtime import FashionPredictor

SOURCES = ("label", "whole", "refine")
DECODER = "model.head.pose_head.decoder"
PARABOLA = f"{DECODER}.type=UDPHeatmap"
CHANGES = {
    "no flip test": ["model.test_cfg.flip_test=False"],
    "points by MMPose's parabola, blur 11": [PARABOLA],
    "points by MMPose's parabola, blur 3": [PARABOLA, f"{DECODER}.blur_kernel_size=3"],
    "centroids of power 1": [f"{DECODER}.power=1.0"],
}
PASSES = (1, 2, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", metavar="CONFIG", type=Path)
    parser.add_argument("checkpoint", metavar="CHECKPOINT", type=Path)
    parser.add_argument("models", nargs="*", metavar="CONFIG=CHECKPOINT")
    args = parser.parse_args()
    others = [model.split("=", 1) for model in args.models]
    if any(len(other) != 2 for other in others):
        parser.error("each further model is CONFIG=CHECKPOINT")
    root = fashionai_root()
    if root is None:
        parser.error("no FashionAI data: set FASHIONAI_ROOT")

    print(f"| what | {' | '.join(SOURCES)} |\n{'|---' * (1 + len(SOURCES))}|")
    print_tests(f"`{args.config.name}` as it ships", args.config, args.checkpoint)
    for name, options in CHANGES.items():
        print_tests(name, args.config, args.checkpoint, options)
    for config, checkpoint in others:
        print_tests(f"`{Path(config).name}`", Path(config), Path(checkpoint))
    answers = read_labels(root / "val" / "Annotations" / "val.csv")
    for passes in PASSES:
        for fused in (False, True) if passes > 1 else (False,):
            print_passes(passes, answers, root / "val", fused=fused)


def print_tests(name: str, config: Path, checkpoint: Path, options: Sequence[str] = ()) -> None:
    """A row of NE by source of boxes."""
    results = test_model(config, checkpoint, SOURCES, options=options)
    print_row([name], [results[source]["fashionai/NE"] for source in SOURCES])


def print_passes(passes: int, answers: KeypointTable, root: Path, *, fused: bool) -> None:
    """A row of NE where ``refine`` takes so many passes, and all of them vote or the last one."""
    # A part of the package that nobody else asks to choose.
    voting = passes if fused else 1
    box_sources.PASSES["refine"] = box_sources.Passes(1 + passes - voting, voting)
    paths = locate_images(answers.image_ids, root)
    categories = [CATEGORY_NAMES[index] for index in answers.category_indices]
    images = [paths[image_id] for image_id in answers.image_ids]
    found = FashionPredictor(flip_test=True).predict(images, categories)
    predictions = KeypointTable(
        answers.image_ids,
        answers.category_indices,
        np.stack([prediction[0].keypoints for prediction in found]).astype(np.float32),
        np.where(answers.visibility >= 0, 1, -1).astype(np.int8),
        answers.rows,
    )
    error = evaluate(answers, predictions).value
    words = "fused" if fused else "the last one alone"
    print_row([f"`refine` with {passes} passes on crops, {words}, ONNX"], [None, None, error])


if __name__ == "__main__":
    main()
