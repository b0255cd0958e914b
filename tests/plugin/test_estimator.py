"""Predictions of points that a garment cannot have."""

import copy

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmpose.models import build_pose_estimator

from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS


@pytest.fixture
def model(demo_config):
    config = copy.deepcopy(demo_config.model)
    config.backbone.init_cfg = None
    torch.manual_seed(0)
    return build_pose_estimator(config).eval()


def predict(model, item):
    with torch.no_grad():
        (sample,) = model.test_step(pseudo_collate([item]))
    return sample.pred_instances


def test_points_of_other_categories_have_score_0(model, drawn_dataset):
    dataset = drawn_dataset("val")
    for index in range(len(dataset)):
        item = dataset[index]
        category = item["data_samples"].category_id
        predicted = predict(model, item)
        defined = CATEGORY_KEYPOINTS[category]
        assert (predicted.keypoint_scores[0, ~defined] == 0).all()
        assert (predicted.keypoint_scores[0, defined] > 0).all()
        np.testing.assert_array_equal(predicted.keypoints_visible, predicted.keypoint_scores)
        assert predicted.category_indices.tolist() == [category]


def test_without_a_category_it_predicts_as_mmpose_does(model, drawn_dataset, demo_config):
    config = copy.deepcopy(demo_config.model)
    config.update(type="TopdownPoseEstimator")
    config.backbone.init_cfg = None
    stock = build_pose_estimator(config).eval()
    stock.load_state_dict(model.state_dict())
    item = drawn_dataset("val")[0]
    del item["data_samples"].gt_instances.category_indices
    ours, theirs = (predict(m, copy.deepcopy(item)) for m in (model, stock))
    np.testing.assert_array_equal(ours.keypoints, theirs.keypoints)
    np.testing.assert_array_equal(ours.keypoint_scores, theirs.keypoint_scores)
    assert "category_indices" not in ours
