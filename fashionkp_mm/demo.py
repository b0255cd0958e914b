"""``make demo``: the whole road on garments drawn by program, in some minutes and without data.

Draws a data set, lets the model that ships with the package predict it, trains a small model on it,
tests that, and sets the scores beside that of always answering the category's mean shape.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from fashionkp_mm.core.boxes import keypoint_boxes
from fashionkp_mm.core.csv_format import read_labels, read_predictions
from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.core.mean_shape import mean_shape_error
from fashionkp_mm.core.normalized_error import NormalizedError, evaluate
from fashionkp_mm.core.table import KeypointTable

IMAGES = 1200
SEED = 0


def run(root: Path, out: Path) -> None:
    """Run the demo.

    Args:
        root: The project's folder, where ``tools`` and ``configs`` are.
        out: Folder for the data set, the training's files, the predictions and their pictures.
            A data set that is there already is used again.

    Raises:
        subprocess.CalledProcessError: Drawing, training or testing failed and has said why.
    """
    console = Console()
    data, work_dir, submission = out / "data", out / "work_dir", out / "predictions.csv"
    if not (data / "val/Annotations/val.csv").exists():
        shutil.rmtree(data, ignore_errors=True)  # what a killed run left
        arguments = ["synth", str(data), "--images", str(IMAGES), "--seed", str(SEED)]
        _fashionkp(console, *arguments)
    shipped = _predict_with_shipped_model(console, data / "val/Annotations/val.csv", out)
    shutil.rmtree(work_dir, ignore_errors=True)

    def tool(name: str, *arguments: object) -> None:
        words = [f"tools/{name}.py", "configs/demo_fashion.py", *map(str, arguments)]
        words += ["--work-dir", str(work_dir)]
        _show(console, f"FASHIONAI_ROOT={data}", "python", *words)
        _run_logged([sys.executable, *words], root, data, out / f"{name}.log")

    tool("train", "--pretrained", "none", "--amp")
    checkpoint = (work_dir / "last_checkpoint").read_text().strip()
    option = f"test_evaluator.0.submission_file={submission}"
    tool("test", checkpoint, "--cfg-options", option)

    train = read_labels(data / "train/Annotations/train.csv")
    answers = read_labels(data / "val/Annotations/val.csv")
    predictions = read_predictions(submission)
    shipped_score = evaluate(answers, read_predictions(shipped))
    console.print(
        _score_table(
            {
                "shipped model, no boxes": shipped_score,
                "this model": evaluate(answers, predictions),
                "always the mean shape": _mean_shape_error(train, answers),
            }
        )
    )
    console.print(
        f"Drawn garments, {len(train)} to train on and {len(answers)} to test on: {data}\n"
        f"What the shipped model, which has seen no drawing, finds: {shipped.parent}\n"
        f"Predictions of the test garments: {submission}\n"
        f"Contact sheet of them: {work_dir / 'predictions/test.jpg'}\n"
        f"Checkpoint: {checkpoint}",
        soft_wrap=True,
    )


def _predict_with_shipped_model(console: Console, csv: Path, out: Path) -> Path:
    """Predictions, with a picture of each, in a folder of their own."""
    folder = out / "shipped"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    predictions = folder / "predictions.csv"
    arguments = ["--out", str(predictions), "--draw", str(folder / "drawn")]
    _fashionkp(console, "predict", str(csv), *arguments)
    return predictions


def _fashionkp(console: Console, *arguments: str) -> None:
    _show(console, "fashionkp", *arguments)
    subprocess.run([Path(sys.executable).with_name("fashionkp"), *arguments], check=True)


def _show(console: Console, *words: object) -> None:
    console.print(
        f"$ {' '.join(map(str, words))}",
        soft_wrap=True,
        highlight=False,
        style="bold",
        markup=False,
    )


def _run_logged(command: list[str], root: Path, data: Path, log: Path) -> None:
    """Run a tool; show of its output how far it is, or all of it if it fails."""
    environment = {**os.environ, "FASHIONAI_ROOT": str(data)}
    lines = []
    with (
        subprocess.Popen(
            command,
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
        log.open("w") as file,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            file.write(line)
            if "- Epoch(" in line:
                print(" ", line[line.index("Epoch(") :].rstrip(), flush=True)
    if process.returncode:
        print("".join(lines), file=sys.stderr)
        raise subprocess.CalledProcessError(process.returncode, command)


def _mean_shape_error(train: KeypointTable, answers: KeypointTable) -> NormalizedError:
    def boxes(table: KeypointTable) -> NDArray[np.float32]:
        return keypoint_boxes(table.keypoints, table.visibility != Visibility.ABSENT)

    return mean_shape_error(train, boxes(train), answers, boxes(answers))


def _score_table(scores: dict[str, NormalizedError]) -> Table:
    table = Table(title="NE in %, boxes from labels unless it says none", title_justify="left")
    table.add_column("")
    for name in scores:
        table.add_column(name, justify="right", style="bold" if name == "this model" else None)
    results = list(scores.values())
    for name in results[0].per_category:
        table.add_row(name, *(f"{result.per_category[name].value:.2f}" for result in results))
    table.add_section()
    table.add_row("all", *(f"{result.value:.2f}" for result in results))
    return table
