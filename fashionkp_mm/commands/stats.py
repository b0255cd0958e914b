"""``fashionkp stats``: what a folder of predictions holds."""

from __future__ import annotations

import json
from importlib.util import find_spec

from rich.table import Table

from fashionkp_mm.batch.scale.storage import ScaleError
from fashionkp_mm.batch.scale.summary import BANDS, Summary, summarize
from fashionkp_mm.commands import terminal
from fashionkp_mm.exchange.parquet import NEEDS
from fashionkp_mm.images.remote import MissingLibraryError

_WIDTH = 40


def run(where: str, *, as_json: bool) -> int:
    """Print pictures, errors by kind, garments by category, scores, and the slowest part.

    Args:
        where: The folder, or a file of it; a path or a URI.
        as_json: Print one JSON object instead of tables.

    Returns:
        Exit status 0.
    """
    with terminal.one_message(ScaleError, MissingLibraryError):
        if find_spec("pyarrow") is None:
            raise ScaleError(f"{where}: {NEEDS}")
        summary = summarize(where)
    if as_json:
        terminal.out().print(json.dumps(summary.to_dict()), markup=False, soft_wrap=True)
    else:
        _print(summary)
    return 0


def _print(summary: Summary) -> None:
    console = terminal.out()
    failed, found = summary.errors.total(), summary.garments.total()
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column()
    facts.add_column(justify="right")
    facts.add_row("pictures", f"{summary.pictures:,}")
    facts.add_row("  that could not be predicted", f"{failed:,}")
    facts.add_row("  without a garment", f"{summary.empty:,}")
    facts.add_row("garments", f"{found:,}")
    for category, count in summary.garments.most_common():
        facts.add_row(f"  {category}", f"{count:,}")
    facts.add_row("parts", f"{summary.parts:,}")
    if summary.slowest is not None:
        part, seconds, pictures, host = summary.slowest
        facts.add_row("seconds of all workers", f"{summary.seconds:,.1f}")
        facts.add_row("  of the slowest part", f"{seconds:,.1f}")
        facts.add_row(f"  which is {part}", f"{pictures:,} pictures on {host}")
    console.print(facts)
    if found:
        scores = Table(box=None, pad_edge=False, title="garments by score", title_justify="left")
        scores.add_column("score")
        scores.add_column("garments", justify="right")
        scores.add_column("")
        most = max(int(summary.scores.max()), 1)
        for low, high, count in zip(BANDS, BANDS[1:], summary.scores, strict=False):
            bar = "█" * round(_WIDTH * int(count) / most)
            scores.add_row(f"{low:.1f} to {high:.1f}", f"{count:,}", bar)
        console.print(scores)
    if failed:
        errors = Table(box=None, pad_edge=False, title="errors", title_justify="left")
        errors.add_column("pictures", justify="right")
        errors.add_column("what is wrong", overflow="fold")
        for kind, count in summary.errors.most_common():
            errors.add_row(f"{count:,}", kind)
        console.print(errors)
