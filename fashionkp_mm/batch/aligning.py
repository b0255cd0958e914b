"""What `fashionkp align` does with each picture: lay garments onto templates, prints onto them."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications.alignment import Method, align
from fashionkp_mm.applications.errors import GarmentError
from fashionkp_mm.applications.masks import garment_mask
from fashionkp_mm.applications.prints import paste_print
from fashionkp_mm.applications.templates import Template
from fashionkp_mm.batch.pictures import targets, write_picture
from fashionkp_mm.batch.run import Done, of_each_garment
from fashionkp_mm.batch.sources import Source
from fashionkp_mm.core.csv_text import line_of
from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.runtime import Garment, Prediction

COLUMNS = (
    "image_id", "garment", "category", "method", "file", "map", "pasted", "points", "residual",
    "warning",
)  # fmt: skip
"""Of the manifest. Files are named from its folder; ``points`` is how many points were aligned,
``residual`` in percent of the normaliser."""


@dataclass(frozen=True)
class AlignOptions:
    """How garments are aligned, and what is written.

    Attributes:
        method: See `applications.align`.
        templates: By category; a garment of another category is passed over.
        design: ``(h, w, 4)`` BGRA, a print for all garments; None for none.
        maps: Whether to write each garment's map.
    """

    method: Method
    templates: Mapping[str, Template]
    design: NDArray[np.uint8] | None = None
    maps: bool = False


class Aligning:
    """The task of aligning garments; see `run.Task`.

    Args:
        sources: The pictures.
        out: Folder to write to: ``garments``, and ``maps`` and ``pasted`` where asked for.
        options: How.
    """

    writes_pictures = True

    def __init__(self, sources: Sequence[Source], out: Path, options: AlignOptions) -> None:
        self._out, self._options = out, options
        self._paths = written_paths(sources, out, options)
        self._taken = {os.path.realpath(source.path) for source in sources}
        self._taken |= {os.path.realpath(path) for path in flat(self._paths)}

    def work(self, source: Source, prediction: Prediction) -> Done:
        """Write the files of each garment, and keep the rows of the manifest."""
        picture, paths = prediction.image(), self._paths[source.image_id]
        pasted = picture
        written: list[Path] = []

        def one(position: int, garment: Garment) -> dict[str, str]:
            nonlocal pasted
            template = self._options.templates.get(garment.category)
            if template is None:
                raise GarmentError(f"there is no template for the category {garment.category}")
            found = align(picture, garment, method=self._options.method, template=template)
            files = {"file": self._path(paths["file"], position)}
            write_picture(files["file"], found.image)
            if "map" in paths:
                files["map"] = self._path(paths["map"], position)
                write_atomically(files["map"], _npy(found.map))
            doubts = list(found.warnings)
            if self._options.design is not None:
                mask = garment_mask(picture, garment)
                if mask.warning is not None:
                    doubts.append(f"the print is not kept to the garment: {mask.warning}")
                pasted = paste_print(
                    replace(found, picture=pasted),
                    self._options.design,
                    mask.alpha if mask.warning is None else None,
                )
                files["pasted"] = paths["pasted"]
            written.extend(files.values())
            return {
                "garment": str(position),
                "category": garment.category,
                **{kind: path.relative_to(self._out).as_posix() for kind, path in files.items()},
                "points": str(int(np.isfinite(found.distances).sum())),
                "residual": f"{found.residual:.2f}",
                "warning": "; ".join(doubts),
            }

        rows, failures = of_each_garment(source, prediction, one)
        if "pasted" in paths and rows:
            write_picture(paths["pasted"], pasted)
        return Done(rows, len(prediction), failures, tuple(dict.fromkeys(written)))

    def fits(self, content: Any) -> bool:
        """Whether it is a list of rows of the manifest."""
        return isinstance(content, list) and all(
            isinstance(row, dict)
            and row.keys() <= set(COLUMNS)
            and all(isinstance(value, str) for value in row.values())
            for row in content
        )

    def render(self, contents: Iterator[tuple[str, Any]]) -> Iterable[bytes]:
        """The manifest as CSV, one row a garment."""
        yield line_of(COLUMNS).encode()
        for image_id, rows in contents:
            for row in rows:
                fields = {"image_id": image_id, "method": self._options.method, **row}
                yield line_of(fields.get(name, "") for name in COLUMNS).encode()

    def _path(self, first: Path, position: int) -> Path:
        """Where a garment's file goes, from where that of the picture's first one does."""
        if not position:
            return first
        path = first.with_name(f"{first.stem}_{position}{first.suffix}")
        if os.path.realpath(path) in self._taken:
            raise GarmentError(f"{path} is the file of another picture; rename that picture")
        return path


def written_paths(
    sources: Sequence[Source], out: Path, options: AlignOptions
) -> dict[str, dict[str, Path]]:
    """Where the files of each picture's first garment go, by image id and column of the manifest.

    Raises:
        FileExistsError: Those of two pictures would be the same.
    """
    ids = [source.image_id for source in sources]
    columns = {"file": targets(ids, out / "garments", ".png")}
    if options.maps:
        columns["map"] = targets(ids, out / "maps", ".npy")
    if options.design is not None:
        columns["pasted"] = targets(ids, out / "pasted")
    return {
        image_id: {column: paths[image_id] for column, paths in columns.items()} for image_id in ids
    }


def flat(paths: Mapping[str, Mapping[str, Path]]) -> list[Path]:
    """All of `written_paths`."""
    return [path for files in paths.values() for path in files.values()]


def _npy(places: NDArray[np.float32]) -> bytes:
    file = io.BytesIO()
    np.save(file, places, allow_pickle=False)
    return file.getvalue()
