"""What one worker does: read a part's rows, predict their pictures, write the part."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fashionkp_mm.batch.options import Options
from fashionkp_mm.batch.scale.decoding import Load, pictures_that_kill
from fashionkp_mm.batch.scale.plan import Part, Row, rows_of
from fashionkp_mm.batch.scale.storage import Folder, ScaleError
from fashionkp_mm.core.box_sources import BoxSource
from fashionkp_mm.exchange import parquet
from fashionkp_mm.runtime import Garment, Prediction
from fashionkp_mm.runtime.file_garments import table_of_predictions

_Found = tuple[tuple[int, int], Sequence[Garment]]
"""Width and height of a picture, and its garments."""
_NOTHING: _Found = (0, 0), ()


class Predictor(Protocol):
    """What a worker needs of `FashionPredictor`."""

    def stream(
        self,
        images: Iterable[Any],
        category: str | Iterable[str | None] | None = None,
        boxes: BoxSource = "refine",
    ) -> Iterator[Prediction]:
        """See `FashionPredictor.stream`."""


@dataclass(frozen=True)
class PartDone:
    """What came of a part.

    Attributes:
        number: The part's.
        pictures: How many it has.
        garments: How many were found.
        errors: How many pictures could not be predicted.
        seconds: How long it took.
    """

    number: int
    pictures: int
    garments: int
    errors: int
    seconds: float


class Worker:
    """Predicts parts, one after the other; goes to another process or machine by pickling.

    Args:
        options: How to predict.
        threads: Threads of the networks' sessions; ONNX Runtime takes all cores by default, and
            heeds no OMP_NUM_THREADS.
        out: Where the parts' files go.
        category: That of all pictures, if it is given.
        made_by: What the results depend on, as the one who sends the worker sees it.
        predictor: Called once, where the worker works, for what predicts; by default with
            ``options``.
        load: Called with a picture, to find those that kill whoever decodes them; by default as
            the predictor loads them.
    """

    def __init__(
        self,
        options: Options,
        *,
        threads: int,
        out: Folder,
        category: str | None,
        made_by: Mapping[str, str],
        predictor: Callable[[], Predictor] | None = None,
        load: Load | None = None,
    ) -> None:
        self._options, self._threads, self._out = options, threads, out
        self._category, self._made_by = category, dict(made_by)
        self._make, self._load = predictor, load
        self._predictor: Predictor | None = None

    def prepare(self) -> str:
        """Load the models, and say where.

        Raises:
            ScaleError: This machine has another version or other models than the one that sent it.
            ModelFileError, DeviceError: See `Options.predictor`.
        """
        host = platform.node()
        if self._make is not None:
            self._predictor = self._make()
            return host
        here = self._options.made_by()
        for name, theirs in here.items():
            if theirs != self._made_by[name]:
                raise ScaleError(
                    f"{host} has {name} {theirs}, and the run began with {self._made_by[name]};"
                    " install the same version there, with the same models"
                )
        self._predictor = self._options.predictor(self._threads)
        return host

    def predict(self, part: Part, *, carefully: bool = False) -> PartDone:
        """Predict a part and write its file.

        Args:
            part: Which.
            carefully: Whether to find out first, in a process of its own, which pictures kill
                whoever decodes them; for a part that a worker has died on.

        Raises:
            OSError: The input cannot be read, or the file cannot be written.
            ScaleError: The input is another one by now.
        """
        if self._predictor is None:
            self.prepare()
        assert self._predictor is not None
        start = time.perf_counter()
        rows = list(rows_of(part))
        errors = {row.image_id: row.error for row in rows if row.error is not None}
        if carefully:
            usable = [row for row in rows if row.error is None]
            found = pictures_that_kill(
                [row.picture for row in usable], self._options.max_megapixels, self._load
            )
            errors |= {
                usable[index].image_id: f"{usable[index].image_id}: {why}"
                for index, why in found.items()
            }
        contents: dict[str, _Found] = {}
        to_do = [row for row in rows if row.image_id not in errors]
        categories = [self._category or row.category for row in to_do]
        predictions = self._predictor.stream(
            (row.picture for row in to_do), categories, self._options.boxes
        )
        for row, prediction in zip(to_do, predictions, strict=True):
            if prediction.error is not None:
                errors[row.image_id] = _named(str(prediction.error), row)
            size = prediction.image_size or (0, 0)
            contents[row.image_id] = size, prediction.garments
        return self._write(part, rows, contents, errors, start)

    def give_up(self, part: Part, why: str) -> PartDone:
        """Write the file of a part that nobody survives: an error for each picture.

        Raises:
            OSError, ScaleError: As in `predict`.
        """
        rows = list(rows_of(part))
        errors = {row.image_id: f"{row.image_id}: {why}" for row in rows}
        return self._write(part, rows, {}, errors, time.perf_counter())

    def _write(
        self,
        part: Part,
        rows: list[Row],
        contents: Mapping[str, _Found],
        errors: Mapping[str, str],
        start: float,
    ) -> PartDone:
        # A picture that the input names twice is there once.
        every = {row.image_id: contents.get(row.image_id, _NOTHING) for row in rows}
        table = table_of_predictions(every)
        done = PartDone(
            number=part.number,
            pictures=len(every),
            garments=len(table),
            errors=len(errors),
            seconds=time.perf_counter() - start,
        )
        facts = {
            "pictures": str(done.pictures),
            "seconds": f"{done.seconds:.3f}",
            "host": platform.node(),
        }
        self._out.write(part.name, parquet.write_part(table, errors, facts))
        return done


def _named(message: str, row: Row) -> str:
    """An error that names its picture, which bytes do not do themselves."""
    if isinstance(row.picture, bytes):
        return f"{row.image_id}: {message.partition(': ')[2] or message}"
    return message
