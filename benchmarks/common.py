"""What the benchmarks share: real data where it is, stand-ins made in memory elsewhere."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fashionkp_mm.core.annotations import KeypointTable
from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS, CATEGORY_NAMES, NUM_KEYPOINTS

_BESIDE = Path(__file__).parents[2] / "shared" / "fashionai"


def fashionai_root() -> Path | None:
    """Folder of the real data, or None."""
    root = Path(os.environ.get("FASHIONAI_ROOT", _BESIDE))
    return root if root.is_dir() else None


def random_table(images: int, seed: int = 0) -> KeypointTable:
    """Labels with about as many visible, occluded and absent points as the real ones."""
    rng = np.random.default_rng(seed)
    categories = rng.integers(0, len(CATEGORY_NAMES), images).astype(np.int8)
    states = np.array([-1, 0, 1], np.int8)
    visibility = rng.choice(states, (images, NUM_KEYPOINTS), p=[0.1, 0.14, 0.76])
    visibility[~CATEGORY_KEYPOINTS[categories]] = -1
    keypoints = rng.integers(0, 512, (images, NUM_KEYPOINTS, 2)).astype(np.float32)
    keypoints[visibility == -1] = -1
    names = [CATEGORY_NAMES[index] for index in categories]
    image_ids = tuple(f"Images/{name}/{index:032x}.jpg" for index, name in enumerate(names))
    return KeypointTable(image_ids, categories, keypoints, visibility, np.arange(images) + 2)


def interleaved(repeats: int, *runs: Callable[[], object]) -> list[float]:
    """Median seconds of each run; they take turns, so that all see the same machine."""
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats):
        for run, times in zip(runs, seconds, strict=True):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
    return [float(np.median(times)) for times in seconds]
