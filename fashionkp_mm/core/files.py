"""Writing files so that a reader, or a crash, never meets half of one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_PART = ".part"
"""Ends the name of a file that is still being written: ``.<name>.<process id>.part``."""


def write_atomically(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write beside ``path`` and rename over it; folders on the way are made.

    Args:
        path: The file.
        content: All of it, or its pieces one after the other.

    Raises:
        OSError: The folder cannot be written to; ``path`` is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}{_PART}")
    try:
        with beside.open("wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def remove_parts(folder: Path) -> None:
    """Delete what killed writers left in ``folder``; nobody may be writing there."""
    for part in folder.glob(f".*{_PART}"):
        part.unlink(missing_ok=True)
