"""Boxes of a detector, as pose networks are tested with them."""

import numpy as np
import pandas as pd
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope

from fashionkp_mm.core.box_files import read_boxes
from fashionkp_mm.core.boxes import without_margin
from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.images import image_size
from fashionkp_mm.plugin import FashionAIDataset
from fashionkp_mm.plugin.detection.detected_boxes import COLUMNS, write_detected_boxes

VAL = "val/Annotations/val.csv"


@pytest.fixture
def config_file(small_detector):
    return small_detector[0]


@pytest.fixture
def checkpoint(small_detector):
    return small_detector[1]


def table_of(path):
    return pd.read_csv(path, dtype={"image_id": str})


def test_it_is_the_best_box_of_the_images_category(
    config_file, checkpoint, eager, drawn_boxes, tmp_path
):
    table = table_of(write_detected_boxes(config_file, checkpoint, tmp_path / "boxes.csv"))
    assert tuple(table.columns) == COLUMNS
    dataset = drawn_boxes("val")
    assert table["image_id"].tolist() == dataset.image_ids
    for index, row in table.iterrows():
        info = dataset.get_data_info(index)
        assert row["category"] == CATEGORY_NAMES[info["label_category"]]
        with torch.no_grad():
            (sample,) = eager.test_step(pseudo_collate([dataset[index]]))
        found = sample.pred_instances
        found = found[found.labels == info["label_category"]]
        inside = np.clip(found.bboxes.numpy(), 0, np.tile((info["width"], info["height"]), 2))
        tight = without_margin(inside.astype(np.float32), found.labels.numpy())
        # Boxes in the padding beside the picture are none.
        solid = (tight[:, 2:] - tight[:, :2] >= 4).all(axis=1)
        tight, scores = tight[solid], found.scores.numpy()[solid]
        assert row["score"] == pytest.approx(scores.max(), abs=1e-3)
        # On plain ground, several can be the best but for rounding.
        tight = tight[scores > scores.max() - 1e-4]
        written = row[["x1", "y1", "x2", "y2"]].to_numpy(float)
        assert np.abs(tight - written).max(axis=1).min() < 0.1


def test_without_a_category_it_is_the_best_box_of_all(config_file, checkpoint, tmp_path):
    given = table_of(write_detected_boxes(config_file, checkpoint, tmp_path / "given.csv"))
    own = table_of(
        write_detected_boxes(config_file, checkpoint, tmp_path / "own.csv", category_given=False)
    )
    assert (own["score"] >= given["score"]).all()
    assert (own["category"] != given["category"]).any()


def test_where_nothing_is_found_it_is_the_whole_image(config_file, detector, drawn_root, tmp_path):
    torch.save({"state_dict": detector.state_dict()}, tmp_path / "untrained.pth")
    written = write_detected_boxes(config_file, tmp_path / "untrained.pth", tmp_path / "boxes.csv")
    table = table_of(written)
    assert (table["score"] == 0).all()
    for row in table.itertuples():
        size = image_size(drawn_root / "val" / row.image_id)
        assert (row.x1, row.y1, row.x2, row.y2) == (0, 0, *size)


def test_pose_networks_take_the_file(config_file, checkpoint, demo_config, drawn_root, tmp_path):
    written = write_detected_boxes(config_file, checkpoint, tmp_path / "boxes.csv")
    settings = {**demo_config.test_dataloader.dataset, "data_root": str(drawn_root)}
    settings.pop("type")
    with DefaultScope.overwrite_default_scope("mmpose"):
        dataset = FashionAIDataset(**{**settings, "bbox_source": str(written)})
        assert dataset[0]["inputs"].shape[0] == 3
    boxes = read_boxes(written, dataset.image_ids)
    np.testing.assert_array_equal(dataset.get_data_info(0)["bbox"][0], boxes[0])


def test_the_scope_of_a_run_around_it_stays(config_file, checkpoint, tmp_path):
    with DefaultScope.overwrite_default_scope("mmpose"):
        write_detected_boxes(config_file, checkpoint, tmp_path / "boxes.csv")
        assert DefaultScope.get_current_instance().scope_name == "mmpose"


def test_another_data_set_can_be_named(config_file, checkpoint, drawn_root, tmp_path):
    changes = {"ann_file": "train/Annotations/train.csv", "data_prefix": {"img": "train"}}
    written = write_detected_boxes(
        config_file, checkpoint, tmp_path / "boxes.csv", dataset={**changes, "indices": 5}
    )
    ids = read_labels(drawn_root / "train/Annotations/train.csv").image_ids
    assert table_of(written)["image_id"].tolist() == list(ids[:5])
