"""Lets MMPose's inferencer and demos write a garment's category and what of it can be seen.

What it patches: ``mmpose.structures.split_instances`` (mmpose 1.3.2), which makes the dictionaries
of ``pred_out_dir``, keeps of an instance its points, their scores and its box, and drops the rest.
It can go when MMPose keeps fields that a head adds.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from fashionkp_mm.core.garments import CATEGORY_NAMES, Visibility

_STATES = {state.value: state.name.lower() for state in Visibility}


def patch(utils: Any) -> None:
    """Make ``split_instances`` keep what a `GarmentHead` predicts; others stay as they are.

    ``category`` is a name, ``category_score`` the network's own probability of it,
    ``category_scores`` those of all categories by name. ``keypoint_visibility`` has ``visible``,
    ``occluded`` or ``absent`` for each of ``keypoints``.
    """
    stock = utils.split_instances

    @wraps(stock)
    def split_instances(instances: Any) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = stock(instances)
        if instances is None or not {"category_indices", "category_scores"} <= {*instances.keys()}:
            return results
        for i, result in enumerate(results):
            scores = [float(score) for score in instances.category_scores[i]]
            index = int(instances.category_indices[i])
            result["category"] = CATEGORY_NAMES[index]
            result["category_score"] = scores[index]
            result["category_scores"] = dict(zip(CATEGORY_NAMES, scores, strict=True))
            result["keypoint_visibility"] = [
                _STATES[int(state)] for state in instances.keypoint_visibility[i]
            ]
        return results

    utils.split_instances = split_instances
