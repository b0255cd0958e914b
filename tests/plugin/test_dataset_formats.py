"""Data sets on labels of other formats than CSV: the same samples, several garments an image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmengine.registry import DefaultScope

from fashionkp_mm.core.box_files import BoxFileError
from fashionkp_mm.exchange.formats import read_table, write_table
from fashionkp_mm.exchange.pictures import find_pictures, with_sizes
from fashionkp_mm.plugin.dataset import FashionAIDataset
from fashionkp_mm.plugin.detection.dataset import FashionAIDetDataset

NAMES = {
    "coco": "coco.json",
    "json": "labels.json",
    "cvat": "a.xml",
    "label-studio": "label-studio.json",
    "yolo-pose": "yolo",
}


@pytest.fixture
def csv(drawn_root: Path) -> Path:
    return drawn_root / "train" / "Annotations" / "train.csv"


def converted(csv: Path, form: Any, folder: Path) -> Path:
    table = read_table(csv)
    pictures = find_pictures(table, csv, None)
    write_table(folder / NAMES[form], with_sizes(table, pictures, csv), form, pictures)
    return folder / NAMES[form]


def keypoints(labels: Path, csv: Path, **options: Any) -> FashionAIDataset:
    prefix = {"img": str(csv.parents[1])}
    return FashionAIDataset(ann_file=str(labels), data_prefix=prefix, **options)


@pytest.mark.parametrize("form", NAMES)
def test_the_samples_are_those_of_the_csv(form: str, csv: Path, tmp_path: Path) -> None:
    expected, found = keypoints(csv, csv), keypoints(converted(csv, form, tmp_path), csv)
    assert len(found) == len(expected) > 20
    for index in range(len(expected)):
        one, other = expected.get_data_info(index), found.get_data_info(index)
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_equal(other[name], one[name], err_msg=name)


@pytest.mark.parametrize("form", NAMES)
def test_the_boxes_are_those_of_the_csv(form: str, csv: Path, tmp_path: Path) -> None:
    prefix = {"img": str(csv.parents[1])}
    with DefaultScope.overwrite_default_scope("mmdet"):
        expected, found = (
            FashionAIDetDataset(str(labels), data_prefix=prefix)
            for labels in (csv, converted(csv, form, tmp_path))
        )
    for index in range(len(expected)):
        assert found.get_data_info(index) == expected.get_data_info(index)


@pytest.fixture
def several(csv: Path, tmp_path: Path) -> Path:
    """Labels whose first image has two garments."""
    path = converted(csv, "json", tmp_path)
    garments = json.loads(path.read_text())[:3]
    garments[1]["image_id"] = garments[0]["image_id"]
    path.write_text(json.dumps(garments))
    return path


def test_several_garments_of_an_image_are_a_sample_each(several: Path, csv: Path) -> None:
    dataset = keypoints(several, csv)
    assert len(dataset) == 3
    first, second = dataset.get_data_info(0), dataset.get_data_info(1)
    assert first["img_id"] == second["img_id"]
    assert first["id"] != second["id"]
    assert not np.array_equal(first["bbox"], second["bbox"])
    assert first["category_index"] != second["category_index"]


def test_a_file_of_boxes_does_not_say_of_which_garment(
    several: Path, csv: Path, tmp_path: Path
) -> None:
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("image_id,x1,y1,x2,y2\n")
    with pytest.raises(BoxFileError, match="images with several garments"):
        keypoints(several, csv, bbox_source=str(boxes))


def test_several_boxes_of_an_image_are_one_record(several: Path, csv: Path) -> None:
    with DefaultScope.overwrite_default_scope("mmdet"):
        dataset = FashionAIDetDataset(str(several), data_prefix={"img": str(csv.parents[1])})
    assert [len(dataset.get_data_info(index)["instances"]) for index in range(2)] == [2, 1]
