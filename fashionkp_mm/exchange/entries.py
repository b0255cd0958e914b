"""JSON files, and what is in them or an error that says where it is not."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.core.table import AnnotationError
from fashionkp_mm.exchange.table import wrong

STATES = {state.name.lower(): int(state) for state in Visibility}
"""Visibilities by the names that files have for them."""
STATE_NAMES = {value: name for name, value in STATES.items()}
Kind = type | tuple[type, ...]
NUMBER = (int, float)

_IN_WORDS: dict[type, str] = {str: "text", list: "a list", dict: "an object"}


def load_json(path: Path) -> Any:
    """What a file holds.

    Raises:
        AnnotationError: It is no JSON.
        OSError: The file cannot be read.
    """
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise wrong(str(path), "", "", f"not readable as JSON ({error})") from None


def load_list(path: Path) -> Iterator[Any]:
    """The entries of a list, one after the other, so that each is used while it is at hand.

    What is no list is one entry.

    Raises:
        AnnotationError: It is no JSON.
        OSError: The file cannot be read.
    """
    file, decode = str(path), json.JSONDecoder().raw_decode
    try:
        text = path.read_bytes().decode("utf-8-sig")
        at = _after(_BLANK, text, 0)
        if not text.startswith("[", at):
            yield json.loads(text)
            return
        at = _after(_BLANK, text, at + 1)
        more = not text.startswith("]", at)
        while more:
            entry, at = decode(text, at)
            yield entry
            at = _after(_BLANK, text, at)
            more = text.startswith(",", at)
            if more:
                at = _after(_BLANK, text, at + 1)
        if text[at : at + 1] != "]" or _after(_BLANK, text, at + 1) != len(text):
            raise json.JSONDecodeError("Expecting ',' delimiter, or the end", text, at)
    except (ValueError, RecursionError) as error:
        if isinstance(error, AnnotationError):  # of who takes the entries
            raise
        raise wrong(file, "", "", f"not readable as JSON ({error})") from None


_BLANK = re.compile(r"[ \t\n\r]*")


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


@contextmanager
def without_collecting() -> Iterator[None]:
    """Keep Python from looking for cycles in millions of objects that are read, and have none."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def get(entry: Any, name: str, kind: Kind, file: str, place: str = "") -> Any:
    """An entry of an object.

    Raises:
        AnnotationError: It is not there, or of another kind.
    """
    value = entry.get(name) if isinstance(entry, dict) else None
    # True and False are whole numbers to Python.
    if not isinstance(value, kind) or isinstance(value, bool):
        expected = "a number" if isinstance(kind, tuple) else _IN_WORDS[kind]
        message = f"expected {expected}" if value is not None else f"missing; expected {expected}"
        raise wrong(file, f"{place}.{name}", "" if value is None else value, message)
    return value


def size_in(width: Any, height: Any, file: str, place: str) -> tuple[int, int]:
    """A picture's size as a file has it; (0, 0) where it has none.

    Raises:
        AnnotationError: It is no size.
    """
    if width is None and height is None:
        return 0, 0
    for side in (width, height):
        if not isinstance(side, NUMBER) or not side >= 1 or side != int(side):
            raise wrong(file, place, f"{width} x {height}", "expected width and height in pixels")
    return int(width), int(height)


def pixels(value: float) -> float | int:
    """A coordinate for a file: two decimals, none where it needs none."""
    rounded = round(value, 2)
    return int(rounded) if rounded.is_integer() else rounded
