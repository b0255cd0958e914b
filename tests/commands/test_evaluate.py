"""`fashionkp evaluate` of predicted categories, visibilities, and of several files at once."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fashionkp_mm.cli import app
from fashionkp_mm.core.csv_columns import COLUMNS
from fashionkp_mm.core.garments import CATEGORIES, KEYPOINT_NAMES

SKIRT = {
    "waistband_left": "20_10_1",
    "waistband_right": "40_10_1",
    "hemline_left": "10_50_0",
    "hemline_right": "50_50_1",
}


def row(image_id: str, category: str = "skirt", **cells: str) -> str:
    points = {name: SKIRT.get(name, "30_30_1") for name in CATEGORIES[category].keypoints}
    points.update(cells)
    return ",".join((image_id, category, *(points.get(n, "-1_-1_-1") for n in KEYPOINT_NAMES)))


def write_csv(path: Path, *rows: str) -> Path:
    path.write_text("\n".join((",".join(COLUMNS), *rows, "")))
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "labels.csv", row("a.jpg"), row("b.jpg"))


@pytest.fixture
def right(tmp_path: Path) -> Path:
    """Predictions without a fault, with visibilities."""
    return write_csv(tmp_path / "right.csv", row("a.jpg"), row("b.jpg"))


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """A skirt that is taken for a skirt, and has no place for a point all the same."""
    skirt, lacking = row("a.jpg"), row("b.jpg", hemline_right="-1_-1_-1")
    return write_csv(tmp_path / "partial.csv", skirt, lacking)


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """The one skirt is taken for trousers; of the other, a point for absent, in its place."""
    trousers, skirt = row("a.jpg", "trousers"), row("b.jpg", hemline_right="50_60_-1")
    return write_csv(tmp_path / "wrong.csv", trousers, skirt)


def run(*args: object) -> Result:
    environment = {"COLUMNS": "200", "NO_COLOR": "1"}
    return CliRunner(env=environment).invoke(app, ["evaluate", *map(str, args)])


def run_json(*args: object) -> dict[str, Any]:
    content = json.loads(run(*args, "--json").stdout)
    assert isinstance(content, dict)
    return content


def test_points_of_the_labelled_category_are_scored(labels: Path, wrong: Path) -> None:
    result = run(labels, wrong)
    # a.jpg: both of the waistband, and the hemline that trousers lack; b.jpg: both, and 10 of 20
    # pixels for the hemline.
    assert result.stdout.startswith("NE: 25.0000 %  (6 points")
    line = "1 point of 1 image that the predicted category lacks counted as an error of 1 a point"
    assert line in result.stdout
    assert (result.exit_code, result.stderr) == (0, "")


def test_points_without_a_place_are_an_error(labels: Path, partial: Path) -> None:
    result = run(labels, partial)
    assert result.stdout.startswith("NE of the points with a prediction: 0.0000 %  (5 points")
    assert "1 point of 1 image without a place left out" in result.stdout
    assert result.exit_code == 1
    assert "1 point of 1 image without a place, although" in result.stderr
    assert "b.jpg (1); predict every point of the labelled category" in result.stderr
    found = run_json(labels, partial, "--missing-predictions", "count")
    assert (found["points"], found["missing_points"]) == (6, {"b.jpg": ["hemline_right"]})
    assert found["lacked_points"] == {}


@pytest.mark.parametrize(
    ("rule", "value", "points"), [("error", 25, 6), ("count", 25, 6), ("skip", 10, 5)]
)
def test_points_that_the_predicted_category_lacks_by_rule(
    labels: Path, wrong: Path, rule: str, value: float, points: int
) -> None:
    found = run_json(labels, wrong, "--missing-predictions", rule)
    assert (found["NE"], found["points"]) == (pytest.approx(value), points)
    assert found["lacked_points"] == {"a.jpg": ["hemline_right"]}
    assert found["missing_points"] == {}
    assert found["missing_predictions"] == []
    assert run(labels, wrong, "--missing-predictions", rule).exit_code == 0


def test_recognition_is_counted(labels: Path, wrong: Path) -> None:
    found = run_json(labels, wrong, "--missing-predictions", "skip")
    assert found["category"]["accuracy"] == 50
    assert found["category"]["counts"]["skirt"]["trousers"] == 1
    # Trousers have no hemline, so the first skirt's two are taken for absent.
    assert found["visibility"]["counts"]["visible"] == {"absent": 2, "occluded": 0, "visible": 4}
    assert found["visibility"]["counts"]["occluded"] == {"absent": 1, "occluded": 1, "visible": 0}

    text = run(labels, wrong, "--missing-predictions", "skip").stdout
    assert "1 point of 1 image that the predicted category lacks left out" in text
    assert re.search(r"category +50\.00 % of 2 right", text)
    assert re.search(r"visibility +62\.50 % of 8 right, mean of the classes 58\.33 %", text)
    assert re.search(r"labelled, found as: +absent +occluded +visible +right %", text)
    assert re.search(r"visible +2 +0 +4 +66\.67", text)


def test_categories_as_labelled_are_not_called_recognised(labels: Path, right: Path) -> None:
    text = run(labels, right).stdout
    assert re.search(r"category +as labelled on all 2 images: given, or recognised", text)


def test_nothing_is_said_of_a_contest_entry(labels: Path, tmp_path: Path) -> None:
    filled = dict.fromkeys(KEYPOINT_NAMES, "30_30_1")
    entry = write_csv(tmp_path / "entry.csv", *(row(f"{name}.jpg", **filled) for name in "ab"))
    text = run(labels, entry).stdout
    assert "category  " in text, "of the table"
    assert "right" not in text.split("category  ")[0]
    assert "visibility" not in text
    found = run_json(labels, entry)
    assert (found["category"], found["visibility"]) == (None, None)


def test_several_files_are_one_table(labels: Path, right: Path, wrong: Path) -> None:
    result = run(labels, right, f"own={wrong}", "--missing-predictions", "count")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["right", "own"]
    assert re.search(r"NE % +0\.000 +25\.000\n", result.stdout)
    assert re.search(r"NE % skirt +0\.000 +25\.000\n", result.stdout)
    assert "NE % dress" not in result.stdout
    assert re.search(r"category accuracy % +as labelled +50\.00\n", result.stdout)
    assert re.search(r"visibility accuracy % +100\.00 +62\.50\n", result.stdout)


def test_several_files_as_json(labels: Path, right: Path, wrong: Path) -> None:
    found = run_json(labels, right, wrong, "--missing-predictions", "skip")
    assert list(found) == ["right", "wrong"]
    assert found["wrong"] == run_json(labels, wrong, "--missing-predictions", "skip")


def test_what_is_missing_in_one_of_several_files_is_named(
    labels: Path, right: Path, partial: Path
) -> None:
    result = run(labels, right, partial)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].split() == ["right", "partial", "(partly)"]
    assert result.stderr.startswith("error: partial: 1 point of 1 image without a place")


def test_files_need_names_of_their_own(labels: Path, right: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    same = write_csv(tmp_path / "other" / "right.csv", row("a.jpg"), row("b.jpg"))
    result = run(labels, right, same)
    assert result.exit_code == 2
    assert "two files are called 'right'" in result.stderr
    assert run(labels, right, f"other={same}").exit_code == 0


def test_a_name_may_hold_an_equals_sign(labels: Path, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "lr=0.1.csv", row("a.jpg"), row("b.jpg"))
    assert run(labels, path).exit_code == 0


def test_a_file_that_does_not_exist_is_a_usage_error(labels: Path) -> None:
    for argument in ("nowhere.csv", "name=nowhere.csv"):
        result = run(labels, argument)
        assert result.exit_code == 2
        assert "'nowhere.csv' does not exist" in result.stderr


def test_names_are_printed_and_not_interpreted(labels: Path, right: Path) -> None:
    assert "[red]x[/red]" in run(labels, f"[red]x[/red]={right}", right).stdout
