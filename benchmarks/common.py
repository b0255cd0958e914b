"""What the benchmarks share: real data where it is, stand-ins made in memory elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from mmengine.config import Config
from numpy.typing import NDArray

from fashionkp_mm.core.box_sources import BoxSource
from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.garment_recall import garment_recall
from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS, CATEGORY_NAMES, NUM_KEYPOINTS
from fashionkp_mm.core.image_paths import locate_images
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.runtime import FashionPredictor
from fashionkp_mm.runtime.file_garments import table_of

ROOT = Path(__file__).resolve().parents[1]
_BESIDE = ROOT.parent / "shared" / "fashionai"

Metrics = dict[str, float]
RECOGNITION = {
    "category %": "fashionai/category_accuracy",
    "visibility %": "fashionai/visibility_accuracy",
    "visibility %, mean of the classes": "fashionai/visibility_accuracy_balanced",
}
"""Columns for what only a model with a `GarmentHead` recognises, and the metrics in them."""


def fashionai_root() -> Path | None:
    """Folder of the real data, or None."""
    root = Path(os.environ.get("FASHIONAI_ROOT", _BESIDE))
    return root if root.is_dir() else None


def choosing_half(image_ids: Sequence[str], categories: Iterable[object]) -> NDArray[np.bool_]:
    """``(N,)``: the validation images that choose, of each category every other one by a hash.

    The rest is for the figures: what was chosen on an image says little of images nobody has seen.
    """
    rows_of: dict[object, list[int]] = {}
    for row, category in enumerate(categories):
        rows_of.setdefault(category, []).append(row)
    chooses = np.zeros(len(image_ids), bool)
    for rows in rows_of.values():
        rows.sort(key=lambda row: hashlib.sha256(image_ids[row].encode()).digest())
        chooses[rows[::2]] = True
    return chooses


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


def interleaved(repeats: int, *runs: Callable[[], object], pause: float = 0) -> list[float]:
    """Median seconds of each run; they take turns, so that all see the same machine.

    ``pause`` seconds before each let the threads of the run before go to sleep.
    """
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats):
        for run, times in zip(runs, seconds, strict=True):
            time.sleep(pause)
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
    return [float(np.median(times)) for times in seconds]


def train_model(config: Config, folder: Path) -> tuple[Path, Path]:
    """Train with ``tools/train.py``, unless that was done before.

    The config is written beside the folder, in full: it says all that its training depends on, and
    so no folder ever mixes two trainings.

    Returns:
        The config, and the checkpoint of the last epoch.
    """
    written = folder.with_suffix(".py")
    if written.is_file() and written.read_text() != config.pretty_text:
        sys.exit(
            f"error: {folder} holds another training, see {written}; name another folder with"
            " --work-dir, or delete that one"
        )
    write_atomically(written, config.pretty_text.encode())
    checkpoint = folder / f"epoch_{config.train_cfg.max_epochs}.pth"
    if not checkpoint.is_file():
        command = [sys.executable, str(ROOT / "tools/train.py"), str(written)]
        command += ["--amp", "--pretrained", "default", "--resume", "--work-dir", str(folder)]
        subprocess.run(command, check=True)
    return written, checkpoint


def test_model(
    config: str | Path,
    checkpoint: str | Path,
    sources: Sequence[str],
    *,
    category: str = "given",
    detector: Sequence[str] | None = None,
    options: Sequence[str] = (),
) -> dict[str, Metrics]:
    """The metrics that ``tools/test.py`` reports, by source of boxes; what it prints is dropped."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "metrics.json"
        command = [sys.executable, str(ROOT / "tools/test.py"), str(config), str(checkpoint)]
        command += ["--boxes", *sources, "--category", category]
        command += ["--work-dir", folder, "--out", str(out)]
        if detector:
            command += ["--detector", *detector]
        if options:
            command += ["--cfg-options", *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        results: dict[str, Metrics] = json.loads(out.read_text())
    return results


def normalized_errors(metrics: Metrics) -> list[float]:
    """NE of all images, then of each category."""
    by_category = [metrics[f"fashionai/NE_{name}"] for name in CATEGORY_NAMES]
    return [metrics["fashionai/NE"], *by_category]


SEVERAL = (
    "garments a picture",
    "found, %",
    "surest has the labelled category, %",
    "NE of those found",
    "NE, one not found counts 100 %",
)
"""Columns for garments found without being told of any, of which one a picture is labelled."""
SEVERAL_BOXES: tuple[BoxSource, ...] = ("refine", "detector", "fast")
"""Where they may be looked for."""


def several_garments(
    predictor: FashionPredictor, answers: KeypointTable, root: Path, boxes: BoxSource
) -> list[str]:
    """The cells of `SEVERAL`: what is found in pictures of which nothing is known."""
    paths = locate_images(answers.image_ids, root)
    pictures = list(dict.fromkeys(answers.image_ids))
    predictions = predictor.predict([paths[each] for each in pictures], boxes=boxes)
    found = zip(pictures, predictions, strict=True)
    garments = ((image_id, garment) for image_id, each in found for garment in each)
    recall = garment_recall(answers, table_of(garments))
    return [
        f"{recall.per_picture:.2f}",
        f"{recall.recall:.1f}",
        f"{100 * recall.surest / recall.pictures:.1f}",
        f"{recall.of_found.value:.2f}",
        f"{recall.of_all.value:.2f}",
    ]


def print_row(names: Sequence[str], values: Sequence[float | None]) -> None:
    """One row of a Markdown table; what was not measured is a dash."""
    cells = [*names, *("-" if value is None else f"{value:.2f}" for value in values)]
    print("|", " | ".join(cells), "|", flush=True)
