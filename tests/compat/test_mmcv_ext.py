"""``mmcv._ext`` by torchvision, against mmcv's algorithm written out plainly."""

import numpy as np
import pytest
import torch
from mmcv.ops import batched_nms, nms, roi_align


def plain_nms(boxes: np.ndarray, scores: np.ndarray, iou_threshold: float, offset: int) -> list:
    """mmcv's CPU loop in float32: best first, ties in order, gone when the IoU is greater."""
    boxes, threshold, offset = (
        boxes.astype(np.float32),
        np.float32(iou_threshold),
        np.float32(offset),
    )
    waiting = list(np.argsort(-scores, kind="stable"))
    kept = []
    while waiting:
        best = waiting.pop(0)
        kept.append(int(best))
        # Two boxes without area have no IoU: not a number is not greater either, both stay.
        waiting = [i for i in waiting if not iou(boxes[best], boxes[i], offset) > threshold]
    return kept


def iou(a: np.ndarray, b: np.ndarray, offset: np.float32) -> np.float32:
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    width, height = np.maximum(high - low + offset, np.float32(0))
    shared = width * height
    areas = [(box[2] - box[0] + offset) * (box[3] - box[1] + offset) for box in (a, b)]
    with np.errstate(invalid="ignore"):
        return shared / (areas[0] + areas[1] - shared)


def random_boxes(rng: np.random.Generator, n: int, grid: float) -> np.ndarray:
    corner, size = rng.uniform(0, 60, (n, 2)), rng.uniform(0, 40, (n, 2))
    boxes = np.concatenate([corner, corner + size], axis=1)
    return (np.round(boxes / grid) * grid).astype(np.float32)


def kept(boxes: np.ndarray, scores: np.ndarray, iou_threshold: float, offset: int) -> list:
    dets, inds = nms(torch.tensor(boxes), torch.tensor(scores), iou_threshold, offset)
    assert torch.equal(dets[:, :4], torch.tensor(boxes)[inds])
    return inds.tolist()


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("iou_threshold", [0.1, 0.5, 0.65])
@pytest.mark.parametrize("seed", range(5))
def test_random_boxes(seed, iou_threshold, offset):
    rng = np.random.default_rng(seed)
    boxes = random_boxes(rng, 200, grid=0.01)
    scores = rng.uniform(size=200).astype(np.float32)
    expected = plain_nms(boxes, scores, iou_threshold, offset)
    assert 1 < len(expected) < 200
    assert kept(boxes, scores, iou_threshold, offset) == expected


@pytest.mark.parametrize("offset", [0, 1])
def test_equal_scores_and_equal_boxes_keep_their_order(offset):
    rng = np.random.default_rng(7)
    # Whole pixels and three scores: ties of the score, of the box, and of the IoU abound.
    boxes = random_boxes(rng, 300, grid=5)
    scores = rng.choice(np.float32([0.25, 0.5, 0.75]), 300)
    assert kept(boxes, scores, 0.5, offset) == plain_nms(boxes, scores, 0.5, offset)


def test_an_iou_of_exactly_the_threshold_is_kept():
    boxes = np.float32([[0, 0, 5, 1], [0, 0, 3, 1]])  # 3 / 5, and 0.6 is not exact in binary
    scores = np.float32([0.9, 0.8])
    assert kept(boxes, scores, 0.6, 0) == [0, 1]
    assert kept(boxes, scores, 0.59, 0) == [0]


def test_offset_makes_touching_boxes_overlap():
    boxes = np.float32([[0, 0, 1, 1], [1, 0, 2, 1]])  # 2 x 2 pixels each, one column shared: 1 / 3
    scores = np.float32([0.9, 0.8])
    assert kept(boxes, scores, 0.3, 0) == [0, 1]
    assert kept(boxes, scores, 0.3, 1) == [0]


def test_no_boxes():
    assert kept(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), 0.5, 0) == []


def test_detectors_batched_nms_keeps_the_same_box_of_two_classes():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10]])
    scores, classes = torch.tensor([0.9, 0.8, 0.7]), torch.tensor([0, 1, 0])
    _, inds = batched_nms(boxes, scores, classes, {"type": "nms", "iou_threshold": 0.5})
    assert inds.tolist() == [0, 1]


def test_another_operator_is_named_with_the_remedy():
    boxes = torch.tensor([[0.0, 0, 0, 4, 4]])
    with pytest.raises(NotImplementedError, match=r"'roi_align_forward'.*mmcv>=2\.1\.0"):
        roi_align(torch.zeros(1, 1, 8, 8), boxes, (2, 2))
