"""``fashionkp crop``: from pictures to crops and their manifest, by labels and by a model."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from fashionkp_mm.applications import CropOptions, crop
from fashionkp_mm.batch.cropping import COLUMNS
from fashionkp_mm.cli import app
from fashionkp_mm.core.parts import ATTRIBUTES, GROUPS
from fashionkp_mm.images import encode_image, load_image
from fashionkp_mm.runtime.file_garments import read_labelled_garments


def run(*args: object) -> Result:
    runner = CliRunner(env={"COLUMNS": "300", "NO_COLOR": "1"})
    return runner.invoke(app, ["crop", *map(str, args)])


def manifest(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
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


def test_labels_to_crops_and_their_manifest(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "crops"
    result = run("--labels", few, "--out", out, "--size", 64)
    assert result.exit_code == 0, result.output
    rows = manifest(out / "manifest.csv")
    assert len(rows) == len(files(out)) - 1
    by_file = {row["file"]: row for row in rows}
    assert len(by_file) == len(rows)
    options = CropOptions(tuple(name for name in GROUPS if name not in ATTRIBUTES), (64, 64))
    for image_id, (garment,) in read_labelled_garments(few).items():
        image = load_image(few.parent / image_id)
        for piece in crop(image, garment, options):
            name = Path(image_id)
            side = f"_{piece.part.side}" if piece.part.side else ""
            file = (piece.part.group / name.with_name(f"{name.stem}{side}.jpg")).as_posix()
            row = by_file.pop(file)
            assert (out / file).read_bytes() == encode_image(piece.image, ".jpg")
            assert tuple(row) == tuple(COLUMNS)
            assert (row["part"], row["category"]) == (piece.part.name, garment.category)
            assert (row["source"], row["class"], row["mirrored"]) == (piece.source, "", "0")
            quad = [float(row[f"{axis}{corner}"]) for corner in "1234" for axis in "xy"]
            assert np.allclose(quad, piece.quad.ravel(), atol=0.006)
            assert row["color1"].startswith("#")
    assert not by_file


def test_the_parts_that_are_asked_for_in_the_size_that_is(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "crops"
    options = ["--parts", "sleeve_left, hem", "--size", "48x96"]
    assert run("--labels", few, "--out", out, *options).exit_code == 0
    rows = manifest(out / "manifest.csv")
    assert {row["part"] for row in rows} == {"sleeve_left", "hem"}
    assert {(row["width"], row["height"]) for row in rows} == {("48", "96")}
    assert all(load_image(out / row["file"]).shape == (96, 48, 3) for row in rows)

    own = tmp_path / "own"
    assert (
        run("--labels", few, "--out", own, "--parts", "attributes", "--keep-ratio").exit_code == 0
    )
    rows = manifest(own / "manifest.csv")
    assert {row["file"].split("/")[0] for row in rows} == set(ATTRIBUTES)
    assert all(max(int(row["width"]), int(row["height"])) == 224 for row in rows)
    assert len({row["width"] for row in rows}) > 3


def test_both_sides_turned_to_one(few: Path, tmp_path: Path) -> None:
    for name, more in (("a", []), ("b", ["--side", "right"])):
        assert (
            run("--labels", few, "--out", tmp_path / name, "--parts", "cuff", *more).exit_code == 0
        )
    before, after = (manifest(tmp_path / name / "manifest.csv") for name in "ab")
    assert [row["mirrored"] for row in after] == [
        str(int(row["part"] == "cuff_left")) for row in before
    ]
    for one, other in zip(before, after, strict=True):
        a, b = (load_image(tmp_path / n / one["file"]) for n in "ab")
        if other["mirrored"] == "1":
            a = a[:, ::-1]
            assert (one["x1"], one["y1"]) == (other["x2"], other["y2"])
        assert np.abs(a.astype(int) - b).mean() < 3  # JPEG


def test_a_folder_for_each_class(few: Path, tmp_path: Path) -> None:
    ids = [line.split(",")[0] for line in few.read_text().splitlines()[1:]]
    classes = tmp_path / "classes.csv"
    lines = [f"{image_id},{'odd' if i % 2 else 'even'},hem" for i, image_id in enumerate(ids)]
    classes.write_text("\n".join(["image_id,class,part", *lines, f"{ids[0]},any,"]) + "\n")
    out = tmp_path / "crops"
    result = run("--labels", few, "--out", out, "--parts", "hem", "--classes", classes)
    assert result.exit_code == 0, result.output
    rows = manifest(out / "manifest.csv")
    assert [row["class"] for row in rows] == [
        "odd" if ids.index(row["image_id"]) % 2 else "even" for row in rows
    ]
    assert all(row["file"].startswith(f"hem/{row['class']}/") for row in rows)
    assert all((out / row["file"]).is_file() for row in rows)

    torchvision = pytest.importorskip("torchvision")
    data = torchvision.datasets.ImageFolder(str(out / "hem"))
    assert data.classes == ["even", "odd"]
    assert len(data) == len(rows)

    # Of the other parts the first picture alone has a class.
    result = run("--labels", few, "--out", tmp_path / "b", "--parts", "waist,collar",
                 "--classes", classes)  # fmt: skip
    assert result.exit_code == 1
    assert result.stderr.count("the file of classes has none for its") == 5
    assert {row["class"] for row in manifest(tmp_path / "b" / "manifest.csv")} == {"any"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image_id,label\na.jpg,x\n", "row 1, column class: no such column"),
        ("", "column image_id: no such column"),
        ("image_id,class\na.jpg,\n", "row 2, column class: expected a class"),
        ("image_id,class\na.jpg,../x\n", "row 2, column class, value '../x'"),
        ("image_id,class\na.jpg,x\na.jpg,y\n", "row 3, column image_id, value 'a.jpg': stands"),
        ("image_id,class,part\na.jpg,x,pocket\n", "row 2, column part, value 'pocket'"),
        ("image_id,class\na.jpg,x,y\n", "row 2: 3 cells, expected 2"),
    ],
)
def test_files_of_classes_that_are_none(few: Path, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "c.csv").write_text(text)
    result = run("--labels", few, "--out", tmp_path / "out", "--classes", tmp_path / "c.csv")
    assert result.exit_code == 1
    assert message in result.stderr
    assert not (tmp_path / "out").exists()


def test_garments_that_have_no_such_part_are_counted(few: Path, tmp_path: Path) -> None:
    result = run("--labels", few, "--out", tmp_path / "out", "--parts", "crotch,cuff")
    assert result.exit_code == 0, result.output
    assert "1 picture without a crop, since nothing there has such a part" in result.stderr
    kinds = {row["category"] for row in manifest(tmp_path / "out" / "manifest.csv")}
    assert kinds == {"blouse", "outwear", "dress", "trousers"}


def test_a_model_predicts_what_no_file_tells(few: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ["--model", model, "--category", "skirt", "--parts", "garment,sleeve", "--size", 32]
    result = run(few.parent / "Images", *options, "--out", out)
    rows = manifest(out / "manifest.csv")
    assert {row["part"] for row in rows} == {"garment"}
    failed = [line for line in result.stderr.splitlines() if "lies in the picture" in line]
    assert len(rows) + len(failed) == 6
    assert result.exit_code == int(bool(failed))


def test_a_garment_without_points_is_named_and_passed_over(few: Path, tmp_path: Path) -> None:
    lines = few.read_text().splitlines()
    cells = lines[2].split(",")
    lines[2] = ",".join([*cells[:2], *["-1_-1_-1"] * 24])
    broken = few.parent / "broken.csv"
    broken.write_text("\n".join(lines) + "\n")
    result = run("--labels", broken, "--out", tmp_path / "out", "--parts", "garment")
    assert result.exit_code == 1
    assert f"error: {cells[0]}: 0 points to go by, 2 are needed" in result.stderr
    assert len(manifest(tmp_path / "out" / "manifest.csv")) == 5


def test_a_broken_picture_is_named_and_the_rest_goes_on(few: Path, tmp_path: Path) -> None:
    lines = few.read_text().splitlines()
    header, row = lines[0], lines[1].split(",", 1)[1]
    (tmp_path / "bad.jpg").write_text("no picture")
    (tmp_path / "good.jpg").write_bytes((few.parent / lines[1].split(",")[0]).read_bytes())
    (tmp_path / "two.csv").write_text(f"{header}\nbad.jpg,{row}\ngood.jpg,{row}\n")
    result = run("--labels", tmp_path / "two.csv", "--out", tmp_path / "out", "--parts", "hem")
    assert result.exit_code == 1
    assert "bad.jpg" in result.stderr
    assert [row["image_id"] for row in manifest(tmp_path / "out/manifest.csv")] == ["good.jpg"]


@pytest.mark.parametrize(
    "options",
    [["--parts", "pocket"], ["--parts", ""], ["--size", "0"], ["--size", "3x"], ["--size", "-5"],
     ["--margin", "-1"], ["--keep-ratio", "--size", "3x4"], ["--side", "middle"]],
)  # fmt: skip
def test_options_that_are_none(few: Path, tmp_path: Path, options: list[str]) -> None:
    result = run("--labels", few, "--out", tmp_path / "out", *options)
    assert result.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_a_manifest_of_another_format_is_refused_before_anything_is_done(
    few: Path, tmp_path: Path
) -> None:
    result = run("--labels", few, "--out", tmp_path / "out", "--manifest", tmp_path / "m.txt")
    assert result.exit_code == 1
    assert "expected a name that ends in .csv or .parquet" in result.stderr
    assert not (tmp_path / "out").exists()


def test_parquet_holds_the_same_rows(few: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pandas as pd  # noqa: PLC0415

    options = ["--labels", few, "--out", tmp_path / "out", "--parts", "hem,cuff", "--size", 32]
    assert run(*options).exit_code == 0
    assert run(*options, "--manifest", tmp_path / "m.parquet").exit_code == 0
    table, rows = pd.read_parquet(tmp_path / "m.parquet"), manifest(tmp_path / "out/manifest.csv")
    assert list(table["file"]) == [row["file"] for row in rows]
    assert np.allclose(table["x1"], [float(row["x1"]) for row in rows])


def test_no_picture_is_written_over(few: Path, tmp_path: Path) -> None:
    header, row = few.read_text().splitlines()[:2]
    picture = few.parent / row.split(",")[0]
    (tmp_path / "hem").mkdir()
    (tmp_path / "hem" / "a.jpg").write_bytes(picture.read_bytes())
    (tmp_path / "list.csv").write_text(f"{header}\na.jpg,{row.split(',', 1)[1]}\n")
    result = run("--labels", tmp_path / "list.csv", "--images", tmp_path / "hem", "--out", tmp_path)
    assert result.exit_code == 1
    assert "would overwrite the input" in result.stderr
    assert (tmp_path / "hem" / "a.jpg").read_bytes() == picture.read_bytes()


def test_after_a_kill_the_rest_is_done_and_the_files_are_the_same(
    few: Path, tmp_path: Path
) -> None:
    options = ["--labels", few, "--parts", "all", "--size", 48]
    assert run(*options, "--out", tmp_path / "whole").exit_code == 0
    out = tmp_path / "killed"
    code = f"""
import os, signal
from fashionkp_mm.batch import cropping
from fashionkp_mm.cli import app
real, calls = cropping.crop, []
def crop(*args):
    calls.append(0)
    if len(calls) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args)
cropping.crop = crop
app({["crop", *map(str, options), "--out", str(out)]!r})
"""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (out / "manifest.csv").exists()
    result = run(*options, "--out", out, "--resume")
    assert result.exit_code == 0, result.output
    assert files(out) == files(tmp_path / "whole")
    result = run(*options, "--margin", 0.3, "--out", out, "--resume")
    assert result.exit_code == 0, "there is nothing to go on with"
