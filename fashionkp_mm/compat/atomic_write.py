"""Makes MMEngine write a file whole or not at all.

What it heals: ``mmengine.fileio.LocalBackend.put`` (0.10.7), through which every checkpoint goes,
opens the target itself for writing, and so does ``CheckpointHook`` for ``last_checkpoint``. Killed
in between they leave a torn file under the good name, and a good file that had it is gone.

Written beside and renamed, the old file stays until the new one is complete and on the disk.
It can go when MMEngine does the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

PART_SUFFIX = ".part"
"""Ends the name of a file that is still being written: ``.<name>.<process id>.part``."""


def write_atomically(data: bytes, path: str | Path) -> None:
    """Write ``data`` to ``path``, which at every moment holds the old content or all of the new."""
    path = Path(path).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}{PART_SUFFIX}")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def remove_parts(folder: str | Path) -> None:
    """Delete what writers that were killed left in ``folder``; nobody may be writing there."""
    for part in Path(folder).glob(f".*{PART_SUFFIX}"):
        part.unlink(missing_ok=True)


@contextmanager
def open_atomically(path: str | Path, mode: str) -> Iterator[StringIO]:
    """Stand for ``open(path, "w")``: what was written gets its name when the block ends well."""
    if mode != "w":
        raise ValueError(f"mode {mode!r}: only 'w' is written atomically")
    text = StringIO()
    yield text
    write_atomically(text.getvalue().encode(), path)


def heal_backend(local_backend: Any) -> None:
    """Let ``LocalBackend.put`` of ``mmengine.fileio.backends.local_backend`` write atomically."""

    def put(self: object, obj: bytes, filepath: str | Path) -> None:
        write_atomically(obj, filepath)

    put.__doc__ = local_backend.LocalBackend.put.__doc__
    local_backend.LocalBackend.put = put


def heal_checkpoint_hook(checkpoint_hook: Any) -> None:
    """Let ``mmengine.hooks.checkpoint_hook``, which opens only that, write ``last_checkpoint``."""
    checkpoint_hook.open = open_atomically
