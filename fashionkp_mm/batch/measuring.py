"""What `fashionkp measure` does with each picture: measure its garments, and draw their lengths."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications.dimension_lines import draw_measurements
from fashionkp_mm.applications.marker import Marker, MarkerError, scale_of_marker
from fashionkp_mm.applications.measurement import Measurements, measure
from fashionkp_mm.applications.pose_errors import PoseErrors
from fashionkp_mm.applications.scale import KnownLength, Scale, Unit
from fashionkp_mm.batch.pictures import write_picture
from fashionkp_mm.batch.run import Done, of_each_garment
from fashionkp_mm.batch.sources import Source
from fashionkp_mm.core.csv_text import line_of
from fashionkp_mm.runtime import Garment, Prediction

Format = Literal["csv", "json", "parquet"]

COLUMNS = {
    "image_id": "string",
    "garment": "int64",
    "category": "string",
    "length": "string",
    "value": "float64",
    "unit": "string",
    "low": "float64",
    "high": "float64",
    "pixels": "float64",
    "ends": "string",
    "warning": "string",
}
"""Columns of CSV and Parquet, and their pandas types."""


class NoScaleError(ValueError):
    """A picture of which the scale is not known; the message says why."""


class Shown:
    """One picture, whose pixels are read once, and only if somebody asks for them.

    Args:
        source: The picture.
        prediction: Its garments.
    """

    def __init__(self, source: Source, prediction: Prediction) -> None:
        self.image_id = source.image_id
        self._prediction = prediction

    @cached_property
    def image(self) -> NDArray[np.uint8]:
        """``(H, W, 3)`` BGR.

        Raises:
            BrokenImageError: It cannot be read.
        """
        return self._prediction.image()


Scaling = Callable[[Shown], Scale | KnownLength | None]
"""The scale of a picture; raises `NoScaleError` or `MarkerError`."""


def marked(marker: Marker) -> Scaling:
    """The scale that a marker in each picture gives."""
    return lambda shown: scale_of_marker(shown.image, marker)


def listed_scales(scales: Mapping[str, Scale], file: Path) -> Scaling:
    """The scale that a file has for each picture."""

    def scale(shown: Shown) -> Scale:
        if shown.image_id not in scales:
            raise NoScaleError(f"{file} has no scale for it")
        return scales[shown.image_id]

    return scale


class Measuring:
    """The task of measuring garments; see `run.Task`.

    Args:
        form: Format of the output.
        scaling: Gives the scale of each picture.
        unit: Of the lengths, where there is a scale.
        errors: How far points are off; None for no intervals.
        drawings: Where each picture's drawing goes, by id; empty where none is drawn.
        opens_pictures: Whether ``scaling`` reads the pictures.
    """

    def __init__(
        self,
        form: Format,
        scaling: Scaling,
        unit: Unit,
        errors: PoseErrors | None,
        drawings: Mapping[str, Path],
        *,
        opens_pictures: bool,
    ) -> None:
        self._form, self._scaling, self._unit, self._errors = form, scaling, unit, errors
        self._drawings = drawings
        self._opens = opens_pictures or bool(drawings)

    @property
    def writes_pictures(self) -> bool:
        """Whether pictures are read or drawn."""
        return self._opens

    def work(self, source: Source, prediction: Prediction) -> Done:
        """Measure the garments, and draw their lengths."""
        shown = Shown(source, prediction)
        if not len(prediction):
            return Done([], 0)
        try:
            scale = self._scaling(shown)
        except (NoScaleError, MarkerError) as error:
            return Done([], len(prediction), (f"{source.image_id}: {error}",))

        def one(position: int, garment: Garment) -> tuple[int, Measurements]:
            return position, measure(garment, scale=scale, unit=self._unit, errors=self._errors)

        measured, failures = of_each_garment(source, prediction, one)
        files: tuple[Path, ...] = ()
        if self._drawings and measured:
            files = (self._drawings[source.image_id],)
            drawn = draw_measurements(shown.image, [each for _, each in measured])
            write_picture(files[0], drawn)
        kept = [{"garment": position, **each.to_dict()} for position, each in measured]
        return Done(kept, len(prediction), failures, files)

    def fits(self, content: Any) -> bool:
        """Whether it is a list of garments as `Measurements.to_dict` has them."""
        return isinstance(content, list) and all(map(_is_garment, content))

    def render(self, contents: Iterator[tuple[str, Any]]) -> Iterable[bytes]:
        """One row a length, or in JSON one object a garment."""
        if self._form == "json":
            return _json(contents)
        return _csv(contents) if self._form == "csv" else [_parquet(contents)]


def _json(contents: Iterator[tuple[str, Any]]) -> Iterator[bytes]:
    """A list of objects, one a line."""
    before = b"[\n"
    for image_id, garments in contents:
        for garment in garments:
            yield before + json.dumps({"image_id": image_id, **garment}, allow_nan=False).encode()
            before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def _csv(contents: Iterator[tuple[str, Any]]) -> Iterator[bytes]:
    yield line_of(COLUMNS).encode()
    for row in _rows(contents):
        yield line_of("" if cell is None else str(cell) for cell in row.values()).encode()


def _parquet(contents: Iterator[tuple[str, Any]]) -> bytes:
    import pandas as pd  # noqa: PLC0415  The other formats do without.

    frame = pd.DataFrame(list(_rows(contents)), columns=list(COLUMNS)).astype(COLUMNS)
    data = io.BytesIO()
    frame.to_parquet(data, engine="pyarrow", index=False)
    return data.getvalue()


def _rows(contents: Iterator[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
    for image_id, garments in contents:
        for garment in garments:
            for name, length in garment["measurements"].items():
                yield {
                    "image_id": image_id,
                    "garment": garment["garment"],
                    "category": garment["category"],
                    "length": name,
                    "value": length["value"],
                    "unit": length["unit"],
                    "low": length["low"],
                    "high": length["high"],
                    "pixels": length["distance"],
                    "ends": "/".join(length["ends"]),
                    "warning": "; ".join(length["warnings"]),
                }


_GARMENT = {"garment", "category", "unit", "scale", "landmarks", "measurements"}
_LENGTH = {
    "landmarks",
    "distance",
    "value",
    "unit",
    "low",
    "high",
    "start",
    "end",
    "ends",
    "warnings",
}


def _is_garment(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and found.keys() == _GARMENT
        and isinstance(found["measurements"], dict)
        and all(map(_is_length, found["measurements"].values()))
    )


def _is_length(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and found.keys() == _LENGTH
        and all(isinstance(found[name], list) for name in ("ends", "warnings"))
    )
