"""The commands of docs/finetune.md on drawn garments, one after the other: NE and time.

    python benchmarks/finetune.py [--images 240] [--epochs 20] [--out DIR]

Draws the garments, predicts with the shipped model, trains on the exact labels of five of six,
exports, and predicts the others with the new model. Prints the table of docs/finetune.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import ROOT

CONFIG = ROOT / "configs" / "finetune_fashion.py"
FASHIONKP = (sys.executable, "-m", "fashionkp_mm")


class Road:
    """Runs commands in a folder and keeps the minutes that each took."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.minutes: dict[str, float] = {}

    def run(self, step: str, *command: str | Path, **environment: str) -> str:
        """What a command prints; its log goes to standard error."""
        start = time.monotonic()
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        self.minutes[step] = self.minutes.get(step, 0) + (time.monotonic() - start) / 60
        return done.stdout

    def score(self, predictions: str) -> dict[str, float]:
        """NE of predictions of the pictures to test on, of all and of each category."""
        command = (*FASHIONKP, "evaluate", "own/val.json", predictions, "--json")
        result = json.loads(self.run("evaluate", *command))
        return {"all": result["NE"]} | {
            name: score["NE"] for name, score in result["per_category"].items()
        }


def travel(road: Road, images: int, epochs: int) -> tuple[dict[str, float], dict[str, float]]:
    """NE before and after."""
    val = "own/val/Annotations/val.csv"
    road.run("draw", *FASHIONKP, "synth", "own", "--images", str(images), "--seed", "3")
    train = "own/train/Annotations/train.csv"
    road.run("predict", *FASHIONKP, "predict", train, "--out", "own/predictions.json")
    road.run("convert", *FASHIONKP, "convert", train, "own/corrected.xml")
    road.run("convert", *FASHIONKP, "convert", "own/corrected.xml", "own/train.json")
    road.run("convert", *FASHIONKP, "convert", val, "own/val.json")
    road.run("predict", *FASHIONKP, "predict", val, "--out", "own/before.json")
    settings = {"OWN_DATA": "own", "MAX_EPOCHS": str(epochs)}
    road.run("train", sys.executable, ROOT / "tools" / "train.py", CONFIG, "--amp", **settings)
    (best,) = (road.folder / "work_dirs" / CONFIG.stem).glob("best_*.pth")
    road.run("export", *FASHIONKP, "export", CONFIG, best, "own/own.onnx", **settings)
    command = (*FASHIONKP, "predict", val, "--model", "own/own.onnx", "--out", "own/after.json")
    road.run("predict", *command)
    return road.score("own/before.json"), road.score("own/after.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=240)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--out", type=Path, help="Folder to keep everything in. Default: none.")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = (args.out or Path(name)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        road = Road(folder)
        before, after = travel(road, args.images, args.epochs)
    print("| drawn garments | NE %, shipped model | NE %, trained further | share |")
    print("|---|---|---|---|")
    for name, error in before.items():
        share = 100 * after[name] / error
        print(f"| {name} | {error:.2f} | {after[name]:.2f} | {share:.0f} % |")
    steps = ", ".join(f"{step} {minutes:.1f}" for step, minutes in road.minutes.items())
    total = sum(road.minutes.values())
    print(f"\n{total:.1f} minutes on {os.cpu_count()} cores ({steps}); {args.epochs} epochs")


if __name__ == "__main__":
    main()
