"""The normalized error as MMPose reports it, beside MMPose's own metrics."""

import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from fashionkp_mm.core import csv_format
from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS, CATEGORY_NAMES, NUM_KEYPOINTS, Visibility
from fashionkp_mm.core.normalized_error import evaluate
from fashionkp_mm.plugin import NormalizedError

VAL = "val/Annotations/val.csv"


def predicted(dataset, offset):
    """Samples as a model returns them, every point ``offset`` pixels to the right of its label."""
    samples = []
    for index in range(len(dataset)):
        sample = dataset[index]["data_samples"]
        truth = sample.gt_instances
        points = truth.keypoints + np.array([offset, 0], np.float32)
        scores = np.ones(points.shape[:2], np.float32)
        sample.pred_instances = InstanceData(
            keypoints=points, keypoint_scores=scores, bboxes=truth.bboxes
        )
        samples.append(sample)
    return samples


def score(metric, dataset, samples):
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = dataset.metainfo
    evaluator.process(samples, pseudo_collate(samples))
    return evaluator.evaluate(len(dataset))


def test_perfect_predictions_have_no_error(drawn_dataset):
    dataset = drawn_dataset("val")
    result = score(NormalizedError(), dataset, predicted(dataset, 0))
    assert result["fashionai/NE"] == 0
    assert result["fashionai/points"] > 0
    assert {f"fashionai/NE_{name}" for name in CATEGORY_NAMES} <= result.keys()


def test_same_figure_as_from_the_submission(drawn_dataset, drawn_root, tmp_path):
    dataset = drawn_dataset("val")
    path = tmp_path / "out" / "predictions.csv"
    result = score(NormalizedError(submission_file=str(path)), dataset, predicted(dataset, 3))
    answers = csv_format.read_labels(drawn_root / VAL)
    entry = csv_format.read_predictions(path)
    assert evaluate(answers, entry).value == pytest.approx(result["fashionai/NE"], abs=1e-9)
    assert result["fashionai/NE"] > 1
    defined = CATEGORY_KEYPOINTS[entry.category_indices]
    assert (entry.visibility[defined] == Visibility.VISIBLE).all()
    assert (entry.visibility[~defined] == Visibility.ABSENT).all()


def test_an_image_without_a_prediction_is_all_errors_of_1(drawn_dataset, drawn_root, tmp_path):
    dataset = drawn_dataset("val")
    files = {"submission_file": tmp_path / "entry.csv", "predictions_file": tmp_path / "found.csv"}
    samples = predicted(dataset, 3)
    for sample in samples[::2]:
        sample.pred_instances = InstanceData(
            keypoints=np.empty((0, NUM_KEYPOINTS, 2)), keypoint_scores=np.empty((0, NUM_KEYPOINTS))
        )
    metric = NormalizedError(**{name: str(file) for name, file in files.items()})
    result = score(metric, dataset, samples)
    answers = csv_format.read_labels(drawn_root / VAL)
    for name, file in files.items():
        found = csv_format.read_predictions(file)
        assert found.image_ids == tuple(dataset.image_ids[1::2]), name
        counted = evaluate(answers, found, missing_predictions="count").value
        assert counted == pytest.approx(result["fashionai/NE"], abs=1e-9)
    assert (
        result["fashionai/NE"]
        > score(NormalizedError(), dataset, predicted(dataset, 3))["fashionai/NE"]
    )


def test_predictions_are_written_as_they_are(drawn_dataset, drawn_root, tmp_path):
    dataset = drawn_dataset("val")
    samples = predicted(dataset, 3.25)
    for sample in samples:
        truth = sample.gt_instances
        sample.pred_instances.category_indices = truth.category_indices
        sample.pred_instances.keypoint_visibility = truth.keypoint_visibility
    path = tmp_path / "predictions.csv"
    result = score(NormalizedError(predictions_file=str(path)), dataset, samples)
    answers = csv_format.read_labels(drawn_root / VAL)
    written = csv_format.read_predictions(path)
    assert evaluate(answers, written).value == pytest.approx(result["fashionai/NE"], abs=1e-9)
    assert (written.visibility == answers.visibility).all()
    assert (written.placed == CATEGORY_KEYPOINTS[written.category_indices]).all()


def test_a_predicted_category_is_written_and_the_labelled_one_submitted(
    drawn_dataset, drawn_root, tmp_path
):
    dataset = drawn_dataset("val")
    samples = predicted(dataset, 0)
    for sample in samples:
        shape = sample.gt_instances.category_indices.shape
        sample.pred_instances.category_indices = np.zeros(shape, int)
    files = {
        kind: str(tmp_path / f"{kind}.csv") for kind in ("submission_file", "predictions_file")
    }
    score(NormalizedError(**files), dataset, samples)
    written = csv_format.read_predictions(files["predictions_file"])
    assert (written.category_indices == 0).all()
    entry = csv_format.read_predictions(files["submission_file"])
    answers = csv_format.read_labels(drawn_root / VAL)
    assert (entry.category_indices == answers.category_indices).all()
    assert evaluate(answers, entry).value == 0


def test_points_that_a_chosen_category_lacks_count_as_in_evaluate(
    drawn_dataset, drawn_root, tmp_path
):
    dataset = drawn_dataset("val")
    samples = predicted(dataset, 3)
    for sample in samples:
        shape = sample.gt_instances.category_indices.shape
        sample.pred_instances.category_indices = np.zeros(shape, int)
    path = tmp_path / "predictions.csv"
    result = score(NormalizedError(predictions_file=str(path)), dataset, samples)
    answers = csv_format.read_labels(drawn_root / VAL)
    written = csv_format.read_predictions(path)
    counted = evaluate(answers, written)
    assert counted.value == pytest.approx(result["fashionai/NE"], abs=1e-9)
    assert result["fashionai/NE_trousers"] == 100


def test_occluded_points_count_on_demand(drawn_dataset):
    dataset = drawn_dataset("val")
    samples = predicted(dataset, 3)
    visible = score(NormalizedError(), dataset, samples)
    labelled = score(NormalizedError(scored_points="labelled"), dataset, samples)
    table_points = sum((s.gt_instances.keypoint_visibility >= 0).sum() for s in samples)
    assert visible["fashionai/points"] < labelled["fashionai/points"] == table_points


def test_a_sample_seen_twice_counts_once(drawn_dataset):
    dataset = drawn_dataset("val")
    samples = predicted(dataset, 3)
    once = score(NormalizedError(), dataset, samples)
    evaluator = Evaluator(NormalizedError())
    evaluator.dataset_meta = dataset.metainfo
    evaluator.process([*samples, samples[0]], None)
    assert evaluator.evaluate(len(dataset) + 1) == once


@pytest.mark.parametrize("source", ["label", "whole"])
def test_the_log_says_which_boxes_were_used(source, drawn_dataset, logged):
    dataset = drawn_dataset("val", bbox_source=source)
    score(NormalizedError(), dataset, predicted(dataset, 1))
    assert f"boxes from '{source}'" in "\n".join(logged)


def test_the_log_says_who_chose_the_categories(drawn_dataset, logged):
    dataset = drawn_dataset("val", category_given=False)
    score(NormalizedError(), dataset, predicted(dataset, 1))
    assert "boxes from 'label' and categories of the model's choice" in "\n".join(logged)


def test_stock_metrics_run_on_the_data(drawn_dataset):
    dataset = drawn_dataset("val")
    stock = [{"type": "PCKAccuracy", "thr": 0.2}, {"type": "EPE"}, {"type": "AUC"}]
    result = score([{"type": "NormalizedError"}, *stock], dataset, predicted(dataset, 3))
    assert result["PCK"] == 1
    assert result["EPE"] == pytest.approx(3, abs=1e-4)
    assert 0 < result["AUC"] < 1
