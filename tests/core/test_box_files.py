"""Tests of boxes from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from fashionkp_mm.core.box_files import BoxFileError, read_boxes


def box_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "boxes.csv"
    path.write_text(text)
    return path


def test_boxes_come_in_the_order_asked_for(tmp_path: Path) -> None:
    path = box_file(tmp_path, "image_id,x1,y1,x2,y2\na,1,2,3,4\nb,5,6,7.5,8\nc,0,0,1,1\n")
    assert read_boxes(path, ["b", "a"]).tolist() == [[5, 6, 7.5, 8], [1, 2, 3, 4]]


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    path = box_file(tmp_path, "y2,x2,label,y1,x1,image_id\n4,3,shirt,2,1,007\n")
    assert read_boxes(path, ["007"]).tolist() == [[1, 2, 3, 4]]


def test_the_highest_score_is_taken(tmp_path: Path) -> None:
    path = box_file(
        tmp_path, "image_id,x1,y1,x2,y2,score\na,1,1,2,2,0.3\na,1,1,9,9,0.9\na,1,1,3,3,0.5\n"
    )
    assert read_boxes(path, ["a"]).tolist() == [[1, 1, 9, 9]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image_id,x1,y1,x2\na,1,2,3\n", "row 1: no column y2; expected image_id,x1,y1,x2,y2"),
        ("image_id,x1,y1,x2,y2\na,1,2,3,4\nb,5,2,3,4\n", "row 3, image b: the box"),
        ("image_id,x1,y1,x2,y2\na,1,2,1,4\n", "row 2, image a: the box"),
        ("image_id,x1,y1,x2,y2\na,1,2,nan,4\n", "not a number; expected x1 < x2"),
        ("image_id,x1,y1,x2,y2\na,1,2,inf,4\n", "row 2, image a: the box"),
        ("image_id,x1,y1,x2,y2\na,1,2,x,4\n", "row 2, image a: the box"),
        ("image_id,x1,y1,x2,y2\na,1,2,,4\n", "row 2, image a: the box"),
        (
            "image_id,x1,y1,x2,y2\na,1,2,3,4\na,1,2,5,6\n",
            "several boxes for a, and no column score",
        ),
        ("image_id,x1,y1,x2,y2\nb,1,2,3,4\n", "no box for 1 images, the first is a"),
        ("image_id,x1,y1,x2,y2\n", "no box for 1 images"),
        ("", "not a readable CSV"),
        ("image_id,x1,y1,x2,y2\na,1,2,3,4\nb,1,2,3,4,5,6,7\n", "not a readable CSV"),
    ],
)
def test_a_file_that_cannot_be_used(text: str, message: str, tmp_path: Path) -> None:
    path = box_file(tmp_path, text)
    with pytest.raises(BoxFileError) as caught:
        read_boxes(path, ["a"])
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_ids_that_differ_in_their_folders_are_named(tmp_path: Path) -> None:
    path = box_file(tmp_path, "image_id,x1,y1,x2,y2\nskirt/a.jpg,1,2,3,4\n")
    with pytest.raises(BoxFileError, match=r"1 of 1 differ only in the folders before the name"):
        read_boxes(path, ["Images/skirt/a.jpg"])


def test_an_image_may_be_called_na(tmp_path: Path) -> None:
    path = box_file(tmp_path, "image_id,x1,y1,x2,y2,score\nNA,1,2,3,4,\nNA,1,2,5,6,0.1\n")
    assert read_boxes(path, ["NA"]).tolist() == [[1, 2, 5, 6]]


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    path.write_bytes(b"image_id,x1,y1,x2,y2\n\xff\xfe,1,2,3,4\n")
    with pytest.raises(BoxFileError, match="not a readable CSV"):
        read_boxes(path, ["a"])


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_boxes(tmp_path / "none.csv", ["a"])
