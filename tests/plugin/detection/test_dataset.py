"""FashionAI as MMDetection sees it."""

import numpy as np
import pytest

from fashionkp_mm.core import csv_format
from fashionkp_mm.core.boxes import keypoint_boxes, with_margin
from fashionkp_mm.core.garments import CATEGORIES, CATEGORY_NAMES, NUM_KEYPOINTS, Visibility
from fashionkp_mm.images import BrokenImageError, image_size
from fashionkp_mm.plugin.label_files import DataNotFoundError

VAL = "val/Annotations/val.csv"


def test_boxes_are_the_points_with_their_categorys_margin(drawn_boxes, drawn_root):
    dataset = drawn_boxes("val")
    table = csv_format.read_labels(drawn_root / VAL)
    tight = keypoint_boxes(table.keypoints, table.visibility != Visibility.ABSENT)
    expected = with_margin(tight, table.category_indices)
    assert dataset.image_ids == list(table.image_ids)
    inside = 0
    for index in range(len(table)):
        info = dataset.get_data_info(index)
        (label,) = info["instances"]
        width, height = image_size(info["img_path"])
        assert (info["width"], info["height"]) == (width, height)
        assert label["bbox_label"] == info["label_category"] == table.category_indices[index]
        cut = np.clip(expected[index], 0, (width, height, width, height))
        np.testing.assert_allclose(label["bbox"], cut, rtol=1e-6)
        inside += (cut == expected[index]).all()
    assert inside > 0


def test_boxes_end_at_the_images_edge(drawn_boxes, drawn_root, tmp_path):
    lines = (drawn_root / VAL).read_text().splitlines()
    path = tmp_path / "labels.csv"
    image_id = lines[1].split(",")[0]
    width, height = image_size(drawn_root / "val" / image_id)
    cells = ["-1_-1_-1"] * NUM_KEYPOINTS
    cells[0], cells[1] = "0_0_1", f"{width - 1}_{height - 1}_1"
    path.write_text("\n".join([lines[0], ",".join([image_id, "blouse", *cells])]))
    dataset = drawn_boxes("val", ann_file=str(path))
    (label,) = dataset.get_data_info(0)["instances"]
    assert label["bbox"] == [0, 0, width, height]


def test_classes_are_the_categories(drawn_boxes):
    meta = drawn_boxes("val").metainfo
    assert meta["classes"] == CATEGORY_NAMES
    assert meta["palette"] == [category.color for category in CATEGORIES.values()]


@pytest.mark.parametrize("points", [0, 1])
def test_without_a_box_a_garment_is_tested_but_not_trained_on(
    points, drawn_boxes, drawn_root, tmp_path
):
    lines = (drawn_root / VAL).read_text().splitlines()
    image_id = lines[1].split(",")[0]
    cells = ["5_5_1"] * points + ["-1_-1_-1"] * (NUM_KEYPOINTS - points)
    lines[1] = ",".join([image_id, "blouse", *cells])
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(lines))
    training = drawn_boxes(
        "train", ann_file=str(path), data_prefix={"img": str(drawn_root / "val")}
    )
    assert image_id not in training.image_ids
    testing = drawn_boxes("val", ann_file=str(path))
    assert testing.image_ids[0] == image_id
    assert testing.get_data_info(0)["instances"] == []


def test_a_test_list_has_categories_but_no_boxes(drawn_boxes, drawn_root, tmp_path):
    table = csv_format.read_labels(drawn_root / VAL)
    rows = [
        f"{image_id},{CATEGORY_NAMES[index]}"
        for image_id, index in zip(table.image_ids, table.category_indices, strict=True)
    ]
    path = tmp_path / "test.csv"
    path.write_text("\n".join(["image_id,image_category", *rows]))
    dataset = drawn_boxes("val", ann_file=str(path))
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    assert [info["label_category"] for info in infos] == table.category_indices.tolist()
    assert not any(info["instances"] for info in infos)


def test_missing_data_is_said_to_be_missing(drawn_boxes, tmp_path):
    with pytest.raises(DataNotFoundError, match="FASHIONAI_ROOT"):
        drawn_boxes("train", data_root=str(tmp_path))


def test_a_missing_image_is_named(drawn_boxes, drawn_root, tmp_path):
    with pytest.raises(BrokenImageError, match=r"\.jpg: the image is missing"):
        drawn_boxes("train", data_prefix={"img": str(tmp_path)})


def test_a_sample_has_its_box_in_pixels_of_the_input(drawn_boxes, detector_config):
    width, height = detector_config.train_dataloader.dataset.pipeline[-2]["size"]
    for item in [drawn_boxes("train")[index] for index in range(8)]:
        assert item["inputs"].shape == (3, height, width)
        truth = item["data_samples"].gt_instances
        box = truth.bboxes.tensor
        assert box.shape == (1, 4)
        assert (box[:, 2:] > box[:, :2]).all()
        assert (box >= 0).all()
        assert (box[:, 2] <= width).all()
        assert (box[:, 3] <= height).all()


def test_real_data(fashionai_root, drawn_boxes):
    for split, count in (("train", 2818), ("val", 443)):
        dataset = drawn_boxes(split, data_root=str(fashionai_root))
        assert len(dataset) == count
        assert dataset[0]["inputs"].float().std() > 1
