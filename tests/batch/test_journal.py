"""The journal: nothing lost when a run is killed, nothing taken over that does not belong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from fashionkp_mm.batch.journal import Journal, JournalError, journal_path

MADE_BY = {"model": "sha256 aa", "boxes": "refine"}
KEY = [None, 1, 2]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "p.csv"


def journal(out: Path, *, resume: bool = True, **made_by: str) -> Journal:
    return Journal(out, {**MADE_BY, **made_by}, resume=resume)


def fill(out: Path, *image_ids: str) -> Path:
    """A journal that holds some images, closed."""
    with journal(out) as it:
        for image_id in image_ids:
            it.add(image_id, KEY, {"garments": [image_id]})
    return it.path


def held(out: Path) -> list[str]:
    with journal(out) as it:
        return [image_id for image_id in "abcd" if it.holds(image_id, KEY)]


def test_lies_beside_the_output(out: Path) -> None:
    assert fill(out, "a") == out.with_name("p.csv.part.jsonl")


def test_gives_back_what_it_holds_in_the_order_asked_for(out: Path) -> None:
    fill(out, "a", "b", "c")

    with journal(out) as it:
        assert len(it) == 3
        contents = list(it.contents(["c", "x", "a"]))

    assert contents == [("c", {"garments": ["c"]}), ("a", {"garments": ["a"]})]


def test_what_is_added_after_reading_is_kept_too(out: Path) -> None:
    fill(out, "a", "b")

    with journal(out) as it:
        list(it.contents(["a"]))
        it.add("c", KEY, {"garments": ["c"]})
        list(it.contents(["b"]))

    assert held(out) == ["a", "b", "c"]


def test_the_last_line_for_an_image_counts(out: Path) -> None:
    fill(out, "a")
    with journal(out) as it:
        it.add("a", ["skirt", 1, 2], "new")

    with journal(out) as it:
        assert not it.holds("a", KEY)
        assert it.holds("a", ["skirt", 1, 2])
        assert list(it.contents(["a"])) == [("a", "new")]


def test_another_file_or_category_under_the_same_id_is_not_held(out: Path) -> None:
    fill(out, "a")

    with journal(out) as it:
        assert it.holds("a", (None, 1, 2))
        assert not it.holds("a", [None, 1, 3])
        assert not it.holds("a", ["skirt", 1, 2])


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_torn_last_line_is_dropped_and_written_over(out: Path, cut: int) -> None:
    path = fill(out, "a", "b")
    path.write_bytes(path.read_bytes()[:-cut])

    assert held(out) == ["a"]

    fill(out, "c")
    assert held(out) == ["a", "c"]


def test_what_follows_a_damaged_line_is_dropped(out: Path) -> None:
    path = fill(out, "a", "b", "c")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b"\0" * (len(lines[2]) - 1) + b"\n"
    path.write_bytes(b"".join(lines))

    assert held(out) == ["a"]


@pytest.mark.parametrize("length", [0, 1, 5, 25])
def test_a_torn_first_line_is_a_run_that_did_nothing(out: Path, length: int) -> None:
    path = fill(out, "a")
    path.write_bytes(path.read_bytes()[:length])

    assert held(out) == []
    fill(out, "a")
    assert held(out) == ["a"]


def test_a_changed_number_does_not_count(out: Path) -> None:
    with journal(out) as it:
        it.add("a", KEY, {"garments": [12.5]})
        it.add("b", KEY, {"garments": [13.5]})
        it.add("c", KEY, {"garments": [14.5]})
    path = it.path
    path.write_bytes(path.read_bytes().replace(b"13.5", b"93.5"))

    assert held(out) == ["a"]


def test_lines_of_another_journal_do_not_count(out: Path) -> None:
    with journal(out.with_name("other.csv"), model="sha256 bb") as other:
        other.add("b", KEY, None)
    path = fill(out, "a")
    path.write_bytes(path.read_bytes() + other.path.read_bytes().splitlines(keepends=True)[1])

    assert held(out) == ["a"]


def test_what_is_forgotten_is_not_given_back(out: Path) -> None:
    fill(out, "a", "b")

    with journal(out) as it:
        it.forget("a")
        it.forget("unknown")
        assert not it.holds("a", KEY)
        assert list(it.contents(["a", "b"])) == [("b", {"garments": ["b"]})]


def test_content_that_no_output_can_be_made_of_does_not_count(out: Path) -> None:
    fill(out, "a", "b")

    with Journal(out, MADE_BY, resume=True, fits=lambda found: found["garments"] != ["b"]) as it:
        assert it.holds("a", KEY)
        assert not it.holds("b", KEY)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"image_id": "b"},
        {"image_id": ["b"], "key": KEY, "content": {}},
        {"image_id": None, "key": KEY, "content": {}},
        {"image_id": "b", "key": {"a": 1}, "content": {}},
        {"image_id": "b", "key": "key", "content": {}},
    ],
)
def test_a_line_of_other_types_does_not_count(out: Path, entry: dict[str, object]) -> None:
    with journal(out) as it:
        it.add("a", KEY, None)
        it._write(entry)

    assert held(out) == ["a"]


_HEADERS = [
    b"{}", b"[]", b"null", b"7", b'"text"', b"", b"{", b"\xff\xfe", b"\0" * 50,
    b"[" * 100_000, b'{"journal":' * 10_000, b"9" * 5000,
    b'{"journal":null}', b'{"journal":["fashionkp predict, format 3"]}',
    b'{"journal":"fashionkp predict, format 1","made_by":{}}',
    b'{"journal":"fashionkp predict, format 3"}',
    b'{"journal":"fashionkp predict, format 3","made_by":null}',
    b'{"journal":"fashionkp predict, format 3","made_by":[1]}',
    b'{"journal":"fashionkp predict, format 3","made_by":{"model":{}}}',
    b'{"journal":"fashionkp predict, format 3","made_by":{},"sum":"0000000000000000"}',
    b'{"journal":"fashionkp predict, format 3","made_by":{},"sum":7}',
]  # fmt: skip


@pytest.mark.parametrize("header", _HEADERS)
def test_a_wrong_first_line_is_refused(out: Path, header: bytes) -> None:
    path = fill(out, "a")
    lines = path.read_bytes().splitlines(keepends=True)
    content = b"".join((header, b"\n", *lines[1:]))
    path.write_bytes(content)

    with pytest.raises(JournalError, match=r"\.part\.jsonl: (not a journal|its first line)"):
        journal(out)

    assert path.read_bytes() == content


@pytest.mark.parametrize("made_by", [None, [1], "text", {}, {"model": {}}, {"model": None}])
def test_a_first_line_of_other_types_is_refused(out: Path, made_by: object) -> None:
    with journal(out) as it:
        it._first = b""
        it._file.truncate(0)
        it._write({"journal": "fashionkp predict, format 3", "made_by": made_by})
        it.add("a", KEY, None)

    with pytest.raises(JournalError, match=r"its first line|the interrupted run used"):
        journal(out)


def test_a_damaged_first_line_of_ours_does_not_keep_a_run_from_beginning_anew(out: Path) -> None:
    path = fill(out, "a")
    path.write_bytes(path.read_bytes().replace(b"sha256 aa", b"sha256 ab"))

    with pytest.raises(JournalError, match="is damaged; run without --resume"):
        journal(out)
    with journal(out, resume=False) as it:
        it.add("b", KEY, None)

    assert held(out) == ["b"]


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_no_journal(out: Path, kind: str) -> None:
    path = journal_path(out)
    path.mkdir() if kind == "folder" else os.mkfifo(path)

    with pytest.raises(JournalError, match="nor a regular file; move it away"):
        journal(out)


def test_somebody_else_changing_it_is_noticed(out: Path) -> None:
    with journal(out) as it:
        it.add("a", KEY, {"garments": [12.5]})
        it.path.write_bytes(it.path.read_bytes().replace(b"12.5", b"92.5"))

        with pytest.raises(JournalError, match="changed by another program"):
            list(it.contents(["a"]))


def test_a_full_disk_is_named_and_what_was_written_before_is_kept(out: Path) -> None:
    """A limit on the size of files stands for it, which the system keeps likewise."""
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from fashionkp_mm.batch.journal import Journal\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))\n"
        "try:\n"
        f"  with Journal(Path(sys.argv[1]), {MADE_BY!r}, resume=False) as journal:\n"
        f"    for name in 'abcd': journal.add(name, {KEY!r}, 'x' * 200)\n"
        "except OSError as error: print(error)\n"
    )

    process = subprocess.run(
        [sys.executable, "-c", code, str(out)], capture_output=True, text=True, check=True
    )

    assert process.stdout.endswith(f"File too large: '{journal_path(out)}'\n")
    assert held(out) == ["a", "b"]


def test_without_resume_it_begins_anew_and_says_so(out: Path) -> None:
    fill(out, "a", "b")

    with journal(out, resume=False) as it:
        assert it.dropped == 2
        assert len(it) == 0

    assert held(out) == []


def test_without_resume_what_made_the_old_one_does_not_matter(out: Path) -> None:
    fill(out, "a")

    with journal(out, resume=False, model="sha256 bb") as it:
        assert len(it) == 0


def test_refuses_to_go_on_with_other_means(out: Path) -> None:
    path = fill(out, "a")
    before = path.read_bytes()

    with pytest.raises(JournalError, match=r"model sha256 aa, not sha256 bb.*without --resume"):
        journal(out, model="sha256 bb")

    assert path.read_bytes() == before


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("content", ["precious\n", '{"journal":"of another version"}\n', "notes"])
def test_a_file_that_is_no_journal_is_left_alone(out: Path, content: str, resume: bool) -> None:
    path = out.with_name("p.csv.part.jsonl")
    path.write_text(content)

    with pytest.raises(JournalError, match="not a journal"):
        journal(out, resume=resume)

    assert path.read_text() == content


def test_two_runs_do_not_share_one(out: Path) -> None:
    pytest.importorskip("fcntl")
    with journal(out) as first:
        first.add("a", KEY, None)
        with pytest.raises(JournalError, match="another `fashionkp predict`"):
            journal(out, resume=False)

    assert held(out) == ["a"]


def test_one_that_another_run_has_just_removed_is_not_written_to(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    fill(out, "a")
    lock = fcntl.flock

    def lock_late(*arguments: object) -> None:
        journal_path(out).unlink()
        lock(*arguments)

    monkeypatch.setattr(fcntl, "flock", lock_late)

    with pytest.raises(JournalError, match="has just ended; repeat the command"):
        journal(out)


def test_is_removed(out: Path) -> None:
    with journal(out) as it:
        it.add("a", KEY, None)
        it.remove()

    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize("fails", [False, True])
def test_one_without_an_image_is_not_left(out: Path, fails: bool) -> None:
    with suppress(KeyError), journal(out):
        if fails:
            raise KeyError

    assert list(out.parent.iterdir()) == []


def test_makes_the_folder_of_the_output(tmp_path: Path) -> None:
    fill(tmp_path / "new" / "deep" / "p.csv", "a")

    assert held(tmp_path / "new" / "deep" / "p.csv") == ["a"]


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OSError, match="file"):
        journal(tmp_path / "file" / "p.csv")


def test_a_killed_process_loses_nothing_that_it_added(out: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from fashionkp_mm.batch.journal import Journal\n"
        f"journal = Journal(Path(sys.argv[1]), {MADE_BY!r}, resume=False)\n"
        f"for name in 'abc': journal.add(name, {KEY!r}, name)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )

    process = subprocess.run([sys.executable, "-c", code, str(out)], check=False, env=os.environ)

    assert process.returncode == -signal.SIGKILL
    assert held(out) == ["a", "b", "c"]


def test_holds_plain_lines_of_json(out: Path) -> None:
    path = fill(out, "naïve.jpg")

    header, line = path.read_text(encoding="utf-8").splitlines()

    assert json.loads(header)["made_by"] == MADE_BY
    assert json.loads(line)["image_id"] == "naïve.jpg"
