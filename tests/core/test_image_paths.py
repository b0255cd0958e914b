"""Tests of finding the images of a data set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.image_paths import in_other_case, locate_images, with_other_case

IMAGE_IDS = ("Images/skirt/a.jpg", "Images/dress/b.jpg")


@pytest.mark.parametrize(
    ("places", "root"),
    [
        (["Images/skirt/a.jpg", "Images/dress/b.jpg"], ""),
        (["train/Images/skirt/a.jpg", "train/Images/dress/b.jpg"], "train"),
        (["train/Images/skirt/a.jpg", "train/Images/dress/b.jpg"], ""),
        (["train1/Images/skirt/a.jpg", "train2/Images/dress/b.jpg"], ""),
        (["train1/skirt/a.jpg", "train2/dress/b.jpg"], ""),
        (["train1/skirt/a.jpg", "train2/Images/dress/b.jpg"], ""),
        (["skirt/a.jpg", "dress/b.jpg"], ""),
    ],
)
def test_folder_layouts(places: list[str], root: str, tmp_path: Path) -> None:
    for place in places:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    found = locate_images(IMAGE_IDS, tmp_path / root)
    expected = [tmp_path / place for place in places]
    assert found == dict(zip(IMAGE_IDS, expected, strict=True))


def test_ids_without_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    assert locate_images(["a.jpg"], tmp_path) == {"a.jpg": tmp_path / "a.jpg"}


def test_what_is_missing_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "Images/skirt").mkdir(parents=True)
    (tmp_path / "Images/skirt/a.jpg").touch()
    (tmp_path / "Images/skirt/other.jpg").touch()
    assert set(locate_images(IMAGE_IDS, tmp_path)) == {"Images/skirt/a.jpg"}
    assert locate_images(IMAGE_IDS, tmp_path / "none") == {}


def test_the_root_itself_comes_first(tmp_path: Path) -> None:
    for folder in ("Images/skirt", "train1/Images/skirt"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.jpg").touch()
    found = locate_images(["Images/skirt/a.jpg"], tmp_path)
    assert found["Images/skirt/a.jpg"] == tmp_path / "Images/skirt/a.jpg"


@pytest.mark.parametrize("above", ["..", "../other", "Images/../.."])
def test_nothing_is_found_outside_the_root(above: str, tmp_path: Path) -> None:
    for name in ("other/secret.jpg", "secret.jpg", "root/Images/in.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    outside = [f"{above}/secret.jpg", f"{tmp_path}/secret.jpg", f"Images/{tmp_path}/secret.jpg"]
    inside = "Images/../Images/in.jpg"
    assert set(locate_images([*outside, inside], tmp_path / "root")) == {inside}


def test_an_absolute_id_below_the_root(tmp_path: Path) -> None:
    image = tmp_path / "a.jpg"
    image.touch()
    assert locate_images([str(image)], "/") == {str(image): image}


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> set[Path]:
    """Folders to put in here that may not be read, not even by root."""
    folders: set[Path] = set()
    scandir = os.scandir

    def guarded(path: Any) -> Any:
        if any(folder in (Path(path), *Path(path).parents) for folder in folders):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    return folders


class TestUnreadableFolders:
    @pytest.mark.parametrize("folder", ["Images", "Images/skirt"])
    def test_its_images_are_there_and_found_out_later(
        self, folder: str, tmp_path: Path, unreadable: set[Path]
    ) -> None:
        for image_id in IMAGE_IDS:
            (tmp_path / image_id).parent.mkdir(parents=True)
            (tmp_path / image_id).touch()
        unreadable.add(tmp_path / folder)

        assert locate_images(IMAGE_IDS, tmp_path) == {
            image_id: tmp_path / image_id for image_id in IMAGE_IDS
        }

    def test_one_that_nobody_named_is_passed_over(
        self, tmp_path: Path, unreadable: set[Path]
    ) -> None:
        (tmp_path / "lost+found").mkdir()
        unreadable.add(tmp_path / "lost+found")

        assert locate_images([*IMAGE_IDS, "a.jpg"], tmp_path) == {}

    def test_the_root_itself_is_an_error(self, tmp_path: Path, unreadable: set[Path]) -> None:
        unreadable.add(tmp_path)

        with pytest.raises(PermissionError):
            locate_images(IMAGE_IDS, tmp_path)


def test_impossible_folders_hold_nothing(tmp_path: Path) -> None:
    assert locate_images(["x" * 300 + "/a.jpg", "a\0b/c.jpg"], tmp_path) == {}


def test_in_other_case(tmp_path: Path) -> None:
    for name in ("skirt/a.JPG", "skirt/b.jpg", "skirt/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    others = in_other_case(["skirt/a.jpg", "Images/skirt/b.JPG", "skirt/c.jpg"], tmp_path)

    assert others == {"skirt/a.jpg": "skirt/a.JPG", "Images/skirt/b.JPG": "Images/skirt/b.jpg"}
    assert with_other_case(tmp_path / "skirt/a.jpg") == tmp_path / "skirt/a.JPG"
    assert with_other_case(tmp_path / "skirt/c.jpg") is None


@pytest.mark.parametrize(("split", "count"), [("train", 2818), ("val", 443)])
def test_every_image_is_found(split: str, count: int, fashionai_root: Path) -> None:
    table = read_labels(fashionai_root / split / "Annotations" / f"{split}.csv")
    assert len(locate_images(table.image_ids, fashionai_root / split)) == count
    assert len(locate_images(table.image_ids, fashionai_root)) == count
