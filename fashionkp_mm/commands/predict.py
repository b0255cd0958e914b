"""``fashionkp predict``: from pictures to garments, with an exported model and without torch."""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fashionkp_mm import __version__
from fashionkp_mm.batch.given_categories import with_categories
from fashionkp_mm.batch.journal import Journal, JournalError, journal_path
from fashionkp_mm.batch.pictures import targets
from fashionkp_mm.batch.sources import (
    STDIN,
    InputError,
    Source,
    Sources,
    collect,
    read_categories,
)
from fashionkp_mm.batch.writers import (
    DESCRIPTIONS,
    STDOUT,
    Format,
    FormatError,
    content,
    fits,
    format_of,
    render,
)
from fashionkp_mm.commands import terminal
from fashionkp_mm.core.files import require_apart, write_atomically
from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.images import BrokenImageError
from fashionkp_mm.runtime import DeviceError, FashionPredictor, Prediction
from fashionkp_mm.runtime.metadata import ModelFileError
from fashionkp_mm.runtime.request import BoxSource
from fashionkp_mm.runtime.shipped import shipped_model

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
        out: File of predictions; ``-`` is standard output.
        draw: Folder for pictures of them.
        max_megapixels: Size from which an image is refused.
        device: What the networks run on; see `FashionPredictor`.
    """

    model: Path | None
    detector: Path | None
    boxes: BoxSource
    flip_test: bool
    out: Path
    draw: Path | None
    max_megapixels: float = MAX_MEGAPIXELS
    device: str = "cpu"

    def predictor(self) -> FashionPredictor:
        """The predictor that these options describe.

        Raises:
            NoModelError: A model was not named, and none of its kind comes with the package.
            NoRuntimeError: ONNX Runtime is not installed.
            ModelFileError: A file is not a model that this version can run.
            DeviceError: There is no such device.
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
            device=self.device,
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

    def model_files(self) -> list[Path]:
        """The files of the models."""
        return [model for model in self._models() if model is not None]

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
        places = _places(sources.found, options.draw)
        given_files = [Path(path) for path in paths if path != STDIN]
        read = [*given_files, *options.model_files(), *(source.path for source in sources.found)]
        require_apart(
            [options.out, journal_path(options.out), *places.values()],
            [*read, *([] if categories is None else [categories])],
        )
        predictor = options.predictor()
        with ExitStack() as stack:
            journal = stack.enter_context(_journal(options, form, stack, resume=resume))
            if journal.dropped:
                dropped = terminal.plural(journal.dropped, "image")
                terminal.say(
                    "note", f"{dropped} of an interrupted run dropped; --resume would keep them"
                )
            task = _Task(sources, options, form, places, journal)
            try:
                task.predict(predictor)
                counts = task.write(options.out)
            except KeyboardInterrupt:
                _say_stopped(task, "interrupted", options)
                return _INTERRUPTED
            except BrokenPipeError:
                raise
            except OSError as error:
                terminal.say("error", terminal.in_words(error))
                _say_stopped(task, "stopped", options)
                return 1
    _report(task, counts, options)
    return 1 if sources.failures else 0


def _journal(options: Options, form: Format, stack: ExitStack, *, resume: bool) -> Journal:
    """The journal of a run; of what goes to standard output nothing is kept afterwards."""
    out = options.out
    if out == STDOUT:
        out = Path(stack.enter_context(TemporaryDirectory())) / "predictions"
    made_by = {**options.made_by(), "format": form}
    return Journal(out, made_by, resume=resume, fits=lambda found: fits(form, found))


_ERRORS = (DeviceError, InputError, JournalError, FormatError, ModelFileError, NoRuntimeError)
"""What the user can mend, besides what `terminal.MENDABLE` names."""


_Result = tuple[Source, Prediction]
_PAINTERS, _MAX_WAITING = 8, 64
_MAX_PAINTED_BYTES = 2**29
"""Of pictures that wait to be drawn, or are; a larger one is drawn alone."""
_PAINTED_BYTES = 9
"""A pixel's, of a picture as it is decoded, as it is drawn on, and as it is encoded."""


class _Task:
    """The images of one run: those that are done already, and those to predict.

    Args:
        sources: All images; those that fail are added to its failures.
        options: How to predict.
        form: What the output needs to know of an image.
        places: Where each image's picture is drawn, if they are.
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
        places: Mapping[str, Path],
        journal: Journal,
    ) -> None:
        self.sources, self.form = sources, form
        self._options, self._places, self._journal = options, places, journal
        self._keys: dict[str, list[Any]] = {}
        """Of the images that are being predicted."""
        self._pending = [source for source in sources.found if not self._is_done(source)]
        for source in self._pending:
            # It may turn out to be broken, and what was found on another file is not its.
            journal.forget(source.image_id)
        self.kept = len(sources.found) - len(self._pending)
        self.done = 0
        self.seconds = 0.0

    def predict(self, predictor: FashionPredictor) -> None:
        """Predict what is pending; what fails joins the failures."""
        start = time.perf_counter()
        stream = predictor.stream(
            self._pending_paths(),
            (source.category for source in self._pending),
            self._options.boxes,
        )
        results: Iterator[_Result] = zip(self._pending, stream, strict=True)
        if self._places:
            results = _once_drawn(results, self._places)
        total = len(self.sources.found)
        with terminal.progress("predicting", total, done=self.kept, unit="images") as progress:
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
        drawn = not self._places or self._places[source.image_id].is_file()
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


def _once_drawn(results: Iterator[_Result], places: Mapping[str, Path]) -> Iterator[_Result]:
    """The same results in the same order, each when its picture is written.

    Several are drawn at a time, since a disk takes longer over a file than a processor, but no more
    than memory has room for.
    """
    waiting: deque[tuple[Source, Future[Prediction], int]] = deque()
    pool = ThreadPoolExecutor(_PAINTERS)
    try:
        for source, prediction in results:
            size = _painted_bytes(prediction)
            while waiting and (
                len(waiting) == _MAX_WAITING
                or size + sum(taken for _, _, taken in waiting) > _MAX_PAINTED_BYTES
            ):
                first, future, _ = waiting.popleft()
                yield first, future.result()
            drawing = pool.submit(_draw, prediction, places[source.image_id])
            waiting.append((source, drawing, size))
            while waiting and waiting[0][1].done():
                first, future, _ = waiting.popleft()
                yield first, future.result()
        for source, future, _ in waiting:
            yield source, future.result()
    finally:
        # Whoever stops early need not wait for what has not begun.
        pool.shutdown(cancel_futures=True)


def _painted_bytes(prediction: Prediction) -> int:
    """Memory that it takes to draw on a picture, about."""
    width, height = prediction.image_size or (0, 0)
    return _PAINTED_BYTES * width * height


def _draw(prediction: Prediction, place: Path) -> Prediction:
    if prediction.error is None:
        try:
            prediction.draw(place)
        except BrokenImageError as error:  # gone or replaced since it was predicted
            return replace(prediction, error=error)
    return prediction


def _places(sources: Sequence[Source], folder: Path | None) -> dict[str, Path]:
    """Where the pictures go, by image id."""
    return {} if folder is None else targets([source.image_id for source in sources], folder)


def _identity(model: Path) -> str:
    with model.open("rb") as file:
        return f"sha256 {hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"


# --- what is said


def _say_stopped(task: _Task, how: str, options: Options) -> None:
    done, total = task.kept + task.done, len(task.sources.found)
    images = terminal.plural(total, "image")
    remedy = (
        "nothing of that is kept, as it was to go to standard output"
        if options.out == STDOUT
        else "the same command with --resume goes on from there"
    )
    terminal.say("note", f"{how} with {done:,} of {images} done; {remedy}")


def _report(task: _Task, counts: Counter[int], options: Options) -> None:
    # What is said must not get between the rows.
    console = terminal.err() if options.out == STDOUT else terminal.out()
    if not counts:
        terminal.say("error", f"no image could be predicted, so {options.out} is not written")
    else:
        done = terminal.plural(task.done, "image")
        rate = f" ({task.done / task.seconds:,.1f} images/s)" if task.done else ""
        before = f", {task.kept:,} done before" if task.kept else ""
        where = "standard output" if options.out == STDOUT else options.out
        what = DESCRIPTIONS[task.form]
        said = [f"{done} predicted in {task.seconds:,.1f} s{rate}{before}: {where} ({what})"]
        if options.draw is not None:
            said.append(f"pictures: {options.draw}")
        for line in said:
            console.print(line, markup=False, soft_wrap=True)
    if counts[0]:
        terminal.say("note", f"no garment was found on {terminal.plural(counts[0], 'image')}")
    several = sum(images for garments, images in counts.items() if garments > 1)
    if several and task.form == "csv":
        terminal.say(
            "note",
            f"{terminal.plural(several, 'image')} with several garments; a CSV holds the best of"
            " each, a .json file all of them",
        )
    for failure in task.sources.failures:
        terminal.say("error", failure)
