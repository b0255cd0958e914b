"""The journal: nothing lost when a run is killed, nothing taken over that does not belong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fashionkp_mm.commands.prediction_journal import Journal, JournalError

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
    path = fill(out)
    path.write_bytes(path.read_bytes()[:length])

    assert held(out) == []
    fill(out, "a")
    assert held(out) == ["a"]


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


def test_is_removed(out: Path) -> None:
    with journal(out) as it:
        it.add("a", KEY, None)
        it.remove()

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
        "from fashionkp_mm.commands.prediction_journal import Journal\n"
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
