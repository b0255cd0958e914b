"""``fashionkp present``: catalogue pictures by a shop's rules, or what breaks them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from fashionkp_mm.applications.presentation import PresentOptions
from fashionkp_mm.applications.presets import Preset
from fashionkp_mm.batch.presenting import Checking, Presenting
from fashionkp_mm.batch.sources import Source
from fashionkp_mm.batch.tables import table_format
from fashionkp_mm.commands import terminal
from fashionkp_mm.commands.given import GarmentOptions
from fashionkp_mm.commands.job import Job, run_job
from fashionkp_mm.core.words import plural
from fashionkp_mm.exchange.formats import FormatError

_LIST = "pictures.csv"


class NoMattingError(ImportError):
    """pymatting is not installed."""


def run(given: GarmentOptions, options: PresentOptions, *, out: Path) -> int:
    """Make a catalogue picture of every garment; print what was done and what could not be.

    Args:
        given: Which pictures, and where their garments come from.
        options: By which rules.
        out: Folder of the pictures, and of a CSV list of them.

    Returns:
        Exit status: 1 if a picture or a garment failed, 130 if the user stopped it.
    """
    with terminal.one_message(NoMattingError):
        if options.matting and find_spec("pymatting") is None:
            raise NoMattingError(
                "pymatting is not installed; it comes with pip install 'fashionkp_mm[matting]'"
            )
    made: list[Presenting] = []

    def task(sources: Sequence[Source], _: object) -> Presenting:
        made.append(Presenting(options, sources, out, "csv"))
        return made[-1]

    def hints(_: Counter[int]) -> list[str]:
        warned = made[-1].warned
        return [f"{plural(warned, 'picture')} with a warning, see {out / _LIST}"] if warned else []

    job = Job(
        command="present",
        doing="presenting",
        done="presented",
        out=out / _LIST,
        what="CSV, one row a picture",
        task=task,
        opens_pictures=True,
        folder=out,
        writes=lambda sources: Presenting(options, sources, out, "csv").writes(),
        made_by={"out": str(out), "options": repr(options)},
        hints=hints,
    )
    return run_job(given, job)


def check(given: GarmentOptions, preset: Preset, *, out: Path) -> int:
    """Say what each picture breaks of a shop's rules.

    Args:
        given: Which pictures, and where their garments come from.
        preset: The rules.
        out: The table, one row a picture; ``-`` is standard output.

    Returns:
        Exit status: 1 if a picture breaks a rule or failed, 130 if the user stopped it.
    """
    with terminal.one_message(FormatError):
        form = table_format(out)
    made: list[Checking] = []

    def task(_: Sequence[Source], __: object) -> Checking:
        made.append(Checking(preset, form))
        return made[-1]

    def hints(counts: Counter[int]) -> list[str]:
        total = plural(counts.total(), "picture")
        return [f"{made[-1].broken:,} of {total} break a rule of {preset.name}"]

    job = Job(
        command="present --check",
        doing="checking",
        done="checked",
        out=out,
        what="CSV, one row a picture" if form == "csv" else "Parquet table, one row a picture",
        task=task,
        opens_pictures=True,
        made_by={"preset": repr(preset), "format": form},
        hints=hints,
    )
    return run_job(given, job) or int(any(each.broken for each in made))
