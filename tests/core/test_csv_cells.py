"""Tests of single cells; many at once are read in the tests of `csv_format`."""

from __future__ import annotations

import pytest

from fashionkp_mm.core.csv_cells import looks_like_cell, parse_cell, write_cell


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("12_13_1", (12, 13, 1)),
        ("-3_0_0", (-3, 0, 0)),
        ("12.75_-0.5_1", (12.75, -0.5, 1)),
        ("007_00012_1", (7, 12, 1)),
        ("-1_-1_-1", (-1, -1, -1)),
        ("16777216_-16777216_1", (2**24, -(2**24), 1)),
    ],
)
def test_a_cell_is_three_plain_numbers(cell: str, expected: tuple[float, float, int]) -> None:
    assert parse_cell(cell, absent_has_place=False) == expected


def test_an_absent_point_has_a_place_in_predictions_only() -> None:
    assert parse_cell("5_6.5_-1", absent_has_place=True) == (5, 6.5, -1)
    with pytest.raises(ValueError, match="an absent point has no place"):
        parse_cell("5_6.5_-1", absent_has_place=False)


@pytest.mark.parametrize(
    ("x", "y", "v", "cell"),
    [
        (12.0, 0.0, 1, "12_0_1"),
        (-1.0, -1.0, -1, "-1_-1_-1"),
        (1.25, -0.5, 0, "1.25_-0.50_0"),
        (-0.0, 0.001, 1, "0_0.00_1"),
    ],
)
def test_a_cell_has_two_decimals_where_it_needs_them(x: float, y: float, v: int, cell: str) -> None:
    assert write_cell(x, y, v) == cell
    parse_cell(cell, absent_has_place=False)


@pytest.mark.parametrize(
    "text", ["1_2_1", "-1_-1_-1", "12.5_3_1", " 5_5_1", "+5_5_1", "1e3_5_2", "1_2_x"]
)
def test_what_was_meant_as_a_cell(text: str) -> None:
    assert looks_like_cell(text)


@pytest.mark.parametrize("text", ["", "val", "7", "1_2", "a_1_2", "x_y_z", "2018-03-01", "_1_2"])
def test_what_was_not(text: str) -> None:
    assert not looks_like_cell(text)
