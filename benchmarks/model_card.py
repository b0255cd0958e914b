"""Write the model card of the model that comes with the package, from runs of the real commands.

    FASHIONAI_ROOT=… python benchmarks/model_card.py CONFIG WEIGHTS [--trained-by COMMAND] \\
        --detector CONFIG WEIGHTS [--detector-trained-by COMMAND]

``tools/test.py`` tests the weights by box source, and the detector's; ``fashionkp predict``
predicts the validation images with the ONNX file. What stands between the two marks in the card was
written by hand and is kept. The pictures show drawn garments alone; no photograph is in the card.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from common import SEVERAL, SEVERAL_BOXES, choosing_half, interleaved, several_garments
from numpy.typing import NDArray

from fashionkp_mm.core.csv_format import read_labels, read_predictions
from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.garments import (
    CATEGORY_INDEX,
    CATEGORY_NAMES,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.core.image_paths import locate_images
from fashionkp_mm.core.normalized_error import (
    NormalizedErrorResult,
    evaluate,
    image_errors,
    point_errors,
)
from fashionkp_mm.core.recognition import (
    Confusion,
    category_confusion,
    expected_calibration_error,
    visibility_confusion,
)
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.images import load_image
from fashionkp_mm.runtime import FashionPredictor, GarmentDetector, shipped_model
from fashionkp_mm.runtime.crop import cut_out
from fashionkp_mm.runtime.pose import PoseNetwork
from fashionkp_mm.runtime.session import open_session
from fashionkp_mm.visualization.keypoints import draw_garment
from fashionkp_mm.visualization.sheet import contact_sheet

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("label", "whole", "refine", "detector", "fast")
BEGIN, END = "<!-- by hand -->", "<!-- by benchmarks/model_card.py -->"
BY_HAND = "Not described yet."
DRAWN, SHOWN, SEED = 60, 8, 7
TIMED, REPEATS = 32, 7
OUTSIDE = (
    "an NE of 6.51 (category given, no flip test) where these images gave 5.82, and 85.4 % of the"
    " categories right where these gave 86.0 %, for an earlier model."
)
"""What is known from images that are not here."""
CLOSE = (5, 10, 20)
"""Percent of the normaliser within which a point counts as found."""


@dataclass(frozen=True)
class Predicted:
    """Predictions in the order of the labels.

    Attributes:
        table: The points.
        keypoint_scores: ``(N, K)``, 0 where the category lacks the point.
        category_scores: ``(N, C)``.
    """

    table: KeypointTable
    keypoint_scores: NDArray[np.float64]
    category_scores: NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", metavar="CONFIG", type=Path)
    parser.add_argument("weights", metavar="WEIGHTS", type=Path)
    parser.add_argument("--model", type=Path, help="ONNX file; default: what ships")
    parser.add_argument("--trained-by", help="the command that trained it")
    parser.add_argument(
        "--detector", nargs=2, required=True, metavar=("CONFIG", "WEIGHTS"), type=Path
    )
    parser.add_argument("--detector-trained-by", help="the command that trained that")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "model_card.md")
    arguments = parser.parse_args()
    model = arguments.model or shipped_model()
    command = arguments.trained_by or f"python tools/train.py {arguments.config} --amp"
    data = Path(os.environ.get("FASHIONAI_ROOT", "data/fashionai"))
    csv = data / "val" / "Annotations" / "val.csv"
    answers = read_labels(csv)
    with tempfile.TemporaryDirectory() as folder:
        scores = test(
            arguments.config, arguments.weights, arguments.detector, answers, Path(folder)
        )
        found = test_detector(*arguments.detector, Path(folder))
        given = predict(model, csv, answers, Path(folder), known=True, flip=True)
        quick = predict(model, csv, answers, Path(folder), known=True, flip=False)
        own = predict(model, csv, answers, Path(folder), known=False, flip=False)
        picture = arguments.out.with_name(f"{arguments.out.stem}_worst.jpg")
        drawn = draw_worst(model, Path(folder), picture)
    sections = [
        heading(model, arguments.weights),
        origin(arguments.weights, arguments.config, command, data, answers),
        errors(scores, given, quick, own, answers),
        halves(quick, own, answers),
        recognised(own, answers),
        visibilities(given, answers),
        calibration(given, own, answers),
        detector_section(*arguments.detector, arguments.detector_trained_by, found),
        several(model, answers, csv.parents[1]),
        speed(model, data, answers),
        failures(given, answers, written_by_hand(arguments.out), picture.name, drawn),
        licence(model),
    ]
    write_atomically(arguments.out, ("\n\n".join(sections) + "\n").encode())
    print(arguments.out)


# --- running the commands


def test(
    config: Path,
    weights: Path,
    detector: Sequence[Path],
    answers: KeypointTable,
    folder: Path,
) -> dict[str, NormalizedErrorResult]:
    """NE by box source, the labelled category given, as ``tools/test.py`` finds it."""
    command = [sys.executable, ROOT / "tools/test.py", config, weights, "--boxes", *SOURCES]
    command += ["--detector", *detector]
    command += ["--work-dir", folder / "test", "--out", folder / "metrics.json"]
    command += ["--cfg-options", f"test_evaluator.0.predictions_file={folder / 'tested.csv'}"]
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    metrics = json.loads((folder / "metrics.json").read_text())
    scores = {
        source: evaluate(answers, read_predictions(folder / f"tested.{source}.csv"))
        for source in SOURCES
    }
    for source, score in scores.items():
        printed = metrics[source]["fashionai/NE"]
        if abs(printed - score.value) > 0.01:
            sys.exit(f"tools/test.py printed NE {printed} for {source}, its CSV has {score.value}")
    return scores


def test_detector(config: Path, weights: Path, folder: Path) -> dict[str, float]:
    """The detector's metrics, as ``tools/test.py`` finds them."""
    out = folder / "detector.json"
    command = [sys.executable, ROOT / "tools/test.py", config, weights]
    command += ["--work-dir", folder / "detector", "--out", out]
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    metrics: dict[str, float] = json.loads(out.read_text())
    return metrics


def predict(
    model: Path, csv: Path, answers: KeypointTable, folder: Path, *, known: bool, flip: bool
) -> Predicted:
    """What ``fashionkp predict`` finds without label boxes, with or without the category known."""
    paths = locate_images(answers.image_ids, csv.parents[1])
    names = [str(paths[image_id].resolve()) for image_id in answers.image_ids]
    out = folder / "predicted.json"
    command: list[str | Path] = [Path(sys.executable).with_name("fashionkp"), "predict"]
    command += ["--model", model, "--boxes", "refine", "--out", out]
    command += ["--flip-test"] if flip else []
    # A CSV names its images' categories, standard input does not.
    command += [csv if known else "-"]
    subprocess.run(
        [str(word) for word in command],
        input=None if known else "\n".join(names),
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    garments = {garment["image_id"]: garment for garment in json.loads(out.read_text())}
    return as_predicted(
        [garments[name] for name in (answers.image_ids if known else names)], answers
    )


def as_predicted(garments: Sequence[dict[str, Any]], answers: KeypointTable) -> Predicted:
    count = len(answers)
    points = np.full((count, NUM_KEYPOINTS, 2), -1, np.float32)
    visibility = np.full((count, NUM_KEYPOINTS), Visibility.ABSENT, np.int8)
    scores = np.zeros((count, NUM_KEYPOINTS))
    for row, garment in enumerate(garments):
        for name, point in garment["keypoints"].items():
            index = KEYPOINT_NAMES.index(name)
            points[row, index] = point["x"], point["y"]
            visibility[row, index] = Visibility[point["visibility"].upper()]
            scores[row, index] = point["score"]
    categories = [CATEGORY_INDEX[garment["category"]] for garment in garments]
    table = KeypointTable(
        answers.image_ids, np.array(categories, np.int8), points, visibility, answers.rows
    )
    chosen = [[g["category_scores"][name] for name in CATEGORY_NAMES] for g in garments]
    return Predicted(table, scores, np.array(chosen))


def draw_worst(model: Path, folder: Path, picture: Path) -> NormalizedErrorResult:
    """Draw garments by program, predict them, and show those with the largest NE."""
    root = folder / "drawn"
    synth = [Path(sys.executable).with_name("fashionkp"), "synth", root, "--images", DRAWN]
    subprocess.run([*map(str, synth), "--seed", str(SEED)], check=True, stdout=subprocess.DEVNULL)
    csv = root / "train" / "Annotations" / "train.csv"
    answers = read_labels(csv)
    found = predict(model, csv, answers, folder, known=True, flip=True)
    paths = locate_images(answers.image_ids, root / "train")
    errors = image_errors(answers, found.table)
    panels: list[tuple[str, NDArray[np.uint8]]] = []
    for row in np.argsort(-np.nan_to_num(errors))[:SHOWN].tolist():
        image = load_image(paths[answers.image_ids[row]])
        category = CATEGORY_NAMES[answers.category_indices[row]]
        labelled, points = answers.visibility[row], found.table.keypoints[row]
        panels += [
            ("label", draw_garment(image, answers.keypoints[row], labelled, category)),
            (f"NE {errors[row]:.1f}", draw_garment(image, points, labelled, category)),
        ]
    captions, images = zip(*panels, strict=True)
    sheet = contact_sheet(images, columns=SHOWN, tile=200, captions=captions)
    done, encoded = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done
    write_atomically(picture, encoded.tobytes())
    return evaluate(answers, found.table)


# --- the sections


def heading(model: Path, weights: Path) -> str:
    facts = FashionPredictor(model).metadata
    width, height = facts.input_size
    content = torch.load(weights, weights_only=True, map_location="cpu")["state_dict"]
    parameters = sum(tensor.numel() for tensor in content.values()) / 1e6
    return (
        "# Model card\n\n"
        f"`{facts.name}`, the model of `fashionkp predict` and `FashionPredictor()`:"
        f" {parameters:.2f} million parameters, crops of {width}x{height} pixels."
        f" `{relative(model)}` ({model.stat().st_size / 1e6:.1f} MB) is what runs,"
        f" `{relative(weights)}` ({weights.stat().st_size / 1e6:.1f} MB) is the same for PyTorch,"
        " large weights in float16 in both. It finds the up to 24 points of a blouse, an outwear, a"
        " dress, a skirt or trousers, says which of these the garment is, and of each point"
        " whether it is visible, occluded or absent.\n\n"
        "This file is written by `benchmarks/model_card.py`, which runs the commands named here;"
        " all figures are from the validation images."
    )


def origin(weights: Path, config: Path, command: str, data: Path, answers: KeypointTable) -> str:
    meta = torch.load(weights, weights_only=True, map_location="cpu")["meta"]
    train = read_labels(data / "train" / "Annotations" / "train.csv")
    counts = [
        [name, *(int((t.category_indices == index).sum()) for t in (train, answers))]
        for index, name in enumerate(CATEGORY_NAMES)
    ]
    epoch = (
        f"those after epoch {meta['epoch']} of the last training"
        if "epoch" in meta
        else "the mean of several trainings"
    )
    return (
        "## Data and recipe\n\n"
        f"Trained on {len(train):,} images of FashionAI, validated on {len(answers):,} others:\n\n"
        + table(["", "trained on", "validated on"], counts)
        + f"\n\nThe weights are {epoch}. The config is [`{config}`](../{config}), its backbone's"
        " weights are from ImageNet at first. [`tools/reference_model.sh`]"
        "(../tools/reference_model.sh) has all steps:\n\n"
        f"```\n{command}\n```"
    )


def errors(
    scores: dict[str, NormalizedErrorResult],
    given: Predicted,
    quick: Predicted,
    own: Predicted,
    answers: KeypointTable,
) -> str:
    columns: dict[str, NormalizedErrorResult] = dict(scores)
    shipped = columns["refine, ONNX"] = evaluate(answers, given.table)
    columns["refine, ONNX, no flip"] = evaluate(answers, quick.table)
    columns["refine, ONNX, no flip, own category"] = evaluate(answers, own.table)
    rows = [["**all**", *(f"**{score.value:.2f}**" for score in columns.values())]]
    for name in CATEGORY_NAMES:
        rows += [[name, *(cell(score.per_category, name) for score in columns.values())]]
    for name in filter(shipped.per_keypoint.get, KEYPOINT_NAMES):
        rows += [[f"`{name}`", *(cell(score.per_keypoint, name) for score in columns.values())]]
    return (
        "## Normalized error\n\n"
        f"NE in %, lower is better, {shipped.points:,} visible points of {shipped.images:,} images,"
        " by where the box comes from. `label` is the tight box around the labelled points, which"
        " gives the outermost ones away; `whole` the whole image; `refine` the whole image first"
        " and then the box of the points found, as it is and mirrored, whose points are fused;"
        " `detector` the box that the detector below is surest of, likewise; `fast` that as it is,"
        " alone. With flip test each look is averaged with its mirror, and the second one is around"
        " the points that the first one found. The first five columns are PyTorch's"
        " (`tools/test.py --boxes label whole refine detector fast`), the others `fashionkp predict"
        " --boxes refine` with the ONNX file. The category is given except in the last column, in"
        " which a point that a wrongly chosen category lacks counts as an error of 100 %. With flip"
        " test (`--flip-test`) but for the columns that say so.\n\n" + table(["", *columns], rows)
    )


def halves(quick: Predicted, own: Predicted, answers: KeypointTable) -> str:
    """The images that chose something against those that chose nothing."""
    chooses = choosing_half(answers.image_ids, answers.category_indices.tolist())
    right = own.table.category_indices == answers.category_indices
    confidence = own.category_scores.max(axis=1)
    rows = []
    for name, half in (("that chose", chooses), ("**others**", ~chooses)):
        rows_of_half = np.flatnonzero(half)
        labels = answers.select(rows_of_half)
        with_category = evaluate(labels, quick.table.select(rows_of_half))
        without = evaluate(labels, own.table.select(rows_of_half))
        gap = expected_calibration_error(confidence[half], right[half])
        rows.append(
            [
                f"{half.sum()} {name}",
                f"{with_category.value:.2f}",
                f"{without.value:.2f}",
                f"{100 * right[half].mean():.1f} %",
                f"{100 * gap:.1f} %",
            ]
        )
    header = ["images", "NE, no flip", "NE, own category", "category right", "calibration error"]
    return (
        "## What chose, and what did not\n\n"
        "Of each category every other validation image, by a hash of its name, is one that may"
        " choose, such as the temperature of the category's scores; the others choose nothing:"
        "\n\n"
        + table(header, rows)
        + "\n\nThe epochs of its first trainings, their losses and the way of reading heatmaps were"
        " chosen on all of them, though. How much that flatters was seen on 500 further images, 100"
        f" a category, that nobody here has trained or chosen on: {OUTSIDE}"
    )


def recognised(own: Predicted, answers: KeypointTable) -> str:
    confusion = category_confusion(own.table.category_indices, answers.category_indices)
    return (
        "## Category\n\n"
        f"{confusion.accuracy:.1f} % of the images get their labelled category where none is given"
        f" (mean of the categories {confusion.balanced_accuracy:.1f} %). FashionAI labels one"
        " garment an image, and a picture of a blouse over a skirt may be either, so part of what"
        " counts as wrong here is the other garment of the picture.\n\n" + counted(confusion)
    )


def visibilities(given: Predicted, answers: KeypointTable) -> str:
    confusion = visibility_confusion(
        given.table.visibility, answers.visibility, answers.category_indices
    )
    return (
        "## Visibility\n\n"
        f"{confusion.accuracy:.1f} % of the points that the category defines are rightly called"
        f" absent, occluded or visible (mean of the three {confusion.balanced_accuracy:.1f} %).\n\n"
        + counted(confusion)
    )


def calibration(given: Predicted, own: Predicted, answers: KeypointTable) -> str:
    distances = point_errors(answers, given.table)
    scored = ~np.isnan(distances)
    points = binned(given.keypoint_scores[scored], distances[scored])
    confidence = own.category_scores.max(axis=1)
    right = own.table.category_indices == answers.category_indices
    gap = expected_calibration_error(confidence, right)
    rows = []
    for low, high, members in bins(confidence):
        share, mean = right[members].mean(), confidence[members].mean()
        rows.append([f"{low:.1f} to {high:.1f}", int(members.sum()), f"{mean:.2f}", f"{share:.2f}"])
    header = ["score", "points", *(f"within {limit} %" for limit in CLOSE), "median"]
    return (
        "## What the scores mean\n\n"
        "A keypoint's score is no probability. Of the visible points with a score, so many lie"
        " within a given share of the normaliser (the distance between armpits, or between the ends"
        " of the waistband) from their label; `median` is their median error in % of it:\n\n"
        + table(header, points)
        + "\n\nA category's score against the share of images in which it is right; the mean"
        f" difference (expected calibration error) is {100 * gap:.1f} percent points:\n\n"
        + table(["score", "images", "mean score", "right"], rows)
    )


def detector_section(
    config: Path, weights: Path, command: str | None, metrics: dict[str, float]
) -> str:
    model = shipped_model("detector")
    facts = GarmentDetector(model).metadata
    meta = torch.load(weights, weights_only=True, map_location="cpu")["meta"]
    average = 100 * metrics["coco/bbox_mAP"]
    shares = [100 * metrics[f"fashionai/best_IoU{level}"] for level in (50, 75)]
    width, height = facts.input_size
    size = model.stat().st_size / 1e6
    return (
        "## The detector\n\n"
        f"`{facts.name}`, what `--boxes detector` uses: pictures of {width}x{height} pixels;"
        f" `{relative(model)}` ({size:.1f} MB) and `{relative(weights)}`. Its"
        f" recipe is [`{config}`](../{config}):\n\n"
        f"```\n{command or f'python tools/train.py {config} --amp'}\n```\n\n"
        f"On the validation images, after epoch {meta.get('epoch', 'unknown')}, the last one: COCO"
        f" AP {average:.1f} %, in which a garment that is found rightly but has no label counts as"
        " a false alarm; its best box of the labelled category overlaps the labelled one by IoU 0.5"
        f" in {shares[0]:.1f} % and by IoU 0.75 in {shares[1]:.1f} % of the images. The files say"
        f" of themselves: trained on {facts.training_data}; licence: {facts.licence.rstrip('.')}."
    )


def several(model: Path, answers: KeypointTable, root: Path) -> str:
    """What is found of pictures of which nothing is known."""
    predictor = FashionPredictor(model, detector=shipped_model("detector"))
    rows = [
        [f"`{boxes}`", *several_garments(predictor, answers, root, boxes)]
        for boxes in SEVERAL_BOXES
    ]
    return (
        "## Several garments a picture\n\n"
        "The validation images again, without a category and without flip test. The labelled"
        " garment counts as found if one of its category overlaps it by an IoU of 0.5, tight boxes"
        " around the points of both:\n\n" + table(["boxes", *SEVERAL], rows)
    )


def speed(model: Path, data: Path, answers: KeypointTable) -> str:
    """What a picture takes by `FashionPredictor`, against the bare session, in one run."""
    chosen = np.linspace(0, len(answers) - 1, TIMED).astype(int)
    paths = locate_images(answers.image_ids, data / "val")
    images = [load_image(paths[answers.image_ids[index]]) for index in chosen]
    boxes = np.array([[0, 0, image.shape[1], image.shape[0]] for image in images], np.float32)
    crops = cut_out(images, PoseNetwork(model).geometry(boxes))
    session, _ = open_session(model)
    inputs = {"images": crops, "categories": np.full(TIMED, -1)}
    plain = FashionPredictor(model, detector=shipped_model("detector"))
    flipping = FashionPredictor(model, flip_test=True)
    named = [CATEGORY_NAMES[answers.category_indices[index]] for index in chosen]
    runs: dict[str, Callable[[], object]] = {
        "ONNX Runtime alone, crops that are ready": lambda: session.run(None, inputs),
        "`whole`": lambda: plain.predict(images, named, "whole"),
        "`fast`": lambda: plain.predict(images, named, "fast"),
        "`detector`": lambda: plain.predict(images, named, "detector"),
        "`refine`": lambda: plain.predict(images, named),
        "`refine`, flip test": lambda: flipping.predict(images, named),
    }
    for run in runs.values():
        run()
    seconds = interleaved(REPEATS, *runs.values())
    rows = [
        [name, f"{1000 * took / TIMED:.1f}", f"{took / seconds[0]:.2f}"]
        for name, took in zip(runs, seconds, strict=True)
    ]
    return (
        f"## Speed\n\nOn {os.cpu_count()} cores of a shared machine, {TIMED} images of the"
        " validation set at once, their categories given, decoding excluded, medians of"
        f" {REPEATS}. `python benchmarks/runtime.py` compares the runtime with rtmlib and MMPose;"
        " its figures are in [benchmarks](benchmarks.md#speed).\n\n"
        + table(["", "ms an image", "times the first line"], rows)
    )


def failures(
    given: Predicted,
    answers: KeypointTable,
    by_hand: str,
    picture: str,
    drawn: NormalizedErrorResult,
) -> str:
    distances = point_errors(answers, given.table)
    scored = ~np.isnan(distances)
    images = np.sort(np.nan_to_num(np.nansum(distances, axis=1)))[::-1]
    worst = max(1, round(0.05 * len(images)))
    score = evaluate(answers, given.table)
    hardest = sorted(score.per_keypoint.items(), key=lambda item: -item[1].value)[:5]
    named = ", ".join(f"`{name}` ({value.value:.1f})" for name, value in hardest)
    return (
        "## Where it fails\n\n"
        f"{BEGIN}\n{by_hand}\n{END}\n\n"
        f"Without label boxes, {100 * np.mean(distances[scored] > CLOSE[-1]):.1f} % of the visible"
        f" points are off by more than {CLOSE[-1]} % of the normaliser, and 5 % of the images"
        f" carry {100 * images[:worst].sum() / images.sum():.0f} % of the error. The hardest points"
        f" (NE in %): {named}.\n\n"
        f"![The drawn garments that it finds worst]({picture})\n\n"
        f"*The {SHOWN} worst of {drawn.images} garments drawn by `fashionkp synth`: the true points"
        f" and, right of them, those found. NE on all of them is {drawn.value:.1f} %; the model was"
        " not trained on drawings.*"
    )


def licence(model: Path) -> str:
    facts = FashionPredictor(model).metadata
    return (
        "## Licence\n\n"
        f"The files say of themselves: trained on {facts.training_data}; licence:"
        f" {facts.licence.rstrip('.')}.\n\n"
        "The code of this repository is under the Apache License 2.0, and so are the backbone's"
        " ImageNet weights. The FashionAI images are free for research only, and what was trained"
        " on them is to be used for research only: experiments, teaching, publications, and as a"
        " start for training on data of your own choice within the same limit. For a product, train"
        " on images that you may use for it; the recipe is the same."
    )


# --- small parts


def written_by_hand(card: Path) -> str:
    """The text between the marks of the card that is there, or a placeholder."""
    text = card.read_text() if card.exists() else ""
    _, begins, rest = text.partition(BEGIN)
    by_hand, ends, _ = rest.partition(END)
    return by_hand.strip() if begins and ends else BY_HAND


def binned(scores: NDArray[np.float64], distances: NDArray[np.float64]) -> list[list[Any]]:
    rows = []
    for low, high, members in bins(scores):
        of_bin = distances[members]
        shares = [f"{100 * np.mean(of_bin <= limit):.0f} %" for limit in CLOSE]
        rows.append([f"{low:.1f} to {high:.1f}", len(of_bin), *shares, f"{np.median(of_bin):.1f}"])
    return rows


def bins(scores: NDArray[np.float64]) -> Iterable[tuple[float, float, NDArray[np.bool_]]]:
    """Tenths from 0 to 1 that hold a score, and which; what is above 1 belongs to the last."""
    tenth = np.clip((scores * 10).astype(int), 0, 9)
    for index in np.unique(tenth).tolist():
        yield index / 10, (index + 1) / 10, tenth == index


def counted(confusion: Confusion) -> str:
    rows = [
        [name, *counts.tolist(), f"{confusion.per_class.get(name, float('nan')):.1f} %"]
        for name, counts in zip(confusion.names, confusion.counts, strict=True)
    ]
    return table(["labelled, predicted as", *confusion.names, "found"], rows)


def cell(scores: dict[str, Any], name: str) -> str:
    return f"{scores[name].value:.2f}" if name in scores else "-"


def table(header: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def relative(path: Path) -> str:
    path = path.resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


if __name__ == "__main__":
    main()
