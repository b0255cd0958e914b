"""Print how well garments are cut out of drawn pictures, where the truth is exact, and how fast.

    python benchmarks/masks.py --images 400

The points are the drawn ones. The thresholds of ``applications/grabcut.py`` and ``masks.py`` were
chosen on seeds 11 and 12; figures are of another one.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

import cv2
import numpy as np
from applications import drawn_garment

from fashionkp_mm.applications.masks import garment_mask
from fashionkp_mm.core.garments import CATEGORY_NAMES

PLAIN = ("white", "studio")
HEADER = ("ground or category", "garments", "IoU, mean", "median", "nine in ten above", "warned")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--seed", type=int, default=13)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)

    overlaps: dict[str, list[float]] = defaultdict(list)
    warned: dict[str, int] = defaultdict(int)
    seconds: dict[str, list[float]] = defaultdict(list)
    for index in range(arguments.images):
        drawn, garment = drawn_garment(index, arguments.seed)
        start = time.process_time()
        mask = garment_mask(drawn.image, garment)
        seconds[mask.method].append(time.process_time() - start)
        ground = "plain" if drawn.backdrop in PLAIN else "busy"
        for name in (ground, drawn.backdrop, drawn.category, "all"):
            overlaps[name].append(_overlap(mask.alpha, drawn.mask))
            warned[name] += mask.warning is not None

    print(f"{arguments.images} drawn garments, seed {arguments.seed}, their own points")
    print("|", " | ".join(HEADER), "|")
    print("|---" * len(HEADER), "|", sep="")
    kinds = (*PLAIN, *sorted(set(overlaps) - {*PLAIN, "plain", "busy", "all", *CATEGORY_NAMES}))
    for name in ("plain", "busy", *kinds, *CATEGORY_NAMES, "all"):
        found = overlaps[name]
        figures = np.mean(found), np.median(found), np.quantile(found, 0.1)
        cells = [name, str(len(found)), *(f"{figure:.3f}" for figure in figures)]
        print("|", " | ".join([*cells, str(warned[name])]), "|")
    for method, times in seconds.items():
        low, middle, high = 1000 * np.quantile(times, (0.1, 0.5, 0.9))
        print(f"{method}: {middle:.0f} ms (nine in ten below {high:.0f}, one in ten {low:.0f})")


def _overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    found, right = mask > 127, truth > 127
    return float((found & right).sum() / max(1, (found | right).sum()))


if __name__ == "__main__":
    main()
