"""Damage done to bytes, whatever they mean."""

from __future__ import annotations

from collections.abc import Callable
from random import Random


def truncated(data: bytes, random: Random) -> bytes:
    """The beginning only."""
    return data[: random.randrange(len(data) + 1)]


def flipped(data: bytes, random: Random) -> bytes:
    """One to eight bits the other way round."""
    if not data:
        return data
    changed = bytearray(data)
    for _ in range(random.randint(1, 8)):
        changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(changed)


def overwritten(data: bytes, random: Random) -> bytes:
    """A stretch of other bytes: zeros, ones or anything."""
    start, stop = _stretch(data, random)
    length = stop - start
    kind = random.randrange(3)
    filling = bytes(length) if kind == 0 else b"\xff" * length
    if kind == 2:
        filling = random.randbytes(length)
    return data[:start] + filling + data[stop:]


def cut(data: bytes, random: Random) -> bytes:
    """A stretch is missing."""
    start, stop = _stretch(data, random)
    return data[:start] + data[stop:]


def repeated(data: bytes, random: Random) -> bytes:
    """A stretch stands twice."""
    start, stop = _stretch(data, random)
    return data[:stop] + data[start:stop] + data[stop:]


def swapped(data: bytes, random: Random) -> bytes:
    """Two stretches have changed places."""
    start, stop = _stretch(data, random)
    length = min(stop - start, len(data) - stop)
    return data[:start] + data[stop : stop + length] + data[start:stop] + data[stop + length :]


BYTE_MUTATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    truncated, flipped, overwritten, cut, repeated, swapped,
)  # fmt: skip


def _stretch(data: bytes, random: Random) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.randint(1, 64))
