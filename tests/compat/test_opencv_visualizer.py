"""Circles are drawn under the rule of NumPy 2.4: an array is not a number."""

import warnings

import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer
from mmpose.visualization.opencv_backend_visualizer import OpencvBackendVisualizer


@pytest.fixture(autouse=True)
def _deprecations_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        yield


def test_the_rule_would_break_the_stock_method():
    with pytest.raises((DeprecationWarning, TypeError)):
        int(np.array([3]))


@pytest.mark.parametrize("alpha", [1.0, 0.5])
def test_opencv_circle(alpha):
    visualizer = OpencvBackendVisualizer(backend="opencv")
    visualizer.set_image(np.zeros((40, 40, 3), np.uint8))
    visualizer.draw_circles(
        np.array([20, 10]), radius=np.array([4]), face_colors=(250, 0, 0), alpha=alpha
    )
    image = visualizer.get_image()
    assert image[10, 20].tolist() == [250 * alpha, 0, 0]
    assert image[10, 20 + 4].any()
    assert not image[10, 20 + 6].any()


def test_pose_visualizer_draws_keypoints():
    visualizer = PoseLocalVisualizer(backend="opencv", radius=3)
    visualizer.set_dataset_meta({"skeleton_links": [(0, 1)], "keypoint_colors": [(255, 0, 0)] * 2})
    sample = PoseDataSample(
        pred_instances=InstanceData(
            keypoints=np.array([[[10.0, 10.0], [30.0, 30.0]]]), keypoint_scores=np.ones((1, 2))
        )
    )
    image = visualizer.add_datasample(
        "sample", np.zeros((40, 40, 3), np.uint8), sample, draw_gt=False, draw_bbox=False
    )
    assert image[10, 10].any()
    assert not image[38, 5].any()


def test_matplotlib_backend_still_gets_its_array():
    visualizer = OpencvBackendVisualizer(backend="matplotlib")
    visualizer.set_image(np.zeros((40, 40, 3), np.uint8))
    visualizer.draw_circles(np.array([20, 10]), radius=np.array([4]), face_colors="r")
    assert visualizer.get_image()[10, 20].any()
