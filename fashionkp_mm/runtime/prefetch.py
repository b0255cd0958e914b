"""Pictures decoded and prepared ahead of the network, in worker threads and in bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, islice
from typing import TypeVar

_Request = TypeVar("_Request")
_Prepared = TypeVar("_Prepared")

_MAX_BYTES = 2**28
"""Decoded pictures in flight; no further one is begun above this."""
_MAX_WORKERS = 8
_FETCHERS = 16
"""Workers that mostly wait for a network, however few cores there are."""


def in_batches(
    requests: Iterable[_Request],
    prepare: Callable[[_Request], _Prepared],
    batch_size: int,
    decoded_bytes: Callable[[_Request], int | None],
    is_remote: Callable[[_Request], bool] = lambda request: False,
) -> Iterator[list[_Prepared]]:
    """Prepare requests in worker threads, up to one batch ahead of the caller.

    Args:
        requests: Pulled from as they are needed.
        prepare: Called in a worker, or, where that would not pay, right here.
        batch_size: Most results that are handed out at once. It is fewer at the end, and where
            pictures are so large that no more of them fit into memory.
        decoded_bytes: Memory that a request's result will hold; None where there is nothing to
            decode, so that a worker would not pay.
        is_remote: Whether preparing a request is mostly waiting for a network.

    Yields:
        Results, in the order of the requests. What ``prepare`` raises is raised here.
    """
    source = iter(requests)
    ahead = list(islice(source, 2))
    if len(ahead) == 1:
        # A lone picture gains nothing from a worker, and handing it over takes its time.
        yield [prepare(ahead[0])]
        return
    source = chain(ahead, source)
    begun: deque[tuple[int, Callable[[], _Prepared]]] = deque()
    in_flight = 0
    # They start no thread before there is something to do.
    pool = ThreadPoolExecutor(min(_cores(), _MAX_WORKERS))
    fetchers = ThreadPoolExecutor(_FETCHERS)

    def begin() -> None:
        nonlocal in_flight
        while len(begun) < batch_size and in_flight < _MAX_BYTES:
            request = next(source, None)
            if request is None:
                return
            decoded = decoded_bytes(request)
            in_flight += decoded or 0
            if decoded is None:
                begun.append((0, partial(prepare, request)))
            else:
                workers = fetchers if is_remote(request) else pool
                begun.append((decoded, workers.submit(prepare, request).result))

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
        # A caller that stops early does not wait for work that has not begun.
        fetchers.shutdown(wait=False, cancel_futures=True)
        pool.shutdown(cancel_futures=True)
        fetchers.shutdown()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
