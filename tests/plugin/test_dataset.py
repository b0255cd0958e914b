"""FashionAI as MMPose sees it."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from fashionkp_mm.core import csv_format
from fashionkp_mm.core.box_files import BoxFileError
from fashionkp_mm.core.boxes import keypoint_boxes
from fashionkp_mm.core.garments import (
    CATEGORIES,
    FLIP_INDICES,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.core.normalized_error import normalizers
from fashionkp_mm.core.table import AnnotationError, KeypointTable
from fashionkp_mm.exchange.formats import format_to_write, write_table
from fashionkp_mm.exchange.table import GarmentTable
from fashionkp_mm.images import image_size, load_image
from fashionkp_mm.plugin import FashionAIDataset
from fashionkp_mm.plugin.detection.dataset import FashionAIDetDataset
from fashionkp_mm.plugin.label_files import DataNotFoundError

VAL = "val/Annotations/val.csv"


def test_metainfo_comes_from_garments():
    meta = parse_pose_metainfo(FashionAIDataset.METAINFO)
    assert list(meta["keypoint_name2id"]) == list(KEYPOINT_NAMES)
    assert tuple(meta["flip_indices"]) == FLIP_INDICES
    links = {frozenset(link) for category in CATEGORIES.values() for link in category.skeleton}
    names = meta["keypoint_id2name"]
    assert {frozenset(names[k] for k in link) for link in meta["skeleton_links"]} == links
    assert len(meta["skeleton_link_colors"]) == len(links)


def test_a_sample_carries_category_visibility_and_normaliser(drawn_dataset, drawn_root):
    dataset = drawn_dataset("val")
    table = csv_format.read_labels(drawn_root / VAL)
    expected = normalizers(table.keypoints, table.visibility, table.category_indices)
    assert {-1, 0, 1} <= set(np.unique(table.visibility)), "the drawn set must hold all states"
    assert len(dataset) == len(table)
    for index in range(len(table)):
        sample = dataset[index]["data_samples"]
        truth = sample.gt_instances
        assert sample.img_id == table.image_ids[index]
        assert sample.category_id == table.category_indices[index]
        assert truth.category_indices.tolist() == [table.category_indices[index]]
        np.testing.assert_array_equal(truth.keypoint_visibility[0], table.visibility[index])
        np.testing.assert_array_equal(truth.keypoints[0], table.keypoints[index])
        np.testing.assert_allclose(truth.normalizers[0], expected[index], rtol=1e-6)
        labelled = table.visibility[index] != Visibility.ABSENT
        np.testing.assert_array_equal(truth.keypoints_visible[0], labelled.astype(np.float32))


def test_a_pictures_first_garment_is_the_main_one(drawn_dataset, drawn_root, tmp_path):
    table = csv_format.read_labels(drawn_root / VAL)
    beside = replace(table.select(np.array([1])), image_ids=table.image_ids[:1])
    several = tmp_path / "several.json"
    joined = KeypointTable.joined([table, beside])
    write_table(several, GarmentTable.of(joined), format_to_write(several))
    dataset = drawn_dataset("val", ann_file=str(several))
    main = [dataset.get_data_info(index)["main_garment"] for index in range(len(dataset))]
    assert main == [True] * len(table) + [False]
    assert dataset[0]["data_samples"].gt_instances.named.tolist() == [True]


def test_absent_points_have_no_weight_in_training(drawn_dataset):
    dataset = drawn_dataset("train")
    for index in range(len(dataset)):
        sample = dataset[index]["data_samples"]
        absent = sample.gt_instances.keypoint_visibility[0] == Visibility.ABSENT
        weights = sample.gt_instance_labels.keypoint_weights.numpy()[0]
        assert (weights[absent] == 0).all()
        assert weights.sum() > 0


def test_categories_can_be_chosen(drawn_dataset):
    dataset = drawn_dataset("val", categories=["skirt", "trousers"])
    categories = {dataset.get_data_info(i)["category_id"] for i in range(len(dataset))}
    assert categories == {list(CATEGORIES).index("skirt"), list(CATEGORIES).index("trousers")}


def test_unknown_category_is_named(drawn_dataset):
    with pytest.raises(ValueError, match=r"\['kilt'\]; expected some of blouse"):
        drawn_dataset("val", categories=["kilt"])


def test_label_boxes_are_tight(drawn_dataset, drawn_root):
    dataset = drawn_dataset("val")
    table = csv_format.read_labels(drawn_root / VAL)
    boxes = keypoint_boxes(table.keypoints, table.visibility != Visibility.ABSENT)
    found = [dataset.get_data_info(i)["bbox"][0] for i in range(len(dataset))]
    np.testing.assert_array_equal(found, boxes)
    assert dataset.metainfo["bbox_source"] == "label"


def test_whole_boxes_are_the_image(drawn_dataset):
    dataset = drawn_dataset("val", bbox_source="whole")
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        np.testing.assert_array_equal(info["bbox"][0], (0, 0, *image_size(info["img_path"])))
    assert dataset.metainfo["bbox_source"] == "whole"


def test_samples_say_that_their_category_is_not_for_the_model(drawn_dataset):
    given, hidden = drawn_dataset("val"), drawn_dataset("val", category_given=False)
    assert given[0]["data_samples"].metainfo.get("category_given", True)
    sample = hidden[0]["data_samples"]
    assert sample.metainfo["category_given"] is False
    assert "category_indices" in sample.gt_instances, "metrics have to know it"
    assert hidden.metainfo["category_given"] is False


def test_boxes_from_a_file(drawn_dataset, drawn_root, tmp_path):
    ids = csv_format.read_labels(drawn_root / VAL).image_ids
    path = tmp_path / "boxes.csv"
    rows = [f"{image_id},{i},2,{i + 50},99" for i, image_id in enumerate(ids)]
    path.write_text("\n".join(["image_id,x1,y1,x2,y2", *rows]))
    dataset = drawn_dataset("val", bbox_source=str(path))
    for index in range(len(ids)):
        assert dataset.get_data_info(index)["bbox"].tolist() == [[index, 2, index + 50, 99]]
    path.write_text("\n".join(["image_id,x1,y1,x2,y2", *rows[1:]]))
    with pytest.raises(BoxFileError, match=rf"no box for 1 images.*{ids[0]}"):
        drawn_dataset("val", bbox_source=str(path))


def test_a_test_list_needs_boxes_from_elsewhere(drawn_dataset, drawn_root, tmp_path):
    table = csv_format.read_labels(drawn_root / VAL)
    names = list(CATEGORIES)
    rows = [
        f"{image_id},{names[index]}"
        for image_id, index in zip(table.image_ids, table.category_indices, strict=True)
    ]
    path = tmp_path / "test.csv"
    path.write_text("\n".join(["image_id,image_category", *rows]))
    with pytest.raises(ValueError, match=r"test list without keypoints.*bbox_source='whole'"):
        drawn_dataset("val", ann_file=str(path))
    dataset = drawn_dataset("val", ann_file=str(path), bbox_source="whole")
    assert len(dataset) == len(table)
    visibility = dataset[0]["data_samples"].gt_instances.keypoint_visibility
    assert (visibility == Visibility.ABSENT).all()


def test_missing_data_says_where_to_get_it_and_how_to_do_without(tmp_path, drawn_dataset):
    with pytest.raises(DataNotFoundError, match=r"Tianchi.*FASHIONAI_ROOT.*fashionkp synth"):
        drawn_dataset("train", data_root=str(tmp_path))


def test_broken_labels_stop_before_any_training(drawn_dataset, drawn_root, tmp_path):
    text = (drawn_root / VAL).read_text().splitlines()
    text[2] = text[2].rsplit(",", 1)[0] + ",1_2"
    path = tmp_path / "broken.csv"
    path.write_text("\n".join(text))
    with pytest.raises(AnnotationError, match=r"broken.csv, row 3, column bottom_right_out.*'1_2'"):
        drawn_dataset("train", ann_file=str(path))


def test_stock_flip_is_refused(drawn_dataset):
    with pytest.raises(ValueError, match="write GarmentFlip instead"):
        drawn_dataset("train", pipeline=[{"type": "RandomFlip"}])


def test_image_without_labelled_points(drawn_root, drawn_dataset, tmp_path):
    lines = (drawn_root / VAL).read_text().splitlines()
    image_id, category = lines[1].split(",")[:2]
    lines[1] = ",".join([image_id, category, *["-1_-1_-1"] * NUM_KEYPOINTS])
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(lines))
    folder = str(drawn_root / "val")
    training = drawn_dataset("train", ann_file=str(path), data_prefix={"img": folder})
    assert image_id not in training.image_ids, "it has nothing to teach"
    testing = drawn_dataset("val", ann_file=str(path))
    assert testing.image_ids[0] == image_id, "it has to be predicted all the same"
    info = testing.get_data_info(0)
    np.testing.assert_array_equal(info["bbox"][0], (0, 0, *image_size(info["img_path"])))


@pytest.mark.parametrize("layout", ["train1/Images", "train1"])
def test_images_of_todays_archives_are_found(layout, drawn_root, drawn_dataset, tmp_path):
    shutil.copytree(drawn_root / "val/Images", tmp_path / layout)
    dataset = drawn_dataset(
        "val", ann_file=str(drawn_root / VAL), data_prefix={"img": str(tmp_path)}
    )
    assert all(
        Path(dataset.get_data_info(i)["img_path"]).is_relative_to(tmp_path / layout)
        for i in range(len(dataset))
    )


def test_two_data_sets_do_not_share_their_metainfo(drawn_dataset):
    label, whole = drawn_dataset("val"), drawn_dataset("val", bbox_source="whole")
    assert label.metainfo["bbox_source"] == "label"
    assert whole.metainfo["bbox_source"] == "whole"


def test_real_data(fashionai_root, demo_config):
    for split, count in (("train", 2818), ("val", 443)):
        settings = {**demo_config[f"{split}_dataloader"].dataset, "data_root": str(fashionai_root)}
        settings.pop("type")
        dataset = FashionAIDataset(**settings)
        assert len(dataset) == count
        sample = dataset[0]
        assert sample["inputs"].shape == (3, 128, 128)
        assert sample["inputs"].float().std() > 1


@pytest.mark.parametrize("kind", [FashionAIDataset, FashionAIDetDataset])
def test_pictures_may_lie_where_fsspec_opens_them(kind, drawn_root):
    fsspec = pytest.importorskip("fsspec")
    bucket = fsspec.filesystem("memory")
    table = csv_format.read_labels(drawn_root / "train/Annotations/train.csv")
    for image_id in table.image_ids:
        bucket.pipe_file(f"/data/train/{image_id}", (drawn_root / "train" / image_id).read_bytes())
    dataset = kind(
        data_root=str(drawn_root),
        ann_file="train/Annotations/train.csv",
        data_prefix={"img": "memory://data/train"},
        pipeline=[{"type": "LoadGarmentImage"}],
    )
    assert dataset.get_data_info(0)["img_path"] == f"memory://data/train/{table.image_ids[0]}"
    loaded = dataset[0]["img"]
    assert np.array_equal(loaded, load_image(drawn_root / "train" / table.image_ids[0]))
