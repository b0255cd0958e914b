"""Tests of what the data sets read: labels or test lists, and nothing outside of the data root."""

from __future__ import annotations

from pathlib import Path

import pytest

from fashionkp_mm.core.csv_columns import COLUMNS
from fashionkp_mm.core.table import AnnotationError
from fashionkp_mm.plugin.label_files import is_test_list, read_table

ROW = ",".join(["Images/a.jpg", "skirt", *["-1_-1_-1"] * 24])


def write(path: Path, *lines: str) -> str:
    path.write_text("\n".join((*lines, "")))
    return str(path)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["image_id,image_category", "Images/a.jpg,skirt"], True),
        (["", "image_id,image_category", "Images/a.jpg,skirt"], True),
        (["", ",".join(COLUMNS), ROW], False),
        (["image_id,image_category", ROW], False),
        (["", ROW], False),
    ],
)
def test_labels_are_not_taken_for_a_test_list(
    lines: list[str], expected: bool, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", *lines)
    assert is_test_list(path) is expected
    assert read_table(path, test_list=expected).image_ids == ("Images/a.jpg",)


@pytest.mark.parametrize("image_id", ["../a.jpg", "/etc/a.jpg", "Images\\a.jpg"])
def test_ids_of_a_test_list_do_not_leave_the_data_root(image_id: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "image_id,image_category", f"{image_id},skirt")
    with pytest.raises(AnnotationError, match="row 2, column image_id"):
        read_table(path, test_list=True)
