"""Tests of ``fashionkp merge``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fashionkp_mm.cli import app


def call(*arguments: object) -> Result:
    return CliRunner(env={"COLUMNS": "300"}).invoke(app, list(map(str, arguments)))


@pytest.fixture
def garments(drawn_root: Path, model: Path, tmp_path: Path) -> list[dict]:
    """Predictions for some pictures, with all that a JSON list says of a garment."""
    pictures = sorted((drawn_root / "train" / "Images").rglob("*.jpg"))[:4]
    out = tmp_path / "whole.json"
    result = call("predict", *pictures, "--model", model, "--out", out)
    assert result.exit_code == 0, result.output
    found: list[dict] = json.loads(out.read_text())
    return found


def split(garments: list[dict], folder: Path) -> tuple[Path, Path]:
    parts = folder / "part-1.json", folder / "part-2.json"
    for part, of_part in zip(parts, (garments[:1], garments[1:]), strict=True):
        part.write_text(json.dumps(of_part))
    return parts


def test_parts_are_the_whole_again(garments: list[dict], tmp_path: Path) -> None:
    merged = tmp_path / "merged.json"
    result = call("merge", *split(garments, tmp_path), merged)
    assert result.exit_code == 0, result.output
    assert "4 garments of 4 pictures from 2 files" in result.output
    found = json.loads(merged.read_text())
    assert [each["image_id"] for each in found] == [each["image_id"] for each in garments]
    for each, expected in zip(found, garments, strict=True):
        assert each.keys() == expected.keys()
        assert each["category_scores"] == expected["category_scores"]
        for name, point in expected["keypoints"].items():
            assert each["keypoints"][name]["x"] == pytest.approx(point["x"], abs=0.01)
            assert each["keypoints"][name]["visibility"] == point["visibility"]


def test_an_empty_part_adds_nothing(garments: list[dict], tmp_path: Path) -> None:
    empty, whole = tmp_path / "empty.json", tmp_path / "whole.json"
    empty.write_text("[]")
    result = call("merge", empty, whole, tmp_path / "merged.csv")
    assert result.exit_code == 0, result.output
    assert len((tmp_path / "merged.csv").read_text().splitlines()) == 1 + len(garments)


def test_a_picture_in_two_parts_is_refused(garments: list[dict], tmp_path: Path) -> None:
    first, _ = split(garments, tmp_path)
    merged = tmp_path / "merged.json"
    result = call("merge", first, tmp_path / "whole.json", merged)
    assert result.exit_code == 1
    assert f"the picture stands in {first} as well" in result.output
    assert not merged.exists()


def test_a_part_is_never_written_over(garments: list[dict], tmp_path: Path) -> None:
    first, second = split(garments, tmp_path)
    before = second.read_bytes()
    result = call("merge", first, second, second)
    assert result.exit_code == 1
    assert second.read_bytes() == before


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["out.json"], "name one part or more"),
        (["missing.json", "out.json"], "missing.json does not exist: is its job done?"),
    ],
)
def test_parts_that_are_not_there(names: list[str], message: str, tmp_path: Path) -> None:
    result = call("merge", *(tmp_path / name for name in names))
    assert result.exit_code == 2
    assert message in result.output.replace("\n", "")


def test_a_format_that_needs_pictures_is_refused(garments: list[dict], tmp_path: Path) -> None:
    result = call("merge", tmp_path / "whole.json", tmp_path / "annotations.xml")
    assert result.exit_code == 1
    assert "fashionkp convert" in result.output
