"""Category and visibility accuracy as MMPose reports them, beside the normalized error."""

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from fashionkp_mm.core.garments import CATEGORY_NAMES, NUM_KEYPOINTS, Visibility
from fashionkp_mm.plugin import GarmentRecognition


def recognised(dataset, *, wrong_categories=0, visibility=None):
    """Samples as a model with a GarmentHead returns them, right but for what is asked for."""
    samples = []
    for index in range(len(dataset)):
        sample = dataset[index]["data_samples"]
        truth = sample.gt_instances
        category = int(truth.category_indices[0])
        if index < wrong_categories:
            category = (category + 1) % len(CATEGORY_NAMES)
        scores = np.full((1, len(CATEGORY_NAMES)), 0.1, np.float32)
        scores[0, category] = 0.6
        predicted = truth.keypoint_visibility
        if visibility is not None:
            predicted = np.full_like(predicted, visibility)
        sample.pred_instances = InstanceData(
            keypoints=truth.keypoints.copy(),
            keypoint_scores=np.ones(predicted.shape, np.float32),
            category_scores=scores,
            keypoint_visibility=predicted,
        )
        samples.append(sample)
    return samples


def score(metrics, dataset, samples):
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = dataset.metainfo
    evaluator.process(samples, pseudo_collate(samples))
    return evaluator.evaluate(len(dataset))


def test_right_predictions_are_all_found(drawn_dataset):
    dataset = drawn_dataset("val")
    result = score(GarmentRecognition(), dataset, recognised(dataset))
    assert result["fashionai/category_accuracy"] == 100
    assert result["fashionai/visibility_accuracy"] == 100
    assert {f"fashionai/category_accuracy_{name}" for name in CATEGORY_NAMES} <= result.keys()


def test_wrong_categories_lower_the_accuracy(drawn_dataset):
    dataset = drawn_dataset("val")
    result = score(GarmentRecognition(), dataset, recognised(dataset, wrong_categories=2))
    assert result["fashionai/category_accuracy"] == pytest.approx(100 * (1 - 2 / len(dataset)))


def test_always_visible_finds_no_occluded_point(drawn_dataset):
    dataset = drawn_dataset("val")
    samples = recognised(dataset, visibility=Visibility.VISIBLE)
    result = score(GarmentRecognition(), dataset, samples)
    assert result["fashionai/visibility_accuracy_visible"] == 100
    assert result["fashionai/visibility_accuracy_occluded"] == 0
    balanced = result["fashionai/visibility_accuracy_balanced"]
    assert balanced < result["fashionai/visibility_accuracy"] < 100


def test_counts_are_logged(drawn_dataset, logged):
    dataset = drawn_dataset("val")
    score(GarmentRecognition(), dataset, recognised(dataset))
    text = "\n".join(logged)
    assert f"Category accuracy 100.00 %, mean of the classes 100.00 %, {len(dataset)}" in text
    assert "predicted as" in text
    assert "occluded" in text


def test_a_model_that_recognises_nothing_is_told_so_once(drawn_dataset, logged):
    dataset = drawn_dataset("val")
    samples = recognised(dataset)
    for sample in samples:
        del sample.pred_instances.category_scores
    metric = GarmentRecognition()
    assert score(metric, dataset, samples) == {}
    assert score(metric, dataset, samples) == {}
    assert sum("no GarmentHead" in message for message in logged) == 1


def test_a_sample_seen_twice_counts_once(drawn_dataset):
    dataset = drawn_dataset("val")
    samples = recognised(dataset, wrong_categories=1)
    evaluator = Evaluator(GarmentRecognition())
    evaluator.process([*samples, samples[0]], None)
    result = evaluator.evaluate(len(dataset) + 1)
    assert result["fashionai/category_accuracy"] == pytest.approx(100 * (1 - 1 / len(dataset)))


def test_every_model_is_scored_by_both_metrics(drawn_dataset, demo_config: Config):
    dataset = drawn_dataset("val")
    result = score(demo_config.val_evaluator, dataset, recognised(dataset))
    assert {"fashionai/NE", "fashionai/category_accuracy"} <= result.keys()


def test_where_none_is_given_the_category_that_users_get_counts(drawn_dataset):
    # A detector can say what it is, against the network's opinion.
    for given, expected in ((True, 100), (False, 0)):
        dataset = drawn_dataset("val", category_given=given)
        samples = recognised(dataset)
        for sample in samples:
            labelled = sample.gt_instances.category_indices
            sample.pred_instances.category_indices = (labelled + 1) % len(CATEGORY_NAMES)
        result = score(GarmentRecognition(), dataset, samples)
        assert result["fashionai/category_accuracy"] == expected


def test_images_without_a_prediction_are_left_out(drawn_dataset, logged):
    dataset = drawn_dataset("val")
    nothing = InstanceData(
        keypoints=np.empty((0, NUM_KEYPOINTS, 2)), keypoint_scores=np.empty((0, NUM_KEYPOINTS))
    )
    samples = recognised(dataset, wrong_categories=2)
    samples[0].pred_instances = nothing
    result = score(GarmentRecognition(), dataset, samples)
    left = len(dataset) - 1
    assert result["fashionai/category_accuracy"] == pytest.approx(100 * (left - 1) / left)
    assert result["fashionai/visibility_accuracy"] == 100

    for sample in samples:
        sample.pred_instances = nothing
    assert score(GarmentRecognition(), dataset, samples) == {}
    assert not any("no GarmentHead" in line for line in logged)
