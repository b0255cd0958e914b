"""Pictures of predictions, drawn while the predictor goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from fashionkp_mm.batch.sources import Source
from fashionkp_mm.images import BrokenImageError
from fashionkp_mm.runtime import Prediction

_PAINTERS, _MAX_WAITING = 8, 64
_MAX_PAINTED_BYTES = 2**29
"""Of pictures that wait to be drawn, or are; a larger one is drawn alone."""
_PAINTED_BYTES = 9
"""A pixel's, of a picture as it is decoded, as it is drawn on, and as it is encoded."""


def once_drawn(
    results: Iterator[tuple[Source, Prediction]], targets: Mapping[str, Path]
) -> Iterator[tuple[Source, Prediction]]:
    """The same results in the same order, each when its picture is written.

    Several are drawn at a time, since a disk takes longer over a file than a processor, but no more
    than memory has room for.
    """
    waiting: deque[tuple[Source, Future[Prediction], int]] = deque()
    pool = ThreadPoolExecutor(_PAINTERS)
    try:
        for source, prediction in results:
            size = _painted_bytes(prediction)
            while waiting and (
                len(waiting) == _MAX_WAITING
                or size + sum(taken for _, _, taken in waiting) > _MAX_PAINTED_BYTES
            ):
                first, future, _ = waiting.popleft()
                yield first, future.result()
            drawing = pool.submit(_draw, prediction, targets[source.image_id])
            waiting.append((source, drawing, size))
            while waiting and waiting[0][1].done():
                first, future, _ = waiting.popleft()
                yield first, future.result()
        for source, future, _ in waiting:
            yield source, future.result()
    finally:
        # A caller that stops early does not wait for work that has not begun.
        pool.shutdown(cancel_futures=True)


def _painted_bytes(prediction: Prediction) -> int:
    """Memory that it takes to draw on a picture, about."""
    width, height = prediction.image_size or (0, 0)
    return _PAINTED_BYTES * width * height


def _draw(prediction: Prediction, target: Path) -> Prediction:
    if prediction.error is None:
        try:
            prediction.draw(target)
        except BrokenImageError as error:  # gone or replaced since it was predicted
            return replace(prediction, error=error)
    return prediction
