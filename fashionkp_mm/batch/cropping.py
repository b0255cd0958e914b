"""What `fashionkp crop` does with each picture: cut its garments' parts out, and list them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications.colors import MOST_COLORS, dominant_colors
from fashionkp_mm.applications.cropping import Crop, CropOptions, crop
from fashionkp_mm.applications.descriptors import DESCRIPTORS, shape_descriptors
from fashionkp_mm.applications.errors import GarmentError
from fashionkp_mm.batch.class_files import Classes
from fashionkp_mm.batch.pictures import targets, write_picture
from fashionkp_mm.batch.run import Done, of_each_garment
from fashionkp_mm.batch.sources import Source
from fashionkp_mm.batch.tables import TableFormat, is_row, render_table
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.core.parts import Part, parts_of
from fashionkp_mm.runtime import Garment, Prediction

_CORNERS = tuple(f"{axis}{corner}" for corner in range(1, 5) for axis in "xy")

COLUMNS = {
    "image_id": "string",
    "garment": "int64",
    "category": "string",
    "part": "string",
    "class": "string",
    "file": "string",
    "width": "int64",
    "height": "int64",
    "source": "string",
    "score": "float64",
    "mirrored": "int64",
    **dict.fromkeys(_CORNERS, "float64"),
    **dict.fromkeys(DESCRIPTORS, "float64"),
    **{f"color{rank}": "string" for rank in range(1, MOST_COLORS + 1)},
}
"""Columns of the manifest, and their pandas types."""


class Cropping:
    """The task of cropping garments; see `run.Task`.

    Args:
        options: Which parts, and how.
        sources: All pictures.
        folder: Where crops are written: ``folder/part/picture.jpg``, or with classes
            ``folder/part/class/picture.jpg``, as torchvision's ``ImageFolder`` reads it.
        form: Format of the manifest.
        classes: The class of each picture; None where there are none.
    """

    writes_pictures = True

    def __init__(
        self,
        options: CropOptions,
        sources: Sequence[Source],
        folder: Path,
        form: TableFormat,
        classes: Classes | None,
    ) -> None:
        self._options, self._folder, self._form, self._classes = options, folder, form, classes
        self.bare = 0
        """How many of the pictures that were rendered have no crop."""
        self._names = targets([source.image_id for source in sources], Path())

    def work(self, source: Source, prediction: Prediction) -> Done:
        """Cut the parts out and write them."""
        if not len(prediction):
            return Done([], 0)
        image = prediction.image()
        files: list[Path] = []

        def one(position: int, garment: Garment) -> list[dict[str, Any]]:
            pieces = crop(image, garment, self._options)
            if not pieces and any(parts_of(garment.category, self._options.parts)):
                raise GarmentError(f"{garment.category}: none of these parts lies in the picture")
            facts = {
                "image_id": source.image_id,
                "garment": position,
                "category": garment.category,
                **_facts(image, garment),
            }
            rows = []
            for piece in pieces:
                label = self._class_of(source.image_id, piece.part)
                path = self._path(source.image_id, position, piece.part, label)
                write_picture(path, piece.image)
                files.append(path)
                rows.append({**facts, **_of_crop(piece), "class": label,
                             "file": path.relative_to(self._folder).as_posix()})  # fmt: skip
            return rows

        rows, failures = of_each_garment(source, prediction, one)
        kept = [row for of_garment in rows for row in of_garment]
        return Done(kept, len(prediction), failures, tuple(files))

    def writes(self) -> list[Path]:
        """Where the crops of the first garment of each picture go, whatever it is."""
        parts = {
            part.name: part
            for category in CATEGORY_NAMES
            for part in parts_of(category, self._options.parts)
        }
        return [
            self._path(image_id, 0, part, self._class_of(image_id, part, required=False))
            for image_id in self._names
            for part in parts.values()
        ]

    def fits(self, content: Any) -> bool:
        """Whether it is a list of the manifest's rows."""
        return isinstance(content, list) and all(is_row(COLUMNS, row) for row in content)

    def render(self, contents: Iterator[tuple[str, Any]]) -> Iterable[bytes]:
        """The manifest, one row a crop."""
        return render_table(self._form, COLUMNS, self._counted(contents))

    def _counted(self, contents: Iterator[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
        for _, rows in contents:
            self.bare += not rows
            yield from rows

    def _class_of(self, image_id: str, part: Part, *, required: bool = True) -> str | None:
        if self._classes is None:
            return None
        own, common = ((image_id, part.group), (image_id, None))
        label = self._classes.get(own, self._classes.get(common))
        if label is None and required:
            raise GarmentError(f"the file of classes has none for its {part.group}")
        return label

    def _path(self, image_id: str, position: int, part: Part, label: str | None) -> Path:
        name = self._names[image_id]
        garment = f"~{position}" if position else ""
        side = f"_{part.side}" if part.side else ""
        folder = self._folder / part.group / (label or "")
        return folder / name.with_name(f"{name.stem}{garment}{side}{name.suffix}")


def _facts(image: NDArray[np.uint8], garment: Garment) -> dict[str, Any]:
    """What the manifest says of a garment in all of its rows."""
    colors = dominant_colors(image, garment)
    shape = shape_descriptors(garment)
    return {
        **{name: None if value is None else round(value, 4) for name, value in shape.items()},
        **{f"color{rank}": str(color) for rank, color in enumerate(colors, start=1)},
    }


def _of_crop(piece: Crop) -> dict[str, Any]:
    height, width = piece.image.shape[:2]
    corners = (round(float(value), 2) for value in piece.quad.ravel())
    return {
        "part": piece.part.name,
        "width": width,
        "height": height,
        "source": piece.source,
        "score": None if math.isnan(piece.score) else round(piece.score, 4),
        "mirrored": int(piece.mirrored),
        **dict(zip(_CORNERS, corners, strict=True)),
    }
