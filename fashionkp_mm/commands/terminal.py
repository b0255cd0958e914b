"""Output for people: results on standard output, progress and errors on standard error."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from fashionkp_mm.core.table import AnnotationError, AnnotationWarning, KeypointTable
from fashionkp_mm.core.words import error_message

USER_ERRORS = (AnnotationError, OSError)
"""Errors of what the user gave: a message is enough, a traceback would hide it."""

_LINE_SECONDS = 30.0
"""Between two lines of progress where there is no bar."""

_STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}


class _Console(Console):
    """A console that leaves a reader who is gone to `cli`, which ends every command alike."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def out() -> Console:
    """The terminal that results go to."""
    return _Console(highlight=False)


def err() -> Console:
    """The terminal that all else goes to."""
    return _Console(stderr=True, highlight=False)


def say(kind: str, message: str, *, to: Console | None = None) -> None:
    """Print ``kind: message`` as one line; ``kind`` is error, warning or note.

    Standard error is the default. What stands in the user's files is printed, not interpreted.
    """
    console = to or err()
    line = Text(f"{kind}: ", style=_STYLES[kind]).append(_printable(message), style="default")
    # Broken by the terminal, not by us, so that a line can be copied and searched for.
    console.print(line, soft_wrap=True)


@contextmanager
def one_message(*also: type[Exception]) -> Iterator[None]:
    """Turn an error of the user's files into one message and exit status 1.

    Args:
        also: Types of user errors besides `USER_ERRORS`.
    """
    user_errors: tuple[type[Exception], ...] = (*USER_ERRORS, *also)
    try:
        yield
    except BrokenPipeError:
        raise
    except user_errors as error:
        say("error", error_message(error))
        raise SystemExit(1) from None


@contextmanager
def progress(
    what: str, total: int, *, done: int = 0, unit: str = ""
) -> Iterator[Callable[[int], None]]:
    """Progress on standard error: a bar where that is a terminal, else a line now and then.

    Args:
        what: What is being done.
        total: How many things there are to do.
        done: How many were done before.
        unit: What the things are, to show how many of them are done in a second.

    Yields:
        A function to call with the number of things done so far.
    """
    console = err()
    if not console.is_terminal:
        yield _Lines(what, total, done, unit)
        return
    columns: tuple[ProgressColumn, ...] = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        *([_Rate(unit)] if unit else []),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total, completed=done)
        yield lambda done: bar.update(task, completed=done)


class _Lines:
    """Says every `_LINE_SECONDS` how far something is: what a log can hold."""

    def __init__(self, what: str, total: int, done: int, unit: str) -> None:
        self._what, self._total, self._unit = what, total, unit
        self._before = done
        self._start = self._said = time.monotonic()

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self._said < _LINE_SECONDS:
            return
        self._said = now
        speed = (done - self._before) / (now - self._start)
        rate = f", {speed:,.1f} {self._unit}/s" if self._unit else ""
        minutes = (self._total - done) / speed / 60 if speed else 0.0
        left = f", {minutes:,.0f} min left" if minutes >= 1 else ""
        err().print(
            f"{self._what}: {done:,} of {self._total:,}{rate}{left}", markup=False, soft_wrap=True
        )


class _Rate(ProgressColumn):
    """Things a second, of late."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.1f} {self._unit}/s" if speed else "")


@contextmanager
def warnings_said() -> Iterator[None]:
    """Print what readers of files warn of, when they are done."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AnnotationWarning)
        yield
    for warning in caught:
        say("warning", str(warning.message))


def read(reader: Callable[[Path], KeypointTable], path: Path) -> KeypointTable:
    """Read a file and print its warnings.

    Raises:
        AnnotationError: As the reader.
    """
    with warnings_said():
        return reader(path)


def _printable(text: str) -> str:
    """Text without control characters, which could do anything to a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
