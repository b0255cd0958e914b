"""How well scores and disagreeing passes tell wrong points.

    FASHIONAI_ROOT=… python benchmarks/doubt.py

The validation images with their category given, `refine`, no flip test; a visible point is wrong
where it is off by more than 20 % of the normaliser. AUC is the probability that a wrong point is
more doubtful than a right one.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import CATEGORY_NAMES, Visibility
from fashionkp_mm.core.normalized_error import normalizers
from fashionkp_mm.runtime import FashionPredictor

WRONG = 0.2


def auc(doubts: np.ndarray, wrong: np.ndarray) -> float:
    ranks = np.argsort(np.argsort(doubts))
    count = int(wrong.sum())
    return float((ranks[wrong].sum() - count * (count - 1) / 2) / count / (len(wrong) - count))


def main() -> None:
    root = Path(os.environ["FASHIONAI_ROOT"]) / "val"
    table = read_labels(root / "Annotations" / "val.csv")
    units = normalizers(table.keypoints, table.visibility, table.category_indices)
    categories = [CATEGORY_NAMES[index] for index in table.category_indices]
    predictions = FashionPredictor().stream([root / name for name in table.image_ids], categories)
    scores, spreads, errors = [], [], []
    for row, (garment,) in enumerate(predictions):
        if not units[row] > 0:
            continue
        seen = table.visibility[row] == Visibility.VISIBLE
        distances = np.linalg.norm(garment.keypoints - table.keypoints[row], axis=1)
        errors.append(distances[seen] / units[row])
        scores.append(garment.keypoint_scores[seen])
        spreads.append(garment.keypoint_spreads[seen] / units[row])
    score, spread, error = map(np.concatenate, (scores, spreads, errors))
    wrong = error > WRONG
    print(f"{len(wrong):,} visible points, {wrong.mean():.1%} of them wrong")
    print(f"AUC of scores {auc(-score, wrong):.3f}, of spreads {auc(spread, wrong):.3f}")
    print("passes apart by more than   points   of them wrong   of all wrong ones")
    for limit in (0.05, 0.1, 0.2):
        apart = spread > limit
        shares = apart.mean(), wrong[apart].mean(), apart[wrong].mean()
        print(f"{limit:.0%}".rjust(25), *(f"{share:14.1%}" for share in shares))


if __name__ == "__main__":
    main()
