"""`fashionkp measure` from end to end: from labels, from predictions and with the model."""

from __future__ import annotations

import csv
import json
import math
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

from fashionkp_mm.applications import errors_of_model
from fashionkp_mm.applications.pose_errors import errors_file
from fashionkp_mm.batch.measuring import COLUMNS
from fashionkp_mm.cli import app
from fashionkp_mm.runtime import shipped_model


def run(*args: object, command: str = "measure") -> Result:
    runner = CliRunner(env={"COLUMNS": "300", "NO_COLOR": "1"})
    return runner.invoke(app, [command, *map(str, args)])


@pytest.fixture
def labels(drawn_root: Path, tmp_path: Path) -> Path:
    """Labels of ten drawn garments, with their pictures below the same folder."""
    lines = (drawn_root / "train" / "Annotations" / "train.csv").read_text().splitlines()[:11]
    path = tmp_path / "data" / "labels.csv"
    for line in lines[1:]:
        image_id = line.split(",")[0]
        target = path.parent / image_id
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(drawn_root / "train" / image_id, target)
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out" / "l.csv"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


class TestOutput:
    def test_csv_has_one_row_a_length(self, labels: Path, out: Path) -> None:
        result = run("--labels", labels, "--px-per-cm", "4", "--out", out)

        assert result.exit_code == 0, result.output
        assert "10 images measured in" in result.stdout
        found = rows(out)
        assert list(found[0]) == list(COLUMNS)
        table = {(row["image_id"], row["length"]): row for row in found}
        assert len(table) == len(found)
        for line in labels.read_text().splitlines()[1:]:
            image_id, category, *cells = line.split(",")
            if category not in ("blouse", "outwear", "dress"):
                continue
            row = table[image_id, "chest"]
            (x1, y1, v1), (x2, y2, v2) = (map(int, cell.split("_")) for cell in cells[5:7])
            assert row["category"] == category and row["unit"] == "cm"
            if -1 in (v1, v2):
                assert row["value"] == row["low"] == ""
                continue
            assert float(row["value"]) == pytest.approx(math.hypot(x1 - x2, y1 - y2) / 4, abs=1e-3)
            assert row["low"] == row["value"] == row["high"]
            assert row["ends"] == "/".join("visible" if v else "occluded" for v in (v1, v2))

    def test_json_and_parquet_tell_the_same(self, labels: Path, out: Path) -> None:
        pytest.importorskip("pyarrow")
        json_file, parquet = out.with_name("l.json"), out.with_name("l.parquet")
        for path in (out, json_file, parquet):
            run("--labels", labels, "--known", "waist=40cm", "--unit", "in", "--out", path)

        of_csv = [(row["image_id"], row["length"], row["value"]) for row in rows(out)]
        assert of_csv
        frame = pd.read_parquet(parquet)
        assert list(frame) == list(COLUMNS)
        cells = zip(frame.image_id, frame.length, frame.value, strict=True)
        assert [(a, b, "" if pd.isna(c) else str(c)) for a, b, c in cells] == of_csv
        garments: list[dict[str, Any]] = json.loads(json_file.read_text())
        assert [
            (garment["image_id"], name, "" if length["value"] is None else str(length["value"]))
            for garment in garments
            for name, length in garment["measurements"].items()
        ] == of_csv

    def test_drawings_show_each_garment(self, labels: Path, out: Path, tmp_path: Path) -> None:
        result = run("--labels", labels, "--px-per-cm", "4", "--out", out, "--draw", tmp_path / "d")
        assert result.exit_code == 0, result.output
        drawn = sorted((tmp_path / "d").rglob("*.jpg"))
        assert len(drawn) == 10
        for path in drawn:
            plain = cv2.imread(str(labels.parent / path.relative_to(tmp_path / "d")))
            assert (np.abs(cv2.imread(str(path)).astype(int) - plain) > 60).sum() > 1000

    def test_without_a_scale_it_says_so(self, labels: Path, out: Path) -> None:
        result = run("--labels", labels, "--out", out)
        assert "note: no scale: values are multiples of the chest or the waist" in result.stderr
        assert "points of labels are taken as exact" in result.stderr
        assert {row["unit"] for row in rows(out)} == {"chest", "waist"}
        chests = [row for row in rows(out) if row["length"] == row["unit"] and row["value"]]
        assert {row["value"] for row in chests} == {"1.0"}


class TestModel:
    def test_intervals_are_of_the_shipped_model(self, labels: Path, out: Path) -> None:
        picture = next((labels.parent / "Images" / "skirt").iterdir())
        result = run(picture, "--category", "skirt", "--px-per-cm", "4", "--out", out)
        assert result.exit_code == 0, result.output
        found = rows(out)
        assert [row["length"] for row in found] == ["waist", "hem_width", "skirt_length"]
        for row in found:
            assert 0 <= float(row["low"]) < float(row["value"]) < float(row["high"])

    def test_of_a_file_of_predictions_are_the_same_without_the_model(
        self, labels: Path, out: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = labels.parent / "Images"
        run(folder, "--px-per-cm", "4", "--out", out)
        predictions = out.with_name("p.json")
        run(folder, "--out", predictions, command="predict")
        shutil.rmtree(folder)
        monkeypatch.setattr("fashionkp_mm.batch.origins.Model", None)

        again = out.with_name("again.csv")
        result = run("--predictions", predictions, "--px-per-cm", "4", "--out", again)

        assert result.exit_code == 0, result.output
        assert (
            "does not tell which model made it; intervals are those of the model" in result.stderr
        )
        for one, other in zip(rows(out), rows(again), strict=True):
            for name, cell in one.items():
                if name in ("value", "low", "high", "pixels") and cell:
                    # The file rounds pixels to 0.01.
                    assert float(other[name]) == pytest.approx(float(cell), abs=0.05)

    def test_another_model_is_not_given_its_intervals(
        self, labels: Path, out: Path, tmp_path: Path
    ) -> None:
        model = tmp_path / "pose.onnx"
        other = onnx.load(shipped_model())
        other.doc_string = "the same weights, but how should one know"
        onnx.save(other, str(model))
        picture = next((labels.parent / "Images" / "skirt").iterdir())
        arguments = (picture, "--model", model, "--category", "skirt", "--out", out)
        result = run(*arguments, "--px-per-cm", "4")
        assert "note: no intervals: " in result.stderr
        assert {row["low"] for row in rows(out)} == {""}
        result = run(*arguments, "--errors", errors_file(shipped_model()))
        assert result.exit_code == 1
        assert "a table of another model" in result.stderr
        assert errors_of_model(model) is None


class TestScales:
    def test_one_for_each_picture(self, labels: Path, out: Path, tmp_path: Path) -> None:
        ids = [line.split(",")[0] for line in labels.read_text().splitlines()[1:]]
        scales = tmp_path / "scales.csv"
        listed = (f"{name},{2 + n}" for n, name in enumerate(ids[:-1]))
        scales.write_text("\n".join(["image_id,px_per_cm", *listed]))

        result = run("--labels", labels, "--scale-from", scales, "--out", out)

        assert result.exit_code == 1
        assert f"error: {ids[-1]}: {scales} has no scale for it" in result.stderr
        found = rows(out)
        assert {row["image_id"] for row in found} == set(ids[:-1])
        for row in found:
            if row["value"]:
                pixels = float(row["value"]) * (2 + ids.index(row["image_id"]))
                assert pixels == pytest.approx(float(row["pixels"]), abs=0.02)

    def test_a_marker_in_one_picture_of_several(self, labels: Path, out: Path) -> None:
        """The others are named, and measured they are not."""
        ids = [line.split(",")[0] for line in labels.read_text().splitlines()[1:]]
        path = labels.parent / ids[0]
        picture = cv2.imread(str(path))
        dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_5X5_100)
        tile = np.full((80, 80), 255, np.uint8)
        tile[10:70, 10:70] = cv2.aruco.generateImageMarker(dictionary, 3, 60)
        picture[:80, :80] = tile[..., None]
        cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])

        result = run("--labels", labels, "--marker", "aruco:5X5_100:30mm", "--out", out)

        assert result.exit_code == 1
        assert result.stderr.count("no marker of 5X5_100 is to be found") == 9
        found = rows(out)
        assert {row["image_id"] for row in found} == {ids[0]}
        for row in found:
            if row["value"]:
                assert float(row["value"]) == pytest.approx(float(row["pixels"]) / 20, rel=0.03)

    @pytest.mark.parametrize(
        ("arguments", "status", "message"),
        [
            (["--px-per-cm", "0"], 1, "0 pixels per cm is no scale"),
            (["--px-per-cm", "nan"], 1, "nan pixels per cm is no scale"),
            (["--known", "chest=52"], 1, "52 of what? Add the unit: 52cm, 52mm or 52in"),
            (["--known", "bust=52cm"], 1, "there is no length 'bust'"),
            (["--marker", "aruco:9X9:50mm"], 1, "OpenCV has no dictionary 9X9"),
            (["--known", "chest=5cm", "--px-per-cm", "2"], 2, "two answers to one question"),
            (["--unit", "ell"], 2, "'ell' is not one of"),
            (["--out", "l.txt"], 1, "unknown format '.txt'"),
        ],
    )
    def test_that_are_none(
        self, labels: Path, out: Path, arguments: list[str], status: int, message: str
    ) -> None:
        result = run("--labels", labels, "--out", out, *arguments)
        assert result.exit_code == status
        assert message in result.stderr
        assert not out.exists()

    def test_a_known_length_that_a_category_lacks_is_that_garments_failure(
        self, labels: Path, out: Path
    ) -> None:
        result = run("--labels", labels, "--known", "chest=50cm", "--out", out)
        assert result.exit_code == 1
        assert (
            result.stderr.count("skirt: there is no chest, only waist, hem_width, skirt_length")
            == 2
        )
        assert {row["category"] for row in rows(out)} == {"blouse", "outwear", "dress"}


class TestBrokenInput:
    def test_a_broken_picture_is_named_and_nothing_else_stops(
        self, labels: Path, out: Path, tmp_path: Path
    ) -> None:
        ids = [line.split(",")[0] for line in labels.read_text().splitlines()[1:]]
        (labels.parent / ids[3]).write_bytes(b"no picture")
        arguments = ("--labels", labels, "--px-per-cm", "4", "--out", out)

        result = run(*arguments, "--draw", tmp_path / "d")

        assert result.exit_code == 1
        assert f"error: {labels.parent / ids[3]}: " in result.stderr
        assert {row["image_id"] for row in rows(out)} == {*ids} - {ids[3]}
        # Where no pixel is needed, no picture is.
        assert run(*arguments).exit_code == 0

    def test_a_garment_without_points_is_named(self, labels: Path, out: Path) -> None:
        lines = labels.read_text().splitlines()
        cells = lines[1].split(",")
        lines[1] = ",".join([*cells[:2], *["-1_-1_-1"] * 24])
        predictions = labels.with_name("p.csv")
        predictions.write_text("\n".join(lines) + "\n")

        result = run("--predictions", predictions, "--px-per-cm", "4", "--out", out)

        assert result.exit_code == 1
        assert f"error: {cells[0]}: {cells[1]}: no length has both its ends" in result.stderr
        assert cells[0] not in {row["image_id"] for row in rows(out)}

    def test_a_file_of_no_format_is_one_message(self, labels: Path, out: Path) -> None:
        path = labels.with_name("notes.txt")
        path.write_text("no table at all")
        result = run("--predictions", path, "--out", out)
        assert result.exit_code == 1
        assert f"error: {path}: no format is recognised" in result.stderr

    @pytest.mark.parametrize("target", ["labels", "scales", "picture"])
    def test_no_input_is_written_over(self, labels: Path, tmp_path: Path, target: str) -> None:
        scales = tmp_path / "scales.csv"
        scales.write_text("image_id,px_per_cm\n")
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        extra: dict[str, list[object]] = {
            "labels": ["--out", labels],
            "scales": ["--scale-from", scales, "--out", scales],
            "picture": ["--draw", labels.parent],
        }

        result = run("--labels", labels, *extra[target])

        assert result.exit_code == 1
        assert "would overwrite the input" in result.stderr
        assert all(path.read_bytes() == content for path, content in before.items())


_KILL = """
import os, signal
from fashionkp_mm.cli import app
from fashionkp_mm.batch.journal import Journal

write, lines = Journal._write, 0

def write_some(self, entry):
    global lines
    lines += 1
    if lines == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return write(self, entry)

Journal._write = write_some
app()
"""


@pytest.mark.parametrize("name", ["l.csv", "l.json"])
def test_after_a_kill_it_goes_on_to_the_same_files(
    labels: Path, out: Path, tmp_path: Path, name: str
) -> None:
    """With a garment that fails before the kill, and drawings."""
    arguments = ["--labels", labels, "--known", "waist=40cm"]
    whole, path = tmp_path / "whole" / name, tmp_path / "killed" / name
    expected = run(*arguments, "--out", whole, "--draw", whole.parent / "d")
    command = [sys.executable, "-c", _KILL, "measure", *map(str, arguments)]
    killed = subprocess.run(
        [*command, "--out", str(path), "--draw", str(path.parent / "d")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not path.exists()

    result = run(*arguments, "--out", path, "--draw", path.parent / "d", "--resume")

    assert result.exit_code == expected.exit_code == 1
    assert "3 done before" in result.stdout
    errors = [line for line in expected.stderr.splitlines() if line.startswith("error: ")]
    assert errors and errors == [
        line for line in result.stderr.splitlines() if line.startswith("error: ")
    ]
    assert files_below(path.parent) == files_below(whole.parent)


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("change", [["--unit", "mm"], ["--known", "waist=41cm"]])
def test_other_options_do_not_go_on_with_it(labels: Path, out: Path, change: list[str]) -> None:
    arguments = ["--labels", str(labels), "--known", "waist=40cm", "--out", str(out)]
    command = [sys.executable, "-c", _KILL, "measure", *arguments]
    subprocess.run(command, capture_output=True, check=False)

    result = run(*arguments, *change, "--resume")

    assert result.exit_code == 1
    assert "do not belong in one file: repeat its options" in result.stderr
