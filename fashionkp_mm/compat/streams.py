"""Printing that does not fail where the terminal's encoding lacks a character."""

from __future__ import annotations

import io
import sys


def print_anything() -> None:
    """Print a question mark for characters that a standard stream cannot encode.

    Python dies of its own "…" otherwise where the locale is C and UTF-8 is switched off.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not _is_utf(stream.encoding):
            stream.reconfigure(errors="replace")


def _is_utf(encoding: str) -> bool:
    return encoding.lower().startswith("utf")
