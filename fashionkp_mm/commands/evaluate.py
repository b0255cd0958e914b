"""``fashionkp evaluate``: the normalized error of predictions, and what they recognised."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.columns import Columns
from rich.console import Console
from rich.table import Table

from fashionkp_mm.commands import terminal
from fashionkp_mm.commands.compared import read_for
from fashionkp_mm.core.evaluation import Evaluation, Rules, score
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.core.image_ids import UnmatchedIdsError
from fashionkp_mm.core.normalized_error import SERVER_MIN_NORMALIZER, Missing, Score
from fashionkp_mm.core.recognition import Confusion, Recognition
from fashionkp_mm.core.words import MOST_LISTED, listed, plural
from fashionkp_mm.exchange.formats import FormatError
from fashionkp_mm.exchange.tables import read_labels_file

NORMALIZER_RULES = {
    "skip": "{} without a labelled normaliser left out",
    "server": "the contest server's rule; {} with a normaliser below"
    f" {SERVER_MIN_NORMALIZER:g} px left out",
}
POINT_RULES = {"visible": "visible ones", "labelled": "visible and occluded ones"}
_AS_LABELLED = "as labelled"
"""Said of categories that are all right, since a file does not tell given from recognised ones."""


def run(answers: Path, predictions: Mapping[str, Path], *, rules: Rules, as_json: bool) -> int:
    """Score predictions and print the result, of several files as one table.

    Where something is missing, and that an ``error``, the rest is scored all the same,
    and the score says so.

    Args:
        answers: Labels of any format; see `exchange.tables`.
        predictions: Files of predictions by name; see `exchange.tables`.
        rules: The rules of the score.
        as_json: Whether to print JSON; of several files, an object by name.

    Returns:
        Exit status: 1 if images or points have no prediction and nobody said what to do with them.
    """
    with terminal.one_message(UnmatchedIdsError, FormatError):
        answered = terminal.read(read_labels_file, answers)
        results = {
            name: score(answered, read_for(answered, path), rules)
            for name, path in predictions.items()
        }
    alone = next(iter(results.values())) if len(results) == 1 else None
    if as_json:
        plain = {name: _plain(result) for name, result in results.items()}
        print(json.dumps(_plain(alone) if alone else plain, indent=2, allow_nan=False))
    elif alone:
        _print_one(alone, terminal.out())
    else:
        terminal.out().print(_comparison(results))
    failed = {name: result for name, result in results.items() if result.failed}
    for name, result in failed.items():
        where = "" if alone else f"{name}: "
        terminal.say("error", where + missing_message(result.missing))
    return 1 if failed else 0


def _plain(result: Evaluation) -> dict[str, Any]:
    def counts(confusion: Confusion | None) -> dict[str, Any] | None:
        return confusion.to_dict() if confusion else None

    return {
        **result.score.to_dict(),
        "category": counts(result.recognition.category),
        "visibility": counts(result.recognition.visibility),
        "missing_normalizer": result.rules.missing_normalizer,
        "scored_points": result.rules.points,
        "missing_predictions": list(result.missing.image_ids),
        "missing_points": result.missing.points,
        "lacked_points": result.missing.lacked,
    }


def _print_one(result: Evaluation, console: Console) -> None:
    console.print(_headline(result))
    for name, line in [*rules_in_words(result), *_recognition_in_words(result.recognition)]:
        console.print(f"  {name:<10}  {line}", markup=False)
    if result.score.points:
        console.print()
        tables = [_score_table("category", result.score.per_category)]
        tables.append(_score_table("keypoint", result.score.per_keypoint))
        console.print(Columns(tables, padding=(0, 4)))
    found = result.recognition
    confusions = [_confusion_table(c) for c in (found.category, found.visibility) if c]
    if confusions:
        console.print()
        console.print(Columns(confusions, padding=(0, 4)))


def _headline(result: Evaluation) -> str:
    score = result.score
    value = f"{score.value:.4f} %" if score.points else "none, no point was scored"
    images = plural(score.images - score.skipped_images, "image")
    amount = f"{plural(score.points, 'point')}, {images}"
    return f"[bold]{score_name(result)}: {value}[/bold]  ({amount})"


def score_name(result: Evaluation) -> str:
    """What the score is to be called, of all or of what was predicted."""
    if not result.partial:
        return "NE"
    what = "images" if result.missing.image_ids else "points"
    return f"NE of the {what} with a prediction"


def rules_in_words(result: Evaluation) -> Iterable[tuple[str, str]]:
    """By which rules the score came about: names and sentences."""
    rules, missing = result.rules, result.missing
    yield "points", POINT_RULES[rules.points]
    rule = NORMALIZER_RULES[rules.missing_normalizer].format(
        plural(result.score.skipped_images, "image")
    )
    yield "normaliser", f"{rules.missing_normalizer}: {rule}"
    does = "left out" if result.partial else "counted as an error of 1 a point"
    if missing.image_ids:
        images = plural(len(missing.image_ids), "image")
        yield "missing", f"{images} without a prediction {does}"
    if missing.points:
        yield "missing", f"{_points(missing.points)} without a place {does}"
    if missing.lacked:
        yield "missing", f"{_points(missing.lacked)} that the predicted category lacks {does}"


def _recognition_in_words(found: Recognition) -> Iterable[tuple[str, str]]:
    for name, confusion in _named(found):
        if name == "category" and all_as_labelled(confusion):
            yield name, all_as_labelled(confusion)
        else:
            share = f"{confusion.accuracy:.2f} % of {confusion.total:,} right"
            yield name, f"{share}, mean of the classes {confusion.balanced_accuracy:.2f} %"


def all_as_labelled(category: Confusion | None) -> str:
    """What to say where all categories are right; empty where they are not."""
    if category is None or category.accuracy < 100:
        return ""
    return f"{_AS_LABELLED} on all {category.total:,} images: given, or recognised"


def missing_message(missing: Missing) -> str:
    """What has no prediction, and what to do about it."""
    parts = []
    if missing.image_ids:
        count = plural(len(missing.image_ids), "image")
        parts.append(f"{count} without a prediction: {_some(missing.image_ids)}")
    if missing.points:
        named = [f"{image_id} ({len(names)})" for image_id, names in missing.points.items()]
        parts.append(
            f"{_points(missing.points)} without a place, although the predicted category has them:"
            f" {_some(named)}"
        )
    return (
        f"{'; '.join(parts)}; predict every"
        f" {'image' if missing.image_ids else 'point of the labelled category'},"
        " or choose --missing-predictions count (an error of 1 a point) or skip"
    )


def _points(named: Mapping[str, Sequence[str]]) -> str:
    points = plural(sum(map(len, named.values())), "point")
    return f"{points} of {plural(len(named), 'image')}"


def _some(names: Sequence[str]) -> str:
    return listed(names) + (" (--json lists them all)" if len(names) > MOST_LISTED else "")


def _named(found: Recognition) -> Iterable[tuple[str, Confusion]]:
    pairs = (("category", found.category), ("visibility", found.visibility))
    return ((name, confusion) for name, confusion in pairs if confusion)


def _comparison(results: dict[str, Evaluation]) -> Table:
    """A column each file."""

    def category(result: Evaluation) -> str:
        confusion = result.recognition.category
        return _AS_LABELLED if all_as_labelled(confusion) else _share(confusion)

    def error(name: str) -> Callable[[Evaluation], str]:
        return lambda result: _percent(result.score.per_category.get(name))

    rows: dict[str, Callable[[Evaluation], str]] = {
        "NE %": lambda result: _percent(Score(result.score.value, result.score.points)),
        **{f"NE % {name}": error(name) for name in CATEGORY_NAMES},
        "category accuracy %": category,
        "visibility accuracy %": lambda result: _share(result.recognition.visibility),
        "points": lambda result: f"{result.score.points:,}",
        "images": lambda result: f"{result.score.images - result.score.skipped_images:,}",
    }
    table = _plain_table("", *(f"{n} (partly)" if r.partial else n for n, r in results.items()))
    for name, cell in rows.items():
        cells = [cell(result) for result in results.values()]
        if set(cells) != {"-"}:
            table.add_row(name, *cells)
    return table


def _score_table(what: str, scores: dict[str, Score]) -> Table:
    table = _plain_table(what, "NE %", "points")
    for name, of_name in scores.items():
        table.add_row(name, _percent(of_name), f"{of_name.points:,}")
    return table


def _confusion_table(confusion: Confusion) -> Table:
    table = _plain_table("labelled, found as:", *confusion.names, "right %")
    for name, row in zip(confusion.names, confusion.counts.tolist(), strict=True):
        right = f"{confusion.per_class[name]:.2f}" if name in confusion.per_class else "-"
        table.add_row(name, *(f"{count:,}" for count in row), right)
    return table


def _plain_table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    for index, name in enumerate(columns):
        # Names of files are not markup.
        table.add_column(name.replace("[", r"\["), justify="right" if index else "left")
    return table


def _share(confusion: Confusion | None) -> str:
    return f"{confusion.accuracy:.2f}" if confusion else "-"


def _percent(score: Score | None) -> str:
    return f"{score.value:.3f}" if score and score.points else "-"
