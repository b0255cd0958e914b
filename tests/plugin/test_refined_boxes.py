"""Box files written from what a model found, and points on which several looks settle."""

import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from fashionkp_mm.core.box_files import read_boxes
from fashionkp_mm.core.boxes import keypoint_boxes
from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS, Visibility
from fashionkp_mm.plugin import MergedLooks, RefinedBoxes


@pytest.fixture
def dataset(drawn_dataset):
    return drawn_dataset("val", bbox_source="whole")


def found(dataset, *, visibility=None, categories=True):
    """Samples whose points are the labels', and at the image's corner where none is labelled."""
    samples = []
    for index in range(len(dataset)):
        sample = dataset[index]["data_samples"]
        truth = sample.gt_instances
        labelled = truth.keypoint_visibility != Visibility.ABSENT
        fields = {
            "keypoints": np.where(labelled[..., None], truth.keypoints, 0),
            "keypoint_scores": labelled.astype(np.float32),
        }
        if visibility is not None:
            fields["keypoint_visibility"] = visibility(truth)
        if categories:
            fields["category_indices"] = truth.category_indices
        sample.pred_instances = InstanceData(**fields)
        samples.append(sample)
    return samples


def written(dataset, samples, path):
    """The boxes that the metric wrote, in the data set's order."""
    evaluator = Evaluator(RefinedBoxes(file=str(path)))
    evaluator.process(samples, pseudo_collate(samples))
    assert evaluator.evaluate(len(dataset)) == {}
    return read_boxes(path, dataset.image_ids)


def label_boxes(dataset):
    truths = [dataset[index]["data_samples"].gt_instances for index in range(len(dataset))]
    visibility = np.concatenate([truth.keypoint_visibility for truth in truths])
    keypoints = np.concatenate([truth.keypoints for truth in truths])
    return keypoint_boxes(keypoints, visibility != Visibility.ABSENT)


def test_points_that_are_not_absent_are_enclosed(dataset, tmp_path):
    samples = found(dataset, visibility=lambda truth: truth.keypoint_visibility)
    boxes = written(dataset, samples, tmp_path / "new" / "boxes.csv")
    np.testing.assert_allclose(boxes, label_boxes(dataset), atol=1e-3)


def test_points_of_other_categories_are_not_enclosed(dataset, tmp_path):
    def all_visible(truth):
        return np.ones_like(truth.keypoint_visibility)

    boxes = written(dataset, found(dataset, visibility=all_visible), tmp_path / "boxes.csv")
    for index, box in enumerate(boxes):
        truth = dataset[index]["data_samples"].gt_instances
        defined = CATEGORY_KEYPOINTS[truth.category_indices]
        if (truth.keypoint_visibility[defined] != Visibility.ABSENT).all():
            np.testing.assert_allclose(box, label_boxes(dataset)[index], atol=1e-3)


def test_a_model_that_says_nothing_of_visibility(dataset, tmp_path):
    boxes = written(dataset, found(dataset), tmp_path / "boxes.csv")
    assert (boxes[:, :2] <= label_boxes(dataset)[:, :2] + 1e-3).all()


def test_a_model_that_knows_no_categories_is_asked_for_the_given_ones(dataset, tmp_path):
    samples = found(dataset, categories=False)
    given = written(dataset, samples, tmp_path / "given.csv")
    chosen = written(dataset, found(dataset), tmp_path / "chosen.csv")
    np.testing.assert_array_equal(given, chosen)


def test_a_model_that_knows_no_categories_where_none_is_given(drawn_dataset, tmp_path):
    dataset = drawn_dataset("val", bbox_source="whole", category_given=False)
    boxes = written(dataset, found(dataset, categories=False), tmp_path / "boxes.csv")
    # Each garment lacks some of all points, and those were found at the corner.
    np.testing.assert_array_equal(boxes[:, :2], 0)


def test_the_file_is_for_the_data_set(dataset, drawn_dataset, tmp_path):
    path = tmp_path / "boxes.csv"
    written(dataset, found(dataset, categories=False), path)
    again = drawn_dataset("val", bbox_source=str(path))
    assert again.get_data_info(0)["bbox"].shape == (1, 4)


def test_later_metrics_see_the_points_on_which_the_looks_settle(dataset, tmp_path):
    look, moved = tmp_path / "look.npz", np.float32([8, -4])
    earlier = found(dataset)
    evaluator = Evaluator(RefinedBoxes(file=str(tmp_path / "b.csv"), looks_file=str(look)))
    evaluator.process(earlier, pseudo_collate(earlier))
    evaluator.evaluate(len(dataset))

    later, seen = found(dataset), []
    for index, sample in enumerate(later):
        sample.pred_instances.keypoints = sample.pred_instances.keypoints + moved
        if index == 0:  # it was taken for something else
            sample.pred_instances.category_indices = 1 - sample.pred_instances.category_indices

    class Seen(RefinedBoxes):
        def process(self, data_batch, data_samples):
            seen.extend(sample["pred_instances"]["keypoints"] for sample in data_samples)
            super().process(data_batch, data_samples)

    metrics = [MergedLooks([str(look)]), Seen(file=str(tmp_path / "c.csv"))]
    evaluator = Evaluator(metrics)
    evaluator.process(later, pseudo_collate(later))
    assert evaluator.evaluate(len(dataset)) == {}
    for index, (before, points) in enumerate(zip(earlier, seen, strict=True)):
        scored = before.pred_instances.keypoint_scores > 0
        share = np.where(scored, 0.5 if index else 1.0, 1.0)[..., None]
        expected = before.pred_instances.keypoints + share * moved
        np.testing.assert_allclose(points, expected, atol=1e-4)
