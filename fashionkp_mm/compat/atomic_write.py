"""Makes MMEngine write a file whole or not at all.

What it patches: ``mmengine.fileio.LocalBackend.put`` (0.10.7), through which every checkpoint goes,
opens the target itself for writing, and so does ``CheckpointHook`` for ``last_checkpoint``. Killed
in between they leave a torn file under the good name, and a good file that had it is gone.

Written beside and renamed, the old file stays until the new one is complete and on the disk.
It can go when MMEngine does the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from fashionkp_mm.core.files import write_atomically


@contextmanager
def open_atomically(path: str | Path, mode: str) -> Iterator[StringIO]:
    """Stand for ``open(path, "w")``: what was written gets its name when the block ends well."""
    if mode != "w":
        raise ValueError(f"mode {mode!r}: only 'w' is written atomically")
    text = StringIO()
    yield text
    _write(path, text.getvalue().encode())


def patch_backend(local_backend: Any) -> None:
    """Let ``LocalBackend.put`` of ``mmengine.fileio.backends.local_backend`` write atomically."""

    def put(self: object, obj: bytes, filepath: str | Path) -> None:
        _write(filepath, obj)

    put.__doc__ = local_backend.LocalBackend.put.__doc__
    local_backend.LocalBackend.put = put


def patch_checkpoint_hook(checkpoint_hook: Any) -> None:
    """Let ``mmengine.hooks.checkpoint_hook``, which opens only that, write ``last_checkpoint``."""
    checkpoint_hook.open = open_atomically


def _write(path: str | Path, content: bytes) -> None:
    # Resolved, so that a link is written through and not replaced, as with open().
    write_atomically(Path(path).resolve(), content)
