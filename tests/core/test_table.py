"""Tests of the table of keypoints."""

from __future__ import annotations

import numpy as np

from fashionkp_mm.core.garments import NUM_KEYPOINTS
from fashionkp_mm.core.table import KeypointTable


def table_of(*image_ids: str) -> KeypointTable:
    """A table of skirts without points, with a category and a row number of their own each."""
    count = len(image_ids)
    return KeypointTable(
        image_ids=image_ids,
        category_indices=np.arange(count, dtype=np.int8),
        keypoints=np.full((count, NUM_KEYPOINTS, 2), -1, np.float32),
        visibility=np.full((count, NUM_KEYPOINTS), -1, np.int8),
        rows=np.arange(2, count + 2),
    )


def test_select_takes_masks_and_indices() -> None:
    table = table_of("a", "b", "c")
    masked = table.select(np.array([True, False, True]))
    assert masked.image_ids == ("a", "c")
    assert masked.category_indices.tolist() == [0, 2]
    assert masked.rows.tolist() == [2, 4]
    assert len(masked.keypoints) == len(masked.visibility) == 2
    twice = table.select(np.array([2, 0])).select(np.array([1, 0]))
    assert (twice.image_ids, twice.rows.tolist()) == (("a", "c"), [2, 4])
