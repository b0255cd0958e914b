"""``fashionkp crop``: the parts of garments as pictures, with a manifest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from fashionkp_mm.applications.cropping import CropOptions
from fashionkp_mm.batch.class_files import read_classes
from fashionkp_mm.batch.cropping import Cropping
from fashionkp_mm.batch.sources import Source
from fashionkp_mm.batch.tables import table_format
from fashionkp_mm.commands import terminal
from fashionkp_mm.commands.given import GarmentOptions
from fashionkp_mm.commands.job import Job, run_job
from fashionkp_mm.core.digests import content_in_words
from fashionkp_mm.core.parts import ATTRIBUTES, PIECES, Side
from fashionkp_mm.core.words import plural
from fashionkp_mm.exchange.formats import FormatError

ALL, ATTRIBUTE = "all", "attributes"
"""Words for groups of parts: those that are named after what they are, and after an attribute."""
_SIZE = re.compile(r"(\d{1,5})(?:x(\d{1,5}))?")
_WHAT = {"csv": "CSV, one row a crop", "parquet": "Parquet table, one row a crop"}


def crop_options(
    parts: str, size: str, *, keep_ratio: bool, margin: float, side: Side | None
) -> CropOptions:
    """The options that were given as words.

    Args:
        parts: Names with commas between them, or `ALL` or `ATTRIBUTE`.
        size: ``224`` or ``192x256``.
        keep_ratio: Whether parts keep their own ratio, and the size is their longer side.
        margin, side: See `CropOptions`.

    Raises:
        ValueError: One of them is none; the message says what was expected.
    """
    match = _SIZE.fullmatch(size)
    if match is None:
        raise ValueError(f"{size!r} is no size; expected pixels as in 224, or 192x256")
    width, height = int(match[1]), match[2] and int(match[2])
    if keep_ratio and height:
        raise ValueError(f"with its own ratio a part has one size, as in {width}, not {size}")
    words = {ALL: PIECES, ATTRIBUTE: ATTRIBUTES}
    names = [name for word in parts.split(",") for name in words.get(word.strip(), [word.strip()])]
    pixels = width if keep_ratio else (width, height or width)
    return CropOptions(tuple(dict.fromkeys(names)), pixels, margin, side)


def run(
    given: GarmentOptions,
    options: CropOptions,
    *,
    out: Path,
    manifest: Path | None,
    classes: Path | None,
) -> int:
    """Cut the parts out of every garment; print what was done and what could not be.

    Args:
        given: Which pictures, and where their garments come from.
        options: Which parts, and how.
        out: Folder of the crops.
        manifest: The list of them; by default in the folder.
        classes: CSV of the pictures' classes.

    Returns:
        Exit status: 1 if a picture or a garment failed, 130 if the user stopped it.
    """
    manifest = manifest or out / "manifest.csv"
    with terminal.one_message(FormatError):
        form = table_format(manifest)
        labels = None if classes is None else read_classes(classes)

    made: list[Cropping] = []

    def task(sources: Sequence[Source], _: object) -> Cropping:
        made.append(Cropping(options, sources, out, form, labels))
        return made[-1]

    def hints(_: Counter[int]) -> list[str]:
        bare = made[-1].bare
        said = [f"{plural(bare, 'picture')} without a crop, since nothing there has such a part"]
        return said if bare else []

    job = Job(
        command="crop",
        doing="cropping",
        done="cropped",
        out=manifest,
        what=_WHAT[form],
        task=task,
        opens_pictures=True,
        folder=out,
        writes=lambda sources: Cropping(options, sources, out, form, labels).writes(),
        reads=[] if classes is None else [classes],
        made_by={
            "out": str(out),
            "format": form,
            "crops": repr(options),
            "classes": content_in_words(classes),
        },
        hints=hints,
    )
    return run_job(given, job)
