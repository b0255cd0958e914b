"""``fashionkp present``: catalogue pictures, and what breaks a shop's rules."""

from __future__ import annotations

import csv
import importlib.util
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from fashionkp_mm.applications import PresentOptions, broken_rules, present, preset_of
from fashionkp_mm.batch.presenting import CHECK_COLUMNS, COLUMNS
from fashionkp_mm.cli import app
from fashionkp_mm.images import encode_image, load_image
from fashionkp_mm.runtime.file_garments import read_labelled_garments


def run(*args: object) -> Result:
    runner = CliRunner(env={"COLUMNS": "300", "NO_COLOR": "1"})
    return runner.invoke(app, ["present", *map(str, args)])


def listed(folder: Path) -> list[dict[str, str]]:
    with (folder / "pictures.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def few(drawn_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The labels of six pictures, below a folder of their own, which holds the pictures too."""
    folder = tmp_path_factory.mktemp("few")
    labels = drawn_root / "train" / "Annotations" / "train.csv"
    lines = labels.read_text().splitlines(keepends=True)[:7]
    for line in lines[1:]:
        image_id = line.split(",")[0]
        (folder / image_id).parent.mkdir(parents=True, exist_ok=True)
        (folder / image_id).write_bytes((labels.parents[1] / image_id).read_bytes())
    path = folder / "few.csv"
    path.write_text("".join(lines))
    return path


def test_labels_to_catalogue_pictures(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("--labels", few, "--out", out, "--preset", "4:5", "--background", "#f0f0f0",
                 "--hide-face", "--fill", 0.8)  # fmt: skip
    assert result.exit_code == 0, result.output
    options = PresentOptions(preset_of("4:5"), 0.8, "#f0f0f0", hide_face=True)
    rows = listed(out)
    assert len(rows) == 6 == len(files(out)) - 1
    garments = read_labelled_garments(few)
    for row, (image_id, (garment,)) in zip(rows, garments.items(), strict=True):
        made = present(load_image(few.parent / image_id), garment, options)
        assert tuple(row) == tuple(COLUMNS)
        assert (out / row["file"]).read_bytes() == encode_image(made.image, ".jpg")
        assert (row["width"], row["height"]) == tuple(map(str, made.image.shape[1::-1]))
        assert row["mask"] == (made.mask.method if made.mask else "")
        assert row["warning"] == "; ".join(made.warnings)
        assert float(row["scale"]) == 1
    warned = sum(bool(row["warning"]) for row in rows)
    assert ("with a warning" in result.stderr) == bool(warned)


def test_transparent_pictures_are_png(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("--labels", few, "--out", out, "--background", "transparent").exit_code == 0
    rows = listed(out)
    assert all(row["file"].endswith(".png") for row in rows)
    cut = [row for row in rows if row["mask"]]
    assert len(cut) >= 5
    for row in cut:
        pixels = cv2.imread(str(out / row["file"]), cv2.IMREAD_UNCHANGED)
        assert pixels.shape[2] == 4
        assert 0.05 < (pixels[..., 3] > 127).mean() < 0.9


def test_the_check_has_one_row_a_picture_and_changes_nothing(few: Path, tmp_path: Path) -> None:
    before = files(few.parent)
    result = run("--labels", few, "--preset", "amazon", "--check")
    assert result.exit_code == 1
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    garments = read_labelled_garments(few)
    for row, (image_id, (garment,)) in zip(rows, garments.items(), strict=True):
        path = few.parent / image_id
        image, size = load_image(path), path.stat().st_size
        problems = broken_rules(image, garment, preset_of("amazon"), size)
        assert tuple(row) == tuple(CHECK_COLUMNS)
        assert row["problems"] == "; ".join(problems)
        assert row["passed"] == str(int(not problems))
    assert (
        f"{sum(row['passed'] == '0' for row in rows)} of 6 pictures break a rule" in result.stderr
    )
    assert files(few.parent) == before


def test_the_check_of_what_keeps_the_rules_passes(few: Path, tmp_path: Path) -> None:
    lines = few.read_text().splitlines(keepends=True)
    image = load_image(few.parent / lines[1].split(",")[0])
    (few.parent / "one.csv").write_text("".join(lines[:2]))
    ratio = f"{image.shape[1]}:{image.shape[0]}"
    out = tmp_path / "check.csv"
    result = run("--labels", few.parent / "one.csv", "--preset", ratio, "--check", "--out", out)
    assert result.exit_code == 0, result.output
    (row,) = csv.DictReader(out.read_text().splitlines())
    assert (row["passed"], row["problems"]) == ("1", "")


def test_a_picture_without_points_fails_the_check(few: Path, tmp_path: Path) -> None:
    header, row = few.read_text().splitlines()[:2]
    cells = row.split(",")
    (few.parent / "none.csv").write_text(
        "\n".join([header, ",".join([*cells[:2], *["-1_-1_-1"] * 24])]) + "\n"
    )
    result = run("--labels", few.parent / "none.csv", "--check")
    assert result.exit_code == 1
    assert "no garment to check" in result.stdout
    assert "0 points to go by" in result.stderr


def test_a_model_predicts_what_no_file_tells(few: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(few.parent / "Images", "--model", model, "--category", "dress", "--out", out)
    assert result.exit_code == 0, result.output
    assert {row["category"] for row in listed(out)} == {"dress"}


@pytest.mark.parametrize(
    "options",
    [["--preset", "amazn"], ["--preset", "4:0"], ["--fill", "0"], ["--fill", "1.5"],
     ["--background", "grue"], ["--check", "--resume"]],
)  # fmt: skip
def test_options_that_are_none(few: Path, tmp_path: Path, options: list[str]) -> None:
    result = run("--labels", few, *options)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.skipif(importlib.util.find_spec("pymatting") is not None, reason="pymatting is there")
def test_soft_edges_without_pymatting_are_refused_before_anything_is_done(
    few: Path, tmp_path: Path
) -> None:
    result = run("--labels", few, "--out", tmp_path / "out", "--soft-edges")
    assert result.exit_code == 1
    assert "pip install 'fashionkp_mm[matting]'" in result.stderr
    assert not (tmp_path / "out").exists()


def test_no_picture_is_written_over(few: Path, tmp_path: Path) -> None:
    header, row = few.read_text().splitlines()[:2]
    picture = (few.parent / row.split(",")[0]).read_bytes()
    (tmp_path / "a.jpg").write_bytes(picture)
    (tmp_path / "list.csv").write_text(f"{header}\na.jpg,{row.split(',', 1)[1]}\n")
    result = run("--labels", tmp_path / "list.csv", "--out", tmp_path)
    assert result.exit_code == 1
    assert "would overwrite the input" in result.stderr
    assert (tmp_path / "a.jpg").read_bytes() == picture


def test_after_a_kill_the_rest_is_done_and_the_files_are_the_same(
    few: Path, tmp_path: Path
) -> None:
    options = ["--labels", few, "--background", "white"]
    assert run(*options, "--out", tmp_path / "whole").exit_code == 0
    out = tmp_path / "killed"
    code = f"""
import os, signal
from fashionkp_mm.batch import presenting
from fashionkp_mm.cli import app
real, calls = presenting.present, []
def present(*args):
    calls.append(0)
    if len(calls) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args)
presenting.present = present
app({["present", *map(str, options), "--out", str(out)]!r})
"""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (out / "pictures.csv").exists()
    result = run(*options, "--out", out, "--resume")
    assert result.exit_code == 0, result.output
    assert files(out) == files(tmp_path / "whole")


def test_a_picture_keeps_its_pixels_where_it_stands_upright(few: Path, tmp_path: Path) -> None:
    rows = few.read_text().splitlines()
    out = tmp_path / "out"
    assert run("--labels", few, "--out", out, "--background", "keep").exit_code == 0
    assert len(listed(out)) == len(rows) - 1
    assert all(row["mask"] == "" and row["scale"] == "1.0" for row in listed(out))
    assert all(np.isfinite(float(row["turned"])) for row in listed(out))
