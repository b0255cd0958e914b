"""``fashionkp check``: everything that is wrong with a data set, at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from fashionkp_mm.batch.image_checks import ImageReport, inspect_images
from fashionkp_mm.commands import terminal
from fashionkp_mm.core.csv_columns import Kind, has_keypoints
from fashionkp_mm.core.csv_format import check_annotations
from fashionkp_mm.core.garments import (
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    NORMALIZER_INDICES,
    Visibility,
)
from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.core.table import AnnotationError, KeypointTable, Problem, in_lines
from fashionkp_mm.core.words import plural
from fashionkp_mm.exchange.checks import is_predicted, label_problems
from fashionkp_mm.exchange.formats import (
    DESCRIPTIONS,
    Format,
    FormatError,
    format_to_read,
    inspect_table,
)
from fashionkp_mm.exchange.pictures import find_pictures, size_problems

_KINDS: dict[Kind, str] = {"list": "test list", "predictions": "file of predictions"}
_STATES = {
    "visible": Visibility.VISIBLE,
    "occluded": Visibility.OCCLUDED,
    "absent": Visibility.ABSENT,
}


def run(
    csv: Path,
    *,
    images: Path | None,
    kind: Kind | None,
    as_json: bool,
    max_megapixels: float = MAX_MEGAPIXELS,
) -> int:
    """Check a file, and its images where a folder is given; print the findings.

    Args:
        csv: Labels or predictions of any format, or a test list.
        images: Folder that the image ids start from.
        kind: What the file is; by default labels, a test list if it has no keypoint columns, or
            predictions if another format than CSV has scores.
        as_json: Print one JSON object instead of text.
        max_megapixels: Size from which an image is refused.

    Returns:
        Exit status: 1 if there is any error.
    """
    with terminal.one_message(FormatError):
        form = format_to_read(csv)
        if form == "fashionai":
            kind = kind or ("labels" if has_keypoints(csv) else "list")
            table, problems = check_annotations(csv, kind)
        else:
            table, problems, kind = _inspected(csv, form, kind, images)
        report = None
        if images is not None and len(table):
            # An id that leaves the data root is not followed, not even to its folder.
            unsafe = [p.row for p in problems if p.column == "image_id" and p.severity == "error"]
            safe = table.select(~np.isin(table.rows, unsafe))
            with terminal.progress("checking images", len(safe)) as progress:
                report = inspect_images(
                    safe,
                    images,
                    file=str(csv),
                    labelled=kind == "labels",
                    max_megapixels=max_megapixels,
                    progress=progress,
                )
            problems = sorted([*problems, *report.problems], key=lambda problem: problem.row)
    findings = _Findings(str(csv), kind, len(table), problems, _count(table), report)
    if as_json:
        _print_json(findings)
    else:
        _print(findings)
    return 1 if findings.errors else 0


def _inspected(
    path: Path, form: Format, kind: Kind | None, images: Path | None
) -> tuple[KeypointTable, list[Problem], Kind]:
    """Garments of another format than CSV, what is wrong with them, and what they are."""
    if kind == "list":
        raise FormatError(f"{path}: {DESCRIPTIONS[form]}; only a CSV can be a test list")
    try:
        table = inspect_table(path, form, images=images)
    except AnnotationError as error:
        return KeypointTable.empty(), list(error.problems), kind or "labels"
    kind = kind or ("predictions" if is_predicted(table) else "labels")
    problems = list(table.warnings)
    if kind == "labels":
        problems += label_problems(table, str(path))
    if images is not None:
        problems += size_problems(table, find_pictures(table, path, images), path)
    return table.garments, sorted(problems, key=lambda problem: problem.row), kind


@dataclass(frozen=True)
class _Findings:
    """What there is to say of a file."""

    file: str
    kind: Kind
    rows: int
    problems: list[Problem]
    categories: dict[str, dict[str, int]]
    images: ImageReport | None

    @property
    def errors(self) -> int:
        return sum(problem.severity == "error" for problem in self.problems)

    @property
    def warnings(self) -> int:
        return len(self.problems) - self.errors

    def to_dict(self) -> dict[str, Any]:
        """The findings but for the problems as plain values, for JSON."""
        images = self.images
        return {
            "file": self.file,
            "kind": self.kind,
            "errors": self.errors,
            "warnings": self.warnings,
            "rows": self.rows,
            "categories": self.categories,
            "images": images and {"usable": images.usable, "stored": images.modes},
        }


def _print_json(findings: _Findings) -> None:
    """One object; its problems a line each, since there can be a million of them."""
    head = json.dumps(findings.to_dict(), indent=2).removesuffix("\n}")
    problems = (
        json.dumps({name: getattr(problem, name) for name in _PROBLEM_FIELDS})
        for problem in findings.problems
    )
    listed = ",\n    ".join(problems)
    print(f'{head},\n  "problems": [' + (f"\n    {listed}\n  " if listed else "") + "]\n}")


_PROBLEM_FIELDS = ("file", "row", "column", "value", "message", "severity")


def _count(table: KeypointTable) -> dict[str, dict[str, int]]:
    """Rows, points of each state and absent normalisers of the categories that occur."""
    counts = {}
    for index, name in enumerate(CATEGORY_NAMES):
        states = table.visibility[table.category_indices == index]
        if not len(states):
            continue
        points = states[:, CATEGORY_KEYPOINTS[index]]
        pair = states[:, NORMALIZER_INDICES[index]]
        counts[name] = {
            "rows": len(states),
            **{state: int((points == value).sum()) for state, value in _STATES.items()},
            "normalizer_absent": int((pair == Visibility.ABSENT).any(axis=1).sum()),
        }
    return counts


def _print(findings: _Findings) -> None:
    console = terminal.out()
    lines = [*in_lines(findings.problems)]
    for severity, line in lines:
        terminal.say(severity, line, to=console)
    if len(lines) != len(findings.problems):
        console.print("[dim]--json lists every one.[/]")
    if findings.problems:
        console.print()
    if findings.categories:
        console.print(_summary(findings.kind, findings.categories))
        console.print()
    if findings.images is not None:
        _print_images(findings.images, findings.rows)
    style = "bold red" if findings.errors else "bold green"
    verdict = Text(plural(findings.errors, "error"), style=style)
    read_as = "" if findings.kind == "labels" else f", read as a {_KINDS[findings.kind]}"
    warned = plural(findings.warnings, "warning")
    verdict.append(f", {warned} in {findings.file}{read_as}", "default")
    console.print(verdict, soft_wrap=True)
    if findings.images is None and findings.rows:
        console.print("[dim]The images were not checked; --images DIR checks them too.[/]")


def _print_images(report: ImageReport, rows: int) -> None:
    console = terminal.out()
    stored = ", ".join(f"{count:,} {mode}" for mode, count in report.modes.most_common())
    line = f"{report.usable:,} of {rows:,} images can be loaded"
    console.print(f"{line} ({stored})" if stored else line)


def _summary(kind: Kind, categories: dict[str, dict[str, int]]) -> Table:
    # A test list has no points, and what predictions say of visibility means nothing.
    names = ["rows"] if kind != "labels" else ["rows", *_STATES, "normalizer_absent"]
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("category")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for category, counts in categories.items():
        table.add_row(category, *(f"{counts[name]:,}" for name in names))
    totals = np.sum([[counts[name] for name in names] for counts in categories.values()], axis=0)
    if len(categories) > 1:
        table.add_row("all", *(f"{total:,}" for total in totals), style="bold")
    return table
