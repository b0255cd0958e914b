"""A command's run over pictures: found, worked on, written down and told, whatever is done to them.

`predict`, `measure` and their like differ in a `Job`. All of them name broken pictures, go on with
the others and end with status 1; can be killed and gone on with; overwrite no input. ::

    def run(given: GarmentOptions, out: Path, ...) -> int:
        job = Job(
            command="measure", doing="measuring", done="measured", out=out,
            what="CSV table of lengths", opens_pictures=False,
            task=lambda sources, origin: Measuring(...),
        )
        return run_job(given, job)
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from fashionkp_mm.batch.given_categories import with_categories
from fashionkp_mm.batch.journal import Journal, JournalError, journal_path
from fashionkp_mm.batch.options import NoRuntimeError
from fashionkp_mm.batch.origins import GarmentFile, Model, Origin
from fashionkp_mm.batch.run import BatchRun, Task, kept_fits
from fashionkp_mm.batch.shards import Shard
from fashionkp_mm.batch.sources import STDIN, InputError, Source, Sources, collect, read_categories
from fashionkp_mm.batch.writers import STDOUT
from fashionkp_mm.commands import terminal
from fashionkp_mm.commands.given import GarmentOptions, PredictOptions
from fashionkp_mm.core.files import require_apart
from fashionkp_mm.core.uris import is_uri
from fashionkp_mm.core.words import error_message, plural
from fashionkp_mm.exchange.formats import FormatError
from fashionkp_mm.images.remote import MissingLibraryError
from fashionkp_mm.runtime import DeviceError
from fashionkp_mm.runtime.metadata import ModelFileError

INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended, as shells have it."""

_ERRORS = (
    DeviceError,
    MissingLibraryError,
    InputError,
    JournalError,
    FormatError,
    ModelFileError,
    NoRuntimeError,
)
"""User errors of any such command, besides `terminal.USER_ERRORS`."""


@dataclass(frozen=True)
class Job:
    """What one command does with pictures.

    Attributes:
        command: Its name; a journal of another command is refused.
        doing, done: What it does with a picture, as in ``measuring`` and ``measured``.
        out: The file that it writes; ``-`` is standard output. The journal lies beside it.
        what: What that file is, as in ``JSON list of garments``.
        task: Called with the pictures once they are found: what to do with each.
        opens_pictures: Whether the task opens pictures, or needs their size; see `GarmentFile`.
        folder: Folder that pictures are written to; it is not searched for pictures.
        writes: Called with the pictures once they are found: the files, besides ``out``, that the
            task may write whatever is found. None of them may be a file that is read.
        reads: Files that are read besides pictures, models and the files of the shared options.
        made_by: What the results depend on besides garments, in words by name: the options. A run
            goes on only with a journal that says the same.
        errors: Types of user errors that ``task`` raises, besides those that every command has.
        hints: Called with the number of pictures by number of garments: notes to say at the end.
    """

    command: str
    doing: str
    done: str
    out: Path
    what: str
    task: Callable[[Sequence[Source], Origin], Task]
    opens_pictures: bool
    folder: Path | None = None
    writes: Callable[[Sequence[Source]], Sequence[Path]] = lambda sources: ()
    reads: Sequence[Path] = ()
    made_by: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[type[Exception], ...] = ()
    hints: Callable[[Counter[int]], Sequence[str]] = lambda counts: ()


def run_job(given: PredictOptions, job: Job) -> int:
    """Do a job with every picture and write one file; print what was done and what could not be.

    Args:
        given: Which pictures, and where their garments come from.
        job: What to do.

    Returns:
        Exit status: 1 if a picture or a garment failed, 130 if the user stopped it.
    """
    with terminal.one_message(*_ERRORS, *job.errors):
        sources, file = _found(given, job)
        shard = given.chosen_shard()
        if shard is not None:
            sources = _share(sources, shard)
        for note in sources.notes:
            terminal.say("note", note)
        paths = [Path(path) for path in given.paths if path != STDIN and not is_uri(path)]
        pictures = (source.path for source in sources.found)
        read = [*paths, *(path for path in pictures if isinstance(path, Path)), *job.reads]
        read += given.predicting().model_files() if file is None else file.files()
        if given.categories is not None:
            read.append(given.categories)
        require_apart([job.out, journal_path(job.out), *job.writes(sources.found)], read)
        origin: Origin = Model(given.predicting()) if file is None else file
        task = job.task(sources.found, origin)
        with ExitStack() as stack:
            made_by = {**origin.made_by(), **job.made_by}
            if shard is not None:
                made_by["shard"] = str(shard)
            journal = stack.enter_context(_journal(job, task, made_by, stack, resume=given.resume))
            if journal.dropped:
                dropped = plural(journal.dropped, "image")
                terminal.say(
                    "note", f"{dropped} of an interrupted run dropped; --resume would keep them"
                )
            batch = BatchRun(sources, task, journal)
            total = len(sources.found)
            try:
                with terminal.progress(job.doing, total, done=batch.kept, unit="images") as done:
                    batch.work(origin, done)
                # Of a share without a picture as well: who merges them expects its file.
                counts = batch.write(job.out, empty=shard is not None and not sources.failures)
            except KeyboardInterrupt:
                _say_stopped(batch, "interrupted", job)
                return INTERRUPTED
            except BrokenPipeError:
                raise
            except OSError as error:
                terminal.say("error", error_message(error))
                _say_stopped(batch, "stopped", job)
                return 1
    _report(batch, counts, job)
    return 1 if sources.failures else 0


def _found(given: PredictOptions, job: Job) -> tuple[Sources, GarmentFile | None]:
    """The pictures, and the file that their garments are in, if they are in one."""
    notes: list[str] = []
    file: GarmentFile | None = None
    categories: dict[str, str] = {}
    with terminal.warnings_said():
        if isinstance(given, GarmentOptions) and given.file is not None:
            file = GarmentFile(
                given.file,
                labels=given.labels is not None,
                opens_pictures=job.opens_pictures,
                max_megapixels=given.max_megapixels,
            )
            find = file.sources
        else:
            find = collect
        sources = find(given.paths, sys.stdin.buffer, images=given.images, leave_out=job.folder)
        if given.categories is not None:
            categories = read_categories(given.categories)
    if given.categories is not None:
        sources.found, notes = with_categories(sources.found, categories, given.categories)
    elif given.category is not None:
        sources.found = [replace(source, category=given.category) for source in sources.found]
    sources.notes += notes
    return sources, file


def _share(sources: Sources, shard: Shard) -> Sources:
    share = shard.of(sources)
    share.notes.append(
        f"shard {shard}: {len(share.found):,} of {plural(len(sources.found), 'image')}"
    )
    return share


def _journal(
    job: Job, task: Task, made_by: Mapping[str, str], stack: ExitStack, *, resume: bool
) -> Journal:
    """The journal of a run; of what goes to standard output nothing is kept afterwards."""
    out = job.out
    if out == STDOUT:
        out = Path(stack.enter_context(TemporaryDirectory())) / job.command
    return Journal(out, dict(made_by), command=job.command, resume=resume, fits=kept_fits(task))


# --- what is said


def _say_stopped(batch: BatchRun, how: str, job: Job) -> None:
    done, total = batch.kept + batch.done, len(batch.sources.found)
    images = plural(total, "image")
    remedy = (
        "nothing of that is kept, as it was to go to standard output"
        if job.out == STDOUT
        else "the same command with --resume goes on from there"
    )
    terminal.say("note", f"{how} with {done:,} of {images} done; {remedy}")


def _report(batch: BatchRun, counts: Counter[int], job: Job) -> None:
    # What is said must not get between the rows.
    console = terminal.err() if job.out == STDOUT else terminal.out()
    if not counts and not batch.written:
        terminal.say("error", f"no image could be {job.done}, so {job.out} is not written")
    else:
        done = plural(batch.done, "image")
        rate = f" ({batch.done / batch.seconds:,.1f} images/s)" if batch.done else ""
        before = f", {batch.kept:,} done before" if batch.kept else ""
        where = "standard output" if job.out == STDOUT else job.out
        said = [f"{done} {job.done} in {batch.seconds:,.1f} s{rate}{before}: {where} ({job.what})"]
        if job.folder is not None:
            said.append(f"pictures: {job.folder}")
        for line in said:
            console.print(line, markup=False, soft_wrap=True)
    if counts[0]:
        terminal.say("note", f"no garment was found on {plural(counts[0], 'image')}")
    for hint in job.hints(counts):
        terminal.say("note", hint)
    for failure in batch.sources.failures:
        terminal.say("error", failure)
