"""Nothing acknowledged is lost, nothing is there twice, nobody overwrites what they never saw."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fashionkp_mm.studio.store import VERSION, ConflictError, NoPictureError, Store, StoreError

SKIRT = {"category": "skirt", "keypoints": {"hemline_left": {"x": 1.5, "y": 2}}}
DRESS = {"category": "dress", "keypoints": {}}


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "labels.sqlite") as store:
        store.add([("a.jpg", [SKIRT]), ("b.jpg", [])], "labels.csv")
        yield store


def change(store, number, base, garments, *, key="k", author="Ann"):
    return store.change(number, base, garments, author=author, state="open", key=key)


def test_a_change_is_the_latest_and_the_earlier_ones_are_kept(store):
    made = store.change(1, 0, [DRESS], author="Ann", state="accepted", key="k")
    assert (made.revision, made.author, made.state, made.garments) == (
        1,
        "Ann",
        "accepted",
        [DRESS],
    )
    assert store.latest(1) == made
    first, second = store.history(1)
    assert (first.author, first.garments, first.by_person) == ("labels.csv", [SKIRT], False)
    assert second == made
    assert first.time <= second.time


def test_who_has_not_seen_the_latest_revision_is_shown_it(store):
    change(store, 1, 0, [DRESS])
    with pytest.raises(ConflictError) as caught:
        change(store, 1, 0, [], key="other", author="Bob")
    assert caught.value.current.garments == [DRESS]
    assert "Ann" in str(caught.value)
    assert len(store.history(1)) == 2


def test_a_change_that_is_sent_again_is_made_once(store):
    first = change(store, 1, 0, [DRESS])
    assert change(store, 1, 0, [DRESS]) == first
    assert len(store.history(1)) == 2


def test_a_change_sent_again_after_a_later_one_is_a_conflict(store):
    change(store, 1, 0, [DRESS], key="first")
    change(store, 1, 1, [], key="second")
    with pytest.raises(ConflictError):
        change(store, 1, 0, [DRESS], key="first")


def test_a_picture_that_is_not_there(store):
    with pytest.raises(NoPictureError, match="no picture 9"):
        change(store, 9, 0, [])
    with pytest.raises(NoPictureError):
        store.latest(9)


def test_threads_that_change_one_picture_make_one_row_of_revisions(store):
    def work(name):
        for index in range(20):
            while True:
                base = store.latest(1).revision
                try:
                    change(store, 1, base, [], key=f"{name}{index}", author=name)
                    break
                except ConflictError:
                    continue

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = store.history(1)
    assert [version.revision for version in history] == list(range(61))
    assert sorted(version.author for version in history[1:]) == sorted("abc" * 20)


def test_a_file_read_again_changes_nothing(store):
    assert store.add([("a.jpg", [SKIRT]), ("b.jpg", [])], "labels.csv") == []
    assert [version.revision for version in store.all_latest()] == [0, 0]


def test_a_file_that_has_changed_is_taken_up_where_no_person_was_at_work(store):
    change(store, 2, 0, [SKIRT])
    kept = store.add([("a.jpg", [DRESS]), ("b.jpg", [DRESS]), ("c.jpg", [])], "labels.csv")
    assert [version.image_id for version in kept] == ["b.jpg"]
    a, b, c = store.all_latest()
    assert (a.garments, a.revision) == ([DRESS], 1)
    assert (b.garments, b.author) == ([SKIRT], "Ann")
    assert (c.image_id, c.revision) == ("c.jpg", 0)


def test_a_file_that_holds_what_was_changed_here_is_no_conflict(store):
    change(store, 1, 0, [DRESS])
    assert store.add([("a.jpg", [DRESS])], "labels.csv") == []
    assert store.latest(1).revision == 1


def test_the_file_as_it_was_does_not_undo_what_was_changed_here(store):
    change(store, 1, 0, [DRESS])
    assert store.add([("a.jpg", [SKIRT])], "labels.csv") == []
    assert store.latest(1).garments == [DRESS]


def test_a_file_that_was_written_from_here_is_no_conflict_with_what_came_later(store):
    change(store, 1, 0, [DRESS], key="exported")
    change(store, 1, 1, [], key="later")
    assert store.add([("a.jpg", [DRESS])], "labels.csv") == []
    assert store.latest(1).garments == []


def test_what_a_model_said_outlasts_the_file_that_said_nothing(store):
    store.change(2, 0, [SKIRT], author="model", state="open", key="m", by_person=False)
    assert store.add([("b.jpg", [])], "labels.csv") == []
    assert store.latest(2).garments == [SKIRT]


def test_a_store_is_open_in_one_program_only(store, tmp_path):
    with pytest.raises(StoreError, match="another studio has this store open"):
        Store(tmp_path / "labels.sqlite")


def test_a_closed_store_opens_again(tmp_path):
    with Store(tmp_path / "s") as store:
        store.add([("a.jpg", [])], "labels.csv")
    with Store(tmp_path / "s") as store:
        assert len(store.all_latest()) == 1


def test_a_store_of_a_newer_version_is_left_alone(tmp_path):
    path = tmp_path / "s"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer version"):
        Store(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all, but some text" * 99, b"image_id,x\n"])
def test_another_file_is_no_store(tmp_path, content):
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="not a store"):
        Store(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_no_store(tmp_path):
    path = tmp_path / "s"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    connection.close()
    with pytest.raises(StoreError, match="not a store"):
        Store(path)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="--store"):
        Store(tmp_path / "file" / "s")


def test_a_full_disk_is_said_and_nothing_has_changed(store):
    store._connection.execute("PRAGMA max_page_count = 8")
    big = {"category": "dress", "keypoints": {str(k): {"x": k, "y": k} for k in range(9999)}}
    with pytest.raises(StoreError, match="disk is full"):
        change(store, 1, 0, [big])
    assert store.latest(1).garments == [SKIRT]
    store._connection.execute("PRAGMA max_page_count = 100000")
    assert change(store, 1, 0, [DRESS]).revision == 1


_WRITER = """
import sys
from pathlib import Path
from fashionkp_mm.studio.store import Store
store = Store(Path(sys.argv[1]))
base = store.latest(1).revision
while True:
    made = store.change(1, base, [{"n": base}], author="w", state="open", key=f"{base}")
    base = made.revision
    print(base, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="no kill -9")
def test_a_writer_killed_at_any_time_loses_nothing_acknowledged(tmp_path):
    """Twenty times: what was printed is there, once, and at most one change more."""
    path = tmp_path / "s"
    with Store(path) as store:
        store.add([("a.jpg", [])], "labels.csv")
    acknowledged = 0
    for turn in range(20):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(1 + turn % 4):
            acknowledged = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        acknowledged = int(([acknowledged, *writer.stdout.read().split()])[-1])
        writer.wait()
        writer.stdout.close()
        with Store(path) as store:
            history = store.history(1)
        assert [version.revision for version in history] == list(range(len(history)))
        assert acknowledged <= history[-1].revision <= acknowledged + 1
        assert [version.garments for version in history[1:]] == [
            [{"n": n}] for n in range(len(history) - 1)
        ]


def test_what_is_stored_is_plain_json(store, tmp_path):
    """Another program can read it."""
    with sqlite3.connect(f"file:{Path(store.path)}?mode=ro", uri=True) as connection:
        ((text,),) = connection.execute("SELECT garments FROM changes WHERE picture = 1")
    connection.close()
    assert json.loads(text) == [SKIRT]
