"""Tests of the labels that the models give to what is worn with a labelled garment."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_NAMES, KEYPOINT_NAMES
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.training import arguments
from fashionkp_mm.training.neighbours import neighbours

FACE = np.eye(len(CATEGORY_NAMES), dtype=np.float32)


@pytest.fixture
def below(garment):
    """A garment in the lower half of a picture of 100x200 pixels; arguments change attributes."""

    def make(category="skirt", **changes):
        places = np.random.default_rng(0).uniform([10, 110], [90, 190], (24, 2))
        facts = {
            "image_size": (100, 200),
            "box": np.array([10, 110, 90, 190], np.float32),
            "keypoints": places.astype(np.float32),
        }
        return garment(category, **{**facts, **changes})

    return make


@pytest.fixture
def labels(garment):
    """One labelled garment in the upper half of such a picture."""

    def make(category="blouse"):
        top = garment(category)
        places = np.random.default_rng(1).uniform([10, 10], [90, 100], (1, 24, 2)).astype(int)
        visible = top.visibility[None]
        return KeypointTable(
            image_ids=("a.jpg",),
            category_indices=np.array([CATEGORY_INDEX[category]], np.int8),
            keypoints=np.where(visible[..., None] == -1, -1, places).astype(np.float32),
            visibility=visible,
            rows=np.array([2]),
        )

    return make


def test_what_is_worn_with_the_labelled_garment_is_added(labels, below):
    skirt = below()
    added = neighbours(labels(), {"a.jpg": [skirt], "b.jpg": [skirt]})
    assert added.image_ids == ("a.jpg",)
    assert CATEGORY_NAMES[added.category_indices[0]] == "skirt"
    present = skirt.visibility != -1
    np.testing.assert_allclose(added.keypoints[0, present], skirt.keypoints[present], atol=0.01)
    assert (added.keypoints[0, ~present] == -1).all()
    assert (added.visibility[0] == skirt.visibility).all()


@pytest.mark.parametrize(
    ("labelled", "found", "changes"),
    [
        ("blouse", "skirt", {"category_scores": FACE[CATEGORY_INDEX["trousers"]]}),
        ("blouse", "skirt", {"box": np.array([10, 10, 90, 150], np.float32)}),
        ("blouse", "skirt", {"box": np.array([20, 40, 60, 95], np.float32)}),
        ("blouse", "skirt", {"keypoints": np.full((24, 2), 250, np.float32)}),
        ("blouse", "skirt", {"visibility": np.full(24, -1, np.int8)}),
        ("dress", "skirt", {}),
        ("outwear", "blouse", {}),
        ("skirt", "skirt", {}),
    ],
    ids=[
        "networks disagree",
        "same place",
        "a part of it",
        "cut off",
        "no points",
        "in a dress",
        "in a coat",
        "twice",
    ],
)
def test_what_is_not_sure_is_not(labels, below, labelled, found, changes):
    assert len(neighbours(labels(labelled), {"a.jpg": [below(found, **changes)]})) == 0


def test_the_best_of_a_category_is_taken(labels, below):
    first, second = below(), below(box=np.array([20, 120, 80, 180], np.float32))
    assert len(neighbours(labels(), {"a.jpg": [first, second]})) == 1


def test_a_point_beyond_the_picture_is_taken_to_its_edge(labels, below):
    garment = below()
    waistband = KEYPOINT_NAMES.index("waistband_left")
    garment.keypoints[waistband] = 250
    added = neighbours(labels(), {"a.jpg": [garment]})
    assert added.keypoints[0, waistband].tolist() == [99, 199]


def test_labels_stay_as_they_are(drawn_root, tmp_path, capsys):
    source = drawn_root / "train"
    few = tmp_path / "few.csv"
    lines = (source / "Annotations" / "train.csv").read_text().splitlines(keepends=True)
    few.write_text("".join(lines[:5]))
    out = tmp_path / "all.json"
    arguments.neighbours([str(few), str(out), "--images", str(source)])
    assert "4 labelled garments" in capsys.readouterr().out
    wanted = read_labels(few)
    found = json.loads(out.read_text())[: len(wanted)]
    for row, garment in enumerate(found):
        assert garment["image_id"] == wanted.image_ids[row]
        for name, point in garment["keypoints"].items():
            index = KEYPOINT_NAMES.index(name)
            if wanted.visibility[row, index] != -1:
                assert [point["x"], point["y"]] == wanted.keypoints[row, index].tolist()


def test_labels_are_not_overwritten(drawn_root, tmp_path):
    labels = tmp_path / "labels.csv"
    shutil.copy(drawn_root / "train" / "Annotations" / "train.csv", labels)
    with pytest.raises(SystemExit, match="overwrite"):
        arguments.neighbours([str(labels), str(labels), "--images", str(drawn_root / "train")])
    with pytest.raises(SystemExit, match="No such file"):
        arguments.neighbours([str(tmp_path / "no.csv"), str(tmp_path / "o.json"), "--images", "."])
