"""The examples and the README's Python block run as they stand."""

from __future__ import annotations

import csv
import re
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
    for name in names:
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


def test_the_first_python_block_of_the_readme_draws_the_photo(blouse, tmp_path):
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    cv2.imwrite(str(tmp_path / "photo.jpg"), blouse.image)
    (tmp_path / "block.py").write_text(block)
    printed = run_python("block.py", cwd=tmp_path)
    assert "blouse" in printed
    image = cv2.imread(str(tmp_path / "photo.jpg"))
    assert 0.005 < changed(cv2.imread(str(tmp_path / "drawn.jpg")), image) < 0.3
