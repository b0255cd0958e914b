"""A garment as a file tells of it, and the same as the runtime has it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_NAMES,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
    Visibility,
    keypoint_indices,
)
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.runtime.garment import Garment


@dataclass(frozen=True)
class FileGarment:
    """One garment of a file; what the file does not tell has its default.

    Attributes:
        image_id: Its picture, as the file calls it.
        category_index: Position in ``CATEGORY_NAMES``.
        points: x, y, state and score of points, by name; those of other categories do not count.
        image_size: Width and height, (0, 0) where unknown.
        category_score, category_scores, box_score: As `Garment` has them; NaN where unknown.
        box: ``x1, y1, x2, y2``; by default the tight box of the points.
        box_source: As `Garment` has it.
    """

    image_id: str
    category_index: int
    points: Mapping[str, tuple[float, float, Visibility, float]]
    image_size: tuple[int, int] = (0, 0)
    category_score: float = math.nan
    category_scores: Mapping[str, float] = field(default_factory=dict)
    box: tuple[float, float, float, float] | None = None
    box_source: str = "given"
    box_score: float = math.nan

    def garment(self) -> Garment:
        """The same as the runtime has it."""
        keypoints = np.full((NUM_KEYPOINTS, 2), -1, np.float32)
        scores = np.zeros(NUM_KEYPOINTS, np.float32)
        visibility = np.full(NUM_KEYPOINTS, Visibility.ABSENT, np.int8)
        category = CATEGORIES[CATEGORY_NAMES[self.category_index]]
        names = [name for name in category.keypoints if name in self.points]
        for name, k in zip(names, keypoint_indices(names), strict=True):
            x, y, visibility[k], scores[k] = self.points[name]
            keypoints[k] = x, y
        placed = keypoints[keypoint_indices(names)]
        tight = [*placed.min(axis=0), *placed.max(axis=0)] if names else [0.0] * 4
        return Garment(
            image_id=self.image_id,
            image_index=0,
            image_size=self.image_size,
            category=category.name,
            category_score=self.category_score,
            category_scores=np.array(
                [self.category_scores.get(name, math.nan) for name in CATEGORY_NAMES], np.float32
            ),
            box=np.array(self.box or tight, np.float32),
            box_source=self.box_source,
            box_score=self.box_score,
            keypoints=keypoints,
            keypoint_scores=scores,
            visibility=visibility,
        )


def garments_of(table: KeypointTable, score: float = math.nan) -> dict[str, list[Garment]]:
    """The garments of a table by image id.

    Args:
        table: One garment a row.
        score: That of points that have a place, and of the category and the box.
    """
    return {
        image_id: [
            FileGarment(
                image_id,
                int(table.category_indices[row]),
                {
                    KEYPOINT_NAMES[k]: (
                        float(table.keypoints[row, k, 0]),
                        float(table.keypoints[row, k, 1]),
                        Visibility(int(table.visibility[row, k])),
                        score,
                    )
                    for k in np.flatnonzero(table.placed[row])
                },
                category_score=score,
                box_score=score,
            ).garment()
        ]
        for row, image_id in enumerate(table.image_ids)
    }
