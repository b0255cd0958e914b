"""One run over many pictures, which can be interrupted and gone on with."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fashionkp_mm.batch.drawing import once_drawn
from fashionkp_mm.batch.journal import Journal
from fashionkp_mm.batch.options import Options
from fashionkp_mm.batch.sources import Source, Sources
from fashionkp_mm.batch.writers import STDOUT, Format, content, render
from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.runtime import FashionPredictor, Prediction


class BatchRun:
    """The images of one run: those that are done already, and those to predict.

    Args:
        sources: All images; those that fail are added to its failures.
        options: How to predict.
        form: What the output needs to know of an image.
        drawings: Where each image's picture is drawn, by id; empty where none is.
        journal: What is done already, and where what is done is written down.

    Attributes:
        sources, form: As given.
        kept: Number of images that an interrupted run has done.
        done: Number of images that this run has done.
        seconds: How long that took.
    """

    def __init__(
        self,
        sources: Sources,
        options: Options,
        form: Format,
        drawings: Mapping[str, Path],
        journal: Journal,
    ) -> None:
        self.sources, self.form = sources, form
        self._options, self._drawings, self._journal = options, drawings, journal
        self._keys: dict[str, list[Any]] = {}
        """Of the images that are being predicted."""
        self._pending = [source for source in sources.found if not self._is_done(source)]
        for source in self._pending:
            # It may turn out to be broken, and what was found on another file is not its.
            journal.forget(source.image_id)
        self.kept = len(sources.found) - len(self._pending)
        self.done = 0
        self.seconds = 0.0

    def predict(self, predictor: FashionPredictor, progress: Callable[[int], None]) -> None:
        """Predict what is pending; what fails joins the failures.

        Args:
            predictor: As the options say.
            progress: Called with the number of images done so far, earlier runs' included.
        """
        start = time.perf_counter()
        stream = predictor.stream(
            self._pending_paths(),
            (source.category for source in self._pending),
            self._options.boxes,
        )
        results: Iterator[tuple[Source, Prediction]] = zip(self._pending, stream, strict=True)
        if self._drawings:
            results = once_drawn(results, self._drawings)
        for number, (source, prediction) in enumerate(results, start=1):
            self._keep(source, prediction)
            self.seconds = time.perf_counter() - start
            progress(self.kept + number)

    def write(self, out: Path) -> Counter[int]:
        """Write the output, unless there is nothing to write, and drop the journal.

        Returns:
            How many images show how many garments.
        """
        counts: Counter[int] = Counter()

        def contents() -> Iterator[tuple[str, dict[str, Any]]]:
            ids = [source.image_id for source in self.sources.found]
            for image_id, found in self._journal.contents(ids):
                counts[len(found["garments"])] += 1
                yield image_id, found

        if self.kept + self.done:
            file = render(self.form, contents())
            if out == STDOUT:
                sys.stdout.buffer.writelines(file)
                sys.stdout.buffer.flush()
            else:
                write_atomically(out, file)
        self._journal.remove()
        return counts

    def _pending_paths(self) -> Iterator[Path]:
        for source in self._pending:
            # Before it is read: of a file that changes afterwards the prediction does not hold.
            self._keys[source.image_id] = _key(source)
            yield source.path

    def _is_done(self, source: Source) -> bool:
        drawn = not self._drawings or self._drawings[source.image_id].is_file()
        return drawn and self._journal.holds(source.image_id, _key(source))

    def _keep(self, source: Source, prediction: Prediction) -> None:
        key = self._keys.pop(source.image_id)
        if prediction.image_size is None or prediction.error is not None:
            self.sources.failures.append(str(prediction.error))
            return
        found = content(self.form, prediction.image_size, prediction.garments)
        self._journal.add(source.image_id, key, found)
        self.done += 1


def _key(source: Source) -> list[Any]:
    """What must be the same for a prediction to stand: the file, and the category given."""
    try:
        status = source.path.stat()
    except OSError:
        return [source.category]
    return [source.category, status.st_size, status.st_mtime_ns]
