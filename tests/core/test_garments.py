"""Tests of what a garment is, and that a category is added in one place."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import fashionkp_mm
from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_INDEX,
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    FLIP_INDICES,
    KEYPOINT_INDEX,
    KEYPOINT_NAMES,
    NORMALIZER_INDICES,
    NUM_KEYPOINTS,
    Visibility,
    keypoint_indices,
    mirrored_name,
)

BODICE = {
    "neckline_left", "neckline_right", "shoulder_left", "shoulder_right", "armpit_left",
    "armpit_right", "cuff_left_in", "cuff_left_out", "cuff_right_in", "cuff_right_out",
}  # fmt: skip
EXPECTED_KEYPOINTS = {
    "blouse": BODICE | {"center_front", "top_hem_left", "top_hem_right"},
    "outwear": BODICE
    | {"waistline_left", "waistline_right", "top_hem_left", "top_hem_right"},
    "dress": BODICE
    | {"center_front", "waistline_left", "waistline_right", "hemline_left", "hemline_right"},
    "skirt": {"waistband_left", "waistband_right", "hemline_left", "hemline_right"},
    "trousers": {
        "waistband_left", "waistband_right", "crotch", "bottom_left_in", "bottom_left_out",
        "bottom_right_in", "bottom_right_out",
    },
}  # fmt: skip

every_category = pytest.mark.parametrize("name", CATEGORY_NAMES)


def test_the_24_keypoints_in_the_order_of_the_data() -> None:
    assert ",".join(KEYPOINT_NAMES) == (
        "neckline_left,neckline_right,center_front,shoulder_left,shoulder_right,armpit_left,"
        "armpit_right,waistline_left,waistline_right,cuff_left_in,cuff_left_out,cuff_right_in,"
        "cuff_right_out,top_hem_left,top_hem_right,waistband_left,waistband_right,hemline_left,"
        "hemline_right,crotch,bottom_left_in,bottom_left_out,bottom_right_in,bottom_right_out"
    )
    assert NUM_KEYPOINTS == 24


def test_categories_define_the_keypoints_of_the_data_sets_table() -> None:
    assert {name: set(c.keypoints) for name, c in CATEGORIES.items()} == EXPECTED_KEYPOINTS
    assert {name: len(c.keypoints) for name, c in CATEGORIES.items()} == {
        "blouse": 13, "outwear": 14, "dress": 15, "skirt": 4, "trousers": 7,
    }  # fmt: skip


def test_visibility_codes_are_those_of_the_data() -> None:
    assert (Visibility.ABSENT, Visibility.OCCLUDED, Visibility.VISIBLE) == (-1, 0, 1)


def test_the_arrays_say_what_the_categories_say() -> None:
    for name, row, pair in zip(CATEGORY_NAMES, CATEGORY_KEYPOINTS, NORMALIZER_INDICES, strict=True):
        category = CATEGORIES[name]
        assert CATEGORY_NAMES[CATEGORY_INDEX[name]] == name
        assert np.flatnonzero(row).tolist() == keypoint_indices(category.keypoints)
        assert pair.tolist() == keypoint_indices(category.normalizer)


def test_the_arrays_cannot_be_changed() -> None:
    for array in (CATEGORY_KEYPOINTS, NORMALIZER_INDICES):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


def test_normalisers_are_armpits_and_waistbands() -> None:
    armpits, waistband = ("armpit_left", "armpit_right"), ("waistband_left", "waistband_right")
    assert {name: c.normalizer for name, c in CATEGORIES.items()} == {
        "blouse": armpits, "outwear": armpits, "dress": armpits,
        "skirt": waistband, "trousers": waistband,
    }  # fmt: skip


def test_mirroring_twice_changes_nothing() -> None:
    assert [FLIP_INDICES[k] for k in FLIP_INDICES] == list(range(NUM_KEYPOINTS))
    assert [KEYPOINT_NAMES[k] for k in range(NUM_KEYPOINTS) if FLIP_INDICES[k] == k] == [
        "center_front",
        "crotch",
    ]
    assert mirrored_name("cuff_left_in") == "cuff_right_in"
    assert mirrored_name("cuff_right_in") == "cuff_left_in"


@every_category
def test_a_mirrored_category_is_the_same_category(name: str) -> None:
    category = CATEGORIES[name]
    assert {mirrored_name(point) for point in category.keypoints} == set(category.keypoints)
    mirrored = {frozenset(map(mirrored_name, link)) for link in category.skeleton}
    assert mirrored == {frozenset(link) for link in category.skeleton}
    assert set(map(mirrored_name, category.normalizer)) == set(category.normalizer)


@every_category
def test_flip_pairs_cover_every_point_with_a_side(name: str) -> None:
    category = CATEGORIES[name]
    paired = [point for pair in category.flip_pairs for point in pair]
    assert sorted(paired) == sorted(set(category.keypoints) - {"center_front", "crotch"})
    assert all("_left" in left and "_right" in right for left, right in category.flip_pairs)


@every_category
def test_the_outline_passes_each_known_point_once_and_closes(name: str) -> None:
    category = CATEGORIES[name]
    assert set(category.outline) <= set(KEYPOINT_NAMES)
    assert len(set(category.outline)) == len(category.outline)
    assert set(category.normalizer) <= set(category.keypoints)
    ends = [point for link in category.skeleton[: len(category.outline)] for point in link]
    assert {ends.count(point) for point in category.outline} == {2}


@every_category
def test_links_of_a_whole_garment_are_its_skeleton(name: str) -> None:
    category = CATEGORIES[name]
    expected = [tuple(keypoint_indices(link)) for link in category.skeleton]
    assert category.links(CATEGORY_KEYPOINTS[CATEGORY_INDEX[name]]) == expected


@every_category
def test_links_bridge_an_absent_point(name: str) -> None:
    category = CATEGORIES[name]
    for missing in category.outline:
        present = CATEGORY_KEYPOINTS[CATEGORY_INDEX[name]].copy()
        present[KEYPOINT_INDEX[missing]] = False
        left = [point for point in category.outline if point != missing]
        links = category.links(present)
        outline = [tuple(keypoint_indices(link)) for link in pairwise([*left, left[0]])]
        assert links[: len(left)] == outline
        assert KEYPOINT_INDEX[missing] not in {point for link in links for point in link}


@pytest.mark.parametrize(("count", "expected"), [(0, 0), (1, 0), (2, 1), (3, 3)])
def test_links_of_a_garment_with_few_points(count: int, expected: int) -> None:
    present = np.zeros(NUM_KEYPOINTS, np.bool_)
    present[keypoint_indices(CATEGORIES["trousers"].outline[:count])] = True
    links = CATEGORIES["trousers"].links(present)
    assert len(links) == expected
    assert all(first != second for first, second in links)


JUMPSUIT = """
        Category(
            name="jumpsuit",
            outline=(
                *_NECK_AND_LEFT_SLEEVE, "waistline_left", "bottom_left_out", "bottom_left_in",
                "crotch", "bottom_right_in", "bottom_right_out", "waistline_right",
                *_RIGHT_SLEEVE_AND_NECK, "center_front",
            ),
            normalizer=_ARMPITS,
            color=(120, 90, 200),
            box_margin=BoxMargin(sides=0.03, top=0.03, bottom=0.02),
        ),
"""

CORE_WITH_JUMPSUIT = """
import pathlib, sys
import numpy as np
import fashionkp_mm
from fashionkp_mm.core import csv_columns, csv_format, garments
from fashionkp_mm.core.normalized_error import evaluate
from fashionkp_mm.core.shape import mean_shapes
from fashionkp_mm.core.boxes import keypoint_boxes

here = pathlib.Path(sys.argv[1])
assert pathlib.Path(fashionkp_mm.__file__).is_relative_to(here)
names = garments.CATEGORIES["jumpsuit"].keypoints
assert len(names) == 18, names

def row(image, category, shift):
    defined = garments.CATEGORIES[category].keypoints
    cells = [
        f"{10 * k + shift}_{200 - 7 * k}_1" if name in defined else "-1_-1_-1"
        for k, name in enumerate(garments.KEYPOINT_NAMES)
    ]
    return ",".join([f"Images/{category}/{image}.jpg", category, *cells])

def csv(name, shift):
    rows = [row("a", "jumpsuit", shift), row("b", "jumpsuit", shift), row("c", "skirt", shift)]
    path = here / name
    path.write_text("\\n".join([",".join(csv_columns.COLUMNS), *rows, ""]))
    return path

labels, predictions = csv("labels.csv", 20), csv("predictions.csv", 23)
answers = csv_format.read_labels(labels)
assert [garments.CATEGORY_NAMES[c] for c in answers.category_indices] == [
    "jumpsuit", "jumpsuit", "skirt"
]
result = evaluate(answers, csv_format.read_predictions(predictions))
armpits = np.hypot(10, 7)
assert abs(result.per_category["jumpsuit"].value - 300 / armpits) < 1e-4, result
assert result.per_category["jumpsuit"].points == 36
csv_format.write_labels(here / "again.csv", answers)
assert (here / "again.csv").read_bytes() == labels.read_bytes()
csv_format.write_submission(here / "submission.csv", answers)
assert csv_format.read_predictions(here / "submission.csv").visibility[0].tolist().count(1) == 18
boxes = keypoint_boxes(answers.keypoints, answers.visibility >= 0)
assert mean_shapes(answers, boxes).shape == (6, 24, 2)
"""

PLUGIN_WITH_JUMPSUIT = """
from fashionkp_mm.plugin import FashionAIDataset

dataset = FashionAIDataset(
    ann_file=sys.argv[1] + "/labels.csv", data_mode="topdown", pipeline=[], test_mode=True,
    categories=["jumpsuit"],
)
assert len(dataset) == 2
info = dataset.get_data_info(1)
assert info["category_index"].tolist() == [garments.CATEGORY_INDEX["jumpsuit"]]
assert info["keypoints_visible"].sum() == 18
links = {frozenset(map(int, link)) for link in dataset.metainfo["skeleton_links"]}
waist_to_leg = garments.keypoint_indices(["waistline_left", "bottom_left_out"])
assert frozenset(waist_to_leg) in links
"""


@pytest.fixture(scope="module")
def package_with_jumpsuit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package whose garments.py has one category more, and no other change."""
    root = tmp_path_factory.mktemp("jumpsuit")
    package = Path(fashionkp_mm.__file__).parent
    shutil.copytree(
        package, root / "fashionkp_mm", ignore=shutil.ignore_patterns("__pycache__", ".mim")
    )
    garments = root / "fashionkp_mm" / "core" / "garments.py"
    source = garments.read_text()
    last_entry = "    )\n}  # fmt: skip\n"
    assert source.count(last_entry) == 1
    garments.write_text(source.replace(last_entry, JUMPSUIT.lstrip("\n") + last_entry))
    return root


def run_on(root: Path, script: str) -> None:
    # PYTHONPATH comes before any installed package, also for what the interpreter's start imports.
    done = subprocess.run(
        [sys.executable, "-c", script, str(root)],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr


def test_adding_a_category_is_a_change_in_one_place(package_with_jumpsuit: Path) -> None:
    run_on(package_with_jumpsuit, CORE_WITH_JUMPSUIT)


@pytest.mark.skipif(importlib.util.find_spec("mmpose") is None, reason="MMPose is not installed")
def test_the_plugin_knows_an_added_category(package_with_jumpsuit: Path) -> None:
    run_on(package_with_jumpsuit, CORE_WITH_JUMPSUIT + PLUGIN_WITH_JUMPSUIT)
