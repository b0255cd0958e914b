"""``fashionkp predict``: from pictures to garments, with an exported model and without torch."""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fashionkp_mm import __version__
from fashionkp_mm.commands import terminal
from fashionkp_mm.commands.given_categories import with_categories
from fashionkp_mm.commands.pictures import require_apart, targets, write_picture
from fashionkp_mm.commands.prediction_files import Format, FormatError, content, format_of, render
from fashionkp_mm.commands.prediction_inputs import (
    InputError,
    Source,
    Sources,
    collect,
    read_categories,
)
from fashionkp_mm.commands.prediction_journal import Journal, JournalError
from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.images import BrokenImageError, image_size, load_image
from fashionkp_mm.runtime import FashionPredictor, Garment
from fashionkp_mm.runtime.metadata import ModelFileError
from fashionkp_mm.runtime.request import BoxSource
from fashionkp_mm.runtime.shipped import shipped_model
from fashionkp_mm.visualization.keypoints import draw_garments

_INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended, as shells have it."""


class NoRuntimeError(ImportError):
    """ONNX Runtime is not installed."""


@dataclass(frozen=True)
class Options:
    """How to predict, and where to write what.

    Attributes:
        model: ONNX file of the pose network; by default the one that comes with the package.
        detector: ONNX file of the detector, where ``boxes`` is ``detector``; by default likewise.
        boxes: Where the network looks; see `FashionPredictor.predict`.
        flip_test: Whether to average with the mirrored picture.
        out: File of predictions.
        draw: Folder for pictures of them.
        max_megapixels: Size from which an image is refused.
    """

    model: Path | None
    detector: Path | None
    boxes: BoxSource
    flip_test: bool
    out: Path
    draw: Path | None
    max_megapixels: float = MAX_MEGAPIXELS

    def predictor(self) -> FashionPredictor:
        """The predictor that these options describe.

        Raises:
            NoModelError: A model was not named, and none of its kind comes with the package.
            NoRuntimeError: ONNX Runtime is not installed.
            ModelFileError: A file is not a model that this version can run.
        """
        if find_spec("onnxruntime") is None:
            raise NoRuntimeError(
                "ONNX Runtime is not installed; it comes with pip install 'fashionkp_mm[runtime]'"
            )
        model, detector = self._models()
        return FashionPredictor(
            model,
            detector=detector,
            flip_test=self.flip_test,
            max_megapixels=self.max_megapixels,
        )

    def made_by(self) -> dict[str, str]:
        """All that the predictions depend on, in words by name."""
        model, detector = self._models()
        return {
            "fashionkp_mm": __version__,
            "model": _identity(model),
            "detector": "none" if detector is None else _identity(detector),
            "boxes": self.boxes,
            "flip test": "yes" if self.flip_test else "no",
        }

    def _models(self) -> tuple[Path, Path | None]:
        """The pose network's file and, where one is needed, the detector's."""
        detector = self.detector
        if detector is None and self.boxes == "detector":
            detector = shipped_model("detector")
        return self.model or shipped_model(), detector


def run(
    paths: Sequence[str],
    options: Options,
    *,
    images: Path | None,
    categories: Path | None,
    category: str | None,
    resume: bool,
) -> int:
    """Predict every image and write one file; print what was done and what could not be.

    Args:
        paths: See `prediction_inputs.collect`.
        options: How to predict, and where to write what.
        images: Folder that the image ids of CSV files start from; found around them by default.
        categories: CSV of the images' categories.
        category: One category for all images.
        resume: Go on where an interrupted run with the same output stopped.

    Returns:
        Exit status: 1 if an image could not be predicted, 130 if the user stopped it.
    """
    with terminal.one_message(*_ERRORS):
        form = format_of(options.out)
        sources = collect(paths, sys.stdin.buffer, images=images, leave_out=options.draw)
        if categories is not None:
            given = read_categories(categories)
            sources.found, notes = with_categories(sources.found, given, categories)
            sources.notes += notes
        elif category is not None:
            sources.found = [replace(source, category=category) for source in sources.found]
        for note in sources.notes:
            terminal.say("note", note)
        places = {} if options.draw is None else _places(sources.found, options.draw)
        predictor = options.predictor()
        with Journal(options.out, {**options.made_by(), "format": form}, resume=resume) as journal:
            if journal.dropped:
                dropped = terminal.plural(journal.dropped, "image")
                terminal.say(
                    "note", f"{dropped} of an interrupted run dropped; --resume would keep them"
                )
            task = _Task(sources, options.boxes, form, places, journal)
            try:
                task.predict(predictor)
            except KeyboardInterrupt:
                _say_interrupted(task)
                return _INTERRUPTED
            counts = task.write(options.out)
    _report(task, counts, options)
    return 1 if sources.failures else 0


_ERRORS = (InputError, JournalError, FormatError, ModelFileError, NoRuntimeError)
"""What the user can mend, besides what `terminal.MENDABLE` names."""


_Found = list[Garment] | BrokenImageError
_Result = tuple[Source, _Found]
_PAINTERS, _MAX_WAITING = 8, 64


class _Task:
    """The images of one run: those that are done already, and those to predict.

    Args:
        sources: All images; those that fail are added to its failures.
        boxes: Where the network looks.
        form: What the output needs to know of an image.
        places: Where each image's picture is drawn, if they are.
        journal: What is done already, and where what is done is written down.

    Attributes:
        kept: Number of images that an interrupted run has done.
        done: Number of images that this run has done.
        seconds: How long that took.
    """

    def __init__(
        self,
        sources: Sources,
        boxes: BoxSource,
        form: Format,
        places: Mapping[str, Path],
        journal: Journal,
    ) -> None:
        self.sources = sources
        self._boxes, self._form, self._places, self._journal = boxes, form, places, journal
        self._pending = [source for source in sources.found if not self._is_done(source)]
        self.kept = len(sources.found) - len(self._pending)
        self.done = 0
        self.seconds = 0.0

    def predict(self, predictor: FashionPredictor) -> None:
        """Predict what is pending; what fails joins the failures."""
        start = time.perf_counter()
        stream = predictor.predict_stream(
            (source.path for source in self._pending),
            (source.category for source in self._pending),
            self._boxes,
        )
        results: Iterator[_Result] = (
            (source, found) for source, (_, found) in zip(self._pending, stream, strict=True)
        )
        if self._places:
            results = _once_drawn(results, self._places)
        total = len(self.sources.found)
        with terminal.progress("predicting", total, done=self.kept, unit="images") as progress:
            for number, (source, found) in enumerate(results, start=1):
                if isinstance(found, BrokenImageError):
                    self.sources.failures.append(str(found))
                else:
                    self._keep(source, found)
                    self.done += 1
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
            write_atomically(out, render(self._form, contents()))
        self._journal.remove()
        return counts

    def _is_done(self, source: Source) -> bool:
        drawn = not self._places or self._places[source.image_id].is_file()
        return drawn and self._journal.holds(source.image_id, _key(source))

    def _keep(self, source: Source, found: Sequence[Garment]) -> None:
        size = found[0].image_size if found else image_size(source.path)
        self._journal.add(source.image_id, _key(source), content(self._form, size, found))


def _key(source: Source) -> list[Any]:
    """What must be the same for a prediction to stand: the file, and the category given."""
    try:
        status = source.path.stat()
    except OSError:
        return [source.category]
    return [source.category, status.st_size, status.st_mtime_ns]


def _once_drawn(results: Iterator[_Result], places: Mapping[str, Path]) -> Iterator[_Result]:
    """The same results in the same order, each when its picture is written.

    Several are drawn at a time, since a disk takes longer over a file than a processor.
    """
    waiting: deque[tuple[Source, Future[_Found]]] = deque()
    pool = ThreadPoolExecutor(_PAINTERS)
    try:
        for source, found in results:
            waiting.append((source, pool.submit(_draw, source, found, places[source.image_id])))
            while waiting and (len(waiting) > _MAX_WAITING or waiting[0][1].done()):
                first, future = waiting.popleft()
                yield first, future.result()
        for source, future in waiting:
            yield source, future.result()
    finally:
        # Whoever stops early need not wait for what has not begun.
        pool.shutdown(cancel_futures=True)


def _draw(source: Source, found: _Found, place: Path) -> _Found:
    if isinstance(found, BrokenImageError):
        return found
    try:
        image = load_image(source.path)
    except BrokenImageError as error:  # gone or replaced since it was predicted
        return error
    labels = [garment.label for garment in found]
    write_picture(place, draw_garments(image, found, labels=labels))
    return found


def _places(sources: Sequence[Source], folder: Path) -> dict[str, Path]:
    places = targets([source.image_id for source in sources], folder)
    require_apart({source.image_id: source.path for source in sources}, places, folder)
    return places


def _identity(model: Path) -> str:
    with model.open("rb") as file:
        return f"sha256 {hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"


# --- what is said


def _say_interrupted(task: _Task) -> None:
    done, total = task.kept + task.done, len(task.sources.found)
    terminal.say(
        "note",
        f"interrupted with {done:,} of {terminal.plural(total, 'image')} done; the same command"
        " with --resume goes on from there",
    )


def _report(task: _Task, counts: Counter[int], options: Options) -> None:
    console = terminal.out()
    if not counts:
        terminal.say("error", f"no image could be predicted, so {options.out} is not written")
    else:
        done = terminal.plural(task.done, "image")
        rate = f" ({task.done / task.seconds:,.1f} images/s)" if task.done else ""
        before = f", {task.kept:,} done before" if task.kept else ""
        said = [f"{done} predicted in {task.seconds:,.1f} s{rate}{before}: {options.out}"]
        if options.draw is not None:
            said.append(f"pictures: {options.draw}")
        for line in said:
            console.print(line, markup=False, soft_wrap=True)
    if counts[0]:
        terminal.say("note", f"no garment was found on {terminal.plural(counts[0], 'image')}")
    several = sum(images for garments, images in counts.items() if garments > 1)
    if several and options.out.suffix.lower() == ".csv":
        terminal.say(
            "note",
            f"{terminal.plural(several, 'image')} with several garments; a CSV holds the best of"
            " each, a .json file all of them",
        )
    for failure in task.sources.failures:
        terminal.say("error", failure)
