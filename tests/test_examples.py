"""The examples and the Python blocks of the README and of ``docs/python.md`` run as they stand."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fashionkp_mm.core.garments import CATEGORIES, KEYPOINT_INDEX, KEYPOINT_NAMES
from fashionkp_mm.synthetic.dataset import draw_image

ROOT = Path(__file__).resolve().parents[1]
PICTURE_SEED = 117
"""The README's picture; on its drawings the shipped model finds every point."""


@pytest.fixture(scope="module")
def blouse():
    garment = draw_image(0, PICTURE_SEED)
    assert garment.category == "blouse"
    return garment


def run_python(*arguments, cwd):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def changed(drawn, image):
    """Share of the pixels in which a drawing differs clearly from its picture."""
    assert drawn.shape == image.shape
    return float((np.abs(drawn.astype(int) - image) > 60).any(axis=-1).mean())


def test_predict_writes_drawings_and_a_row_for_each_point(blouse, tmp_path):
    names = ["one.png", "two.png"]
    for name in names:
        cv2.imwrite(str(tmp_path / name), blouse.image)
    run_python(ROOT / "examples/predict.py", "blouse", *names, cwd=tmp_path)
    for name in ("one.jpg", "two.jpg"):
        assert 0.005 < changed(cv2.imread(str(tmp_path / "drawn" / name)), blouse.image) < 0.3
    with (tmp_path / "drawn/points.csv").open() as file:
        rows = list(csv.DictReader(file))
    defined = [name for name in KEYPOINT_NAMES if name in CATEGORIES["blouse"].keypoints]
    assert [(row["image_id"], row["keypoint"]) for row in rows] == [
        (name, point) for name in names for point in defined
    ]
    chest = np.subtract(
        *blouse.keypoints[[KEYPOINT_INDEX[n] for n in CATEGORIES["blouse"].normalizer]]
    )
    for row in rows:
        truth = blouse.keypoints[KEYPOINT_INDEX[row["keypoint"]]]
        error = np.hypot(float(row["x"]) - truth[0], float(row["y"]) - truth[1])
        assert error < 0.2 * np.hypot(*chest), row


def test_predict_names_a_picture_that_is_broken_and_goes_on(blouse, tmp_path):
    (tmp_path / "one.jpg").write_text("no picture")
    cv2.imwrite(str(tmp_path / "two.png"), blouse.image)
    command = [sys.executable, ROOT / "examples/predict.py", "blouse", "one.jpg", "two.png"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: one.jpg: ")
    assert "Traceback" not in done.stderr
    assert {path.name for path in (tmp_path / "drawn").iterdir()} == {"two.jpg", "points.csv"}


def test_sleeves_are_drawn_cropped_and_learnt(tmp_path):
    arguments = ["--garments", 24, "--epochs", 1, "--out", "sleeves"]
    printed = run_python(ROOT / "examples/train_sleeves.py", *arguments, cwd=tmp_path)
    right, baseline = re.findall(r"([\d.]+)% of 40 held-out sleeves|be right on ([\d.]+)%", printed)
    assert 0 <= float(right[0]) <= 100 and 20 <= float(baseline[1]) <= 80
    crops = tmp_path / "sleeves/train/crops"
    kinds = {path.name for path in (crops / "sleeve_length").iterdir()}
    assert {"short", "long"} <= kinds <= {"sleeveless", "cap", "short", "elbow", "long"}
    with (crops / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 48 == len(list(crops.rglob("*.png")))
    assert {row["class"] for row in rows} == kinds
    assert {row["mirrored"] for row in rows} == {"0", "1"}


@pytest.mark.parametrize("page", ["docs/crop.md", "docs/present.md"])
def test_the_last_python_block_of_the_page_of_an_application_runs(page, blouse, tmp_path):
    cv2.imwrite(str(tmp_path / "photo.jpg"), blouse.image)
    (tmp_path / "block.py").write_text(python_blocks(page)[-1])
    printed = run_python("block.py", cwd=tmp_path)
    assert ("sleeve_right visible" in printed) == (page == "docs/crop.md")
    assert ("expected" in printed) == (page == "docs/present.md")


def python_blocks(page):
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def test_the_python_block_of_the_readme_draws_the_photo(blouse, tmp_path):
    (block,) = python_blocks("README.md")
    cv2.imwrite(str(tmp_path / "photo.jpg"), blouse.image)
    (tmp_path / "block.py").write_text(block)
    printed = run_python("block.py", cwd=tmp_path)
    assert "blouse" in printed
    image = cv2.imread(str(tmp_path / "photo.jpg"))
    assert 0.005 < changed(cv2.imread(str(tmp_path / "drawn.jpg")), image) < 0.3


def test_the_python_blocks_of_the_page_about_python_run_one_after_the_other(blouse, tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("photo.jpg", "another.jpg", "photos/one.jpg"):
        cv2.imwrite(str(tmp_path / name), blouse.image)
    (tmp_path / "photos/two.jpg").write_text("no picture")
    (tmp_path / "blocks.py").write_text("\n".join(python_blocks("docs/python.md")))
    printed = run_python("blocks.py", cwd=tmp_path)
    assert re.search(r"^\d+ +another\.jpg +armpit_left +[\d.]+ +[\d.]+$", printed, re.MULTILINE)
    assert "photos/one.jpg (<Garment blouse" in printed
    assert "photos/two.jpg: " in printed


def test_the_coco_block_of_the_page_about_predicting_compares_with_labels(blouse, tmp_path):
    cv2.imwrite(str(tmp_path / "photo.png"), blouse.image)
    command = ["-m", "fashionkp_mm", "predict", "photo.png", "--category", "blouse"]
    run_python(*command, "--out", "coco.json", cwd=tmp_path)
    shutil.copy(tmp_path / "coco.json", tmp_path / "labels.json")
    (block,) = python_blocks("docs/predict.md")
    (tmp_path / "block.py").write_text(
        f"{block}\nprint(len(found.anns), found.annToMask(found.anns[1]).any())"
    )
    assert run_python("block.py", cwd=tmp_path).splitlines()[-1] == "1 True"
