"""Which images are meant, and what they are called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fashionkp_mm.batch.sources import (
    InputError,
    Source,
    Sources,
    collect,
)
from fashionkp_mm.core.table import AnnotationError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with some files in folders."""
    names = ("b.jpg", "a.PNG", "deep/er/c.webp", "deep/d.jpeg", "notes.txt", "deep/labels.csv")
    for name in names:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ids(sources: Sources) -> list[str]:
    return [source.image_id for source in sources.found]


class TestFolders:
    def test_are_searched_to_their_depth_for_images(self, root: Path) -> None:
        sources = collect(["data"], [])

        assert ids(sources) == ["a.PNG", "b.jpg", "deep/d.jpeg", "deep/er/c.webp"]
        assert sources.found[2].path == Path("data/deep/d.jpeg")
        assert not sources.failures

    def test_hidden_files_are_left_out(self, root: Path) -> None:
        (root / "data" / "._b.jpg").touch()
        (root / "data" / ".trash").mkdir()
        (root / "data" / ".trash" / "x.jpg").touch()

        assert len(ids(collect(["data"], []))) == 4

    def test_links_are_followed_once(self, root: Path) -> None:
        (root / "elsewhere").mkdir()
        (root / "elsewhere" / "e.jpg").touch()
        (root / "data" / "link").symlink_to(root / "elsewhere")
        (root / "data" / "deep" / "back").symlink_to(root / "data")

        found = ids(collect(["data"], []))

        assert found == ["a.PNG", "b.jpg", "deep/d.jpeg", "deep/er/c.webp", "link/e.jpg"]

    def test_the_folder_for_drawings_is_left_out(self, root: Path) -> None:
        assert ids(collect(["data"], [], leave_out=Path("data/deep"))) == ["a.PNG", "b.jpg"]
        assert ids(collect(["data/**"], [], leave_out=Path("data/deep"))) == [
            "data/a.PNG",
            "data/b.jpg",
        ]

    def test_one_without_images_is_an_error(self, root: Path) -> None:
        (root / "empty").mkdir()

        with pytest.raises(InputError, match=r"empty: no image in this folder; .*\.webp"):
            collect(["data", "empty"], [])


class TestFiles:
    def test_keep_their_path(self, root: Path) -> None:
        absolute = str(root / "data" / "b.jpg")

        assert ids(collect(["./data/a.PNG", absolute], [])) == ["data/a.PNG", absolute]

    def test_count_whatever_they_are_called(self, root: Path) -> None:
        (root / "data/scan.dat").touch()

        assert ids(collect(["data/scan.dat"], [])) == ["data/scan.dat"]

    def test_a_missing_one_is_found_out_later_like_a_broken_one(self, root: Path) -> None:
        assert ids(collect(["nowhere.jpg", "data/b.jpg"], [])) == ["nowhere.jpg", "data/b.jpg"]

    def test_a_name_with_brackets_is_no_pattern_where_it_exists(self, root: Path) -> None:
        (root / "a[1].jpg").touch()

        assert ids(collect(["a[1].jpg"], [])) == ["a[1].jpg"]

    @pytest.mark.parametrize("name", ["x" * 300 + ".jpg", "x" * 300 + "*.jpg/a.jpg", "a\0b.jpg"])
    def test_an_impossible_path_is_found_out_later(self, name: str, root: Path) -> None:
        sources = collect([name.replace("*", ""), "data/b.jpg"], [])

        assert ids(sources) == [name.replace("*", ""), "data/b.jpg"]

    def test_a_name_that_is_no_text_is_a_failure(self, root: Path) -> None:
        name = os.fsdecode(b"data/caf\xe9.jpg")
        Path(name).touch()

        sources = collect(["data/b.jpg", name], [])

        assert ids(sources) == ["data/b.jpg"]
        assert len(sources.failures) == 1
        assert "not UTF-8" in sources.failures[0]


class TestGlobs:
    def test_match_images_only(self, root: Path) -> None:
        assert ids(collect(["data/*"], [])) == ["data/a.PNG", "data/b.jpg"]

    def test_two_stars_go_down(self, root: Path) -> None:
        found = ids(collect(["data/**/*"], []))

        assert found == ["data/a.PNG", "data/b.jpg", "data/deep/d.jpeg", "data/deep/er/c.webp"]

    @pytest.mark.parametrize("pattern", ["nowhere/*.jpg", "data/*.txt"])
    def test_without_a_match_are_an_error(self, root: Path, pattern: str) -> None:
        with pytest.raises(InputError, match="no image matches"):
            collect(["data", pattern], [])


class TestStandardInput:
    def test_holds_a_path_a_line(self, root: Path) -> None:
        lines = [b"data/b.jpg\n", b"\n", b"data/deep\r\n", b"data/a b.jpg"]

        assert ids(collect(["-"], lines)) == ["data/b.jpg", "d.jpeg", "er/c.webp", "data/a b.jpg"]

    def test_or_paths_with_a_nul_behind_each(self, root: Path) -> None:
        (root / "two\nlines.jpg").touch()

        found = ids(collect(["-"], [b"data/b.jpg\0two\n", b"lines.jpg\0"]))

        assert found == ["data/b.jpg", "two\nlines.jpg"]

    def test_nothing_there_is_an_error(self, root: Path) -> None:
        with pytest.raises(InputError, match="no image to predict"):
            collect(["-"], [])


class TestCsv:
    @pytest.fixture
    def csv(self, root: Path) -> Path:
        path = root / "data" / "test.csv"
        path.write_text("image_id,image_category\ndeep/d.jpeg,skirt\nb.jpg,dress\ngone.jpg,dress\n")
        return path

    def test_names_images_around_it_and_their_categories(self, csv: Path) -> None:
        sources = collect([str(csv)], [])

        assert sources.found == [
            Source("deep/d.jpeg", csv.parent / "deep/d.jpeg", "skirt"),
            Source("b.jpg", csv.parent / "b.jpg", "dress"),
        ]
        assert sources.failures == [f"gone.jpg: the image is missing; {csv} names it"]

    def test_named_without_a_folder_from_inside_its_folder(
        self, csv: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(csv.parent)

        assert ids(collect([csv.name], [])) == ["deep/d.jpeg", "b.jpg"]

    def test_from_inside_a_folder_beside_the_images(
        self, csv: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(csv.parent / "deep")
        csv.rename("test.csv")

        assert ids(collect(["test.csv"], [])) == ["deep/d.jpeg", "b.jpg"]

    def test_far_from_its_images(self, csv: Path, tmp_path: Path) -> None:
        moved = tmp_path / "lists" / "here" / "test.csv"
        moved.parent.mkdir(parents=True)
        csv.rename(moved)

        sources = collect([str(moved)], [], images=csv.parent)

        assert [source.path for source in sources.found] == [
            csv.parent / "deep/d.jpeg",
            csv.parent / "b.jpg",
        ]

    def test_an_image_whose_suffix_differs_in_case_is_named(self, csv: Path, root: Path) -> None:
        (root / "data" / "gone.JPG").touch()

        assert collect([str(csv)], []).failures == [
            f"gone.jpg: the image is missing; there is gone.JPG, and upper and lower case differ;"
            f" {csv} names it"
        ]

    def test_without_any_image_says_what_else_to_do(self, root: Path) -> None:
        path = root / "list.csv"
        path.write_text("image_id,image_category\nx/y.jpg,skirt\n")

        with pytest.raises(FileNotFoundError, match=r"--categories list\.csv"):
            collect(["list.csv"], [])

    def test_its_mistakes_are_named(self, root: Path) -> None:
        path = root / "list.csv"
        path.write_text("image_id,image_category\n,skirt\na.PNG,hat\n")

        with pytest.raises(AnnotationError, match=r"id is empty[\s\S]*unknown category"):
            collect(["list.csv"], [])


class TestEachOnce:
    def test_the_same_file_named_twice(self, root: Path) -> None:
        given = ["data/b.jpg", "data", str(root / "data/deep/../b.jpg"), "data/*.jpg", "-"]

        found = ids(collect(given, [b"data/b.jpg\n"]))

        assert found == ["data/b.jpg", "a.PNG", "deep/d.jpeg", "deep/er/c.webp"]

    def test_two_files_of_one_name_are_an_error(self, root: Path) -> None:
        (root / "more").mkdir()
        (root / "more" / "b.jpg").touch()

        with pytest.raises(InputError, match=r"data/b\.jpg and more/b\.jpg would both be called"):
            collect(["data", "more"], [])
