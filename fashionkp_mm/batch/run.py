"""One run over many pictures, which can be interrupted and gone on with.

What is done with each picture is a `Task`; where its garments come from, an `origins.Origin`.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from fashionkp_mm.applications.errors import GarmentError
from fashionkp_mm.batch.journal import Journal
from fashionkp_mm.batch.origins import Origin
from fashionkp_mm.batch.parallel import in_parallel
from fashionkp_mm.batch.sources import Source, Sources
from fashionkp_mm.batch.writers import STDOUT
from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.uris import RemotePath, local_file
from fashionkp_mm.images import BrokenImageError
from fashionkp_mm.runtime import Garment, Prediction

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Done:
    """What a task has made of one picture.

    Attributes:
        content: What the output needs of it, plain JSON: dictionaries with strings as keys, lists,
            text, finite numbers, booleans, None. It comes back so from an interrupted run.
        garments: Number of garments that it shows.
        failures: A message for each garment that nothing could be made of; said at the end, also
            where another run has met it before.
        files: Files that were written for it; once one of them is missing, the picture is done
            again.
    """

    content: Any
    garments: int
    failures: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


class Task(Protocol):
    """What a command does with each picture, and the file that it makes of all of them."""

    @property
    def writes_pictures(self) -> bool:
        """Whether `work` reads or writes pictures; it is then called in several threads at once."""

    def work(self, source: Source, prediction: Prediction) -> Done:
        """Do what is to be done with one picture.

        Args:
            source: The picture; ``source.image_id`` is what the output calls it.
            prediction: Its garments; `Prediction.image` has its pixels. It has no ``error``.

        Raises:
            BrokenImageError: The picture cannot be read; it is named at the end.
            OSError: A file cannot be written; the run stops, and can be gone on with.
        """

    def fits(self, content: Any) -> bool:
        """Whether something from a journal is `Done.content` of this task, and can be rendered."""

    def render(self, contents: Iterator[tuple[str, Any]]) -> Iterable[bytes]:
        """The output, piece by piece.

        Args:
            contents: Id and `Done.content` of each picture that is done, in the order of the run.
        """


@runtime_checkable
class FolderTask(Task, Protocol):
    """A task whose output may be a folder."""

    @property
    def makes_folder(self) -> bool:
        """Whether it is one; `write_folder` is then called instead of `render`."""

    def write_folder(self, out: Path, contents: Iterator[tuple[str, Any]]) -> None:
        """Write all of the folder or nothing; ``contents`` as for `render`."""


class BatchRun:
    """The pictures of one run: those that are done already, and those to do.

    Args:
        sources: All pictures; those that fail are added to its failures.
        task: What to do with each.
        journal: What is done already, and where what is done is written down; made with
            ``fits=kept_fits(task)``.

    Attributes:
        sources: As given.
        kept: Number of pictures that an interrupted run has done.
        done: Number of pictures that this run has done.
        seconds: How long that took.
        written: Whether the output was written.
    """

    def __init__(self, sources: Sources, task: Task, journal: Journal) -> None:
        self.sources = sources
        self._task, self._journal = task, journal
        self._keys: dict[str, list[Any]] = {}
        """Of the pictures in work."""
        held = [s.image_id for s in sources.found if journal.holds(s.image_id, _key(s))]
        whole = {image_id for image_id, kept in journal.contents(held) if _files_exist(kept)}
        self._pending = [source for source in sources.found if source.image_id not in whole]
        for source in self._pending:
            # It may turn out to be broken, and what was found on another file is not its.
            journal.forget(source.image_id)
        self.kept = len(sources.found) - len(self._pending)
        self.done = 0
        self.seconds = 0.0
        self.written = False

    def work(self, origin: Origin, progress: Callable[[int], None]) -> None:
        """Do what is pending; what fails joins the failures.

        Args:
            origin: Where the pictures' garments come from.
            progress: Called with the number of pictures done so far, earlier runs' included.
        """
        start = time.perf_counter()
        predictions = origin.predictions(self._noted())
        pictures = zip(self._pending, predictions, strict=True)
        results: Iterator[tuple[Source, Done | BrokenImageError]]
        if self._task.writes_pictures:
            results = in_parallel(pictures, self._result)
        else:
            results = ((source, self._result(source, found)) for source, found in pictures)
        for number, (source, result) in enumerate(results, start=1):
            self._keep(source, result)
            self.seconds = time.perf_counter() - start
            progress(self.kept + number)

    def write(self, out: Path, *, empty: bool = False) -> Counter[int]:
        """Write the output, unless there is nothing to write, and drop the journal.

        Failures of single garments join the failures.

        Args:
            out: The file; ``-`` is standard output.
            empty: Write it even if there is nothing to write.

        Returns:
            How many pictures show how many garments.
        """
        counts: Counter[int] = Counter()

        def contents() -> Iterator[tuple[str, Any]]:
            ids = [source.image_id for source in self.sources.found]
            for image_id, kept in self._journal.contents(ids):
                counts[kept["garments"]] += 1
                self.sources.failures += kept["failures"]
                yield image_id, kept["content"]

        self.written = empty or self.kept + self.done > 0
        if self.written:
            if isinstance(self._task, FolderTask) and self._task.makes_folder:
                self._task.write_folder(out, contents())
                self._journal.remove()
                return counts
            file = self._task.render(contents())
            if out == STDOUT:
                sys.stdout.buffer.writelines(file)
                sys.stdout.buffer.flush()
            else:
                write_atomically(out, file)
        self._journal.remove()
        return counts

    def _noted(self) -> Iterator[Source]:
        for source in self._pending:
            # Before it is read: for a file that changes afterwards what is found does not hold.
            self._keys[source.image_id] = _key(source)
            yield source

    def _result(self, source: Source, prediction: Prediction) -> Done | BrokenImageError:
        if prediction.error is not None:
            return prediction.error
        try:
            return self._task.work(source, prediction)
        except BrokenImageError as error:  # gone or replaced since it was predicted
            return error

    def _keep(self, source: Source, result: Done | BrokenImageError) -> None:
        key = self._keys.pop(source.image_id)
        if isinstance(result, BrokenImageError):
            self.sources.failures.append(str(result))
            return
        kept = {
            "content": result.content,
            "garments": result.garments,
            "failures": list(result.failures),
            "files": [os.fspath(path) for path in result.files],
        }
        self._journal.add(source.image_id, key, kept)
        self.done += 1


def of_each_garment(
    source: Source, prediction: Prediction, work: Callable[[int, Garment], _Result]
) -> tuple[list[_Result], tuple[str, ...]]:
    """Do something with each garment of a picture; those that it cannot be done with are named.

    Args:
        source: The picture.
        prediction: Its garments.
        work: Called with the position of each garment, and the garment.

    Returns:
        What ``work`` returned, and a message for each `GarmentError` that it raised, for
        `Done.failures`.
    """
    results, failures = [], []
    for position, garment in enumerate(prediction):
        try:
            results.append(work(position, garment))
        except GarmentError as error:
            which = f", garment {position}" if len(prediction) > 1 else ""
            failures.append(f"{source.image_id}{which}: {error}")
    return results, tuple(failures)


def kept_fits(task: Task) -> Callable[[Any], bool]:
    """What tells whether something from a journal is what a run of this task keeps of a picture."""

    def fits(kept: Any) -> bool:
        return (
            isinstance(kept, dict)
            and kept.keys() == {"content", "garments", "failures", "files"}
            and isinstance(kept["garments"], int)
            and all(_are_text(kept[name]) for name in ("failures", "files"))
            and task.fits(kept["content"])
        )

    return fits


def _are_text(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _files_exist(kept: dict[str, Any]) -> bool:
    return all(Path(path).is_file() for path in kept["files"])


def _key(source: Source) -> list[Any]:
    """What must be the same for a result to stand: the file, and the category given."""
    path = (
        local_file(source.path.__fspath__()) if isinstance(source.path, RemotePath) else source.path
    )
    try:
        status = None if path is None else path.stat()
    except OSError:
        status = None
    if status is None:
        return [source.category]
    return [source.category, status.st_size, status.st_mtime_ns]
