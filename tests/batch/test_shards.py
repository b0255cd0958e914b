"""Shards: every picture in one of them, the same one whatever else there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionkp_mm.batch.shards import Shard
from fashionkp_mm.batch.sources import Source, Sources

HELD = [1, 2, 3, 3, 3, 3, 2, 1]
"""Of eight names; a job that is started again months later has to do the same pictures."""


@given(st.text(), st.integers(1, 50))
def test_each_picture_is_in_one_shard(image_id: str, count: int) -> None:
    shards = [Shard(number, count) for number in range(1, count + 1)]
    assert sum(shard.holds(image_id) for shard in shards) == 1


def test_which_one_never_changes() -> None:
    ids = [f"Images/skirt/{number}.jpg" for number in range(8)]
    held = [next(n for n in range(1, 4) if Shard(n, 3).holds(each)) for each in ids]
    assert held == HELD


def test_shards_are_about_as_large() -> None:
    ids = [f"{number}.jpg" for number in range(10_000)]
    sizes = [sum(map(Shard(number, 8).holds, ids)) for number in range(1, 9)]
    assert sum(sizes) == len(ids)
    assert min(sizes) > 1100
    assert max(sizes) < 1400


def test_a_name_that_is_no_text_has_its_shard() -> None:
    assert Shard(1, 1).holds("\udcff.jpg")


def test_failures_are_told_once() -> None:
    sources = Sources(
        [Source(f"{n}.jpg", Path(f"{n}.jpg")) for n in range(20)],
        [f"{n}.png: is not there" for n in range(20)],
        ["a note"],
    )
    parts = [Shard(number, 4).of(sources) for number in range(1, 5)]
    assert sorted(f for part in parts for f in part.failures) == sorted(sources.failures)
    found = [source for part in parts for source in part.found]
    assert sorted(found, key=lambda s: s.image_id) == sorted(
        sources.found, key=lambda s: s.image_id
    )
    assert len(sources.found) == len(sources.failures) == 20


@pytest.mark.parametrize("text", ["", "3", "0/3", "4/3", "1/0", "-1/3", "1/3/2", "a/b", "1 / 3"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no shard; expected one such as 3/8"):
        Shard.parse(text)


def test_a_shard_is_written_as_it_is_read() -> None:
    assert str(Shard.parse("3/8")) == "3/8"
