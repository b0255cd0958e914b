from __future__ import annotations

import pytest

from fashionkp_mm.core.csv_columns import COLUMNS
from fashionkp_mm.core.csv_edit import edited
from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import KEYPOINT_INDEX

A = ["skirt", *["-1_-1_-1"] * 24]
B = list(A)
B[1 + KEYPOINT_INDEX["hemline_left"]] = "10_20_1"
HEADER = ",".join(COLUMNS)


def row(image_id, cells):
    return ",".join([image_id, *cells])


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "labels.csv"
        path.write_bytes(text.encode())
        return path

    return write


@pytest.mark.parametrize("end", ["", "\r\n"])
def test_nothing_changes_nothing(write, end):
    text = "\ufeff" + "\r\n".join([HEADER, "", row('"a,1.jpg"', B), row("b.jpg", A)])
    path = write(text + end)
    assert edited(path, {}) == path.read_bytes()


def test_a_changed_row_changes_alone(write):
    odd = [*B]
    odd[1 + KEYPOINT_INDEX["hemline_right"]] = "010_20.50_0"
    path = write("\n".join([HEADER, row("a.jpg", odd), row("b.jpg", A), row("c.jpg", odd), ""]))
    wanted = "\n".join([HEADER, row("a.jpg", odd), row("b.jpg", B), row("c.jpg", odd), ""])
    assert edited(path, {"b.jpg": B}).decode() == wanted


def test_further_columns_and_their_order_stay(write):
    names = ["note", *reversed(COLUMNS), "who"]
    cells = [*reversed(["a.jpg", *A])]
    path = write(",".join(names) + "\n" + ",".join(['"so, so"', *cells, "Ann"]) + "\n")
    changed = edited(path, {"a.jpg": B, "b.jpg": B}).decode().splitlines()
    assert changed[1] == ",".join(['"so, so"', *reversed(["a.jpg", *B]), "Ann"])
    assert changed[2] == ",".join(["", *reversed(["b.jpg", *B]), ""])


def test_rows_are_taken_out_and_added(write):
    path = write("\r\n".join([HEADER, row('"a.jpg"', A), row("b.jpg", A), row("c.jpg", A)]))
    changed = edited(path, {"a.jpg": None, "c.jpg": None, "d,d.jpg": B})
    assert changed.decode() == "\r\n".join([HEADER, row("b.jpg", A), row('"d,d.jpg"', B), ""])
    path.write_bytes(changed)
    assert read_labels(path).image_ids == ("b.jpg", "d,d.jpg")


def test_cells_in_quotes_stay_in_quotes(write):
    quoted = ",".join(f'"{cell}"' for cell in ["a.jpg", *A])
    path = write(f"{HEADER}\n{quoted}\n")
    wanted = ",".join(f'"{cell}"' for cell in ["a.jpg", *B])
    assert edited(path, {"a.jpg": B}).decode() == f"{HEADER}\n{wanted}\n"
