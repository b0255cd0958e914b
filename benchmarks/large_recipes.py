"""The first few hundred iterations of recipes that want a GPU, on whatever is at hand.

    FASHIONAI_ROOT=… python benchmarks/large_recipes.py [--iterations N] [--batch N] [CONFIG …]

Each config is trained by ``tools/train.py`` on real images from random weights, with ``--amp`` and
its own augmentation, schedule and checkpoints: four short epochs, so that the warm-up ends, the
milder augmentation begins and a test of a few images closes it. Only batch and number of images
are smaller than the recipe's. The loss must have fallen; nothing is said of the NE that a full
training would reach.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from activation_memory import DEFAULT
from common import ROOT, fashionai_root
from mmengine.config import Config

from fashionkp_mm.core.csv_format import read_labels

EPOCHS = 4
TESTED_IMAGES = 32
LOGGED_EVERY = 5  # iterations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = [ROOT / "configs" / f"{name}.py" for name in DEFAULT]
    parser.add_argument("configs", nargs="*", type=Path, default=default)
    parser.add_argument("--iterations", type=int, default=300, help="in all, of each config")
    parser.add_argument("--batch", type=int, default=4)
    args = parser.parse_args()
    root = fashionai_root()
    if root is None:
        raise SystemExit("error: no FashionAI data; set FASHIONAI_ROOT")
    os.environ.update(FASHIONAI_ROOT=str(root), MAX_EPOCHS=str(EPOCHS))
    columns = "config", "batch", "iterations", "loss, first and last epoch", "s an iteration"
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|", flush=True)
    for path in args.configs:
        config = Config.fromfile(path)
        iterations = shorten(config, root, args.iterations, args.batch)
        steps = train(config)
        first, last = (
            np.mean([step["loss"] for step in steps if step["epoch"] == epoch])
            for epoch in (1, EPOCHS)
        )
        seconds = np.median([step["time"] for step in steps])
        print(
            f"| `{path.name}` | {args.batch} | {iterations} | {first:.4f}, {last:.4f} |"
            f" {seconds:.2f} |",
            flush=True,
        )
        if not last < first:
            raise SystemExit(f"error: the loss of {path} did not fall")


def shorten(config: Config, root: Path, iterations: int, batch: int) -> int:
    """Let a config train for about so many iterations on images of all categories.

    Returns:
        The iterations that it will be.
    """
    an_epoch = max(1, iterations // EPOCHS)
    images = batch * an_epoch
    config.train_dataloader.batch_size = batch
    config.train_dataloader.dataset.indices = spread(config.train_dataloader, root, images)
    config.val_dataloader.batch_size = batch
    config.val_dataloader.dataset.indices = spread(config.val_dataloader, root, TESTED_IMAGES)
    config.train_cfg.val_interval = EPOCHS
    config.default_hooks.logger.interval = LOGGED_EVERY
    return an_epoch * EPOCHS


def spread(loader: Any, root: Path, count: int) -> list[int]:
    """So many samples' indices, from one end of a loader's CSV to the other."""
    images = len(read_labels(root / loader.dataset.ann_file).image_ids)
    if images < count:
        raise SystemExit(f"error: {loader.dataset.ann_file} has {images} images, not {count}")
    return [int(index) for index in np.linspace(0, images - 1, count)]


def train(config: Config) -> list[dict[str, float]]:
    """What ``tools/train.py`` logs of a config's training steps."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "config.py"
        config.dump(written)
        command = [sys.executable, str(ROOT / "tools/train.py"), str(written), "--amp"]
        command += ["--pretrained", "none", "--work-dir", str(Path(folder) / "run")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (scalars,) = Path(folder).glob("run/*/vis_data/scalars.json")
        logged = [json.loads(line) for line in scalars.read_text().splitlines()]
    return [step for step in logged if "loss" in step]


if __name__ == "__main__":
    main()
