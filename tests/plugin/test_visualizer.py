"""What a person sees of labels and predictions."""

import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer

from fashionkp_mm.core.garments import CATEGORY_INDEX, KEYPOINT_INDEX, NUM_KEYPOINTS, Visibility
from fashionkp_mm.plugin import FashionVisualizer

SIDE = 240
BLANK = np.full((SIDE, SIDE, 3), 255, np.uint8)


@pytest.fixture
def visualizer(drawn_dataset):
    drawer = FashionVisualizer()
    drawer.set_dataset_meta(drawn_dataset("val").metainfo)
    return drawer


def skirt(**fields):
    """A skirt's four points on a blank picture, all other points at one place."""
    points = np.full((1, NUM_KEYPOINTS, 2), 20, np.float32)
    corners = {
        "waistband_left": (80, 60),
        "waistband_right": (160, 60),
        "hemline_left": (60, 200),
        "hemline_right": (180, 200),
    }
    for name, place in corners.items():
        points[0, KEYPOINT_INDEX[name]] = place
    return InstanceData(
        keypoints=points,
        bboxes=np.array([[0, 0, SIDE, SIDE]], np.float32),
        **{"category_indices": np.array([CATEGORY_INDEX["skirt"]]), **fields},
    )


def drawn(visualizer, **instances):
    sample = PoseDataSample()
    for name, value in instances.items():
        sample.set_field(value, name)
    options = {"draw_gt": "pred_instances" not in instances, "draw_pred": True}
    if options["draw_gt"]:
        options["draw_pred"] = False
    return visualizer.add_datasample("x", BLANK.copy(), sample, **options)


def is_marked(picture, x, y, reach=6):
    return (picture[y - reach : y + reach, x - reach : x + reach] != 255).any()


def labels(state):
    visibility = np.full((1, NUM_KEYPOINTS), Visibility.ABSENT, np.int8)
    for name in ("waistband_left", "waistband_right", "hemline_left", "hemline_right"):
        visibility[0, KEYPOINT_INDEX[name]] = Visibility.VISIBLE
    visibility[0, KEYPOINT_INDEX["hemline_left"]] = state
    return skirt(keypoint_visibility=visibility)


def test_labels_show_the_category_alone(visualizer):
    picture = drawn(visualizer, gt_instances=labels(Visibility.VISIBLE))
    assert is_marked(picture, 80, 60)
    assert is_marked(picture, 120, 60), "the waistband joins its ends"
    assert not is_marked(picture, 20, 20), "a skirt has no neckline"


def test_the_three_states_look_different(visualizer):
    pictures = [drawn(visualizer, gt_instances=labels(state)) for state in Visibility]
    absent, occluded, visible = (p[190:210, 50:70].astype(int) for p in pictures)
    assert not np.array_equal(occluded, visible)
    assert not np.array_equal(occluded, absent)
    assert is_marked(pictures[1], 60, 200)
    assert not is_marked(pictures[0], 60, 200, reach=4)


def test_predictions_are_drawn_where_the_score_suffices(visualizer):
    scores = np.ones((1, NUM_KEYPOINTS), np.float32)
    scores[0, KEYPOINT_INDEX["hemline_right"]] = 0.1
    picture = drawn(visualizer, pred_instances=skirt(keypoint_scores=scores))
    assert is_marked(picture, 60, 200)
    assert not is_marked(picture, 180, 200)
    assert not is_marked(picture, 20, 20)


def test_predictions_show_their_states_as_labels_do(visualizer):
    scores = np.ones((1, NUM_KEYPOINTS), np.float32)
    for state in Visibility:
        labelled = labels(state)
        predicted = skirt(keypoint_scores=scores, keypoint_visibility=labelled.keypoint_visibility)
        np.testing.assert_array_equal(
            drawn(visualizer, pred_instances=predicted), drawn(visualizer, gt_instances=labelled)
        )


def test_names_on_demand(visualizer):
    sample = PoseDataSample()
    sample.gt_instances = labels(Visibility.VISIBLE)
    plain = visualizer.add_datasample("x", BLANK.copy(), sample, draw_pred=False)
    named = visualizer.add_datasample("x", BLANK.copy(), sample, draw_pred=False, show_kpt_idx=True)
    assert (named != 255).sum() > 1.2 * (plain != 255).sum()


def test_without_a_category_it_draws_as_mmpose_does(visualizer, drawn_dataset):
    scores = np.ones((1, NUM_KEYPOINTS), np.float32)
    instances = skirt(keypoint_scores=scores, keypoints_visible=scores)
    del instances.category_indices
    stock = PoseLocalVisualizer()
    stock.set_dataset_meta(drawn_dataset("val").metainfo)
    ours = drawn(visualizer, pred_instances=instances)
    np.testing.assert_array_equal(ours, drawn(stock, pred_instances=instances))
    assert is_marked(ours, 20, 20)


def test_the_stock_visualizer_draws_labels_sanely(drawn_dataset):
    stock = PoseLocalVisualizer()
    stock.set_dataset_meta(drawn_dataset("val").metainfo)
    instances = labels(Visibility.OCCLUDED)
    instances.keypoints_visible = (instances.keypoint_visibility >= 0).astype(np.float32)
    picture = drawn(stock, gt_instances=instances)
    assert is_marked(picture, 60, 200)
    assert is_marked(picture, 120, 60)
    assert not is_marked(picture, 20, 20)
