"""Pictures are prepared ahead, in order, and no more of them than memory allows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import pytest

from fashionkp_mm.runtime import prefetch
from fashionkp_mm.runtime.prefetch import in_batches

T = TypeVar("T")


def batches_of(
    requests: Iterable[int],
    prepare: Callable[[int], T],
    batch_size: int,
    decoded_bytes: int | None = 10,
) -> Iterator[list[T]]:
    return in_batches(requests, prepare, batch_size, lambda _: decoded_bytes)


@pytest.mark.parametrize("decoded_bytes", [None, 0, 10])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 24])
def test_all_come_in_order(count: int, decoded_bytes: int | None) -> None:
    batches = list(batches_of(range(count), lambda index: -index, 8, decoded_bytes))
    assert [value for batch in batches for value in batch] == [-index for index in range(count)]
    assert [len(batch) for batch in batches[:-1]] == [8] * (len(batches) - 1)


def test_the_next_batch_is_prepared_while_this_one_is_used() -> None:
    begun = [threading.Event() for _ in range(4)]

    def prepare(index: int) -> int:
        begun[index].set()
        return index

    batches = batches_of(range(4), prepare, 2)
    next(batches)
    assert all(event.wait(30) for event in begun)


def test_many_are_fetched_at_a_time_however_few_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "_cores", lambda: 1)
    all_here = threading.Barrier(16)

    def fetch(index: int) -> int:
        all_here.wait(30)  # breaks if no 16 are under way
        return index

    batches = in_batches(range(32), fetch, 32, lambda _: 10, lambda _: True)
    assert [index for batch in batches for index in batch] == list(range(32))


def test_no_more_than_the_next_batch_is_pulled() -> None:
    pulled = []

    def source() -> Iterator[int]:
        for request in range(100):
            pulled.append(request)
            yield request

    batches = batches_of(source(), int, 4)
    next(batches)
    assert pulled == list(range(8))
    next(batches)
    assert pulled == list(range(12))


def test_large_pictures_are_prepared_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "_MAX_BYTES", 100)
    lock, alive, most = threading.Lock(), 0, 0

    def prepare(index: int) -> int:
        nonlocal alive, most
        with lock:
            alive += 60
            most = max(most, alive)
        return index

    seen = []
    for batch in batches_of(range(20), prepare, 8, 60):
        seen += batch
        with lock:
            alive -= 60 * len(batch)
    assert seen == list(range(20))
    assert most <= 100 + 60


def test_what_has_nothing_to_decode_needs_no_thread() -> None:
    threads = list(batches_of(range(3), lambda _: threading.current_thread(), 8, None))
    assert set(threads[0]) == {threading.current_thread()}


def test_a_lone_picture_needs_no_thread() -> None:
    assert list(batches_of([0], lambda _: threading.current_thread(), 8)) == [
        [threading.current_thread()]
    ]


def test_an_error_is_raised_where_its_result_was_due() -> None:
    def prepare(index: int) -> int:
        if index == 5:
            raise ValueError("number 5")
        return index

    batches = batches_of(range(8), prepare, 4)
    assert next(batches) == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="number 5"):
        next(batches)


def test_a_caller_that_stops_early_does_not_wait_for_the_rest() -> None:
    done = []
    release = threading.Event()

    def prepare(index: int) -> int:
        if index >= 200:
            release.wait(30)
        done.append(index)
        return index

    batches = batches_of(range(1000), prepare, 200)
    next(batches)  # the workers are at the second batch now, and stay there
    threading.Timer(0.2, release.set).start()
    batches.close()
    assert len(done) < 300


def test_its_threads_end_with_it() -> None:
    before = threading.active_count()
    list(batches_of(range(50), int, 8))
    assert threading.active_count() == before
