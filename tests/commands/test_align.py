"""``fashionkp align``: from pictures to aligned garments, by labels, predictions and a model."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from fashionkp_mm.applications import Template, align
from fashionkp_mm.batch.aligning import COLUMNS
from fashionkp_mm.cli import app
from fashionkp_mm.core.canonical_shapes import SHAPES_FILE
from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import CATEGORY_NAMES, KEYPOINT_NAMES
from fashionkp_mm.images import load_image
from fashionkp_mm.synthetic.drawing import paint_scene
from fashionkp_mm.visualization.sketch import DrawnGarment


def run(*args: object) -> Result:
    runner = CliRunner(env={"COLUMNS": "300", "NO_COLOR": "1"})
    return runner.invoke(app, ["align", *map(str, args)])


def manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def labels(drawn_root: Path) -> Path:
    return drawn_root / "train" / "Annotations" / "train.csv"


@pytest.fixture(scope="module")
def few(labels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The labels of six pictures, below a folder of their own, which holds the pictures too."""
    folder = tmp_path_factory.mktemp("few")
    lines = labels.read_text().splitlines(keepends=True)[:7]
    for line in lines[1:]:
        image_id = line.split(",")[0]
        (folder / image_id).parent.mkdir(parents=True, exist_ok=True)
        (folder / image_id).write_bytes((labels.parents[1] / image_id).read_bytes())
    path = folder / "few.csv"
    path.write_text("".join(lines))
    return path


@pytest.fixture(scope="module")
def design(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[20:40, 20:44] = (0, 0, 255, 255)
    path = tmp_path_factory.mktemp("print") / "print.png"
    assert cv2.imwrite(str(path), pixels)
    return path


def test_labels_to_garments_maps_and_prints(few: Path, design: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("--labels", few, "--out", out, "--maps", "--paste", design, "--size", "96x64")
    assert result.exit_code == 1  # of the print's ratio
    assert "a print of 64x64 pixels for a template of 96x64" in result.stderr
    assert not out.exists()

    result = run("--labels", few, "--out", out, "--maps", "--paste", design, "--size", "96")
    assert result.exit_code == 0, result.output
    table = read_labels(few)
    rows = manifest(out)
    assert [row["image_id"] for row in rows] == list(table.image_ids)
    for index, row in enumerate(rows):
        assert tuple(row) == COLUMNS
        picture = load_image(few.parent / row["image_id"])
        category = CATEGORY_NAMES[table.category_indices[index]]
        garment = DrawnGarment(table.keypoints[index], table.visibility[index], category)
        expected = align(picture, garment, template=Template.canonical(category, (96, 96)))
        shown = cv2.imread(str(out / row["file"]), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(shown, expected.image)
        np.testing.assert_array_equal(np.load(out / row["map"]), expected.map)
        assert row["residual"] == f"{expected.residual:.2f}"
        assert row["category"] == category
        assert int(row["points"]) == (table.visibility[index] >= 0).sum()
        pasted = load_image(out / row["pasted"]).astype(int)
        red = (pasted[..., 2] - pasted[..., :2].max(axis=-1) > 60).sum()
        before = (picture[..., 2].astype(int) - picture[..., :2].max(axis=-1) > 60).sum()
        assert red > before + 50
    assert len(files(out)) == 3 * len(rows) + 1


def test_a_print_all_over_stays_on_the_garment(few: Path, tmp_path: Path) -> None:
    # As they were drawn, on even ground of another colour.
    rng = np.random.default_rng(3)
    drawn = paint_scene(rng, "dress", occluders=False)
    ground = np.where(drawn.mask[..., None], drawn.image, np.uint8(255))
    cv2.imwrite(str(tmp_path / "a.png"), ground)
    cells = [f"{x}_{y}_{v}" for (x, y), v in zip(drawn.keypoints, drawn.visibility, strict=True)]
    header = few.read_text().splitlines()[0]
    (tmp_path / "a.csv").write_text(f"{header}\na.png,dress,{','.join(cells)}\n")
    cv2.imwrite(str(tmp_path / "all.png"), np.full((64, 64, 3), (0, 255, 0), np.uint8))
    out = tmp_path / "out"
    result = run("--labels", tmp_path / "a.csv", "--out", out, "--paste", tmp_path / "all.png")
    assert result.exit_code == 0, result.output
    (row,) = manifest(out)
    assert not row["warning"]
    pasted = load_image(out / row["pasted"])
    printed = (abs(pasted.astype(int) - ground) > 40).any(axis=-1)
    there = drawn.mask.astype(bool)
    assert printed[there].mean() > 0.9
    assert printed[~there].mean() < 0.02


@pytest.mark.parametrize("method", ["affine", "tps"])
def test_other_methods(few: Path, tmp_path: Path, method: str) -> None:
    assert run("--labels", few, "--out", tmp_path / "a").exit_code == 0
    assert run("--labels", few, "--out", tmp_path / "b", "--method", method).exit_code == 0
    for one, other in zip(manifest(tmp_path / "a"), manifest(tmp_path / "b"), strict=True):
        assert other["method"] == method
        if not other["warning"]:
            assert float(other["residual"]) <= float(one["residual"]) + 0.01


def test_a_model_predicts_what_no_file_tells(few: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(few.parent / "Images", "--model", model, "--category", "dress", "--out", out)
    assert result.exit_code == 0, result.output
    rows = manifest(out)
    assert len(rows) == 6
    assert {row["category"] for row in rows} == {"dress"}
    assert all((out / row["file"]).is_file() for row in rows)


def test_a_template_of_ones_own(few: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    assert run("--labels", few, "--out", one, "--size", 1000).exit_code == 0
    template = ["--template", SHAPES_FILE, "--size", "1000x1000"]
    assert run("--labels", few, "--out", other, *template).exit_code == 0
    # The same shapes, but for the half pixel between a frame's middle and that of its pixels.
    for here, there in zip(manifest(one), manifest(other), strict=True):
        assert here["residual"] == there["residual"]

    text = SHAPES_FILE.read_text().splitlines(keepends=True)
    skirts = tmp_path / "skirts.csv"
    skirts.write_text(text[0] + next(line for line in text if ",skirt," in line))
    result = run("--labels", few, "--out", tmp_path / "c", "--template", skirts, "--size", 1000)
    assert result.exit_code == 1
    kinds = [row["category"] for row in manifest(tmp_path / "c")]
    assert set(kinds) <= {"skirt"}
    assert "there is no template for the category dress" in result.stderr


def test_garments_without_enough_points_are_named_and_passed_over(
    few: Path, tmp_path: Path
) -> None:
    lines = few.read_text().splitlines()
    cells = lines[2].split(",")
    lines[2] = ",".join([*cells[:2], *["-1_-1_-1"] * 24])
    broken = few.parent / "broken.csv"
    broken.write_text("\n".join(lines) + "\n")
    result = run("--labels", broken, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert f"{cells[0]}: {cells[1]}: 0 points to align by" in result.stderr
    assert len(manifest(tmp_path / "out")) == 5


@pytest.mark.parametrize("text", ["0", "15", "512x", "x512", "wide", "512x512x3", "-5", "99999999"])
def test_sizes_that_are_none(text: str, few: Path, tmp_path: Path) -> None:
    result = run("--labels", few, "--out", tmp_path / "out", f"--size={text}")
    assert result.exit_code == 2
    assert "--size" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_print_that_is_no_image(few: Path, tmp_path: Path) -> None:
    (tmp_path / "print.png").write_text("hello")
    result = run("--labels", few, "--out", tmp_path / "o", "--paste", tmp_path / "print.png")
    assert result.exit_code == 1
    assert "print.png: not an image of a format that is read" in result.stderr
    assert not (tmp_path / "o").exists()


def test_a_template_that_is_none(few: Path, tmp_path: Path) -> None:
    result = run("--labels", few, "--out", tmp_path / "o", "--template", SHAPES_FILE)
    assert result.exit_code == 1
    assert "outside of a template of 512x512 pixels" in result.stderr


def test_no_picture_is_written_over(few: Path, tmp_path: Path) -> None:
    folder = tmp_path / "garments"
    folder.mkdir()
    picture = next(few.parent.rglob("*.jpg"))
    cv2.imwrite(str(folder / "a.png"), load_image(picture))
    before = (folder / "a.png").read_bytes()
    csv_file = tmp_path / "list.csv"
    row = few.read_text().splitlines()[1].split(",")
    header = few.read_text().splitlines()[0]
    csv_file.write_text(f"{header}\na.png,{','.join(row[1:])}\n")
    result = run("--labels", csv_file, "--images", folder, "--out", tmp_path)
    assert result.exit_code == 1
    assert "would overwrite the input" in result.stderr
    assert (folder / "a.png").read_bytes() == before


def test_two_pictures_of_one_name_are_not_mixed_up(few: Path, tmp_path: Path) -> None:
    picture = load_image(next(few.parent.rglob("*.jpg")))
    for name in ("a.png", "a.jpg"):
        cv2.imwrite(str(tmp_path / name), picture)
    header, row = few.read_text().splitlines()[:2]
    rest = row.split(",", 1)[1]
    (tmp_path / "two.csv").write_text(f"{header}\na.png,{rest}\na.jpg,{rest}\n")
    result = run("--labels", tmp_path / "two.csv", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "the pictures of a.png and a.jpg would both be" in result.stderr


def two_in_one(few: Path, folder: Path, *others: str) -> Path:
    """Predictions of a picture ``a.png`` that shows two garments, and of others that show one."""
    table = read_labels(few)
    picture = load_image(few.parent / table.image_ids[0])
    garments = []
    for name in ("a.png", "a.png", *others):
        cv2.imwrite(str(folder / name), picture)
        points = {
            name: {"x": float(x), "y": float(y), "score": 1.0, "visibility": "visible"}
            for name, (x, y), v in zip(
                KEYPOINT_NAMES, table.keypoints[0], table.visibility[0], strict=True
            )
            if v >= 0
        }
        category = CATEGORY_NAMES[table.category_indices[0]]
        garments.append({"image_id": name, "category": category, "keypoints": points})
    path = folder / "predictions.json"
    path.write_text(json.dumps(garments))
    return path


def test_a_picture_of_two_garments(few: Path, design: Path, tmp_path: Path) -> None:
    predictions = two_in_one(few, tmp_path)
    out = tmp_path / "out"
    result = run("--predictions", predictions, "--out", out, "--maps", "--paste", design)
    assert result.exit_code == 0, result.output
    names = ["garments/a.png", "garments/a_1.png", "maps/a.npy", "maps/a_1.npy", "pasted/a.png"]
    assert sorted(files(out)) == [*names[:2], "manifest.csv", *names[2:]]
    one, two = manifest(out)
    assert (one["garment"], one["file"], one["pasted"]) == ("0", names[0], names[4])
    assert (two["garment"], two["file"], two["pasted"]) == ("1", names[1], names[4])


def test_a_second_garment_takes_no_other_pictures_file(few: Path, tmp_path: Path) -> None:
    predictions = two_in_one(few, tmp_path, "a_1.png")
    result = run("--predictions", predictions, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "a.png, garment 1: " in result.stderr
    assert "is the file of another picture; rename that picture" in result.stderr
    rows = [(row["image_id"], row["file"]) for row in manifest(tmp_path / "out")]
    assert rows == [("a.png", "garments/a.png"), ("a_1.png", "garments/a_1.png")]


def test_after_a_kill_the_rest_is_done_and_the_files_are_the_same(
    few: Path, design: Path, tmp_path: Path
) -> None:
    options = ["--labels", few, "--maps", "--paste", design, "--method", "tps", "--size", 64]
    assert run(*options, "--out", tmp_path / "whole").exit_code == 0

    out = tmp_path / "killed"
    code = f"""
import os, signal
from fashionkp_mm.batch import aligning
from fashionkp_mm.cli import app
real, calls = aligning.align, []
def align(*args, **kwargs):
    calls.append(0)
    if len(calls) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **kwargs)
aligning.align = align
app({["align", *map(str, options), "--out", str(out)]!r})
"""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (out / "manifest.csv").exists()
    result = run(*options, "--out", out, "--resume")
    assert result.exit_code == 0, result.output
    assert files(out) == files(tmp_path / "whole")

    result = run(*options[:-2], "--out", out, "--resume")  # another size, nothing to go on with
    assert result.exit_code == 0


def test_another_option_does_not_go_on_with_the_journal(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "garments").mkdir(parents=True)
    code = f"""
import os
from fashionkp_mm.batch import aligning
from fashionkp_mm.cli import app
aligning.align = lambda *args, **kwargs: os._exit(9)
app({["align", "--labels", str(few), "--out", str(out)]!r})
"""
    done = subprocess.run([sys.executable, "-c", code], timeout=120, check=False)
    assert done.returncode == 9
    result = run("--labels", few, "--out", out, "--method", "affine", "--resume")
    assert result.exit_code == 1
    assert "method similarity, not affine" in result.stderr


def test_the_block_of_the_docs_runs(
    tmp_path: Path, few: Path, design: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path(__file__).parents[2] / "docs" / "align.md"
    (block,) = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    (tmp_path / "photo.jpg").write_bytes(next(few.parent.rglob("*.jpg")).read_bytes())
    (tmp_path / "print.png").write_bytes(design.read_bytes())
    monkeypatch.chdir(tmp_path)
    exec(compile(block, str(page), "exec"), {})
    assert load_image("aligned.png").shape == (512, 512, 3)
    assert load_image("printed.jpg").shape == load_image("photo.jpg").shape
