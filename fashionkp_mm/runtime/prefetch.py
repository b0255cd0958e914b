"""Pictures decoded and prepared ahead of the network, in worker threads and in bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

Request = TypeVar("Request")
Result = TypeVar("Result")

_MAX_BYTES = 2**28
"""Decoded pictures in flight; no further one is begun above this."""
_MAX_WORKERS = 8


@dataclass(frozen=True)
class Work(Generic[Request]):
    """Something to prepare.

    Attributes:
        request: What `in_batches` hands to its ``prepare``.
        decoded_bytes: Memory that the result will hold; None where there is nothing to decode, so
            that a worker would not pay.
    """

    request: Request
    decoded_bytes: int | None


def in_batches(
    work: Iterable[Work[Request]], prepare: Callable[[Request], Result], batch_size: int
) -> Iterator[list[Result]]:
    """Prepare requests in worker threads, up to one batch ahead of the caller.

    Args:
        work: Pulled from as it is needed.
        prepare: Called in a worker, or, where there is nothing to decode, right here.
        batch_size: Most results that are handed out at once. It is fewer at the end, and where
            pictures are so large that no more of them fit into memory.

    Yields:
        Results, in the order of the requests. What ``prepare`` raises is raised here.
    """
    source = iter(work)
    begun: deque[tuple[int, Callable[[], Result]]] = deque()
    in_flight = 0
    # It starts no thread before there is something to do.
    pool = ThreadPoolExecutor(min(_cores(), _MAX_WORKERS))

    def begin() -> None:
        nonlocal in_flight
        while len(begun) < batch_size and in_flight < _MAX_BYTES:
            item = next(source, None)
            if item is None:
                return
            in_flight += item.decoded_bytes or 0
            begun.append((item.decoded_bytes or 0, _started(pool, prepare, item)))

    try:
        begin()
        while begun:
            taken = list(begun)
            begun.clear()
            begin()  # the workers go on while the caller uses this batch
            yield [result() for _, result in taken]
            in_flight -= sum(decoded for decoded, _ in taken)
            if not begun:
                begin()
    finally:
        # Whoever stops early need not wait for what has not begun.
        pool.shutdown(cancel_futures=True)


def _started(
    pool: ThreadPoolExecutor, prepare: Callable[[Request], Result], item: Work[Request]
) -> Callable[[], Result]:
    if item.decoded_bytes is None:
        return lambda: prepare(item.request)
    future: Future[Result] = pool.submit(prepare, item.request)
    return future.result


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
