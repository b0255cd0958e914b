"""Small words for messages."""

from __future__ import annotations

from collections.abc import Sequence

MOST_LISTED = 5


def plural(count: int, noun: str) -> str:
    """``1 image``, ``2,000 images``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(names: Sequence[str], most: int = MOST_LISTED) -> str:
    """``a, b``; of more than ``most`` names the first ones, as in ``a, b and 7 more``."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def error_message(error: Exception) -> str:
    """What an error says, for people: the file first, without Python's number of the error."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)
