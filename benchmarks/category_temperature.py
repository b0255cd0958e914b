"""Find the temperature at which a model's category scores mean what they say.

    FASHIONAI_ROOT=… python benchmarks/category_temperature.py [MODEL.onnx]

The model names the validation images' categories itself (boxes refine, no flip test). The
temperature with the least cross-entropy on one half of them is for `GarmentHead`'s
``category_temperature``; the expected calibration error (ten bins of equal width,
arXiv:1706.04599) is printed for both halves, before and after.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from common import choosing_half, fashionai_root
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.image_paths import locate_images
from fashionkp_mm.core.recognition import expected_calibration_error
from fashionkp_mm.runtime import FashionPredictor, shipped_model

_LEAST = 1e-30
"""A probability below is none that float32 can tell from 0."""


def main() -> None:
    root = fashionai_root()
    if root is None:
        sys.exit("error: no FashionAI data; set FASHIONAI_ROOT to its folder")
    model = Path(sys.argv[1]) if len(sys.argv) > 1 else shipped_model()
    table = read_labels(root / "val" / "Annotations" / "val.csv")
    paths = locate_images(table.image_ids, root / "val")
    found = FashionPredictor(model).stream(paths[image_id] for image_id in table.image_ids)
    scores = np.stack([prediction[0].category_scores for prediction in found])
    logits = np.log(np.maximum(scores.astype(np.float64), _LEAST))
    chooses = choosing_half(table.image_ids, table.category_indices.tolist())
    labels = table.category_indices

    temperature = float(
        minimize_scalar(
            lambda t: cross_entropy(logits[chooses] / t, labels[chooses]),
            bounds=(0.2, 20),
            method="bounded",
        ).x
    )
    print(f"temperature, from {chooses.sum()} images: {temperature:.2f} times the model's own\n")
    print("| images | right | calibration error before | after |\n|---|---|---|---|")
    for name, half in (("that chose", chooses), ("others", ~chooses)):
        right = logits[half].argmax(axis=1) == labels[half]
        before, after = (
            expected_calibration_error(softmax(logits[half] / t).max(axis=1), right)
            for t in (1, temperature)
        )
        print(
            f"| {half.sum()} {name} | {100 * right.mean():.1f} % | {100 * before:.1f} %"
            f" | {100 * after:.1f} % |"
        )


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def cross_entropy(logits: NDArray[np.float64], labels: NDArray[np.integer]) -> float:
    return float(-np.log(softmax(logits)[np.arange(len(labels)), labels] + _LEAST).mean())


if __name__ == "__main__":
    main()
