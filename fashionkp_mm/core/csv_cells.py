"""The cells ``x_y_v`` of a FashionAI CSV: many at once where they are plain, else one by one.

A cell is three plain decimal numbers: ``x`` and ``y`` in pixels, as in ``12``, ``-3`` or ``12.75``,
zeros in front allowed, and ``v``, which is 1 (visible), 0 (occluded) or -1 (absent). Signs other
than a minus, spaces, exponents and digits of other scripts are refused.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import NUM_KEYPOINTS, Visibility

ABSENT = "-1_-1_-1"
MAX_COORDINATE = 2**24
"""Up to here every whole number of pixels is exact in float32."""

_ABSENT_BYTES = ABSENT.encode()
_UNDERSCORE, _ZERO = b"_0"
_MAX_DIGITS = 4
"""Longest integer that the vectorised parser takes; longer ones go through the careful one."""
_BLOCK = 2048
"""Rows that the vectorised parser takes at once."""
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
_CELL = re.compile(rf"({_NUMBER})_({_NUMBER})_(-?[0-9]+)")
_NOT_FINITE = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
_STATES = {"-1": -1, "0": 0, "1": 1}


def looks_like_cell(text: str) -> bool:
    """Whether a text was meant as a cell, right or wrong: two underscores after a number."""
    return re.match(r"\s*[-+]?\d[^_]*_[^_]+_\S", text) is not None


def parse_plain_cells(
    text: bytes,
    starts: NDArray[np.intp],
    stops: NDArray[np.intp],
    keypoints: NDArray[np.float32],
    visibility: NDArray[np.int8],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Fill in all plain cells: absent ones, and whole numbers from 0 on with few digits.

    Args:
        text: The file.
        starts: ``(N, K)``, where each cell begins in it.
        stops: ``(N, K)``, where each cell ends, exclusive.
        keypoints: ``(N, K, 2)``, -1 everywhere.
        visibility: ``(N, K)``, absent everywhere.

    Returns:
        Rows ``(L,)`` and keypoints ``(L,)`` of the cells that are anything else, for `parse_cell`.
    """
    left = []
    characters = np.frombuffer(text, np.uint8)
    # A view of the eight bytes that begin at each place: an absent cell takes one comparison.
    words = np.ndarray(max(0, len(text) - 7), np.uint64, text, strides=(1,))
    absent_word = np.frombuffer(_ABSENT_BYTES, np.uint64)
    # In blocks, so that the arrays in between stay in the processor's cache.
    for first in range(0, len(starts), _BLOCK):
        block = slice(first, first + _BLOCK)
        begins, ends = starts[block].ravel(), stops[block].ravel()
        plain = ends - begins == len(_ABSENT_BYTES)
        plain[plain] = words[begins[plain]] == absent_word
        filled = np.flatnonzero(~plain)
        begins, ends = begins[filled], ends[filled]

        # From right to left: v, a single digit, then y and x up to the byte that is no digit.
        v = characters[ends - 1] - np.uint8(_ZERO)
        y, y_starts = _integers_before(characters, ends - 2)
        x, x_starts = _integers_before(characters, y_starts - 1)
        valid = (v <= 1) & (x_starts == begins) & (x_starts < y_starts - 1) & (y_starts < ends - 2)
        valid &= (characters[ends - 2] == _UNDERSCORE) & (characters[y_starts - 1] == _UNDERSCORE)
        where = filled[valid]
        keypoints[block].reshape(-1, 2)[where] = np.stack([x[valid], y[valid]], axis=1)
        visibility[block].reshape(-1)[where] = v[valid]
        left.append(first * NUM_KEYPOINTS + filled[~valid])
    rows, points = np.divmod(np.concatenate([np.empty(0, np.intp), *left]), NUM_KEYPOINTS)
    return rows, points


def parse_cell(cell: str, *, absent_has_place: bool) -> tuple[float, float, int]:
    """Read one cell.

    Args:
        cell: Its text.
        absent_has_place: Whether a point that is called absent may have a place, as in predictions.

    Returns:
        x, y and v.

    Raises:
        ValueError: It is no cell; the message says what was expected.
    """
    match = _CELL.fullmatch(cell)
    if match is None:
        if any(_NOT_FINITE.fullmatch(part) for part in cell.split("_")):
            raise ValueError("the coordinate is not finite; expected pixels, or -1_-1_-1 if absent")
        raise ValueError(
            "malformed cell; expected three plain numbers x_y_v, or -1_-1_-1 for an absent point"
        )
    x, y = float(match[1]), float(match[2])
    if max(abs(x), abs(y)) > MAX_COORDINATE:
        raise ValueError(f"no image is that large; expected pixels, at most {MAX_COORDINATE}")
    v = _STATES.get(match[3])
    if v is None:
        raise ValueError("v is out of range; expected 1 (visible), 0 (occluded) or -1 (absent)")
    if v == Visibility.ABSENT and not absent_has_place and (x, y) != (-1, -1):
        raise ValueError("an absent point has no place; expected -1_-1_-1, or v = 0 or 1")
    return x, y, v


def write_cell(x: float, y: float, v: int) -> str:
    """The text of a cell: whole numbers without decimals, others with two."""
    return f"{_number(x)}_{_number(y)}_{v}"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else f"{value:.2f}"


def _integers_before(
    text: NDArray[np.uint8], stops: NDArray[np.intp]
) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Read leftwards from ``stops`` while there are digits: values, and where they start.

    Numbers of more than ``_MAX_DIGITS`` are cut short, so that they start too late.
    """
    values, starts = np.zeros(len(stops), np.int32), stops.copy()
    going = np.ones(len(stops), np.bool_)
    for place in range(_MAX_DIGITS):
        # Bytes below '0' wrap round to large numbers, which are no digits either.
        digit = text[stops - (place + 1)] - np.uint8(_ZERO)
        going &= digit <= 9
        values += np.multiply(digit, going, dtype=np.int32) * 10**place
        starts -= going
    return values, starts
