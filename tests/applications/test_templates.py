"""Templates: the canonical ones, and those of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fashionkp_mm.applications.templates import Template, canonical_templates, read_templates
from fashionkp_mm.core.canonical_shapes import SHAPES_FILE, canonical_shape
from fashionkp_mm.core.csv_columns import COLUMNS
from fashionkp_mm.core.garments import CATEGORY_NAMES, FLIP_INDICES, KEYPOINT_NAMES
from fashionkp_mm.core.table import AnnotationError

SKIRT = {
    "waistband_left": "30_20_1",
    "waistband_right": "70_20_1",
    "hemline_left": "20_90_1",
    "hemline_right": "80_90_0",
}


def write(path: Path, *rows: tuple[str, dict[str, str]]) -> Path:
    lines = [",".join(COLUMNS)]
    for number, (category, points) in enumerate(rows):
        cells = [points.get(name, "-1_-1_-1") for name in KEYPOINT_NAMES]
        lines.append(",".join([f"{number}.jpg", category, *cells]))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("size", [(512, 512), (300, 700), (701, 300), (16, 16)])
def test_canonical_templates_stand_in_the_middle(size: tuple[int, int]) -> None:
    for name, template in canonical_templates(size).items():
        points = template.keypoints
        assert template.category == name
        mirrored = points[list(FLIP_INDICES)] * (-1, 1) + (size[0] - 1, 0)
        np.testing.assert_allclose(mirrored, points, atol=0.02 * min(size) / 1000)
        assert (np.nanmin(points, axis=0) > 0).all()
        assert (np.nanmax(points, axis=0) < np.array(size) - 1).all()
        assert template.normalizer > 0


def test_the_canonical_file_is_a_file_of_templates() -> None:
    templates = read_templates(SHAPES_FILE, (1000, 1000))
    assert tuple(templates) == CATEGORY_NAMES
    for name, template in templates.items():
        np.testing.assert_allclose(template.keypoints, canonical_shape(name))


def test_a_template_of_ones_own(tmp_path: Path) -> None:
    (template,) = read_templates(write(tmp_path / "a.csv", ("skirt", SKIRT)), (100, 100)).values()
    points = {
        name: tuple(point)
        for name, point in zip(KEYPOINT_NAMES, template.keypoints.tolist(), strict=True)
        if np.isfinite(point).all()
    }
    assert points == {
        "waistband_left": (30, 20),
        "waistband_right": (70, 20),
        "hemline_left": (20, 90),
        "hemline_right": (80, 90),
    }
    assert template.normalizer == 40


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "there is no row below the header; expected one"),
        ([("skirt", SKIRT)] * 2, r"row 3.*the category has a template already"),
        (
            [("skirt", {**SKIRT, "hemline_left": "20_100_1"})],
            r"row 2, column hemline_left, value '20, 100'.*outside of a template of 100x100"
            r" pixels; name the size of the template, as in --size 800x1000",
        ),
        (
            [("skirt", {**SKIRT, "waistband_left": "-1_-1_-1"})],
            "a template needs waistband_left and waistband_right, in two places",
        ),
        (
            [("skirt", {**SKIRT, "waistband_left": "70_20_1"})],
            "a template needs waistband_left and waistband_right, in two places",
        ),
        ([("sock", {})], "unknown category"),
    ],
)
def test_templates_that_cannot_be_used(rows, message: str, tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=message):
        read_templates(write(tmp_path / "a.csv", *rows), (100, 100))


@pytest.mark.parametrize("size", [(0, 512), (15, 100), (-5, 5), (100_000, 100_000)])
def test_sizes_that_nobody_can_mean(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected sides of 16 or more"):
        Template.canonical("dress", size)
