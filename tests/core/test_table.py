"""Tests of the table of keypoints."""

from __future__ import annotations

import numpy as np

from fashionkp_mm.core.garments import NUM_KEYPOINTS
from fashionkp_mm.core.table import AnnotationError, KeypointTable, Problem, Severity, in_lines


def table_of(*image_ids: str) -> KeypointTable:
    """A table of skirts without points, with a category and a row number of their own each."""
    count = len(image_ids)
    return KeypointTable(
        image_ids=image_ids,
        category_indices=np.arange(count, dtype=np.int8),
        keypoints=np.full((count, NUM_KEYPOINTS, 2), -1, np.float32),
        visibility=np.full((count, NUM_KEYPOINTS), -1, np.int8),
        rows=np.arange(2, count + 2),
    )


def test_select_takes_masks_and_indices() -> None:
    table = table_of("a", "b", "c")
    masked = table.select(np.array([True, False, True]))
    assert masked.image_ids == ("a", "c")
    assert masked.category_indices.tolist() == [0, 2]
    assert masked.rows.tolist() == [2, 4]
    assert len(masked.keypoints) == len(masked.visibility) == 2
    twice = table.select(np.array([2, 0])).select(np.array([1, 0]))
    assert (twice.image_ids, twice.rows.tolist()) == (("a", "c"), [2, 4])


def problem(row: int, message: str = "wrong", *, warning: bool = False, cause: str = "") -> Problem:
    severity: Severity = "warning" if warning else "error"
    return Problem("a.csv", row, "crotch", "x", message, severity, cause)


def test_five_problems_of_each_cause_are_spelled_out() -> None:
    many = [problem(row) for row in range(2, 9)]
    few = [problem(row, "odd", warning=True) for row in range(1, 6)]
    lines = [*in_lines(sorted([*many, *few], key=lambda p: p.row))]
    assert lines == [
        *(("warning", str(odd)) for odd in few),
        *(("error", str(wrong)) for wrong in many[:5]),
        ("error", "a.csv: 2 more like this, the last in row 8"),
    ]


def test_messages_that_differ_can_have_one_cause() -> None:
    lines = [*in_lines(problem(row, f"as row {row}", cause="other row") for row in range(7))]
    assert len(lines) == 6
    assert lines[-1] == ("error", "a.csv: 2 more like this, the last in row 6")


def test_no_line_stands_for_a_single_problem() -> None:
    assert [line for _, line in in_lines(map(problem, range(6)))] == [
        *map(str, map(problem, range(6)))
    ]


def test_a_warning_is_not_counted_as_an_error_of_the_same_message() -> None:
    assert len([*in_lines([problem(1), problem(2, warning=True)])]) == 2


def test_an_error_message_is_short_and_keeps_all_problems() -> None:
    problems = [problem(row, f"message {row % 30}") for row in range(600)]
    error = AnnotationError(problems)
    assert error.problems == tuple(problems)
    lines = str(error).splitlines()
    assert len(lines) == 22
    assert lines[-2:] == [
        "… and problems of other kinds",
        "`fashionkp check FILE` counts them all, with --json it lists them",
    ]


def test_a_few_problems_are_the_whole_message() -> None:
    assert str(AnnotationError([problem(2), problem(3)])) == f"{problem(2)}\n{problem(3)}"
