"""Pictures of many requests through one network: those that wait together share a batch."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.box_sources import BoxSource
from fashionkp_mm.runtime import FashionPredictor, Prediction

_SMOOTHING = 0.2
"""Weight of the latest batch in the mean time that a picture takes."""


class BusyError(Exception):
    """As much waits as may wait; ``retry_after`` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"the server is busy, and as much waits already as may; try again in {retry_after} s"
        )
        self.retry_after = retry_after


@dataclass(frozen=True)
class _Job:
    image: NDArray[np.uint8]
    category: str | None
    boxes: BoxSource
    result: Future[Prediction] = field(default_factory=Future)


class Batcher:
    """Predicts pictures that come one by one, in batches of those that are there.

    A picture that comes alone is not kept waiting for others. Batches form by themselves when
    pictures come faster than the network takes them.

    Args:
        predictor: Finds the garments.
        batch_size: Most pictures of one batch.
        workers: Batches that are under way at once, each in a thread of its own.
        most_waiting: Pictures that may wait; more are refused.
        most_bytes: Bytes that they may take, decoded. One picture may be larger, where it waits
            alone.
        on_batch: Called with the size of each batch.
    """

    def __init__(
        self,
        predictor: FashionPredictor,
        *,
        batch_size: int = 32,
        workers: int = 1,
        most_waiting: int = 256,
        most_bytes: int = 2**30,
        on_batch: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._predictor, self._batch_size, self._on_batch = predictor, batch_size, on_batch
        self._most_waiting, self._most_bytes = most_waiting, most_bytes
        self._jobs: deque[_Job] = deque()
        self._reserved, self._reserved_bytes = 0, 0
        self._changed = threading.Condition()
        self._closed = False
        self._seconds = 0.0
        self._workers = [
            threading.Thread(target=self._work, name=f"batches {index}", daemon=True)
            for index in range(workers)
        ]
        for worker in self._workers:
            worker.start()

    @property
    def waiting(self) -> int:
        """Pictures that were let in and are not answered yet."""
        return self._reserved

    @property
    def is_open(self) -> bool:
        """Whether pictures are still taken."""
        return not self._closed

    def reserve(self, sizes: list[int]) -> None:
        """Let in pictures that are about to be decoded, all of them or none.

        Args:
            sizes: Bytes of each when decoded. Each is given back by `release`.

        Raises:
            BusyError: There is no room for them.
        """
        with self._changed:
            alone = not self._reserved
            full = (
                self._reserved + len(sizes) > self._most_waiting
                or self._reserved_bytes + sum(sizes) > self._most_bytes
            )
            if self._closed or (full and not alone):
                seconds = max(1, math.ceil(self._seconds * self._reserved))
                raise BusyError(min(seconds, 60))
            self._reserved += len(sizes)
            self._reserved_bytes += sum(sizes)

    def release(self, sizes: list[int]) -> None:
        """Give back what `reserve` took."""
        with self._changed:
            self._reserved -= len(sizes)
            self._reserved_bytes -= sum(sizes)

    def submit(
        self, image: NDArray[np.uint8], category: str | None, boxes: BoxSource
    ) -> Future[Prediction]:
        """Predict a picture ``(H, W, 3)`` BGR that was let in; cancelled, it is passed over."""
        job = _Job(image, category, boxes)
        with self._changed:
            self._jobs.append(job)
            self._changed.notify()
        return job.result

    def close(self) -> None:
        """Take no more pictures, and finish those that wait."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for worker in self._workers:
            worker.join()

    def _work(self) -> None:
        while batch := self._next():
            start = time.perf_counter()
            self._predict(batch)
            seconds = (time.perf_counter() - start) / len(batch)
            self._seconds += _SMOOTHING * (seconds - self._seconds)
            self._on_batch(len(batch))

    def _next(self) -> list[_Job]:
        """The jobs of the next batch, all with boxes of one source; none once all is done."""
        with self._changed:
            while True:
                batch: list[_Job] = []
                kept: list[_Job] = []
                while self._jobs and len(batch) < self._batch_size:
                    job = self._jobs.popleft()
                    if batch and job.boxes != batch[0].boxes:
                        kept.append(job)
                    elif job.result.set_running_or_notify_cancel():
                        batch.append(job)
                self._jobs.extendleft(reversed(kept))
                if batch or self._closed:
                    return batch
                self._changed.wait()

    def _predict(self, batch: list[_Job]) -> None:
        try:
            images, categories = [job.image for job in batch], [job.category for job in batch]
            predictions = self._predictor.predict(images, categories, batch[0].boxes)
        except Exception as error:
            if len(batch) == 1:
                with suppress(Exception):
                    batch[0].result.set_exception(error)
                return
            for job in batch:  # one of them is at fault, and the others are not to suffer
                self._predict([job])
            return
        for job, prediction in zip(batch, predictions, strict=True):
            job.result.set_result(prediction)
