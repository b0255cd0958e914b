"""CSV files: read as a plain, strict reader reads them, or refused by both."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

import numpy as np

from fashionkp_mm.core.csv_columns import Kind
from fashionkp_mm.core.csv_format import (
    check_annotations,
    read_labels,
    read_predictions,
    read_test_list,
    write_predictions,
)
from fashionkp_mm.core.garments import CATEGORIES, CATEGORY_NAMES, KEYPOINT_NAMES
from fashionkp_mm.core.table import AnnotationError, KeypointTable
from fuzzing import Fault, plain_csv
from fuzzing.child import Limits
from fuzzing.mutations import BYTE_MUTATIONS

LIMITS = Limits(seconds=2, mebibytes=256)
_READERS: dict[Kind, Callable[[Path], KeypointTable]] = {
    "labels": read_labels,
    "predictions": read_predictions,
    "list": read_test_list,
}
_HEADER = ["image_id", "image_category", *KEYPOINT_NAMES]
_ABSENT = "-1_-1_-1"

_ODD_CELLS = (
    "", " ", "-1_-1_0", "-1_-1_1", "1_2", "1_2_3_4", "1_2_2", "1_2_-2", "5_6_-1",
    "\uff11\uff12_5_1", "\u0663_5_1", "\u00b2_5_1", "1e3_5_1", "1E1_5_1", "+5_5_1", " 5_5_1",
    "5_5_1 ", "5 _5_1", "5_5_ 1", "5_5_+1", "nan_nan_1", "inf_0_1", "-inf_0_1", "NaN_1_1",
    "0x10_5_1", "1__2_1", "1_000_5_1", "5.5_7.25_1", ".5_5_1", "5._5_1", "-0_5_1", "-0.0_5_0",
    "-3_5_1", "-3.25_-7_0", "16777216_5_1", "16777217_5_1", "99999999999999999999_5_1",
    "00012_5_1", "1_2_01", "1_2_1.0", "12345_5_1", "123456_654321_0", "1.1.1_2_1", "1,5_2_1",
    '"5_5_1"', "-1_-1_-1_", "_-1_-1_-1", "\u22125_5_1", "1_2_1\t", "1_2_1\r", "1_2\n_1",
    "-1.0_-1.0_-1", "-1_-1_-01", "--1_5_1", "1_2_True", "0_0_0", "9999_9999_1", "10000_9999_1",
    "5_5_1\u00a0", "\ufeff5_5_1", "5_5_1\u2028", "5_5_1\x0c",
)  # fmt: skip
_ODD_IDS = (
    "", " ", "a.jpg", "/abs/a.jpg", "../a.jpg", "a/../b.jpg", "a\\b.jpg", "C:/a.jpg", "~/a.jpg",
    "a:b.jpg", "a..b.jpg", "Images/skirt/a,b.jpg", 'Images/skirt/a"b.jpg', "Images/skirt/ü.jpg",
    "Images/skirt/a b.jpg", " Images/a.jpg", "Images/a.jpg ", "Images/\ta.jpg", "Images/\x07.jpg",
    "Images/a\nb.jpg", "image_id", "Images/.../a.jpg", "./a.jpg", "Images//a.jpg",
    "Images/\x7f.jpg", "Images/a\u2028b.jpg", "Images/a\x0cb.jpg", "Images/a\x85b.jpg", "-", "...",
    "..",
)  # fmt: skip
_ODD_CATEGORIES = (
    "",
    "Skirt",
    "skirt ",
    " skirt",
    "coat",
    "image_category",
    "blouse,",
    "sk\u0131rt",
)
_ODD_NAMES = (
    "", "image_id", "image_category", "Image_ID", " image_id", "neckline_left", "neckline_left ",
    "column 27", "x", "1_2_1", "skirt", '"', "hemline_left\u00a0",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A file, and as what it is read."""

    content: bytes
    kind: Kind


def make(random: Random) -> Case:
    """A good file with up to five things done to it."""
    kind: Kind = random.choice(("labels", "labels", "predictions", "list"))
    # What is good about the file has a seed of its own: nothing there for Hypothesis to look into.
    seed = Random(random.getrandbits(32))
    rows = [_row(seed, kind, index) for index in range(random.randint(1, 5))]
    if random.random() < 0.75:
        rows.insert(0, list(_HEADER))
    if kind == "list" and random.random() < 0.7:
        rows = [row[:2] for row in rows]
    for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
        random.choice(_TABLE_MUTATIONS)(rows, random)
    content = _text(rows, random).encode("utf-8", "surrogatepass")
    for _ in range(random.choice((0, 0, 0, 1, 1, 2))):
        content = random.choice((*_TEXT_MUTATIONS, *BYTE_MUTATIONS))(content, random)
    return Case(content, kind)


def prepare(folder: Path) -> None:
    """Import and read once."""
    path = folder / "labels.csv"
    path.write_bytes(b"a,skirt," + ",".join([_ABSENT] * 24).encode())
    check_annotations(path)


def check(case: Case, folder: Path) -> Literal["accepted", "refused"]:
    """Both readers refuse, or both read the same, and it survives being written and read."""
    path = folder / "labels.csv"
    path.write_bytes(case.content)
    table = _read(path, case.kind)
    _, problems = check_annotations(path, case.kind)
    errors = [problem for problem in problems if problem.severity == "error"]
    if bool(errors) != (table is None):
        raise Fault(f"check_annotations finds {len(errors)} errors, reading {table is None}")
    try:
        expected = plain_csv.read(case.content, case.kind)
    except plain_csv.Refused as reason:
        if table is not None:
            raise Fault(f"accepted, though {reason}") from None
        return "refused"
    if table is None:
        raise Fault(f"refused, though nothing is wrong: {errors[0]}")
    _require_equal(table, expected)
    if case.kind != "list":
        _require_round_trip(table, folder / "again.csv")
    return "accepted"


def _read(path: Path, kind: Kind) -> KeypointTable | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _READERS[kind](path)
        except AnnotationError:
            return None


def _require_equal(table: KeypointTable, expected: list[plain_csv.Row]) -> None:
    found = {
        "ids": list(table.image_ids),
        "categories": [CATEGORY_NAMES[index] for index in table.category_indices],
        "lines": table.rows.tolist(),
    }
    wanted = {
        "ids": [row.image_id for row in expected],
        "categories": [row.category for row in expected],
        "lines": [row.line for row in expected],
    }
    for what, values in wanted.items():
        if found[what] != values:
            raise Fault(f"{what} are {found[what]!r}, not {values!r}")
    points = np.array([row.points for row in expected], np.float64).reshape(-1, 24, 3)
    places = points[..., :2].astype(np.float32)
    for what, ours, theirs in (
        ("keypoints", table.keypoints, places),
        ("visibility", table.visibility, points[..., 2]),
    ):
        if ours.shape != theirs.shape or not np.array_equal(ours, theirs):
            raise Fault(f"{what} differ")


def _require_round_trip(table: KeypointTable, path: Path) -> None:
    """What was read can be written, and what was written can be read: the same, to 0.01 pixels.

    Points that the category lacks are not written.
    """
    write_predictions(path, table)
    again = read_predictions(path)
    if (again.image_ids, again.category_indices.tolist()) != (
        table.image_ids,
        table.category_indices.tolist(),
    ):
        raise Fault("written and read again, ids or categories are others")
    labelled = again.visibility != -1
    if not np.allclose(again.keypoints[labelled], table.keypoints[labelled], rtol=0, atol=0.006):
        raise Fault("written and read again, points lie elsewhere")


# --- good rows


def _row(random: Random, kind: Kind, index: int) -> list[str]:
    category = random.choice(CATEGORY_NAMES)
    cells = []
    for name in KEYPOINT_NAMES:
        defined = kind == "predictions" or name in CATEGORIES[category].keypoints
        if not defined or random.random() < 0.2:
            cells.append(_ABSENT)
            continue
        x, y = (_number(random) for _ in range(2))
        cells.append(f"{x}_{y}_{random.choice((1, 1, 0))}")
    return [f"Images/{category}/{index}.jpg", category, *cells]


def _number(random: Random) -> str:
    whole = random.choice((random.randint(0, 600), random.randint(0, 20000)))
    return str(whole) if random.random() < 0.8 else f"{whole}.{random.randint(0, 999)}"


# --- what is done to the table


def _odd_cell(rows: list[list[str]], random: Random) -> None:
    row = random.choice(rows)
    if len(row) > 2:
        row[random.randrange(2, len(row))] = random.choice(_ODD_CELLS)


def _odd_id(rows: list[list[str]], random: Random) -> None:
    if row := random.choice(rows):
        row[0] = random.choice(_ODD_IDS)


def _odd_category(rows: list[list[str]], random: Random) -> None:
    row = random.choice(rows)
    if len(row) > 1:
        row[1] = random.choice((*_ODD_CATEGORIES, *CATEGORY_NAMES))


def _odd_name(rows: list[list[str]], random: Random) -> None:
    if row := rows[0]:
        row[random.randrange(len(row))] = random.choice(_ODD_NAMES)


def _swapped_cells(rows: list[list[str]], random: Random) -> None:
    row = random.choice(rows)
    if len(row) > 1:
        one, two = random.randrange(len(row)), random.randrange(len(row))
        row[one], row[two] = row[two], row[one]


def _swapped_columns(rows: list[list[str]], random: Random) -> None:
    width = min(len(row) for row in rows)
    if width > 1:
        one, two = random.randrange(width), random.randrange(width)
        for row in rows:
            row[one], row[two] = row[two], row[one]


def _lost_cell(rows: list[list[str]], random: Random) -> None:
    if row := random.choice(rows):
        del row[random.randrange(len(row))]


def _added_cell(rows: list[list[str]], random: Random) -> None:
    row = random.choice(rows)
    row.insert(random.randrange(len(row) + 1), random.choice((*_ODD_CELLS, _ABSENT)))


def _lost_column(rows: list[list[str]], random: Random) -> None:
    width = min(len(row) for row in rows)
    if width:
        place = random.randrange(width)
        for row in rows:
            del row[place]


def _added_column(rows: list[list[str]], random: Random) -> None:
    place = random.randrange(min(len(row) for row in rows) + 1)
    name = random.choice((*_ODD_NAMES, *_HEADER))
    for index, row in enumerate(rows):
        row.insert(place, name if index == 0 else random.choice((_ABSENT, "", "7", "1_2_1")))


def _short_header(rows: list[list[str]], random: Random) -> None:
    rows.insert(0, list(_HEADER[: random.choice((1, 2, 2, 2, 3, 25))]))


def _repeated_row(rows: list[list[str]], random: Random) -> None:
    rows.insert(random.randrange(len(rows) + 1), list(random.choice(rows)))


def _same_id(rows: list[list[str]], random: Random) -> None:
    one, two = random.choice(rows), random.choice(rows)
    if one and two:
        one[0] = two[0]


def _lost_row(rows: list[list[str]], random: Random) -> None:
    if len(rows) > 1:
        del rows[random.randrange(len(rows))]


def _blank_row(rows: list[list[str]], random: Random) -> None:
    blank = random.choice(([""], [" "], ["", ""], [""] * 26, ["garbage"], ["# labels"], ["\t"]))
    rows.insert(random.randrange(len(rows) + 1), list(blank))


_TABLE_MUTATIONS: tuple[Callable[[list[list[str]], Random], None], ...] = (
    _odd_cell, _odd_cell, _odd_cell, _odd_id, _odd_category, _odd_name, _swapped_cells,
    _swapped_columns, _lost_cell, _added_cell, _lost_column, _added_column, _short_header,
    _repeated_row, _same_id, _lost_row, _blank_row,
)  # fmt: skip


# --- what is done to the text


def _text(rows: list[list[str]], random: Random) -> str:
    """Written out, now and then with quotes or with other separators and line ends."""
    quoting = random.choice(("none", "none", "needed", "all", "some"))
    separator = random.choice((",",) * 12 + (";", "\t", ", "))
    end = random.choice(("\n",) * 6 + ("\r\n",) * 3 + ("\r",))

    def cell(text: str) -> str:
        needed = any(letter in text for letter in ',"\r\n')
        quoted = {"none": False, "needed": needed, "all": True, "some": random.random() < 0.1}
        return '"' + text.replace('"', '""') + '"' if quoted[quoting] else text

    lines = [separator.join(cell(text) for text in row) for row in rows]
    text = end.join([*lines, ""])
    text = text.removesuffix(end) if random.random() < 0.1 else text
    return ("\ufeff" if random.random() < 0.1 else "") + text


def _with_mark(data: bytes, random: Random) -> bytes:
    place = random.choice((0, 0, random.randrange(len(data) + 1)))
    return data[:place] + b"\xef\xbb\xbf" + data[place:]


def _with_quote(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.choice((b'"', b'""', b'","', b"'")) + data[place:]


def _with_line_end(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.choice((b"\r", b"\n", b"\r\n", b"\n\n", b"\x0b")) + data[place:]


def _with_separator(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.choice((b",", b";", b"\t", b",,", b"_")) + data[place:]


def _with_other_ends(data: bytes, random: Random) -> bytes:
    ends = random.choice((b"\r\n", b"\r", b"\n\r", b"\n\n", b"\r\r\n"))
    return data.replace(b"\n", ends, random.choice((-1, 1, 2)))


def _in_utf_16(data: bytes, random: Random) -> bytes:
    return data.decode("utf-8", "replace").encode(random.choice(("utf-16", "utf-16-le")))


_TEXT_MUTATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _with_mark, _with_quote, _with_quote, _with_line_end, _with_separator, _with_other_ends,
    _in_utf_16,
)  # fmt: skip
