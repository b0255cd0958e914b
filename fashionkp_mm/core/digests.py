"""What tells the content of a file from any other."""

from __future__ import annotations

import hashlib
from pathlib import Path

_SHOWN = 16
"""Digits that are enough for people, and for a journal."""


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, 64 digits.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_in_words(path: Path | None) -> str:
    """A file's content in a journal: that it is ``none``, or the beginning of its digest.

    Raises:
        OSError: The file cannot be read.
    """
    return "none" if path is None else f"sha256 {file_digest(path)[:_SHOWN]}"
