"""What MMPose's inferencer writes of garments, and of everything else."""

from __future__ import annotations

import json

import numpy as np
from mmengine.structures import InstanceData
from mmpose.structures import split_instances


def instances(**more) -> InstanceData:
    return InstanceData(
        keypoints=np.float32([[[1, 2], [3, 4], [5, 6]]]),
        keypoint_scores=np.float32([[0.5, 0.75, 0.25]]),
        **more,
    )


def test_a_garment_says_its_category_and_what_can_be_seen():
    (found,) = split_instances(
        instances(
            category_indices=np.array([2]),
            category_scores=np.float32([[0, 0, 0.5, 0.25, 0.25]]),
            keypoint_visibility=np.int8([[1, 0, -1]]),
        )
    )
    assert json.loads(json.dumps(found)) == found
    assert found["keypoints"] == [[1, 2], [3, 4], [5, 6]]
    assert (found["category"], found["category_score"]) == ("dress", 0.5)
    assert found["category_scores"]["skirt"] == 0.25
    assert found["keypoint_visibility"] == ["visible", "occluded", "absent"]


def test_other_instances_stay_as_they_are():
    (found,) = split_instances(instances())
    assert found.keys() == {"keypoints", "keypoint_scores"}
    assert split_instances(None) == []
