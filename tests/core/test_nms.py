"""Of several boxes around a garment one is kept, as MMDetection would."""

from __future__ import annotations

import numpy as np
import torch
from mmcv.ops import batched_nms

from fashionkp_mm.core.nms import SAME_GARMENT_IOU, garment_nms, nms


def random_boxes(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes that overlap in heaps, their scores and categories."""
    rng = np.random.default_rng(seed)
    heaps = rng.uniform(0, 300, (8, 2))[rng.integers(0, 8, count)]
    corners = heaps + rng.normal(0, 12, (count, 2))
    boxes = np.hstack([corners, corners + rng.uniform(60, 90, (count, 2))])
    scores = rng.permutation(count) / count
    return boxes.astype(np.float32), scores.astype(np.float32), rng.integers(0, 5, count)


def test_within_categories_it_is_mmdetections_suppression() -> None:
    for seed in range(20):
        boxes, scores, categories = random_boxes(120, seed)
        kept = []
        for category in range(5):
            rows = np.flatnonzero(categories == category)
            rows = rows[np.argsort(-scores[rows])]
            kept += rows[nms(boxes[rows], 0.6)].tolist()
        _, expected = batched_nms(
            torch.from_numpy(boxes),
            torch.from_numpy(scores),
            torch.from_numpy(categories),
            {"type": "nms", "iou_threshold": 0.6},
        )
        assert sorted(kept) == sorted(expected.tolist())


def test_the_best_of_a_category_is_kept() -> None:
    boxes = np.array([[0, 0, 100, 100], [5, 0, 105, 100], [0, 300, 100, 400]], np.float32)
    kept = garment_nms(boxes, np.array([0.5, 0.9, 0.7], np.float32), np.zeros(3, int), 0.6)
    assert kept.tolist() == [1, 2]


def test_garments_of_two_categories_may_overlap() -> None:
    boxes = np.array([[0, 0, 100, 100], [10, 0, 110, 100]], np.float32)
    scores = np.array([0.5, 0.9], np.float32)
    assert garment_nms(boxes, scores, np.array([0, 1]), 0.6).tolist() == [1, 0]


def test_one_garment_has_one_category() -> None:
    boxes = np.array([[0, 0, 100, 100], [1, 0, 101, 100]], np.float32)
    scores = np.array([0.5, 0.9], np.float32)
    assert garment_nms(boxes, scores, np.array([0, 1]), 0.6).tolist() == [1]


def test_an_overlap_of_exactly_the_threshold_is_kept() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 6]], np.float32)
    assert nms(boxes, 0.6).tolist() == [0, 1]
    assert nms(boxes, 0.59).tolist() == [0]


def test_no_boxes() -> None:
    none = np.empty((0, 4), np.float32)
    assert garment_nms(none, none[:, 0], np.empty(0, int), 0.6).tolist() == []


def test_empty_boxes_take_nothing_out() -> None:
    boxes = np.array([[5, 5, 5, 5], [5, 5, 5, 5]], np.float32)
    assert nms(boxes, SAME_GARMENT_IOU).tolist() == [0, 1]
