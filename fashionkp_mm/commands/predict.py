"""``fashionkp predict``: from pictures to garments, with an exported model and without torch."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from fashionkp_mm.batch.given_categories import with_categories
from fashionkp_mm.batch.journal import Journal, JournalError, journal_path
from fashionkp_mm.batch.options import NoRuntimeError, Options
from fashionkp_mm.batch.pictures import targets
from fashionkp_mm.batch.run import BatchRun
from fashionkp_mm.batch.sources import STDIN, InputError, collect, read_categories
from fashionkp_mm.batch.writers import DESCRIPTIONS, STDOUT, Format, FormatError, fits, format_of
from fashionkp_mm.commands import terminal
from fashionkp_mm.core.files import require_apart
from fashionkp_mm.core.words import error_message, plural
from fashionkp_mm.runtime import DeviceError
from fashionkp_mm.runtime.metadata import ModelFileError

_INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended, as shells have it."""


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
        paths: See `batch.sources.collect`.
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
        with terminal.warnings_said():
            sources = collect(paths, sys.stdin.buffer, images=images, leave_out=options.draw)
            given = {} if categories is None else read_categories(categories)
        if categories is not None:
            sources.found, notes = with_categories(sources.found, given, categories)
            sources.notes += notes
        elif category is not None:
            sources.found = [replace(source, category=category) for source in sources.found]
        for note in sources.notes:
            terminal.say("note", note)
        ids = [source.image_id for source in sources.found]
        drawings = {} if options.draw is None else targets(ids, options.draw)
        given_files = [Path(path) for path in paths if path != STDIN]
        read = [*given_files, *options.model_files(), *(source.path for source in sources.found)]
        require_apart(
            [options.out, journal_path(options.out), *drawings.values()],
            [*read, *([] if categories is None else [categories])],
        )
        predictor = options.predictor()
        with ExitStack() as stack:
            journal = stack.enter_context(_journal(options, form, stack, resume=resume))
            if journal.dropped:
                dropped = plural(journal.dropped, "image")
                terminal.say(
                    "note", f"{dropped} of an interrupted run dropped; --resume would keep them"
                )
            task = BatchRun(sources, options, form, drawings, journal)
            total = len(sources.found)
            try:
                with terminal.progress("predicting", total, done=task.kept, unit="images") as done:
                    task.predict(predictor, done)
                counts = task.write(options.out)
            except KeyboardInterrupt:
                _say_stopped(task, "interrupted", options)
                return _INTERRUPTED
            except BrokenPipeError:
                raise
            except OSError as error:
                terminal.say("error", error_message(error))
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
"""User errors of predicting, besides `terminal.USER_ERRORS`."""


# --- what is said


def _say_stopped(task: BatchRun, how: str, options: Options) -> None:
    done, total = task.kept + task.done, len(task.sources.found)
    images = plural(total, "image")
    remedy = (
        "nothing of that is kept, as it was to go to standard output"
        if options.out == STDOUT
        else "the same command with --resume goes on from there"
    )
    terminal.say("note", f"{how} with {done:,} of {images} done; {remedy}")


def _report(task: BatchRun, counts: Counter[int], options: Options) -> None:
    # What is said must not get between the rows.
    console = terminal.err() if options.out == STDOUT else terminal.out()
    if not counts:
        terminal.say("error", f"no image could be predicted, so {options.out} is not written")
    else:
        done = plural(task.done, "image")
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
        terminal.say("note", f"no garment was found on {plural(counts[0], 'image')}")
    several = sum(images for garments, images in counts.items() if garments > 1)
    if several and task.form == "csv":
        terminal.say(
            "note",
            f"{plural(several, 'image')} with several garments; a CSV holds the best of"
            " each, a .json file all of them",
        )
    for failure in task.sources.failures:
        terminal.say("error", failure)
