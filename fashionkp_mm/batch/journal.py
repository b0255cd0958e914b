"""What has been predicted so far, so that an interrupted run can go on.

Beside the output lies ``<output>.part.jsonl``: one line that says what made it, then one line for
each image that is done, added as soon as it is. A process that is killed loses at most the image in
hand, a machine that loses power at most the seconds since the last fsync. Each line ends with a
checksum of itself and the first line; one that was cut short, changed or comes from another journal
is dropped with whatever follows it, and predicted again. Once the output is written the journal
goes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from fashionkp_mm.core.files import naming

try:
    import fcntl
except ImportError:  # Windows has no such lock; there two runs must not share an output.
    fcntl = None  # type: ignore[assignment]

_SUFFIX = ".part.jsonl"
_FORMAT = "fashionkp {command}, format 3"
_SYNC_SECONDS = 2.0
_MAX_LINE = 2**26
"""Bytes of a line; a hundred garments take 400,000."""
_CHECKED = re.compile(rb'(\{.*),"sum":"([0-9a-f]{16})"\}\n', re.DOTALL)
"""A line: an object less its closing brace, and the checksum of that."""


class JournalError(ValueError):
    """A journal that this run must not go on with."""


def journal_path(output: Path) -> Path:
    """Where the journal of an output lies."""
    return output.with_name(output.name + _SUFFIX)


class Journal:
    """The journal of one output; a context manager that leaves the file closed and synced.

    One without an image is not left at all.

    Args:
        output: The file that the predictions are for.
        made_by: What the predictions depend on, as words by name: model, options.
        command: Whose journal it is; another one's is refused.
        resume: Keep what an interrupted run has left. Otherwise that is dropped.
        fits: Whether an image's content is one that the output can be made of.

    Attributes:
        path: Where it lies.
        dropped: How many images of an interrupted run were dropped because ``resume`` is false.

    Raises:
        JournalError: Another run is writing it, it was made by something else, or the file is no
            journal.
        OSError: It cannot be written.
    """

    def __init__(
        self,
        output: Path,
        made_by: Mapping[str, str],
        *,
        command: str = "predict",
        resume: bool,
        fits: Callable[[Any], bool] = lambda content: True,
    ) -> None:
        self.path = journal_path(output)
        self.dropped = 0
        self._command, self._fits = command, fits
        self._format = _FORMAT.format(command=command)
        self._first = b""
        self._entries: dict[str, tuple[list[Any], int]] = {}
        """Key, and place in the file, by image id."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists() and not self.path.is_file():
            raise JournalError(f"{self.path}: not a journal, nor a regular file; move it away")
        # What was written to a full disk must not be written once more when the file is closed.
        self._file = self.path.open("a+b", buffering=0)
        try:
            self._lock()
            end = self._read(made_by if resume else None)
            if not resume:
                self.dropped, end = len(self._entries), 0
                self._entries.clear()
            self._file.truncate(end)
            if end == 0:
                self._first = b""
                self._write({"journal": self._format, "made_by": dict(made_by)})
            self._sync()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file.closed:
            return
        if not self._entries:
            self.remove()  # it says nothing
            return
        try:
            if error is None:
                self._sync()
            else:
                with suppress(OSError):  # the error that is on its way says more
                    self._sync()
        finally:
            self._file.close()

    def __len__(self) -> int:
        return len(self._entries)

    def holds(self, image_id: str, key: Sequence[Any]) -> bool:
        """Whether an image is done, as the same file and with the same given category."""
        entry = self._entries.get(image_id)
        return entry is not None and entry[0] == list(key)

    def add(self, image_id: str, key: Sequence[Any], content: Any) -> None:
        """Write down that an image is done.

        Args:
            image_id: Its id; an earlier line for it no longer counts.
            key: What `holds` is to compare, plain JSON.
            content: What was found, plain JSON.

        Raises:
            OSError: The disk is full, for instance.
        """
        place = self._write({"image_id": image_id, "key": list(key), "content": content})
        self._entries[image_id] = (list(key), place)
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            self._sync()

    def forget(self, image_id: str) -> None:
        """Let what was found on an image, if anything was, no longer count."""
        self._entries.pop(image_id, None)

    def contents(self, image_ids: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """What was found, image by image in the order asked for; images not done are passed over.

        Read from the file one at a time, so that memory does not grow with it.

        Raises:
            JournalError: Somebody else has changed the file since it was read or written.
        """
        with self.path.open("rb") as file:
            for image_id in image_ids:
                if image_id in self._entries:
                    file.seek(self._entries[image_id][1])
                    entry = self._parsed(file.readline(_MAX_LINE))
                    if entry is None or entry.get("image_id") != image_id:
                        raise JournalError(
                            f"{self.path}: was changed by another program while this one used it;"
                            " repeat the command without --resume"
                        )
                    yield image_id, entry["content"]

    def remove(self) -> None:
        """Delete the file; its content has gone to the output."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            # The system releases it when the process ends, however that comes about.
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(
                f"{self.path}: another `fashionkp {self._command}` is writing the same output;"
                " wait for it or name another --out"
            ) from None
        if not self.path.exists():
            raise JournalError(
                f"{self.path}: another `fashionkp {self._command}` of the same output has just"
                " ended; repeat the command"
            )

    def _read(self, made_by: Mapping[str, str] | None) -> int:
        """Take in the whole lines; the place behind the last of them.

        Args:
            made_by: What must have made the journal, if that matters.
        """
        end = 0
        with self.path.open("rb") as file:
            for line in _lines(file):
                entry = self._parsed(line)
                if end == 0:
                    # A first line cut short is a run that was killed as it began.
                    if not line.endswith(b"\n") and line.startswith(b'{"journal"'[: len(line)]):
                        break
                    self._require_ours(line, entry, made_by)
                    self._first = line
                elif entry is None or not self._is_entry(entry):
                    break
                else:
                    self._entries[entry["image_id"]] = (entry["key"], end)
                end += len(line)
        return end

    def _is_entry(self, entry: dict[str, Any]) -> bool:
        return (
            isinstance(entry.get("image_id"), str)
            and isinstance(entry.get("key"), list)
            and self._fits(entry.get("content"))
        )

    def _require_ours(
        self, line: bytes, header: dict[str, Any] | None, made_by: Mapping[str, str] | None
    ) -> None:
        if not line.startswith(b'{"journal":' + json.dumps(self._format).encode()):
            raise JournalError(
                f"{self.path}: not a journal of `fashionkp {self._command}` of this version; move"
                " the file away"
            )
        if made_by is None:
            return
        theirs = None if header is None else header.get("made_by")
        if not isinstance(theirs, dict):
            raise JournalError(
                f"{self.path}: its first line, which says what made it, is damaged; run without"
                " --resume to begin anew"
            )
        different = made_by_difference(theirs, made_by)
        if different:
            raise JournalError(
                f"{self.path}: the interrupted run used {different}. Its predictions"
                " and this run's do not belong in one file: repeat its options, or run without"
                " --resume to begin anew"
            )

    def _write(self, entry: Mapping[str, Any]) -> int:
        """Add a line; where it begins.

        Raises:
            OSError: The disk is full, for instance.
        """
        start = json.dumps(entry, allow_nan=False, separators=(",", ":")).encode()[:-1]
        line = start + f',"sum":"{self._sum(start)}"}}\n'.encode()
        with naming(self.path):
            place = self._file.seek(0, os.SEEK_END)
            left = memoryview(line)
            while left:
                left = left[self._file.write(left) :]
        self._first = self._first or line
        return place

    def _sync(self) -> None:
        with naming(self.path):
            os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def _parsed(self, line: bytes) -> dict[str, Any] | None:
        """A whole line's object; None for anything else."""
        parts = _CHECKED.fullmatch(line)
        if parts is None or self._sum(parts[1]) != parts[2].decode():
            return None
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            return None
        return entry if isinstance(entry, dict) else None

    def _sum(self, start: bytes) -> str:
        """Checksum of a line up to its checksum, and of the first line before it."""
        return hashlib.sha256(self._first + start).hexdigest()[:16]


def made_by_difference(theirs: Mapping[str, Any], ours: Mapping[str, str]) -> str:
    """In which words what made an earlier run's results is not what makes ours; often none."""
    return "; ".join(
        f"{name} {theirs.get(name, 'none')}, not {ours.get(name, 'none')}"
        for name in dict.fromkeys((*theirs, *ours))
        if theirs.get(name) != ours.get(name)
    )


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines, or as much of them as a line may have."""
    while line := file.readline(_MAX_LINE):
        yield line
