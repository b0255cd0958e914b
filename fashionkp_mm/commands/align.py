"""``fashionkp align``: garments laid onto their category's template, and a print onto them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import typer

from fashionkp_mm.applications.alignment import Method
from fashionkp_mm.applications.prints import PrintError, require_ratio
from fashionkp_mm.applications.templates import canonical_templates, read_templates, require_size
from fashionkp_mm.batch.aligning import Aligning, AlignOptions, flat, written_paths
from fashionkp_mm.batch.origins import Origin
from fashionkp_mm.batch.sources import Source
from fashionkp_mm.commands import terminal
from fashionkp_mm.commands.given import GarmentOptions
from fashionkp_mm.commands.job import Job, run_job
from fashionkp_mm.core.digests import content_in_words
from fashionkp_mm.images import load_transparent

MANIFEST = "manifest.csv"


def run(
    given: GarmentOptions,
    *,
    out: Path,
    method: Method,
    size: tuple[int, int],
    template: Path | None,
    paste: Path | None,
    maps: bool,
) -> int:
    """Align the garments of every picture, and write a manifest of them.

    Args:
        given: Which pictures, and where their garments come from.
        out: Folder to write to.
        method: See `applications.align`.
        size: Width and height of the aligned pictures.
        template: CSV of labels with templates of one's own; the canonical shapes by default.
        paste: Picture of a print to lay onto the garments.
        maps: Whether to write each garment's map.

    Returns:
        Exit status: 1 if a picture or a garment failed, 130 if the user stopped it.
    """
    with terminal.one_message(PrintError):
        templates = (
            canonical_templates(size) if template is None else read_templates(template, size)
        )
        design = None if paste is None else load_transparent(paste)
        if design is not None:
            require_ratio(design, size)
    options = AlignOptions(method, templates, design, maps)

    def task(sources: Sequence[Source], origin: Origin) -> Aligning:
        return Aligning(sources, out, options)

    job = Job(
        command="align",
        doing="aligning",
        done="aligned",
        out=out / MANIFEST,
        what="CSV of garments",
        task=task,
        opens_pictures=True,
        folder=out,
        writes=lambda sources: flat(written_paths(sources, out, options)),
        reads=[path for path in (template, paste) if path is not None],
        made_by={
            "method": method,
            "size": "x".join(map(str, size)),
            "template": content_in_words(template),
            "print": content_in_words(paste),
            "maps": "yes" if maps else "no",
        },
    )
    return run_job(given, job)


def parsed_size(text: str) -> tuple[int, int]:
    """Width and height from ``512`` or ``800x1000``.

    Raises:
        typer.BadParameter: It is neither, or out of range.
    """
    sides = re.fullmatch(r"(\d+)(?:x(\d+))?", text.lower())
    try:
        if sides is None:
            raise ValueError("expected pixels, as in 512 or 800x1000")
        size = int(sides[1]), int(sides[2] or sides[1])
        require_size(size)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r}: {error}", param_hint="--size") from None
    return size
