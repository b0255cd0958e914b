"""What is found in folders and behind patterns, and what is said of the rest."""

from __future__ import annotations

import glob
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from fashionkp_mm.batch.picture_search import PictureSearch
from fashionkp_mm.batch.sources import InputError, collect


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a folder ``f`` of files of all kinds."""
    for name in ("a.jpg", "b.JFIF", "c.avif", "d.gif", "sub/e.jp2", "sub/er/f.Tiff", "notes.txt"):
        path = tmp_path / "f" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def barred(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in ``f`` that may not be read, not even by root."""
    folder = Path("f/secret")
    folder.mkdir()
    (folder / "x.jpg").touch()
    scandir = os.scandir

    def guarded(path: Any = ".") -> Any:
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    return folder


class TestFolders:
    def test_every_suffix_that_is_read_counts(self, root: Path) -> None:
        search = PictureSearch()

        assert search.in_folder(Path("f")) == [
            *("a.jpg", "b.JFIF", "c.avif", "d.gif", "sub/e.jp2", "sub/er/f.Tiff")
        ]
        assert search.notes() == []

    def test_pictures_that_are_not_read_are_counted(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "pillow_heif", None)
        for name in ("f/x.HEIC", "f/y.heic", "f/sub/z.psd", "f/._a.jpg"):
            Path(name).touch()

        sources = collect(["f"], [])

        assert len(sources.found) == 6
        assert sorted(sources.notes) == [
            "1 image left out whose names begin with a dot",
            "3 files left out for want of a reader (.heic 2, .psd 1); `pip install pillow-heif`"
            " brings a reader for HEIC",
        ]

    def test_one_that_may_not_be_read_is_a_failure(self, barred: Path) -> None:
        sources = collect(["f"], [])

        assert len(sources.found) == 6
        assert sources.failures == [
            "f/secret: the folder cannot be read (Permission denied), nor its images"
        ]

    def test_even_if_there_is_no_other(self, barred: Path) -> None:
        assert collect([str(barred)], []).failures == [
            "f/secret: the folder cannot be read (Permission denied), nor its images"
        ]


class TestPatterns:
    @pytest.mark.parametrize(
        "pattern",
        ["f/*.avif", "f/*", "f/**", "f/**/*", "**/*.jpg", "*/[a-c].*", "f/*/*", "f/*/er/f.Tiff"],
    )
    def test_match_what_glob_matches(self, pattern: str, root: Path) -> None:
        expected = sorted(
            Path(name).as_posix()
            for name in glob.glob(pattern, recursive=True)  # noqa: PTH207  what is to be matched
            if Path(name).is_file() and not name.endswith(".txt")
        )

        assert expected
        assert [path.as_posix() for path in PictureSearch().matching(pattern)] == expected

    def test_with_an_absolute_path(self, root: Path) -> None:
        assert PictureSearch().matching(f"{root}/f/*.avif") == [root / "f/c.avif"]

    def test_without_a_match_say_what_is_there(self, root: Path) -> None:
        Path("f/x.psd").touch()

        with pytest.raises(InputError, match=r"f/\*\.psd: no image matches;.*\.psd 1"):
            collect(["f/*.psd"], [])

    def test_pipes_are_named_later_not_passed_over(self, root: Path) -> None:
        os.mkfifo("f/pipe.jpg")

        assert Path("f/pipe.jpg") in PictureSearch().matching("f/*.jpg")

    @pytest.mark.parametrize("pattern", ["f/**/*.jpg", "f/*/*.jpg"])
    def test_a_folder_that_may_not_be_read_is_a_failure(self, pattern: str, barred: Path) -> None:
        sources = collect([pattern, "f/a.jpg"], [])

        assert [source.image_id for source in sources.found] == ["f/a.jpg"]
        assert sources.failures == [
            "f/secret: the folder cannot be read (Permission denied), nor its images"
        ]
