"""Which pictures kill the process that decodes them.

No decoder should crash, and no picture should take all of a machine's memory, but among millions
some do. A process of its own decodes a part's pictures one by one; where it dies, the picture in
hand is to blame.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from fashionkp_mm.images import BrokenImageError
from fashionkp_mm.runtime.request import Request

Load = Callable[[Any], Any]

_SECONDS = 120.0
"""Longer than the slowest picture takes to arrive and to be decoded."""


def pictures_that_kill(
    pictures: Sequence[Any], max_megapixels: float, load: Load | None = None
) -> dict[int, str]:
    """Positions of the pictures that nobody should decode, and why.

    Args:
        pictures: Paths, URIs or encoded pictures.
        max_megapixels: Size from which a picture is refused, and harmless therefore.
        load: What decodes a picture; by default what the predictor uses.
    """
    load = load or partial(_load, max_megapixels=max_megapixels)
    # Not forked: the threads of this process hold locks that nobody would release there.
    context = multiprocessing.get_context("spawn")
    blamed: dict[int, str] = {}
    begin = 0
    while begin < len(pictures):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=_decode_all, args=(pictures[begin:], load, theirs), daemon=True
        )
        process.start()
        theirs.close()
        why = ""
        with suppress(EOFError):
            ours.recv()  # it has begun
            while True:
                if not ours.poll(_SECONDS):
                    why = f"decoding it takes more than {_SECONDS:.0f} s"
                    break
                ours.recv()
                begin += 1
        process.join(0 if why else _SECONDS)
        process.kill()
        process.join()
        ours.close()
        if begin < len(pictures):
            blamed[begin] = why or f"decoding it kills the process ({_how(process.exitcode)})"
            begin += 1
    return blamed


def _decode_all(pictures: Sequence[Any], load: Load, done: Connection) -> None:
    done.send(None)
    for picture in pictures:
        with suppress(BrokenImageError):
            load(picture)
        done.send(None)


def _load(picture: Any, max_megapixels: float) -> None:
    Request(0, picture, None, "whole", None, max_megapixels).image()


def _how(exit_code: int | None) -> str:
    code = exit_code or 0
    return f"signal {-code}" if code < 0 else f"exit status {code}"
