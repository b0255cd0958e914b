"""Work on predicted pictures, several at a time, while the predictor goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from fashionkp_mm.batch.sources import Source
from fashionkp_mm.runtime import Prediction

_Result = TypeVar("_Result")
_WORKERS, _MAX_WAITING = 8, 64
_MAX_BYTES = 2**29
"""Of pictures that wait to be worked on, or are; a larger one is worked on alone."""
_PIXEL_BYTES = 9
"""A pixel's, of a picture as it is decoded, as it is changed, and as it is encoded."""


def in_parallel(
    pictures: Iterator[tuple[Source, Prediction]],
    work: Callable[[Source, Prediction], _Result],
) -> Iterator[tuple[Source, _Result]]:
    """What ``work`` makes of each picture, in the same order.

    Several are worked on at a time, since a disk takes longer over a file than a processor, but no
    more than memory has room for.
    """
    waiting: deque[tuple[Source, Future[_Result], int]] = deque()
    pool = ThreadPoolExecutor(_WORKERS)
    try:
        for source, prediction in pictures:
            size = _bytes_of(prediction)
            while waiting and (
                len(waiting) == _MAX_WAITING
                or size + sum(taken for _, _, taken in waiting) > _MAX_BYTES
            ):
                first, future, _ = waiting.popleft()
                yield first, future.result()
            waiting.append((source, pool.submit(work, source, prediction), size))
            while waiting and waiting[0][1].done():
                first, future, _ = waiting.popleft()
                yield first, future.result()
        for source, future, _ in waiting:
            yield source, future.result()
    finally:
        # A caller that stops early does not wait for work that has not begun.
        pool.shutdown(cancel_futures=True)


def _bytes_of(prediction: Prediction) -> int:
    """Memory that it takes to work on a picture, about."""
    width, height = prediction.image_size or (0, 0)
    return _PIXEL_BYTES * width * height
