"""What `fashionkp predict` does with each picture: keep its garments, and draw them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fashionkp_mm.batch import writers
from fashionkp_mm.batch.run import Done
from fashionkp_mm.batch.sources import Source
from fashionkp_mm.exchange.formats import FOLDERS, Format, write_table
from fashionkp_mm.runtime import Prediction


class Predicting:
    """The task of writing predictions down; see `run.Task`.

    Args:
        form: Format of the output.
        drawings: Where each picture's drawing goes, by id; empty where none is drawn.
        pictures: Where each picture lies, by id, for formats of a folder that lead to them.
    """

    def __init__(
        self,
        form: Format,
        drawings: Mapping[str, Path],
        pictures: Mapping[str, Path] | None = None,
    ) -> None:
        self._form, self._drawings = form, drawings
        self._pictures = pictures or {}

    @property
    def writes_pictures(self) -> bool:
        """Whether any is drawn."""
        return bool(self._drawings)

    def work(self, source: Source, prediction: Prediction) -> Done:
        """Draw the garments, and keep what the format needs of them."""
        files: tuple[Path, ...] = ()
        if self._drawings:
            files = (self._drawings[source.image_id],)
            prediction.draw(files[0])
        size = prediction.image_size or (0, 0)
        kept = writers.content(self._form, size, prediction.garments)
        return Done(kept, len(prediction), files=files)

    def fits(self, content: Any) -> bool:
        """See `writers.fits`."""
        return writers.fits(self._form, content)

    def render(self, contents: Iterator[tuple[str, Any]]) -> Iterable[bytes]:
        """See `writers.render`."""
        return writers.render(self._form, contents)

    @property
    def makes_folder(self) -> bool:
        """Whether the format is one of a folder, which `write_folder` makes."""
        return self._form in FOLDERS

    def write_folder(self, out: Path, contents: Iterator[tuple[str, Any]]) -> None:
        """See `run.FolderTask`."""
        write_table(out, writers.table_of(contents), self._form, self._pictures)
