"""Where pictures go, and that no image is drawn over."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fashionkp_mm.batch.pictures import locate, targets, write_picture


class TestTargets:
    def test_keep_the_ids_and_become_jpeg_where_need_be(self) -> None:
        found = targets(["a/b.jpg", "c.PNG", "d.webp"], Path("out"))

        assert [path.as_posix() for path in found.values()] == [
            "out/a/b.jpg",
            "out/c.PNG",
            "out/d.webp.jpg",
        ]

    def test_get_the_suffix_asked_for(self) -> None:
        found = targets(["a/b.jpg", "c.PNG", "d.v2", "e"], Path("out"), ".npy")

        names = [path.as_posix() for path in found.values()]
        assert names == ["out/a/b.npy", "out/c.npy", "out/d.v2.npy", "out/e.npy"]

    @pytest.mark.parametrize("image_id", ["/etc/x.jpg", "../x.jpg", "a/../../../x.jpg", "//x.jpg"])
    def test_stay_below_the_folder(self, image_id: str, tmp_path: Path) -> None:
        (target,) = targets([image_id], tmp_path).values()

        assert target.resolve().is_relative_to(tmp_path)

    def test_are_one_for_each_image(self) -> None:
        with pytest.raises(FileExistsError, match=r"a\.webp and a\.webp\.jpg would both be"):
            targets(["a.webp", "a.webp.jpg"], Path("out"))


def test_locate_names_whole_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path / "data")

    with pytest.raises(FileNotFoundError, match=f"is in {tmp_path}/data or {tmp_path}; expected"):
        locate(["x/a.jpg"], Path("c.csv"), None, remedy="do this")


def test_locate_says_that_only_upper_and_lower_case_differ(tmp_path: Path) -> None:
    for name in ("a.JPG", "b.JPG"):
        (tmp_path / name).touch()

    with pytest.raises(FileNotFoundError, match=r"2 differ in upper and lower case only, such as"):
        locate(["a.jpg", "b.jpg"], tmp_path / "c.csv", tmp_path, remedy="do this")


def test_locate_says_why_an_image_is_missing(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.JPG"):
        (tmp_path / name).touch()

    found, missing = locate(["a.jpg", "b.jpg", "c.jpg"], tmp_path / "c.csv", None, remedy="")

    assert found == {"a.jpg": tmp_path / "a.jpg"}
    assert missing == {
        "b.jpg": "the image is missing; there is b.JPG, and upper and lower case differ",
        "c.jpg": "the image is missing",
    }


def test_locate_names_the_places_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none of the 2 images .*expected.*; do this"):
        # Images are looked for in the folders above as well; those are other tests' folders.
        locate(["x/a.jpg", "b.jpg"], tmp_path / "data" / "csv" / "c.csv", None, remedy="do this")


@pytest.mark.parametrize(("name", "start"), [("a.png", b"\x89PNG"), ("a.jpg", b"\xff\xd8")])
def test_writes_the_format_that_the_name_says(name: str, start: bytes, tmp_path: Path) -> None:
    image = np.full((20, 30, 3), (10, 120, 230), np.uint8)

    write_picture(tmp_path / name, image)

    assert (tmp_path / name).read_bytes().startswith(start)
    read = cv2.imread(str(tmp_path / name))
    assert read is not None
    assert np.abs(read.astype(int) - image).max() < 6
