"""Print what it is worth that the last pass sees more than its box (docs/ablation.md).

    FASHIONAI_ROOT=… python benchmarks/last_pass.py [MODEL.onnx]

NE on the validation images by how many times as large as its box the last pass sees a garment:
category given, boxes refine, no flip test. One half of the images chose, the other is reported.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from common import choosing_half, fashionai_root, print_row

from fashionkp_mm.core import box_sources
from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.core.image_paths import locate_images
from fashionkp_mm.core.normalized_error import evaluate
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.runtime import FashionPredictor, shipped_model

ENLARGEMENTS = (1.0, 1.05, 1.1, 1.2)


def main() -> None:
    root = fashionai_root()
    if root is None:
        sys.exit("error: no FashionAI data; set FASHIONAI_ROOT to its folder")
    predictor = FashionPredictor(sys.argv[1] if len(sys.argv) > 1 else shipped_model())
    answers = read_labels(root / "val" / "Annotations" / "val.csv")
    paths = locate_images(answers.image_ids, root / "val")
    images = [paths[image_id] for image_id in answers.image_ids]
    chooses = choosing_half(answers)
    print("| the last pass sees | all | images that chose | others |\n|---|---|---|---|")
    for enlargement in ENLARGEMENTS:
        # A part of the package that nobody else asks to choose.
        box_sources.LAST_PASS_ENLARGEMENT = enlargement
        found = predicted(predictor, images, answers)
        errors = [
            evaluate(answers.select(half), found.select(half)).value
            for half in (np.ones(len(answers), bool), chooses, ~chooses)
        ]
        print_row([f"{enlargement:g} times its box"], errors)


def predicted(
    predictor: FashionPredictor, images: list[Path], answers: KeypointTable
) -> KeypointTable:
    categories = [CATEGORY_NAMES[index] for index in answers.category_indices]
    found = predictor.predict(images, categories)
    return KeypointTable(
        answers.image_ids,
        answers.category_indices,
        np.stack([prediction[0].keypoints for prediction in found]).astype(np.float32),
        np.where(answers.visibility >= 0, 1, -1).astype(np.int8),
        answers.rows,
    )


if __name__ == "__main__":
    main()
