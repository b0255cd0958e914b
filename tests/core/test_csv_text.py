"""Tests of finding the fields of CSV text, against Python's own strict reader."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionkp_mm.core.csv_text import line_of, split
from fashionkp_mm.core.table import AnnotationError, Problem


def records(text: str) -> list[list[str]]:
    found = split(text.encode(), "a.csv")
    return [found.fields(record) for record in range(len(found))]


def only_problem(data: bytes) -> Problem:
    with pytest.raises(AnnotationError) as caught:
        split(data, "a.csv")
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\nc,d\n", [["a", "b"], ["c", "d"]]),
        ("a,b\r\nc,d", [["a", "b"], ["c", "d"]]),
        ("a,,\n", [["a", "", ""]]),
        ("\n\r\na\n", [[""], [""], ["a"]]),
        ('"a","b"\n"c","d"\n', [["a", "b"], ["c", "d"]]),
        ('"a,b",c\r\n', [["a,b", "c"]]),
        ('"a\nb",c\n', [["a\nb", "c"]]),
        ('"a\r\nb","c"\r\nd,e', [["a\r\nb", "c"], ["d", "e"]]),
        ('"",""\n', [["", ""]]),
        ('"a ""b""",c\n', [['a "b"', "c"]]),
        ('""""\n', [['"']]),
        ('""",""",x\n', [['","', "x"]]),
        ('"a"', [["a"]]),
        ("a\rb,c\n", [["a\rb", "c"]]),
        ("\ufeffa,b\n", [["a", "b"]]),
    ],
)
def test_fields(text: str, expected: list[list[str]]) -> None:
    assert records(text) == expected


@given(
    rows=st.lists(st.lists(st.text('ab"\n\r, ü'), min_size=2, max_size=4), min_size=1, max_size=4),
    crlf=st.booleans(),
    everywhere=st.booleans(),
)
def test_what_python_writes_is_read(rows: list[list[str]], crlf: bool, everywhere: bool) -> None:
    text = io.StringIO()
    # Python 3.11 leaves a lone CR bare where its own line end has none.
    quoting = csv.QUOTE_ALL if everywhere or not crlf else csv.QUOTE_MINIMAL
    csv.writer(text, quoting=quoting, lineterminator="\r\n" if crlf else "\n").writerows(rows)
    assert records(text.getvalue()) == rows


@given(rows=st.lists(st.lists(st.text('ab"\n\r, ü'), min_size=2, max_size=4), min_size=1))
def test_what_is_written_is_read_here_and_in_python(rows: list[list[str]]) -> None:
    text = "".join(map(line_of, rows))
    assert records(text) == rows
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == rows


@given(text=st.text('a",\n', max_size=12))
def test_quotes_are_read_as_python_reads_them_strictly_or_refused(text: str) -> None:
    try:
        found = records(text)
    except AnnotationError:
        return
    ended = text if text.endswith("\n") else f"{text}\n"
    # Python gives no field for an empty line, where there is one here.
    expected = [row or [""] for row in csv.reader(io.StringIO(ended, newline=""), strict=True)]
    assert found == expected


@pytest.mark.parametrize(
    ("text", "row", "message"),
    [
        ('a,b\n"c"d,e\n', 2, "text after a closing quote"),
        ('"a" ,b\n', 1, "text after a closing quote"),
        ('""a,b\n', 1, "text after a closing quote"),
        ('a,b\nc 7",d\n', 2, "a quote in a field that is not in quotes"),
        ('a, "b"\n', 1, "a quote in a field that is not in quotes"),
        ('a,b\nc,d\n"e,f\ng,h\n', 3, "a quote is left open"),
        ('a,"', 1, "a quote is left open"),
        ('"a,b\n"c",d\n', 2, "text after a closing quote"),
    ],
)
def test_a_quote_out_of_place(text: str, row: int, message: str) -> None:
    problem = only_problem(text.encode())
    assert problem.row == row
    assert message in problem.message
    assert "expected" in problem.message
    assert problem.value


def test_line_ends_of_cr_alone() -> None:
    problem = only_problem(b"a,b\rc,d\r")
    assert "end in CR alone" in problem.message


def test_lines_are_numbered_as_an_editor_does() -> None:
    found = split(b'a,b\n"c\n\nd",e\nf,g\n', "a.csv")
    assert found.numbers.tolist() == [1, 2, 5]
    assert [found.line(record) for record in range(3)] == ["a,b", '"c\n\nd",e', "f,g"]
