"""Pictures that wait together share a batch, and none is lost."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from fashionkp_mm.studio.batching import Batcher, BusyError

IMAGE = np.zeros((8, 8, 3), np.uint8)


class Predictor:
    """Notes the batches that it is given, and answers when it is let."""

    def __init__(self):
        self.batches, self.goes = [], threading.Event()
        self.started = threading.Semaphore(0)

    def predict(self, images, categories, boxes):
        self.batches.append((list(categories), boxes))
        self.started.release()
        assert self.goes.wait(10)
        if "broken" in categories:
            raise ValueError("a category that is none")
        return list(categories)


@pytest.fixture
def predictor():
    return Predictor()


@pytest.fixture
def batcher(predictor):
    batcher = Batcher(predictor, batch_size=4, most_waiting=8, most_bytes=1000)
    yield batcher
    predictor.goes.set()
    batcher.close()


def test_one_alone_does_not_wait_for_others(batcher, predictor):
    predictor.goes.set()
    assert batcher.submit(IMAGE, "blouse", "refine").result(10) == "blouse"
    assert predictor.batches == [(["blouse"], "refine")]


def test_those_that_wait_share_a_batch_with_boxes_of_one_source(batcher, predictor):
    first = batcher.submit(IMAGE, "0", "refine")
    assert predictor.started.acquire(timeout=10)
    sources = ["refine", "whole", "refine", "refine", "refine", "refine"]
    rest = [batcher.submit(IMAGE, str(i), source) for i, source in enumerate(sources, start=1)]
    predictor.goes.set()
    assert [future.result(10) for future in (first, *rest)] == list("0123456")
    assert predictor.batches == [
        (["0"], "refine"),
        (["1", "3", "4", "5"], "refine"),
        (["2"], "whole"),
        (["6"], "refine"),
    ]


def test_one_at_fault_does_not_spoil_the_others(batcher, predictor):
    first = batcher.submit(IMAGE, "first", "refine")
    assert predictor.started.acquire(timeout=10)
    rest = [batcher.submit(IMAGE, name, "refine") for name in ("a", "broken", "b")]
    predictor.goes.set()
    assert first.result(10) == "first"
    assert [rest[0].result(10), rest[2].result(10)] == ["a", "b"]
    with pytest.raises(ValueError, match="is none"):
        rest[1].result(10)


def test_what_was_given_up_is_passed_over(batcher, predictor):
    batcher.submit(IMAGE, "first", "refine")
    assert predictor.started.acquire(timeout=10)
    given_up = batcher.submit(IMAGE, "given up", "refine")
    kept = batcher.submit(IMAGE, "kept", "refine")
    assert given_up.cancel()
    predictor.goes.set()
    assert kept.result(10) == "kept"
    assert predictor.batches[1:] == [(["kept"], "refine")]


def test_no_more_is_let_in_than_may_wait(batcher):
    batcher.reserve([10] * 8)
    with pytest.raises(BusyError) as caught:
        batcher.reserve([10])
    assert caught.value.retry_after >= 1
    batcher.release([10] * 8)
    batcher.reserve([10])
    assert batcher.waiting == 1


def test_no_more_bytes_are_let_in_but_for_one_alone(batcher):
    batcher.reserve([5000])
    with pytest.raises(BusyError):
        batcher.reserve([1])
    batcher.release([5000])
    batcher.reserve([600])
    with pytest.raises(BusyError):
        batcher.reserve([600])


def test_closing_finishes_what_waits_and_takes_no_more(predictor):
    batcher = Batcher(predictor, batch_size=1)
    futures = [batcher.submit(IMAGE, str(i), "refine") for i in range(5)]
    predictor.goes.set()
    batcher.close()
    assert [future.result(0) for future in futures] == list("01234")
    with pytest.raises(BusyError):
        batcher.reserve([1])
