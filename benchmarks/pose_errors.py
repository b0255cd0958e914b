"""Make the table of a model's errors that intervals of lengths come from, and check it.

    FASHIONAI_ROOT=… python benchmarks/pose_errors.py [--model POSE.onnx] [--predictions FILE]

The model predicts the validation images with ``boxes='refine'`` and the labelled category, or they
are read from a file of such predictions. One half of each category's images, by a hash of their
ids, makes ``POSE_errors.json`` beside the model; on the other half the intervals are compared with
the labelled lengths, and docs/measure.md gets the figures, where the model is the one that ships.

As each half has but 40 garments of some categories, the figure hangs on which half is which. So
there is a second one: the mean of many random halvings, each with a table of its own from one half,
compared on the other.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from common import ROOT, choosing_half, fashionai_root

from fashionkp_mm.applications import GarmentError, measure
from fashionkp_mm.applications.measurement import Measurement, moves
from fashionkp_mm.applications.pose_errors import (
    COVERAGE,
    EXACT,
    PoseErrors,
    Seen,
    errors_file,
    garment_size,
    kind_of,
)
from fashionkp_mm.applications.scale import Scale
from fashionkp_mm.core.digests import file_digest
from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.core.lengths import LENGTHS, Place, Weights, lengths_of, sideless
from fashionkp_mm.core.words import plural
from fashionkp_mm.runtime import FashionPredictor, Garment, shipped_model
from fashionkp_mm.runtime.file_garments import read_garments, read_labelled_garments

PAGE = ROOT / "docs" / "measure.md"
BEGIN, END = "<!-- by benchmarks/pose_errors.py -->", "<!-- by hand -->"
HALVINGS = 40
ONE_TO_ONE = Scale.of_pixels(1.0)

USUAL = 0.8
"""Quantile of a keypoint's errors that is called usual. Any would do; this one is steady."""
SCORE_STEPS = 8
KEYPOINT_WEIGHT, LENGTH_WEIGHT = 20, 20
"""So many errors of its own a keypoint, or a length, needs to count as much as all others do."""


class Pair(NamedTuple):
    """A garment as labelled and as predicted."""

    image_id: str
    labelled: Garment
    predicted: Garment


class PointError(NamedTuple):
    """How far one predicted point lies from the labelled one, as a share of the garment's size."""

    point: Seen
    error: float


class LengthError(NamedTuple):
    """How far one predicted length is from the labelled one, as a share of the garment's size."""

    length: str
    weights: Weights
    points: Mapping[str, Seen]
    error: float


def main() -> None:
    arguments = parse_arguments()
    root = fashionai_root()
    if root is None:
        sys.exit("error: no FashionAI data; set FASHIONAI_ROOT to its folder")
    model = arguments.model or shipped_model()
    pairs = predicted_pairs(root, model, arguments.predictions)
    table_half, other_half = halves(pairs)
    name = FashionPredictor(model).metadata.name
    table = fit(table_half, name, file_digest(model))
    file = errors_file(model)
    write_atomically(file, table.to_json().encode())
    print(f"{file}: {file.stat().st_size:,} bytes, of {plural(table.pictures, 'picture')}")
    report = "\n".join(report_lines(table, pairs, other_half))
    print(report)
    if model == shipped_model():
        write_page(report)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--model", type=Path, help="Default: the one that ships.")
    parser.add_argument(
        "--predictions",
        type=Path,
        help="What this very model predicts for the validation images (boxes refine, labelled"
        " category). Default: it predicts them.",
    )
    return parser.parse_args()


def predicted_pairs(root: Path, model: Path, predictions: Path | None) -> list[Pair]:
    """The validation images' garments."""
    labelled = read_labelled_garments(root / "val" / "Annotations" / "val.csv")
    if predictions is None:
        predictor = FashionPredictor(model)
        stream = predictor.stream(
            (root / "val" / image_id for image_id in labelled),
            (garment.category for (garment,) in labelled.values()),
        )
        predicted = {
            image_id: list(found) for image_id, found in zip(labelled, stream, strict=True)
        }
    else:
        predicted = read_garments(predictions)
    pairs = [
        Pair(image_id, garment, predicted[image_id][0]) for image_id, (garment,) in labelled.items()
    ]
    for pair in pairs:
        if pair.labelled.category != pair.predicted.category:
            sys.exit(f"error: {pair.image_id} was predicted as another category than labelled")
    return pairs


def halves(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """The images for the table, and those to check it on: of each category as many."""
    ids = [pair.image_id for pair in pairs]
    chooses = choosing_half(ids, (pair.labelled.category for pair in pairs))
    split: tuple[list[Pair], list[Pair]] = [], []
    for pair, is_for_table in zip(pairs, chooses.tolist(), strict=True):
        split[0 if is_for_table else 1].append(pair)
    return split


# --- the table


def fit(pairs: Sequence[Pair], name: str = "", sha256: str = "") -> PoseErrors:
    """The table of a model from its errors."""
    points = [error for pair in pairs for error in point_errors(pair)]
    lengths = [error for pair in pairs for error in length_errors(pair)]
    scores, errors = errors_by_score(points)
    unknown = quantile([each.error for each in points], USUAL)
    table = PoseErrors(
        name, sha256, scores, errors, round(unknown, 5), pictures=len(pairs), boxes="refine"
    )

    ratios: dict[str, list[float]] = {}
    for point, error in points:
        ratios.setdefault(kind_of(point), []).append(error / table.usual_error(point))
    keypoints = {
        kind: drawn_to(1.0, quantile(values, USUAL), len(values), KEYPOINT_WEIGHT)
        for kind, values in sorted(ratios.items())
    }
    table = replace(table, keypoints=keypoints)

    shares: dict[str, list[float]] = {}
    for length, weights, seen, error in lengths:
        share = error / table.difficulty(weights, seen)
        shares.setdefault(sideless(length), []).append(share)
    common = quantile([share for values in shares.values() for share in values], COVERAGE)
    factors = {
        length: drawn_to(common, quantile(values, COVERAGE), len(values), LENGTH_WEIGHT)
        for length, values in sorted(shares.items())
    }
    return replace(table, lengths=factors, other_lengths=round(common, 3))


def point_errors(pair: Pair) -> Iterable[PointError]:
    """Of points that are predicted, and labelled, as not absent."""
    size = garment_size(present(pair.predicted).values())
    labelled = present(pair.labelled)
    for name, (x, y) in present(pair.predicted).items():
        if name in labelled:
            point = pair.predicted[name]
            error = math.dist((x, y), labelled[name]) / size
            yield PointError(Seen(name, point.visibility, point.score), error)


def length_errors(pair: Pair) -> Iterable[LengthError]:
    """Of lengths whose ends are predicted, and labelled, as not absent."""
    points = present(pair.predicted)
    size = garment_size(points.values())
    seen = {
        name: Seen(name, point.visibility, point.score)
        for name, point in pair.predicted.points.items()
    }
    weights = {length.name: length.ends(points) for length in lengths_of(pair.labelled.category)}
    for name, predicted, labelled in both_measured(pair, None):
        start, end = weights[name] or ({}, {})
        error = abs(predicted.value - labelled) / size
        yield LengthError(name, moves(start, end), seen, error)


def both_measured(pair: Pair, table: PoseErrors | None) -> Iterable[tuple[str, Measurement, float]]:
    """Lengths in pixels: name, as predicted, and as labelled."""
    try:
        predicted = measure(pair.predicted, scale=ONE_TO_ONE, errors=table)
        labelled = measure(pair.labelled, scale=ONE_TO_ONE, errors=EXACT)
    except GarmentError:
        return
    for ours, theirs in zip(predicted, labelled, strict=True):
        if ours.value is not None and theirs.value is not None:
            yield ours.length.name, ours, theirs.value


def present(garment: Garment) -> dict[str, Place]:
    """A garment's points that are not absent."""
    return {
        name: (point.x, point.y)
        for name, point in garment.points.items()
        if point.visibility != Visibility.ABSENT
    }


def errors_by_score(
    points: Sequence[PointError],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Usual errors at some scores; a higher score never means a larger error."""
    ordered = sorted(points, key=lambda each: each.point.score)
    cuts = [round(step * len(ordered) / SCORE_STEPS) for step in range(SCORE_STEPS + 1)]
    groups = [ordered[first:last] for first, last in pairwise(cuts) if last > first]
    scores = [float(np.median([each.point.score for each in group])) for group in groups]
    errors = [quantile([each.error for each in group], USUAL) for group in groups]
    falling = np.maximum.accumulate(errors[::-1])[::-1]
    return (
        tuple(round(score, 4) for score in scores),
        tuple(round(float(error), 5) for error in falling),
    )


def quantile(values: Sequence[float], share: float) -> float:
    """A quantile, corrected as split conformal prediction does for how few values there are."""
    return float(np.quantile(values, min(1.0, share * (len(values) + 1) / len(values))))


def drawn_to(common: float, own: float, count: int, weight: float) -> float:
    """Between what all have in common and what few have of their own, by how many they are."""
    mean = (count * math.log(own) + weight * math.log(common)) / (count + weight)
    return round(math.exp(mean), 3)


# --- the check


class Checked(NamedTuple):
    """A length of one garment.

    Attributes:
        inside: Whether the labelled length lies in the interval.
        width: Half the interval, as a share of the predicted length.
        error: Of the predicted length, as a share of the labelled one.
    """

    inside: bool
    width: float
    error: float


def check(table: PoseErrors, pairs: Iterable[Pair]) -> dict[str, list[Checked]]:
    """The intervals of a table against labelled lengths, by length without its side."""
    checked: dict[str, list[Checked]] = {}
    for pair in pairs:
        for name, predicted, labelled in both_measured(pair, table):
            low, high, value = predicted.low, predicted.high, predicted.value
            if labelled > 0 and value > 0:
                checked.setdefault(sideless(name), []).append(
                    Checked(
                        low <= labelled <= high,
                        (high - value) / value,
                        abs(value - labelled) / labelled,
                    )
                )
    return checked


def report_lines(
    table: PoseErrors, pairs: Sequence[Pair], other_half: Sequence[Pair]
) -> Iterable[str]:
    """Markdown: coverage, width and error by length."""
    checked = check(table, other_half)
    repeated = repeated_coverage(pairs)
    yield (
        f"Model `{table.model}`, boxes `refine`, category given, points in pixels. Table of"
        f" {table.pictures} validation images; the other {len(other_half)} are compared here."
        f" {platform.machine()}, {os.cpu_count()} cores."
    )
    yield ""
    yield (
        "| length | lengths | inside, % | inside, %, mean of"
        f" {HALVINGS} halvings | half the interval, % (median) | error, % (median) | error, %"
        " (nine in ten) |"
    )
    yield "|---|---|---|---|---|---|---|"
    for name in dict.fromkeys(sideless(length.name) for length in LENGTHS):
        yield row(f"`{name}`", checked.get(name, []), repeated[name])
    everything = [each for values in checked.values() for each in values]
    yield row("all", everything, repeated[""])


def row(name: str, checked: Sequence[Checked], repeated: float) -> str:
    inside = 100 * np.mean([each.inside for each in checked])
    width = 100 * np.median([each.width for each in checked])
    error, most = 100 * np.quantile([each.error for each in checked], [0.5, COVERAGE])
    return (
        f"| {name} | {len(checked)} | {inside:.0f} | {100 * repeated:.0f} | {width:.1f} |"
        f" {error:.1f} | {most:.0f} |"
    )


def repeated_coverage(pairs: Sequence[Pair]) -> dict[str, float]:
    """Share inside by length, '' for all: the mean of random halvings."""
    rng = np.random.default_rng(0)
    shares: dict[str, list[float]] = {}
    for _ in range(HALVINGS):
        order = rng.permutation(len(pairs))
        first, second = np.array_split(order, 2)
        checked = check(fit([pairs[i] for i in first]), [pairs[i] for i in second])
        for name, values in checked.items():
            shares.setdefault(name, []).append(float(np.mean([each.inside for each in values])))
        everything = [each.inside for values in checked.values() for each in values]
        shares.setdefault("", []).append(float(np.mean(everything)))
    return {name: float(np.mean(values)) for name, values in shares.items()}


def write_page(report: str) -> None:
    """Put the figures between the two marks of the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    write_atomically(PAGE, f"{before}{BEGIN}\n\n{report}\n\n{END}{after}".encode())
    print(f"{PAGE}: written")


if __name__ == "__main__":
    main()
