"""``fashionkp evaluate``: the normalized error of a file of predictions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.columns import Columns
from rich.table import Table

from fashionkp_mm.commands import terminal
from fashionkp_mm.core.annotations import read_labels, read_predictions
from fashionkp_mm.core.normalized_error import (
    SERVER_MIN_NORMALIZER,
    MissingNormalizer,
    MissingPredictions,
    NormalizedError,
    Score,
    ScoredPoints,
    evaluate,
    images_without_prediction,
)

_NORMALIZER_RULES = {
    "skip": "{} without a labelled normaliser left out",
    "server": "the contest server's rule; {} with a normaliser below"
    f" {SERVER_MIN_NORMALIZER:g} px left out",
}
_MAX_NAMED = 5
_POINT_RULES = {"visible": "visible ones", "labelled": "visible and occluded ones"}


def run(
    answers: Path,
    predictions: Path,
    *,
    missing_normalizer: MissingNormalizer,
    points: ScoredPoints,
    missing_predictions: MissingPredictions,
    as_json: bool,
) -> int:
    """Score predictions and print the result; the rules are those of `core.normalized_error`.

    With ``missing_predictions`` = ``error`` the images that do have a prediction are scored all the
    same, and called that.

    Returns:
        Exit status: 1 if images have no prediction and nobody said what to do with them.
    """
    with terminal.one_message():
        answered = terminal.read(read_labels, answers)
        predicted = terminal.read(read_predictions, predictions)
        missing = images_without_prediction(answered, predicted)
        result = evaluate(
            answered,
            predicted,
            missing_normalizer=missing_normalizer,
            scored_points=points,
            missing_predictions="skip" if missing_predictions == "error" else missing_predictions,
        )
    if as_json:
        rules = {
            "missing_normalizer": missing_normalizer,
            "scored_points": points,
            "missing_predictions": missing,
        }
        print(json.dumps({**result.to_dict(), **rules}, indent=2, allow_nan=False))
    else:
        console = terminal.out()
        partial = bool(missing) and missing_predictions != "count"
        console.print(_headline(result, partial=partial))
        console.print(f"  points      {_POINT_RULES[points]}")
        rule = _NORMALIZER_RULES[missing_normalizer].format(
            terminal.plural(result.skipped_images, "image")
        )
        console.print(f"  normaliser  {missing_normalizer}: {rule}")
        if missing:
            does = "left out" if partial else "counted as an error of 1 a point"
            count = terminal.plural(len(missing), "image")
            console.print(f"  missing     {count} without a prediction {does}")
        if result.points:
            console.print()
            tables = [_table("category", result.per_category)]
            tables.append(_table("keypoint", result.per_keypoint))
            console.print(Columns(tables, padding=(0, 4)))
    if missing and missing_predictions == "error":
        terminal.say("error", _missing_message(missing))
        return 1
    return 0


def _missing_message(missing: Sequence[str]) -> str:
    named = ", ".join(missing[:_MAX_NAMED])
    if len(missing) > _MAX_NAMED:
        named += f" and {len(missing) - _MAX_NAMED:,} more (--json lists them all)"
    return (
        f"{terminal.plural(len(missing), 'image')} without a prediction: {named}; predict every"
        " image, or choose --missing-predictions count (an error of 1 a point) or skip"
    )


def _headline(result: NormalizedError, *, partial: bool) -> str:
    value = f"{result.value:.4f} %" if result.points else "none, no point was scored"
    name = "NE of the images with a prediction" if partial else "NE"
    return (
        f"[bold]{name}: {value}[/bold]"
        f"  ({terminal.plural(result.points, 'point')},"
        f" {terminal.plural(result.images - result.skipped_images, 'image')})"
    )


def _table(what: str, scores: dict[str, Score]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column(what)
    table.add_column("NE %", justify="right")
    table.add_column("points", justify="right")
    for name, score in scores.items():
        table.add_row(name, f"{score.value:.3f}" if score.points else "-", f"{score.points:,}")
    return table
