"""What has been predicted so far, so that an interrupted run can go on.

Beside the output lies ``<output>.part.jsonl``: one line that says what made it, then one line for
each image that is done, added as soon as it is. A process that is killed loses at most the image in
hand, a machine that loses power at most the seconds since the last fsync; a line cut short, and
whatever follows it, is dropped and predicted again. Once the output is written the journal goes.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

try:
    import fcntl
except ImportError:  # Windows has no such lock; there two runs must not share an output.
    fcntl = None  # type: ignore[assignment]

_SUFFIX = ".part.jsonl"
_FORMAT = "fashionkp predict, format 1"
_SYNC_SECONDS = 2.0


class JournalError(ValueError):
    """A journal that this run must not go on with."""


class Journal:
    """The journal of one output; a context manager that leaves the file closed and synced.

    Args:
        output: The file that the predictions are for.
        made_by: What the predictions depend on, as words by name: model, options.
        resume: Keep what an interrupted run has left. Otherwise that is dropped.

    Attributes:
        path: Where it lies.
        dropped: How many images of an interrupted run were dropped because ``resume`` is false.

    Raises:
        JournalError: Another run is writing it, it was made by something else, or the file is no
            journal.
        OSError: It cannot be written.
    """

    def __init__(self, output: Path, made_by: Mapping[str, str], *, resume: bool) -> None:
        self.path = output.with_name(output.name + _SUFFIX)
        self.dropped = 0
        self._entries: dict[str, tuple[list[Any], int]] = {}
        """Key, and place in the file, by image id."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a+b")
        try:
            self._lock()
            end = self._read(made_by if resume else None)
            if not resume:
                self.dropped, end = len(self._entries), 0
                self._entries.clear()
            self._file.truncate(end)
            if end == 0:
                self._write({"journal": _FORMAT, "made_by": dict(made_by)})
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
        if not self._file.closed:
            self._sync()
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

    def contents(self, image_ids: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """What was found, image by image in the order asked for; images not done are passed over.

        Read from the file one at a time, so that memory does not grow with it.
        """
        for image_id in image_ids:
            if image_id in self._entries:
                self._file.seek(self._entries[image_id][1])
                yield image_id, json.loads(self._file.readline())["content"]

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
                f"{self.path}: another `fashionkp predict` is writing the same output; wait for it"
                " or name another --out"
            ) from None

    def _read(self, made_by: Mapping[str, str] | None) -> int:
        """Take in the whole lines; the place behind the last of them.

        Args:
            made_by: What must have made the journal, if that matters.
        """
        self._file.seek(0)
        end = 0
        for line in self._file:
            entry = _parsed(line)
            if end == 0:
                # A first line cut short is a run that was killed as it began.
                if line.endswith(b"\n"):
                    self._require_ours(entry, made_by)
                elif not line.startswith(b'{"journal"'[: len(line)]):
                    self._require_ours(None, made_by)
                else:
                    break
            elif entry is None or not {"image_id", "key", "content"} <= entry.keys():
                break
            else:
                self._entries[entry["image_id"]] = (entry["key"], end)
            end += len(line)
        return end

    def _require_ours(
        self, header: dict[str, Any] | None, made_by: Mapping[str, str] | None
    ) -> None:
        if header is None or header.get("journal") != _FORMAT:
            raise JournalError(
                f"{self.path}: not a journal of `fashionkp predict` of this version; move the file"
                " away"
            )
        if made_by is None:
            return
        theirs = header["made_by"]
        different = [
            f"{name} {theirs.get(name, 'none')}, not {made_by.get(name, 'none')}"
            for name in dict.fromkeys((*theirs, *made_by))
            if theirs.get(name) != made_by.get(name)
        ]
        if different:
            raise JournalError(
                f"{self.path}: the interrupted run used {'; '.join(different)}. Its predictions"
                " and this run's do not belong in one file: repeat its options, or run without"
                " --resume to begin anew"
            )

    def _write(self, entry: Mapping[str, Any]) -> int:
        place = self._file.seek(0, os.SEEK_END)
        text = json.dumps(entry, allow_nan=False, separators=(",", ":"))
        self._file.write(text.encode() + b"\n")
        self._file.flush()
        return place

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()


def _parsed(line: bytes) -> dict[str, Any] | None:
    """A whole line's object; None for anything else."""
    try:
        entry = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
