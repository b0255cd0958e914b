"""Time of the normalized error of 100,000 images."""

from __future__ import annotations

import numpy as np
from common import fashionai_root, interleaved, random_table

from fashionkp_mm.core.csv_format import check_annotations
from fashionkp_mm.core.normalized_error import normalized_error

IMAGES = 100_000
REPEATS = 7


def main() -> None:
    root = fashionai_root()
    if root:
        table, _ = check_annotations(root / "annotations_2018.csv")
        table = table.select(np.arange(IMAGES) % len(table))
        print(f"data: labels of 2018, repeated to {IMAGES:,} images; median of {REPEATS}")
    else:
        table = random_table(IMAGES)
        print(
            f"data: {IMAGES:,} random images, as FASHIONAI_ROOT is not there; median of {REPEATS}"
        )
    noise = np.random.default_rng(0).normal(0, 5, table.keypoints.shape)
    predictions = (table.keypoints + noise).astype(np.float32)
    arrays = predictions, table.keypoints, table.visibility, table.category_indices
    (seconds,) = interleaved(REPEATS, lambda: normalized_error(*arrays))
    result = normalized_error(*arrays)
    print(f"NE {result.value:.2f} % over {result.points:,} points")
    print(f"{seconds:.3f} s (target: under 0.5 s)")


if __name__ == "__main__":
    main()
