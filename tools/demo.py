"""``make demo``: the whole road on garments drawn by program, in some minutes and without data.

Draws a data set, lets the model that ships with the package predict it, trains a small model on it,
tests that, and sets the scores beside that of always answering the category's mean shape. The
training gets the time that is left of five minutes, on a slow machine as on a fast one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from fashionkp_mm.core.boxes import keypoint_boxes
from fashionkp_mm.core.csv_format import read_labels, read_predictions
from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.core.normalized_error import NormalizedErrorResult, evaluate
from fashionkp_mm.core.shape import mean_shape_error
from fashionkp_mm.core.table import KeypointTable

IMAGES = 600
SEED = 0
MINUTES = 5
BACKBONE = "heatmap_lite2_320_fashion.pth"
"""The shipped model, trained on photographs, has this backbone. From random weights, hundreds of
steps do not reach the mean shape's NE."""
CLEARLY_BETTER = 0.9
"""Share of the mean shape's NE."""


class DemoError(RuntimeError):
    """The demo has failed, and why."""


def run(root: Path, out: Path) -> None:
    """Run the demo.

    Args:
        root: The project's folder, where ``tools``, ``configs`` and ``weights`` are.
        out: Folder for the data set, the training's files, the predictions and their pictures.
            A data set that is there already is used again.

    Raises:
        DemoError: Drawing, training or testing failed and has said why; the machine is too slow;
            or the trained model is not clearly better than the mean shape.
    """
    console = Console()
    data, work_dir, submission = out / "data", out / "work_dir", out / "predictions.csv"
    start = time.monotonic()
    if not (data / "val/Annotations/val.csv").exists():
        shutil.rmtree(data, ignore_errors=True)  # what a killed run left
        arguments = ["synth", str(data), "--images", str(IMAGES), "--seed", str(SEED)]
        _fashionkp(console, 60 * MINUTES / 2, *arguments)
    drawn = time.monotonic()
    left = start + 60 * MINUTES - drawn
    shipped = _predict_with_shipped_model(console, left, data / "val/Annotations/val.csv", out)
    predicted = time.monotonic()
    shutil.rmtree(work_dir, ignore_errors=True)

    def tool(name: str, *arguments: object) -> None:
        words = [f"tools/{name}.py", "configs/demo_fashion.py", *map(str, arguments)]
        words += ["--work-dir", str(work_dir)]
        _show(console, f"FASHIONAI_ROOT={data}", "python", *words)
        _run_logged([sys.executable, *words], root, data, out / f"{name}.log")

    minutes = training_minutes(drawn - start, predicted - drawn)
    backbone = ["--pretrained", root / "weights" / BACKBONE, "--amp", "--no-validate"]
    tool("train", *backbone, "--cfg-options", f"train_cfg.minutes={minutes:.2f}")
    checkpoint = (work_dir / "last_checkpoint").read_text().strip()
    option = f"test_evaluator.0.submission_file={submission}"
    tool("test", checkpoint, "--cfg-options", option)

    train = read_labels(data / "train/Annotations/train.csv")
    answers = read_labels(data / "val/Annotations/val.csv")
    trained = evaluate(answers, read_predictions(submission))
    mean_shape = _mean_shape_error(train, answers)
    console.print(
        _score_table(
            {
                "shipped model, no boxes": evaluate(answers, read_predictions(shipped)),
                "this model": trained,
                "always the mean shape": mean_shape,
            }
        )
    )
    for meaning, path in {
        "Drawn garments with the points that the shipped model finds": shipped.parent / "drawn",
        f"The garments, {len(train)} to train on and {len(answers)} to test on": data,
        "Predictions of the shipped model, which has seen no drawing": shipped,
        "Predictions of this model": submission,
        "Contact sheet of them": work_dir / "predictions/test.jpg",
        "Checkpoint": checkpoint,
    }.items():
        console.print(f"{meaning}: {path}", soft_wrap=True)
    require_clearly_better(trained.value, mean_shape.value, minutes)


def training_minutes(drawing: float, predicting: float) -> float:
    """How long the training may last for the demo to end in `MINUTES`.

    Args:
        drawing: Seconds that it took to draw the data set.
        predicting: Seconds that the shipped model took; to start the training and to test what it
            made takes about as long again, each.

    Raises:
        DemoError: No time is left.
    """
    left = 60 * MINUTES - drawing - 3.5 * predicting
    if left <= 0:
        raise DemoError(
            f"this machine is too slow, or busy: drawing took {drawing:.0f} s and predicting"
            f" {predicting:.0f} s, so no time is left of {MINUTES} minutes to train in. Stop what"
            " else uses the processor"
        )
    return left / 60


def require_clearly_better(trained: float, mean_shape: float, minutes: float) -> None:
    """Check that the model has learnt something.

    Args:
        trained: NE of the trained model in %.
        mean_shape: NE of always answering the mean shape in %.
        minutes: How long the training might last.

    Raises:
        DemoError: It has not.
    """
    if not trained <= CLEARLY_BETTER * mean_shape:  # NaN is not either
        raise DemoError(
            f"the trained model's NE of {trained:.2f} % is not clearly below the mean shape's"
            f" {mean_shape:.2f} %: in {minutes:.1f} minutes this machine was too slow to train it."
            " Stop what else uses the processor"
        )


def _predict_with_shipped_model(console: Console, seconds: float, csv: Path, out: Path) -> Path:
    """Predictions, with a picture of each, in a folder of their own."""
    folder = out / "shipped"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    predictions = folder / "predictions.csv"
    arguments = ["--out", str(predictions), "--draw", str(folder / "drawn")]
    _fashionkp(console, seconds, "predict", str(csv), *arguments)
    return predictions


def _fashionkp(console: Console, seconds: float, *arguments: str) -> None:
    """Run a command, for no longer than it may take."""
    _show(console, "fashionkp", *arguments)
    program = Path(sys.executable).with_name("fashionkp")
    try:
        done = subprocess.run([program, *arguments], check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise DemoError(
            f"this machine is too slow, or busy: fashionkp {arguments[0]} did not end in"
            f" {seconds:.0f} s. Stop what else uses the processor"
        ) from None
    if done.returncode:
        raise DemoError(f"fashionkp {arguments[0]} failed, see above")


def _show(console: Console, *words: object) -> None:
    console.print(
        f"$ {' '.join(map(str, words))}",
        soft_wrap=True,
        highlight=False,
        style="bold",
        markup=False,
    )


def _run_logged(command: list[str], root: Path, data: Path, log: Path) -> None:
    """Run a tool; show of its output how far it is, and what it says if it fails."""
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
        errors = [line for line in lines if line.startswith("error: ")]
        if errors:
            raise DemoError(errors[-1].removeprefix("error: ").rstrip())
        print("".join(lines), file=sys.stderr)
        raise DemoError(f"{command[1]} failed, see above")


def _mean_shape_error(train: KeypointTable, answers: KeypointTable) -> NormalizedErrorResult:
    def boxes(table: KeypointTable) -> NDArray[np.float32]:
        return keypoint_boxes(table.keypoints, table.visibility != Visibility.ABSENT)

    return mean_shape_error(train, boxes(train), answers, boxes(answers))


def _score_table(scores: dict[str, NormalizedErrorResult]) -> Table:
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


if __name__ == "__main__":
    try:
        run(Path(__file__).resolve().parents[1], Path("demo_out").resolve())
    except DemoError as error:
        sys.exit(f"error: {error}")
