"""`fashionkp check` of files that are not what they seem, or wrong from one end to the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fashionkp_mm.cli import app
from fashionkp_mm.core.csv_columns import COLUMNS

HEADER = ",".join(COLUMNS)
ABSENT = "-1_-1_-1"


def row(image_id: str, first_cell: str = ABSENT) -> str:
    cells = {"waistband_left": "20_10_1", "waistband_right": "40_10_1", COLUMNS[2]: first_cell}
    return ",".join((image_id, "skirt", *(cells.get(name, ABSENT) for name in COLUMNS[2:])))


def check(path: Path, *lines: str, arguments: tuple[str, ...] = ()) -> Result:
    path.write_text("\n".join((*lines, "")))
    environment = {"COLUMNS": "200", "NO_COLOR": "1"}
    return CliRunner(env=environment).invoke(app, ["check", str(path), *arguments])


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


def test_an_empty_line_before_the_header_hides_nothing(csv: Path) -> None:
    result = check(csv, "", HEADER, row("a.jpg", "garbage"))
    assert result.exit_code == 1
    assert f"{csv}, row 3, column neckline_left, value 'garbage': malformed" in result.stdout


def test_it_says_that_it_read_a_test_list(csv: Path) -> None:
    result = check(csv, "image_id,image_category", "a.jpg,skirt")
    assert result.exit_code == 0
    assert f"0 errors, 0 warnings in {csv}, read as a test list" in result.stdout


def test_one_fault_everywhere_is_told_five_times_and_counted(csv: Path) -> None:
    rows = [row(f"{i}.jpg", "1_2_2") for i in range(5000)]
    result = check(csv, HEADER, *rows)
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert all(
        f"row {number}," in line for number, line in zip(range(2, 7), lines[:5], strict=True)
    )
    assert lines[5] == f"error: {csv}: 4,995 more like this, the last in row 5001"
    assert lines[6] == "--json lists every one."
    assert f"5,000 errors, 0 warnings in {csv}" in result.stdout
    assert len(lines) < 20


def test_json_has_every_problem(csv: Path) -> None:
    result = check(
        csv, HEADER, *(row(f"{i}.jpg", "1_2_2") for i in range(40)), arguments=("--json",)
    )
    found: dict[str, Any] = json.loads(result.stdout)
    assert [problem["row"] for problem in found["problems"]] == list(range(2, 42))
    assert found["problems"][0] == {
        "file": str(csv),
        "row": 2,
        "column": "neckline_left",
        "value": "1_2_2",
        "message": "v is out of range; expected 1 (visible), 0 (occluded) or -1 (absent)",
        "severity": "error",
    }
    assert found["errors"] == 40


def test_json_without_a_problem(csv: Path) -> None:
    result = check(csv, HEADER, row("a.jpg"), arguments=("--json",))
    assert json.loads(result.stdout)["problems"] == []


def test_ids_from_anywhere_are_fine_in_predictions(csv: Path) -> None:
    lines = [HEADER, row("/photos/a.jpg"), row("../b.jpg"), row('"c, d.jpg"')]
    assert check(csv, *lines, arguments=("--kind", "predictions")).exit_code == 0
    result = check(csv, *lines)
    assert result.stdout.count("leaves the data root") == 2


def test_images_outside_the_folder_are_not_opened(csv: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_text("not an image")
    (tmp_path / "images").mkdir()
    arguments = ("--kind", "predictions", "--images", str(tmp_path / "images"))
    lines = [HEADER, row("../secret.jpg"), row(f"{tmp_path}/secret.jpg")]
    result = check(csv, *lines, arguments=arguments)
    assert result.exit_code == 1
    assert "not an image" not in result.stdout
    assert "none of the 2 images is in this folder" in result.stdout
