"""Images in folders and behind patterns, and what is there that is not read."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from fashionkp_mm.core.words import plural
from fashionkp_mm.images.formats import HEIC_REMEDY, image_suffixes, unread_suffixes

_ANY_DEPTH = "**"


class PictureSearch:
    """Finds images by the suffixes of their names, and counts what it passes over.

    Args:
        leave_out: Folder that is not searched, because pictures are drawn there.

    Attributes:
        failures: A message for each folder that could not be read.
    """

    def __init__(self, leave_out: Path | None = None) -> None:
        self.failures: list[str] = []
        self._barred = None if leave_out is None else os.path.realpath(leave_out)
        self._suffixes, self._unread_suffixes = image_suffixes(), unread_suffixes()
        self._unread: Counter[str] = Counter()
        self._hidden = 0

    @property
    def expected(self) -> str:
        """What was looked for, and what was passed over, for a message that there is no image."""
        return "; ".join(
            [f"expected files that end in {', '.join(sorted(self._suffixes))}", *self.notes()]
        )

    def notes(self) -> list[str]:
        """What was passed over, a sentence for each kind."""
        notes = []
        if self._hidden:
            hidden = plural(self._hidden, "image")
            notes.append(f"{hidden} left out whose names begin with a dot")
        if self._unread:
            counts = ", ".join(f"{suffix} {count:,}" for suffix, count in self._unread.items())
            files = plural(self._unread.total(), "file")
            remedy = f"; {HEIC_REMEDY}" if self._unread.keys() & {".heic", ".heif", ".hif"} else ""
            notes.append(f"{files} left out for want of a reader ({counts}){remedy}")
        return notes

    def in_folder(self, folder: Path) -> list[str]:
        """Images below a folder as sorted paths relative to it, hidden ones left out.

        Links are followed.
        """
        found = []
        for directory, names in self._walk(folder):
            for name in names:
                if self._is_image(name):
                    if name.startswith("."):
                        self._hidden += 1
                    else:
                        found.append((directory / name).relative_to(folder).as_posix())
        return sorted(found)

    def matching(self, pattern: str) -> list[Path]:
        """Images whose paths match a pattern, sorted; ``**`` stands for folders of any depth."""
        path = Path(pattern)
        parts = [part for part in path.parts if part != path.anchor]
        matches = dict.fromkeys(map(str, self._expanded(Path(path.anchor), parts)))
        images = [Path(match) for match in sorted(matches) if self._is_image(match)]
        return [path for path in images if not self._is_barred(path)]

    def _is_image(self, name: str) -> bool:
        suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122
        if suffix in self._unread_suffixes:
            self._unread[suffix] += 1
        return suffix in self._suffixes

    def _is_barred(self, path: Path) -> bool:
        if self._barred is None:
            return False
        return Path(self._barred) in Path(os.path.realpath(path)).parents

    def _expanded(self, base: Path, parts: Sequence[str]) -> Iterator[Path]:
        """Files below ``base`` that match the parts of a pattern.

        Like `glob.glob`, which says nothing of a folder that it cannot read.
        """
        if not parts:
            if not os.path.isdir(base):  # noqa: PTH112
                yield base
            return
        first, rest = parts[0], parts[1:]
        if first == _ANY_DEPTH:
            for folder, _ in self._walk(base):
                yield from self._expanded(folder, rest or ("*",))
        elif glob.has_magic(first):
            for name, is_folder in self._entries(base):
                if fnmatch.fnmatch(name, first) and name.startswith(".") == first.startswith("."):
                    if is_folder and rest:
                        yield from self._expanded(base / name, rest)
                    elif not is_folder and not rest:
                        yield base / name
        elif rest or os.path.lexists(base / first):
            yield from self._expanded(base / first, rest)

    def _entries(self, folder: Path) -> list[tuple[str, bool]]:
        try:
            with os.scandir(folder) as entries:
                return [(entry.name, entry.is_dir()) for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self._fail(error)
            return []

    def _walk(self, folder: Path) -> Iterator[tuple[Path, list[str]]]:
        """Folders from this one down, hidden ones left out, each with the names of its files."""
        # A link that leads back up must not lead round and round.
        seen = {os.path.realpath(folder)}
        for directory, folders, files in os.walk(folder, onerror=self._fail, followlinks=True):
            kept = []
            for name in folders:
                real = os.path.realpath(os.path.join(directory, name))  # noqa: PTH118
                if not name.startswith(".") and real != self._barred and real not in seen:
                    seen.add(real)
                    kept.append(name)
            folders[:] = kept
            yield Path(directory), files

    def _fail(self, error: OSError) -> None:
        message = f"{error.filename}: the folder cannot be read ({error.strerror}), nor its images"
        if message not in self.failures:
            self.failures.append(message)
