"""What `fashionkp present` does with each picture: make another by rule, or check the one there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fashionkp_mm.applications.presentation import TRANSPARENT, PresentOptions, present
from fashionkp_mm.applications.presets import Preset, broken_rules
from fashionkp_mm.batch.pictures import targets, write_picture
from fashionkp_mm.batch.run import Done, of_each_garment
from fashionkp_mm.batch.sources import Source
from fashionkp_mm.batch.tables import TableFormat, is_row, render_table
from fashionkp_mm.images import file_size
from fashionkp_mm.runtime import Garment, Prediction

COLUMNS = {
    "image_id": "string",
    "garment": "int64",
    "category": "string",
    "file": "string",
    "width": "int64",
    "height": "int64",
    "turned": "float64",
    "scale": "float64",
    "mask": "string",
    "warning": "string",
}
"""Columns of the list of pictures, and their pandas types: ``turned`` is in degrees clockwise,
``mask`` how the ground was told, empty where it stayed."""

CHECK_COLUMNS = {
    "image_id": "string",
    "garments": "int64",
    "passed": "int64",
    "problems": "string",
}
"""Columns of what checking finds, and their pandas types."""


class Presenting:
    """The task of making catalogue pictures; see `run.Task`.

    Args:
        options: By which rules.
        sources: All pictures.
        folder: Where pictures are written.
        form: Format of the list of them.
    """

    writes_pictures = True

    def __init__(
        self, options: PresentOptions, sources: Sequence[Source], folder: Path, form: TableFormat
    ) -> None:
        self._options, self._folder, self._form = options, folder, form
        suffix = ".png" if options.ground == TRANSPARENT else ""
        self._paths = targets([source.image_id for source in sources], folder, suffix)
        self.warned = 0
        """How many of the pictures that were rendered have a warning."""

    def work(self, source: Source, prediction: Prediction) -> Done:
        """Make a picture of each garment and write it."""
        if not len(prediction):
            return Done([], 0)
        image = prediction.image()
        files: list[Path] = []

        def one(position: int, garment: Garment) -> dict[str, Any]:
            made = present(image, garment, self._options)
            path = self._path(source.image_id, position)
            write_picture(path, made.image)
            files.append(path)
            height, width = made.image.shape[:2]
            right = made.matrix[:, 0]
            return {
                "image_id": source.image_id,
                "garment": position,
                "category": garment.category,
                "file": path.relative_to(self._folder).as_posix(),
                "width": width,
                "height": height,
                "turned": round(float(np.degrees(np.arctan2(right[1], right[0]))), 2),
                "scale": round(float(np.hypot(*right)), 4),
                "mask": made.mask and made.mask.method,
                "warning": "; ".join(made.warnings),
            }

        rows, failures = of_each_garment(source, prediction, one)
        return Done(rows, len(prediction), failures, tuple(files))

    def writes(self) -> list[Path]:
        """Where the pictures of the first garment of each picture go."""
        return [self._path(image_id, 0) for image_id in self._paths]

    def fits(self, content: Any) -> bool:
        """Whether it is a list of rows."""
        return isinstance(content, list) and all(is_row(COLUMNS, row) for row in content)

    def render(self, contents: Iterator[tuple[str, Any]]) -> Iterable[bytes]:
        """The list of pictures, one row each."""
        return render_table(self._form, COLUMNS, self._counted(contents))

    def _counted(self, contents: Iterator[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
        for _, rows in contents:
            for row in rows:
                self.warned += bool(row["warning"])
                yield row

    def _path(self, image_id: str, position: int) -> Path:
        path = self._paths[image_id]
        return path.with_name(f"{path.stem}~{position}{path.suffix}") if position else path


class Checking:
    """The task of saying what pictures break of a shop's rules; see `run.Task`.

    Args:
        preset: The rules.
        form: Format of the table.

    Attributes:
        broken: How many of the pictures that were rendered break a rule.
    """

    writes_pictures = True  # reads them, and that in several threads

    def __init__(self, preset: Preset, form: TableFormat) -> None:
        self._preset, self._form = preset, form
        self.broken = 0

    def work(self, source: Source, prediction: Prediction) -> Done:
        """Check a picture, by its best garment where it shows several."""
        image = prediction.image()
        size = file_size(source.path)

        def one(position: int, garment: Garment) -> list[str]:
            return broken_rules(image, garment, self._preset, size) if position == 0 else []

        found, failures = of_each_garment(source, prediction, one)
        problems = found[0] if found else ["no garment to check"]
        row = {
            "image_id": source.image_id,
            "garments": len(prediction),
            "passed": int(not problems),
            "problems": "; ".join(problems),
        }
        return Done(row, len(prediction), failures)

    def fits(self, content: Any) -> bool:
        """Whether it is a row."""
        return is_row(CHECK_COLUMNS, content)

    def render(self, contents: Iterator[tuple[str, Any]]) -> Iterable[bytes]:
        """One row a picture."""
        return render_table(self._form, CHECK_COLUMNS, self._counted(contents))

    def _counted(self, contents: Iterator[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
        for _, row in contents:
            self.broken += not row["passed"]
            yield row
