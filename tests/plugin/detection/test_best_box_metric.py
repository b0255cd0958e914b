"""How well a detector serves the pose network."""

import numpy as np
import pytest
import torch
from mmengine.registry import METRICS

from fashionkp_mm.core.garments import CATEGORY_INDEX
from fashionkp_mm.plugin.detection.best_box_metric import BestBoxOverlap, iou

SKIRT, BLOUSE = CATEGORY_INDEX["skirt"], CATEGORY_INDEX["blouse"]


def sample(image_id, *found, truth=(0, 0, 100, 100), label=SKIRT):
    """A garment and what was found: (box, score, class) each."""
    boxes, scores, labels = zip(*found, strict=True) if found else ((), (), ())
    return {
        "img_id": image_id,
        "instances": [{"bbox": list(truth), "bbox_label": label}] if truth else [],
        "pred_instances": {
            "bboxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
            "scores": torch.tensor(scores),
            "labels": torch.tensor(labels, dtype=torch.long),
        },
    }


def measure(*samples):
    metric = METRICS.build({"type": "BestBoxOverlap"})
    assert isinstance(metric, BestBoxOverlap)
    metric.process(None, samples)
    return metric.evaluate(len(samples))


def test_the_best_box_of_the_labelled_category_counts():
    blouse_above = ((0, -80, 100, 0), 0.9, BLOUSE)
    result = measure(
        sample("a", blouse_above, ((0, 0, 100, 80), 0.6, SKIRT), ((0, 0, 100, 100), 0.5, SKIRT)),
        sample("b", ((0, 0, 100, 60), 0.3, SKIRT)),
        sample("c", ((0, 0, 100, 40), 0.3, SKIRT)),
        sample("d", blouse_above),
    )
    assert result["fashionai/best_IoU50"] == 0.5
    assert result["fashionai/best_IoU75"] == 0.25
    assert result["fashionai/best_IoU"] == pytest.approx((0.8 + 0.6 + 0.4 + 0) / 4)
    assert result["fashionai/own_category"] == 0.5


def test_nothing_found_is_an_overlap_of_nothing():
    result = measure(sample("a"), sample("b", ((0, 0, 100, 100), 0.5, SKIRT)))
    assert result["fashionai/best_IoU"] == 0.5
    assert result["fashionai/own_category"] == 0.5


def test_images_without_a_label_are_left_out():
    found = ((0, 0, 100, 100), 0.5, SKIRT)
    assert measure(sample("a", found), sample("b", found, truth=None))["fashionai/best_IoU"] == 1


def test_an_image_seen_twice_counts_once():
    good, bad = ((0, 0, 100, 100), 0.5, SKIRT), ((0, 0, 100, 50), 0.5, SKIRT)
    result = measure(sample("a", good), sample("b", bad), sample("b", bad))
    assert result["fashionai/best_IoU"] == 0.75


def test_boxes_apart_do_not_overlap():
    assert iou(np.array([0, 0, 10, 10.0]), np.array([20, 20, 30, 30.0])) == 0
