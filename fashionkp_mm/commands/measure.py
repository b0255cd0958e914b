"""``fashionkp measure``: the lengths of garments, in units, with intervals."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fashionkp_mm.applications.marker import Marker
from fashionkp_mm.applications.pose_errors import (
    EXACT,
    PoseErrors,
    PoseErrorsError,
    errors_file,
    errors_of_model,
    read_pose_errors,
)
from fashionkp_mm.applications.scale import KnownLength, Scale, ScaleError, Unit
from fashionkp_mm.batch.measuring import Format, Measuring, Scaling, listed_scales, marked
from fashionkp_mm.batch.origins import Origin
from fashionkp_mm.batch.pictures import targets
from fashionkp_mm.batch.scale_files import read_scales
from fashionkp_mm.batch.sources import Source
from fashionkp_mm.batch.writers import format_of
from fashionkp_mm.commands import terminal
from fashionkp_mm.commands.given import GarmentOptions
from fashionkp_mm.commands.job import Job, run_job
from fashionkp_mm.core.digests import content_in_words
from fashionkp_mm.exchange.formats import Format as GarmentFormat
from fashionkp_mm.exchange.formats import FormatError
from fashionkp_mm.runtime.shipped import NoModelError, shipped_model

_FORMATS: dict[Format, str] = {
    "csv": "CSV, one row a length",
    "json": "JSON list of measured garments",
    "parquet": "Parquet table, one row a length",
}
_OF_GARMENTS: dict[GarmentFormat, Format] = {
    "fashionai": "csv",
    "json": "json",
    "coco": "json",
    "label-studio": "json",
    "parquet": "parquet",
}
"""What a name that asks for a format of garments asks for here."""
_MAKE = "`python benchmarks/pose_errors.py --model MODEL` makes one"


@dataclass(frozen=True)
class ScaleOptions:
    """How the scale was given; at most one of them.

    Attributes:
        px_per_cm: Pixels a centimetre, of all pictures.
        known: Such as ``chest=52cm``.
        marker: Such as ``aruco:50mm``.
        scale_from: CSV with ``image_id`` and ``px_per_cm``.
    """

    px_per_cm: float | None
    known: str | None
    marker: str | None
    scale_from: Path | None

    def scaling(self) -> Scaling:
        """What gives the scale of each picture.

        Raises:
            ScaleError: What was given is no scale.
            AnnotationError: The CSV breaks a rule of its format.
            OSError: It cannot be read.
        """
        one: Scale | KnownLength | None = None
        if self.scale_from is not None:
            return listed_scales(read_scales(self.scale_from), self.scale_from)
        if self.marker is not None:
            return marked(Marker.parse(self.marker))
        if self.px_per_cm is not None:
            one = Scale.of_pixels(self.px_per_cm, f"{self.px_per_cm:g} px per cm")
        elif self.known is not None:
            one = KnownLength.parse(self.known)
        return lambda shown: one

    def in_words(self) -> str:
        """What results depend on."""
        if self.scale_from is not None:
            return content_in_words(self.scale_from)
        if self.px_per_cm is not None:
            return f"{self.px_per_cm!r} px per cm"
        return self.known or self.marker or "none"


def run(
    given: GarmentOptions,
    *,
    scale: ScaleOptions,
    unit: Unit,
    errors: Path | None,
    out: Path,
    draw: Path | None,
) -> int:
    """Measure every garment and write one file; print what was done and what could not be.

    Args:
        given: Which pictures, and where their garments come from.
        scale: How long a pixel is.
        unit: Of the lengths, where there is a scale.
        errors: Table of the model's errors; by default the one beside the model.
        out: File of lengths; ``-`` is standard output.
        draw: Folder for pictures with dimension lines.

    Returns:
        Exit status: 1 if a picture or a garment could not be measured, 130 if the user stopped it.
    """
    with terminal.one_message(FormatError, ScaleError, PoseErrorsError, NoModelError):
        form = _format(out)
        scaling = scale.scaling()
        words = scale.in_words()
        table, notes = _pose_errors(given, errors)
    if words == "none":
        notes.append(
            "no scale: values are multiples of the chest or the waist, which stands as their unit,"
            " beside pixels; --px-per-cm, --known, --marker or --scale-from gives one"
        )
    for note in notes:
        terminal.say("note", note)

    def drawings(sources: Sequence[Source]) -> dict[str, Path]:
        return {} if draw is None else targets([source.image_id for source in sources], draw)

    def task(sources: Sequence[Source], origin: Origin) -> Measuring:
        marks = scale.marker is not None
        return Measuring(form, scaling, unit, table, drawings(sources), opens_pictures=marks)

    job = Job(
        command="measure",
        doing="measuring",
        done="measured",
        out=out,
        what=_FORMATS[form],
        task=task,
        opens_pictures=draw is not None or scale.marker is not None,
        folder=draw,
        writes=lambda sources: list(drawings(sources).values()),
        reads=[path for path in (scale.scale_from, errors) if path is not None],
        made_by={
            "format": form,
            "scale": words,
            "unit": unit,
            "errors": "none" if table is None else _digest(table),
            "drawn": "no" if draw is None else "yes",
        },
    )
    return run_job(given, job)


def _format(out: Path) -> Format:
    form = _OF_GARMENTS.get(format_of(out))
    if form is None:
        raise FormatError(f"{out}: expected a name that ends in .csv, .json or .parquet")
    return form


def _digest(table: PoseErrors) -> str:
    return f"sha256 {hashlib.sha256(table.to_json().encode()).hexdigest()[:16]}"


def _pose_errors(given: GarmentOptions, file: Path | None) -> tuple[PoseErrors | None, list[str]]:
    """The table that intervals come from, and what is to be said of it."""
    if given.labels is not None and file is None:
        return EXACT, [
            "points of labels are taken as exact, so low and high are the value itself; how far"
            " people differ in placing a point is not in them"
        ]
    model = given.model or shipped_model()
    table = errors_of_model(model) if file is None else read_pose_errors(file)
    if table is None:
        return None, [f"no intervals: {errors_file(model)} is missing or of another model; {_MAKE}"]
    if given.file is not None:
        if file is not None:
            return table, []
        return table, [
            f"{given.file} does not tell which model made it; intervals are those of the model that"
            f" ships, {table.model}; another one's table is named with --errors"
        ]
    if not table.is_of(model):
        raise PoseErrorsError(
            f"{file}: a table of another model, {table.model}; its intervals would be false for"
            f" {model}. {_MAKE}"
        )
    boxes = given.predicting().boxes
    if boxes == table.boxes:
        return table, []
    return table, [f"intervals were made with --boxes {table.boxes}, and may be false for {boxes}"]
