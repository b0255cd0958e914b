"""Tests of reading, checking and writing FashionAI CSV files; headers and columns as well."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fashionkp_mm.core.csv_columns import COLUMNS, Kind, has_keypoints
from fashionkp_mm.core.csv_format import (
    check_annotations,
    read_labels,
    read_predictions,
    read_test_list,
    write_labels,
    write_predictions,
    write_submission,
)
from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_INDEX,
    CATEGORY_NAMES,
    KEYPOINT_INDEX,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.core.table import AnnotationError, AnnotationWarning, KeypointTable, Problem

HEADER = ",".join(COLUMNS)
SKIRT_CELLS = {
    "waistband_left": "100_50_1",
    "waistband_right": "200_52_0",
    "hemline_left": "80_300_1",
    "hemline_right": "230_301_1",
}

WriteCsv = Callable[..., Path]


@pytest.fixture
def write_csv(tmp_path: Path) -> WriteCsv:
    """Writes lines (or bytes as they are) to a file and gives its path."""

    def write(*lines: str, content: bytes | None = None) -> Path:
        path = tmp_path / "labels.csv"
        path.write_bytes("\n".join([*lines, ""]).encode() if content is None else content)
        return path

    return write


def skirt(image: str = "a", category: str = "skirt", **cells: str) -> str:
    """A row of a skirt; keywords replace cells."""
    values = {**SKIRT_CELLS, **cells}
    image_id = image if "/" in image or "\\" in image else f"Images/skirt/{image}.jpg"
    return ",".join([image_id, category, *(values.get(name, "-1_-1_-1") for name in COLUMNS[2:])])


def problems_of(path: Path, kind: Kind = "labels") -> list[Problem]:
    return check_annotations(path, kind)[1]


def only_problem(path: Path, kind: Kind = "labels") -> Problem:
    (problem,) = problems_of(path, kind)
    assert problem.file == str(path)
    return problem


@st.composite
def numbered_cells(draw: st.DrawFn) -> str:
    """Cells that are right but for the range of their numbers, some with decimals."""
    number = st.one_of(st.integers(-(2**25), 2**25), st.decimals(-99, 99, places=2))
    return f"{draw(number)}_{draw(number)}_{draw(st.integers(-2, 2))}"


class TestReading:
    def test_cells_of_all_three_states(self, write_csv: WriteCsv) -> None:
        table = read_labels(write_csv(HEADER, skirt(hemline_left="-1_-1_-1")))
        assert table.image_ids == ("Images/skirt/a.jpg",)
        assert table.category_indices.tolist() == [CATEGORY_INDEX["skirt"]]
        assert table.rows.tolist() == [2]
        first = KEYPOINT_INDEX["waistband_left"]
        assert table.keypoints[0, first : first + 4].tolist() == [
            [100, 50], [200, 52], [-1, -1], [230, 301],
        ]  # fmt: skip
        assert table.visibility[0, first : first + 4].tolist() == [1, 0, -1, 1]
        assert (table.visibility[0, :first] == -1).all()
        assert table.keypoints.dtype == np.float32
        assert table.visibility.dtype == table.category_indices.dtype == np.int8

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda data: data.replace(b"\n", b"\r\n"), id="CRLF"),
            pytest.param(lambda data: b"\xef\xbb\xbf" + data, id="byte order mark"),
            pytest.param(
                lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"), id="both of them"
            ),
            pytest.param(lambda data: data.removesuffix(b"\n"), id="no newline at the end"),
            pytest.param(
                lambda data: b'"' + data.removesuffix(b"\n").replace(b",", b'","')
                .replace(b"\n", b'"\n"') + b'"\n',
                id="every field quoted",
            ),
            pytest.param(
                lambda data: data.replace(b"Images/skirt/a.jpg", b'"Images/skirt/a.jpg"'),
                id="one field quoted",
            ),
            pytest.param(
                lambda data: b'"' + data.removesuffix(b"\n").replace(b",", b'","')
                .replace(b"\n", b'"\r\n"') + b'"\r\n',
                id="quotes and CRLF",
            ),
            pytest.param(lambda data: data.replace(b"\n", b",7\n"), id="27th column"),
            pytest.param(lambda data: data.replace(b"\n", b",7,8\n"), id="28 columns"),
            pytest.param(lambda data: data.replace(b",", b" ,", 3), id="spaces in the header"),
        ],
    )  # fmt: skip
    def test_forms_of_a_file_with_header(
        self, change: Callable[[bytes], bytes], write_csv: WriteCsv
    ) -> None:
        clean = "\n".join([HEADER, skirt("a"), skirt("b", hemline_left="1_2_0"), ""]).encode()
        expected = read_labels(write_csv(content=clean))
        table = read_labels(write_csv(content=change(clean)))
        assert_same(table, expected)
        assert table.rows.tolist() == [2, 3]

    @pytest.mark.parametrize("ending", ["", ",x"], ids=["26 columns", "27 columns"])
    def test_without_header(self, ending: str, write_csv: WriteCsv) -> None:
        expected = read_labels(write_csv(HEADER, skirt("a"), skirt("b")))
        table = read_labels(write_csv(skirt("a") + ending, skirt("b") + ending))
        assert_same(table, expected)
        assert table.rows.tolist() == [1, 2]

    def test_reordered_columns(self, write_csv: WriteCsv) -> None:
        lines = [HEADER, skirt("a"), skirt("b", hemline_right="7_8_0")]
        expected = read_labels(write_csv(*lines))
        order = np.random.default_rng(1).permutation(len(COLUMNS))
        shuffled = [",".join(np.array(line.split(","))[order]) for line in lines]
        assert_same(read_labels(write_csv(*shuffled)), expected)

    def test_a_column_in_between(self, write_csv: WriteCsv) -> None:
        lines = [HEADER, skirt("a"), skirt("b")]
        expected = read_labels(write_csv(*lines))
        widened = [line.replace(",", ",extra,", 1) for line in lines]
        assert_same(read_labels(write_csv(*widened)), expected)

    def test_test_lists(self, write_csv: WriteCsv) -> None:
        rows = ["Images/skirt/a.jpg,skirt", "Images/dress/b.jpg,dress"]
        for lines in (["image_id,image_category", *rows], rows, [HEADER, skirt("a")]):
            table = read_test_list(write_csv(*lines))
            assert table.image_ids[0] == "Images/skirt/a.jpg"
            assert CATEGORY_NAMES[table.category_indices[0]] == "skirt"
            assert (table.visibility == -1).all()
            assert (table.keypoints == -1).all()
            assert table.keypoints.shape == (len(table), NUM_KEYPOINTS, 2)

    def test_test_lists_are_told_from_labels(self, write_csv: WriteCsv) -> None:
        assert not has_keypoints(write_csv("image_id,image_category", "Images/skirt/a.jpg,skirt"))
        assert not has_keypoints(write_csv("Images/skirt/a.jpg,skirt"))
        assert has_keypoints(write_csv(HEADER, skirt()))
        assert has_keypoints(write_csv(skirt()))
        assert has_keypoints(write_csv(HEADER.replace(",crotch", ""), skirt()))

    def test_a_list_may_have_further_columns(self, write_csv: WriteCsv) -> None:
        path = write_csv(
            "image_id,image_category,split", "a.jpg,skirt,val", "1_2_3.jpg,dress,x_y_z"
        )
        assert not has_keypoints(path)
        assert read_test_list(path).image_ids == ("a.jpg", "1_2_3.jpg")

    @pytest.mark.parametrize(
        "lines",
        [
            ["", HEADER, skirt(neckline_left="garbage")],
            ["image_id,image_category", "a.jpg,skirt", skirt()],
            ["image_id,image_category", skirt(neckline_left="garbage")],
            [skirt(neckline_left="garbage"), skirt("b")],
            ["a.jpg,skirt", skirt("b")],
            ["a.jpg,skirt," + ",".join(["garbage"] * 24)],
            ["image_id,image_category,crotch", "a.jpg,skirt,?"],
            ["image_id,image_category,point", "a.jpg,skirt,1_2_3"],
            ["image_id,image_category", 'a.jpg,"skirt'],
        ],
    )
    def test_what_a_file_is_is_not_guessed_from_its_first_line(
        self, lines: list[str], write_csv: WriteCsv
    ) -> None:
        path = write_csv(*lines)
        assert has_keypoints(path)
        assert any(problem.severity == "error" for problem in problems_of(path))

    @pytest.mark.parametrize("ending", ["", ",x"], ids=["26 cells", "27 cells"])
    @pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
    def test_a_short_header_over_full_rows(
        self, line_end: str, ending: str, write_csv: WriteCsv
    ) -> None:
        rows = [skirt("a"), skirt("b", hemline_right="7_8_0")]
        expected = read_labels(write_csv(HEADER, *rows))
        lines = ["image_id,image_category", *(row + ending for row in rows), ""]
        path = write_csv(content=line_end.join(lines).encode())
        assert_same(read_labels(path), expected)
        assert read_labels(path).rows.tolist() == [2, 3]
        assert read_test_list(path).image_ids == expected.image_ids
        assert has_keypoints(path)

    def test_a_lost_cell_below_a_short_header(self, write_csv: WriteCsv) -> None:
        lost = skirt("b").rpartition(",")[0]
        path = write_csv("image_id,image_category", skirt("a"), lost, skirt("c"))
        problem = only_problem(path)
        assert (problem.row, problem.value) == (3, lost)
        assert "25 cells, expected 26" in problem.message

    @pytest.mark.parametrize(
        "image_id",
        [
            "a, b.jpg",
            'a "b".jpg',
            '"',
            ",",
            "a\nb.jpg",
            "a\r\nb.jpg",
            "a\rb.jpg",
            '",\n"',
            "a\\b.jpg",
        ],
    )
    def test_an_id_that_needs_quotes_comes_back(self, image_id: str, write_csv: WriteCsv) -> None:
        table = read_predictions(write_csv(HEADER, skirt("a"), skirt("b")))
        table = dataclasses.replace(table, image_ids=(image_id, "b.jpg"))
        path = write_csv()
        for write in (write_labels, write_predictions, write_submission):
            write(path, table)
            assert read_predictions(path).image_ids == table.image_ids
            assert (read_predictions(path).keypoints == table.keypoints).all()
            assert read_test_list(path).image_ids == table.image_ids

    def test_predictions_may_have_decimals_and_fill_every_point(self, write_csv: WriteCsv) -> None:
        row = skirt(crotch="12.5_-3_1", neckline_left="-7.25_100.0_1")
        table = read_predictions(write_csv(row))
        assert table.keypoints[0, KEYPOINT_INDEX["crotch"]].tolist() == [12.5, -3]
        assert table.keypoints[0, KEYPOINT_INDEX["neckline_left"]].tolist() == [-7.25, 100]
        assert table.keypoints[0, KEYPOINT_INDEX["waistband_left"]].tolist() == [100, 50]
        assert not problems_of(write_csv(row), "predictions")

    @pytest.mark.parametrize("number", [0, 7, 10, 512, 999, 1000, 9999, 10000, 123456, 2**24])
    def test_integers_of_any_length(self, number: int, write_csv: WriteCsv) -> None:
        row = skirt(hemline_left=f"{number}_3_1", hemline_right=f"3_{number}_0")
        table = read_labels(write_csv(HEADER, row))
        first = KEYPOINT_INDEX["hemline_left"]
        assert table.keypoints[0, first : first + 2].tolist() == [[number, 3], [3, number]]
        assert table.visibility[0, first : first + 2].tolist() == [1, 0]

    def test_leading_zeros(self, write_csv: WriteCsv) -> None:
        table = read_labels(write_csv(HEADER, skirt(hemline_left="0007_00012_1")))
        assert table.keypoints[0, KEYPOINT_INDEX["hemline_left"]].tolist() == [7, 12]

    def test_more_rows_than_one_block(self, write_csv: WriteCsv) -> None:
        rows = [skirt(str(i), hemline_left=f"{i}_{i + 1}_{i % 2}") for i in range(5000)]
        table = read_labels(write_csv(HEADER, *rows))
        point = KEYPOINT_INDEX["hemline_left"]
        count = np.arange(5000)
        assert (table.keypoints[:, point] == np.stack([count, count + 1], axis=1)).all()
        assert (table.visibility[:, point] == count % 2).all()

    def test_blank_lines_keep_line_numbers_right(self, write_csv: WriteCsv) -> None:
        path = write_csv("", HEADER, "", skirt("a"), "  ", skirt("b", crotch="1"), "", "")
        table, (problem,) = check_annotations(path)
        assert table.rows.tolist() == [4, 6]
        assert problem.row == 6

    def test_quoted_line_breaks_keep_line_numbers_right(self, write_csv: WriteCsv) -> None:
        broken = skirt("b").replace("Images/skirt/b.jpg", '"Images/\nskirt/b.jpg"')
        path = write_csv(HEADER, broken, skirt("c", hemline_left="x"))
        table, (odd, malformed) = check_annotations(path)
        assert table.image_ids == ("Images/\nskirt/b.jpg", "Images/skirt/c.jpg")
        assert (odd.row, odd.column, odd.severity) == (2, "image_id", "warning")
        assert "a control character" in odd.message
        assert (malformed.row, malformed.column) == (4, "hemline_left")


class TestBadInput:
    @pytest.mark.parametrize(
        ("cell", "message"),
        [
            ("", "malformed cell"),
            ("12", "malformed cell"),
            ("12_13", "malformed cell"),
            ("12_13_1_1", "malformed cell"),
            ("_13_1", "malformed cell"),
            ("12__1", "malformed cell"),
            ("12_13_", "malformed cell"),
            ("a_13_1", "malformed cell"),
            ("12_13_1.0", "malformed cell"),
            ("1 2_13_1", "malformed cell"),
            ("12-13_1", "malformed cell"),
            ("12_13-1", "malformed cell"),
            ("-1_-1_-1_", "malformed cell"),
            ("1-1_-1_-1", "malformed cell"),
            ("12_13_2", "v is out of range"),
            ("12_13_9", "v is out of range"),
            ("12_13_-2", "v is out of range"),
            ("12_13_10", "v is out of range"),
            ("nan_13_1", "not finite"),
            ("12_inf_1", "not finite"),
            ("12_-inf_0", "not finite"),
            ("1e3_13_1", "malformed cell"),
            ("+5_13_1", "malformed cell"),
            ("12_+13_1", "malformed cell"),
            ("12_13_+1", "malformed cell"),
            (" 12_13_1", "malformed cell"),
            ("12_13_1 ", "malformed cell"),
            ("12_ 13_1", "malformed cell"),
            ("12_13_1\r", "malformed cell"),
            ("\uff11\uff12_13_1", "malformed cell"),
            ("12_13_\u0661", "malformed cell"),
            (".5_13_1", "malformed cell"),
            ("5._13_1", "malformed cell"),
            ("0x1_13_1", "malformed cell"),
            ("12_13_01", "v is out of range"),
            ("-NaN_13_1", "not finite"),
            (f"12_{2**24 + 1}_1", "no image is that large"),
            (f"{'9' * 30}_13_1", "no image is that large"),
            (f"{'9' * 400}_13_1", "no image is that large"),
            (f"1_2_{'9' * 5000}", "v is out of range"),
        ],
    )
    @pytest.mark.parametrize("kind", ["labels", "predictions"])
    def test_a_broken_cell(self, cell: str, message: str, kind: Kind, write_csv: WriteCsv) -> None:
        path = write_csv(HEADER, skirt("a"), skirt("b", hemline_right=cell))
        problem = only_problem(path, kind)
        assert (problem.row, problem.column, problem.value) == (3, "hemline_right", cell)
        assert problem.severity == "error"
        assert message in problem.message
        assert "expected" in problem.message
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            table, _ = check_annotations(path, kind)
        assert table.visibility[1, KEYPOINT_INDEX["hemline_right"]] == -1
        assert table.visibility[1, KEYPOINT_INDEX["hemline_left"]] == 1

    @pytest.mark.parametrize("cell", ["12_13_-1", "-1_13_-1", "12.5_-1_-1"])
    def test_only_a_prediction_places_a_point_that_it_calls_absent(
        self, cell: str, write_csv: WriteCsv
    ) -> None:
        path = write_csv(HEADER, skirt("a", hemline_right=cell, hemline_left="-1_-1_-1"))
        assert "an absent point has no place" in only_problem(path).message
        table = read_predictions(path)
        point = KEYPOINT_INDEX["hemline_right"]
        assert table.visibility[0, point] == Visibility.ABSENT
        assert table.keypoints[0, point].tolist() == [float(n) for n in cell.split("_")[:2]]
        assert table.placed[0, point]
        assert not table.placed[0, KEYPOINT_INDEX["hemline_left"]]

    def test_the_message_names_file_row_column_value_and_remedy(self, write_csv: WriteCsv) -> None:
        path = write_csv(HEADER, skirt("a", hemline_left="1_2_5"))
        with pytest.raises(AnnotationError) as caught:
            read_labels(path)
        assert str(caught.value) == (
            f"{path}, row 2, column hemline_left, value '1_2_5': v is out of range; expected 1"
            " (visible), 0 (occluded) or -1 (absent)"
        )

    def test_every_problem_is_kept_and_five_are_spelled_out(self, write_csv: WriteCsv) -> None:
        path = write_csv(HEADER, *(skirt(str(i), hemline_left="x") for i in range(30)))
        with pytest.raises(AnnotationError) as caught:
            read_labels(path)
        assert [problem.row for problem in caught.value.problems] == list(range(2, 32))
        lines = str(caught.value).splitlines()
        assert len(lines) == 7
        assert lines[-2] == f"{path}: 25 more like this, the last in row 31"

    def test_problems_come_in_the_order_of_the_rows(self, write_csv: WriteCsv) -> None:
        path = write_csv(
            HEADER, skirt("a", hemline_left="x"), skirt("b", "hat"), skirt("c") + ",1",
            skirt("../d"), skirt("a"),
        )  # fmt: skip
        assert [problem.row for problem in problems_of(path)] == [2, 3, 4, 5, 6]

    @pytest.mark.parametrize("kind", ["labels", "predictions", "list"])
    def test_unknown_category(self, kind: Kind, write_csv: WriteCsv) -> None:
        path = write_csv(HEADER, skirt("a"), skirt("b", category="Skirt"))
        problem = only_problem(path, kind)
        assert (problem.row, problem.column, problem.value) == (3, "image_category", "Skirt")
        assert problem.message == (
            "unknown category; expected one of blouse, outwear, dress, skirt, trousers"
        )
        assert check_annotations(path, kind)[0].image_ids == ("Images/skirt/a.jpg",)

    @pytest.mark.parametrize("column", ["image_id", "image_category", "crotch"])
    def test_missing_column(self, column: str, write_csv: WriteCsv) -> None:
        at = COLUMNS.index(column)
        lines = [line.split(",") for line in (HEADER, skirt())]
        problem = only_problem(
            write_csv(*(",".join(fields[:at] + fields[at + 1 :]) for fields in lines))
        )
        assert (problem.row, problem.column) == (1, column)
        assert "the column is missing; expected the header 'image_id," in problem.message

    def test_several_missing_columns_are_one_problem(self, write_csv: WriteCsv) -> None:
        path = write_csv("image_id,image_category,crotch", "a.jpg,skirt,-1_-1_-1")
        problem = only_problem(path)
        assert problem.message.startswith("23 of 26 columns are missing: neckline_left, ")

    def test_a_column_in_capitals_is_named(self, write_csv: WriteCsv) -> None:
        problem = only_problem(write_csv(HEADER.replace("image_id", "Image_ID"), skirt()))
        assert (problem.row, problem.column, problem.value) == (1, "image_id", "Image_ID")

    def test_a_column_that_stands_twice(self, write_csv: WriteCsv) -> None:
        problem = only_problem(write_csv(HEADER + ",crotch", skirt() + ",1_2_1"))
        assert (problem.row, problem.column) == (1, "crotch")
        assert "stands twice in the header; expected each once" in problem.message

    def test_a_header_that_names_fewer_columns_than_all_rows_have(
        self, write_csv: WriteCsv
    ) -> None:
        problem = only_problem(write_csv(HEADER, *(skirt(name) + "," for name in "abc")))
        assert problem.row == 1
        assert "names 26 columns, and every row has 27 cells" in problem.message

    @pytest.mark.parametrize(
        ("mark", "name"), [(";", "';'"), ("\t", "tabs"), ("|", "'|'")], ids=["; ", "tab", "bar"]
    )
    @pytest.mark.parametrize("header", [[HEADER], []], ids=["header", "no header"])
    @pytest.mark.parametrize("kind", ["labels", "predictions", "list"])
    def test_another_separator_is_named(
        self, header: list[str], mark: str, name: str, kind: Kind, write_csv: WriteCsv
    ) -> None:
        lines = [line.replace(",", mark) for line in (*header, skirt("a"), skirt("b"))]
        problem = only_problem(write_csv(*lines), kind)
        assert f"the columns are separated by {name}, expected ','" in problem.message

    @pytest.mark.parametrize("content", [b'[{"image_id": "a.jpg"}]', b'{"images": []}'])
    def test_json_is_named(self, content: bytes, write_csv: WriteCsv) -> None:
        assert "this is JSON" in only_problem(write_csv(content=content)).message

    def test_misspelled_column(self, write_csv: WriteCsv) -> None:
        problem = only_problem(write_csv(HEADER.replace("crotch", "crutch"), skirt()))
        assert (problem.row, problem.column) == (1, "crotch")

    def test_no_header_and_too_few_columns(self, write_csv: WriteCsv) -> None:
        problem = only_problem(write_csv(skirt().rpartition(",")[0]))
        assert problem.row == 1
        assert "25 columns" in problem.message

    def test_a_test_list_is_no_label_file(self, write_csv: WriteCsv) -> None:
        problem = only_problem(write_csv("Images/skirt/a.jpg,skirt"))
        assert "a test list has no keypoints" in problem.message

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "the file is empty"),
            (b"\n \n\n", "the file is empty"),
            (b"\xef\xbb\xbf", "the file is empty"),
            (f"{HEADER}\n".encode(), "no row below the header"),
            (f"{HEADER}\n\n  \n".encode(), "no row below the header"),
        ],
    )
    def test_nothing_in_the_file(self, content: bytes, message: str, write_csv: WriteCsv) -> None:
        path = write_csv(content=content)
        problem = only_problem(path)
        assert problem.row == 0
        assert message in problem.message
        with pytest.raises(AnnotationError, match=message):
            read_labels(path)

    @pytest.mark.parametrize("count", [25, 27])
    def test_a_row_with_another_number_of_cells(self, count: int, write_csv: WriteCsv) -> None:
        row = skirt("b") + ",1" if count == 27 else skirt("b").rpartition(",")[0]
        path = write_csv(HEADER, skirt("a"), row, skirt("c"))
        problem = only_problem(path)
        assert (problem.row, problem.value) == (3, row)
        assert f"{count} cells, expected 26" in problem.message
        assert check_annotations(path)[0].rows.tolist() == [2, 4]

    def test_lost_and_added_cells_do_not_make_up_for_each_other(self, write_csv: WriteCsv) -> None:
        path = write_csv(HEADER, skirt("a").rpartition(",")[0], skirt("b") + ",1")
        assert [problem.row for problem in problems_of(path)] == [2, 3]

    @pytest.mark.parametrize("bad", [b"\xff\xfe", b"\xe4", b"\0"])
    def test_what_is_not_text(self, bad: bytes, write_csv: WriteCsv) -> None:
        content = f"{HEADER}\n{skirt('a')}\n".encode() + bad + skirt("b").encode()
        problem = only_problem(write_csv(content=content))
        assert problem.row == 3
        assert "not UTF-8 text" in problem.message
        assert "Save it as UTF-8" in problem.message

    def test_utf16(self, write_csv: WriteCsv) -> None:
        content = f"{HEADER}\n{skirt('a')}\n".encode("utf-16")
        assert "not UTF-8 text" in only_problem(write_csv(content=content)).message

    @pytest.mark.parametrize(
        "image_id",
        [
            "../secret.jpg", "Images/../../secret.jpg", "Images/..", "/etc/passwd", "//host/share",
            "C:\\x.jpg", "C:/x.jpg", "c:x", "\\\\host\\x.jpg", "Images\\..\\..\\a.jpg", "~/a.jpg",
            "~root/a.jpg",
        ],
    )  # fmt: skip
    def test_ids_of_labels_do_not_leave_the_root(self, image_id: str, write_csv: WriteCsv) -> None:
        row = skirt("b").replace("Images/skirt/b.jpg", image_id)
        path = write_csv(HEADER, skirt("a"), row)
        problem = only_problem(path)
        assert (problem.row, problem.column, problem.value) == (3, "image_id", image_id)
        assert problem.severity == "error"
        assert "leaves the data root; expected a relative path" in problem.message
        for read in (read_predictions, read_test_list):
            assert read(path).image_ids[1] == image_id

    def test_a_backslash_is_named(self, write_csv: WriteCsv) -> None:
        row = skirt("b").replace("Images/skirt/b.jpg", "Images\\skirt\\a.jpg")
        problem = only_problem(write_csv(HEADER, row))
        assert problem.severity == "error"
        assert "has a backslash; expected '/' between folders" in problem.message

    @pytest.mark.parametrize(
        "image_id", ["a\tb.jpg", " a.jpg", "a.jpg ", "a\x1b.jpg", "a\u200b.jpg"]
    )
    @pytest.mark.parametrize("kind", ["labels", "predictions", "list"])
    def test_an_id_that_hides_something_is_a_warning(
        self, image_id: str, kind: Kind, write_csv: WriteCsv
    ) -> None:
        path = write_csv(HEADER, skirt("a"), skirt("b").replace("Images/skirt/b.jpg", image_id))
        table, (problem,) = check_annotations(path, kind)
        assert table.image_ids[1] == image_id
        assert (problem.row, problem.column, problem.severity) == (3, "image_id", "warning")

    @pytest.mark.parametrize("image_id", ["", " ", "\t", "   "])
    def test_empty_image_ids(self, image_id: str, write_csv: WriteCsv) -> None:
        row = skirt("b").replace("Images/skirt/b.jpg", image_id)
        problem = only_problem(write_csv(HEADER, skirt("a"), row))
        assert (problem.row, problem.column) == (3, "image_id")
        assert "the image id is empty" in problem.message

    @pytest.mark.parametrize("image_id", ["a..b.jpg", "Images/..a/b.jpg", "a:b.jpg", "Kleid/ü.jpg"])
    def test_image_ids_that_only_look_odd(self, image_id: str, write_csv: WriteCsv) -> None:
        path = write_csv(HEADER, skirt("b").replace("Images/skirt/b.jpg", image_id))
        if image_id == "a:b.jpg":
            assert "leaves the data root" in only_problem(path).message
        else:
            assert read_labels(path).image_ids == (image_id,)

    def test_points_that_the_category_does_not_define(self, write_csv: WriteCsv) -> None:
        path = write_csv(HEADER, skirt("a", crotch="1_2_0"))
        problem = only_problem(path)
        assert (problem.row, problem.column, problem.value) == (2, "crotch", "1_2_0")
        assert problem.severity == "error"
        assert problem.message.startswith("skirt has no such point; expected -1_-1_-1")

    @pytest.mark.parametrize("cell", ["-1_5_1", "5_-3_0", "-0.5_2_1"])
    def test_a_negative_coordinate_is_a_warning(self, cell: str, write_csv: WriteCsv) -> None:
        path = write_csv(HEADER, skirt("a", hemline_left=cell))
        problem = only_problem(path)
        assert (problem.row, problem.column, problem.value) == (2, "hemline_left", cell)
        assert problem.severity == "warning"
        assert "outside the image" in problem.message
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(read_labels(path)) == 1

    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            read_labels(tmp_path / "none.csv")

    def test_long_values_are_shortened(self, write_csv: WriteCsv) -> None:
        path = write_csv(HEADER, skirt("a", hemline_left="x" * 1000))
        problem = only_problem(path)
        assert problem.value == "x" * 1000
        assert len(str(problem)) < len(str(path)) + 300


class TestDuplicates:
    def test_the_same_row_twice_is_dropped_with_one_warning(self, write_csv: WriteCsv) -> None:
        rows = [skirt("a"), skirt("b"), skirt("a"), skirt("c"), skirt("b"), skirt("a")]
        path = write_csv(HEADER, *rows)
        with pytest.warns(AnnotationWarning) as caught:
            table = read_labels(path)
        assert len(caught) == 1
        assert "3 rows stand twice, letter for letter" in str(caught[0].message)
        assert str(path) in str(caught[0].message)
        assert caught[0].filename == __file__
        assert table.image_ids == tuple(f"Images/skirt/{name}.jpg" for name in "abc")
        assert table.rows.tolist() == [2, 3, 5]

    def test_a_single_one(self, write_csv: WriteCsv) -> None:
        with pytest.warns(AnnotationWarning, match="1 row stands twice"):
            read_labels(write_csv(HEADER, skirt("a"), skirt("a")))

    @pytest.mark.parametrize("kind", ["labels", "predictions"])
    def test_other_points_are_an_error(self, kind: Kind, write_csv: WriteCsv) -> None:
        path = write_csv(HEADER, skirt("a"), skirt("b"), skirt("a", hemline_left="1_1_1"))
        problem = only_problem(path, kind)
        assert (problem.row, problem.column) == (4, "image_id")
        assert problem.value == "Images/skirt/a.jpg"
        assert problem.severity == "error"
        assert "already stands in row 2 with other values; keep one" in problem.message

    def test_another_category_is_an_error(self, write_csv: WriteCsv) -> None:
        lines = ["image_id,image_category", "a.jpg,skirt", "a.jpg,dress"]
        assert only_problem(write_csv(*lines), "list").row == 3

    def test_both_at_once(self, write_csv: WriteCsv) -> None:
        rows = [skirt("a"), skirt("a"), skirt("a", hemline_left="1_1_0")]
        problems = problems_of(write_csv(HEADER, *rows))
        assert [(problem.row, problem.severity) for problem in problems] == [
            (0, "warning"),
            (4, "error"),
        ]


class TestWriting:
    def test_a_clean_file_comes_back_byte_for_byte(self, write_csv: WriteCsv) -> None:
        path = write_csv(HEADER, skirt("a"), skirt("b", hemline_left="0_9999_0"))
        written = path.with_name("written.csv")
        write_labels(written, read_labels(path))
        assert written.read_bytes() == path.read_bytes()

    def test_decimals_are_written_with_two(self, write_csv: WriteCsv) -> None:
        path = write_csv(skirt("a", hemline_left="1.25_3.0_1", hemline_right="-0.5_2_1"))
        written = path.with_name("written.csv")
        write_labels(written, read_predictions(path))
        cells = written.read_text().splitlines()[1].split(",")
        assert cells[COLUMNS.index("hemline_left")] == "1.25_3_1"
        assert cells[COLUMNS.index("hemline_right")] == "-0.50_2_1"

    def test_an_empty_table_is_a_header(self, write_csv: WriteCsv) -> None:
        path = write_csv(HEADER, skirt("a"))
        written = path.with_name("written.csv")
        write_labels(written, read_labels(path).select(np.zeros(1, np.bool_)))
        assert written.read_text() == HEADER + "\n"

    def test_a_submission_has_whole_pixels_on_the_categorys_points(
        self, write_csv: WriteCsv
    ) -> None:
        row = skirt("a", hemline_left="10.6_20.4_0", hemline_right="-1_-1_-1", crotch="5_5_1")
        predictions = read_predictions(write_csv(row))
        path = write_csv()
        write_submission(path, predictions)
        cells = dict(zip(COLUMNS, path.read_text().splitlines()[1].split(","), strict=True))
        assert cells["hemline_left"] == "11_20_1"
        assert cells["hemline_right"] == "-1_-1_1"
        assert cells["crotch"] == "-1_-1_-1"
        assert cells["waistband_right"] == "200_52_1"
        assert not problems_of(path, "predictions")

    def test_predictions_keep_places_visibilities_and_two_decimals(
        self, write_csv: WriteCsv
    ) -> None:
        row = skirt("a", hemline_left="10.625_20_0", hemline_right="7_8_-1", crotch="5_5_1")
        path = write_csv()
        write_predictions(path, read_predictions(write_csv(row)))
        cells = dict(zip(COLUMNS, path.read_text().splitlines()[1].split(","), strict=True))
        assert cells["hemline_left"] == "10.62_20_0"
        assert cells["hemline_right"] == "7_8_-1"
        assert cells["crotch"] == "-1_-1_-1", "a skirt has none"
        assert not problems_of(path, "predictions")

    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(data=st.data())
    def test_any_clean_table_makes_the_round_trip(
        self, data: st.DataObject, tmp_path: Path
    ) -> None:
        lines = data.draw(st.lists(clean_rows(), min_size=1, max_size=8, unique_by=lambda r: r[0]))
        content = "\n".join([HEADER, *(",".join(line) for line in lines), ""]).encode()
        path, written = tmp_path / "clean.csv", tmp_path / "written.csv"
        path.write_bytes(content)
        table, problems = check_annotations(path)
        assert problems == []
        write_labels(written, table)
        assert written.read_bytes() == content
        # The fast parser and plain Python agree on every cell.
        plain = [[[int(n) for n in cell.split("_")] for cell in line[2:]] for line in lines]
        parsed = np.concatenate([table.keypoints, table.visibility[..., None]], axis=2)
        assert (parsed == np.array(plain)).all()

    @settings(
        max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(cell=st.one_of(st.text("0123456789-_. ae+\uff11", max_size=12), numbered_cells()))
    def test_any_cell_is_read_as_plain_python_reads_it_or_named(
        self, cell: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "cell.csv"
        path.write_text("\n".join([HEADER, skirt("a", hemline_left=cell), ""]))
        table, problems = check_annotations(path, "predictions")
        point = KEYPOINT_INDEX["hemline_left"]
        parts = cell.split("_")
        fine = len(parts) == 3 and all(map(is_plain_number, parts[:2]))
        fine = fine and parts[2] in ("-1", "0", "1")
        fine = fine and all(abs(float(part)) <= 2**24 for part in parts[:2])
        assert (problems == []) == fine
        if fine:
            x, y, v = parts
            expected = np.array([float(x), float(y)], np.float32)
            assert table.keypoints[0, point].tolist() == expected.tolist()
            assert table.visibility[0, point] == int(v)


def is_plain_number(text: str) -> bool:
    """Digits, a minus before them, a point and digits after them; nothing else."""
    whole, point, decimals = text.removeprefix("-").partition(".")
    digits = [whole, decimals] if point else [whole]
    return all(part.isascii() and part.isdecimal() for part in digits)


@st.composite
def clean_rows(draw: st.DrawFn) -> list[str]:
    """Fields of a row as the data set's authors write it."""
    category = draw(st.sampled_from(CATEGORY_NAMES))
    name = draw(st.text("0123456789abcdefü_-", min_size=1, max_size=8))
    labelled = st.tuples(st.integers(0, 20_000), st.integers(0, 512), st.integers(0, 1))
    cell = st.one_of(st.just((-1, -1, -1)), labelled)
    defined = CATEGORIES[category].keypoints
    cells = [draw(cell) if point in defined else (-1, -1, -1) for point in COLUMNS[2:]]
    return [f"Images/{category}/{name}.jpg", category, *("_".join(map(str, c)) for c in cells)]


class TestRealData:
    @pytest.mark.parametrize("split", ["train", "val"])
    def test_byte_identical_round_trip(
        self, split: str, fashionai_root: Path, tmp_path: Path
    ) -> None:
        path = fashionai_root / split / "Annotations" / f"{split}.csv"
        written = tmp_path / "written.csv"
        write_labels(written, read_labels(path))
        assert written.read_bytes() == path.read_bytes()

    def test_the_whole_release(self, fashionai_root: Path) -> None:
        path = fashionai_root / "annotations_2018.csv"
        with path.open() as file:
            assert sum(1 for _ in file) == 64_131 + 1
        table, problems = check_annotations(path)
        assert [problem for problem in problems if problem.row] == []
        (warning,) = problems
        assert "366 rows stand twice" in warning.message
        assert len(table) == len(set(table.image_ids)) == 63_765

    def test_every_cell_as_plain_python_reads_it(self, fashionai_root: Path) -> None:
        path = fashionai_root / "train" / "Annotations" / "train.csv"
        table = read_labels(path)
        rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
        plain = np.array([[c.split("_") for c in row[2:]] for row in rows]).astype(int)
        assert (table.keypoints == plain[..., :2]).all()
        assert (table.visibility == plain[..., 2]).all()
        assert [*table.image_ids] == [row[0] for row in rows]


def assert_same(table: KeypointTable, expected: KeypointTable) -> None:
    assert table.image_ids == expected.image_ids
    assert (table.category_indices == expected.category_indices).all()
    assert (table.keypoints == expected.keypoints).all()
    assert (table.visibility == expected.visibility).all()
