"""Drawn garments, as a model that makes no error would find them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_KEYPOINTS, Visibility
from fashionkp_mm.runtime import Garment
from fashionkp_mm.synthetic import SyntheticGarment
from fashionkp_mm.synthetic.drawing import paint_scene


@pytest.fixture(scope="session")
def drawn() -> Callable[..., SyntheticGarment]:
    """A function that draws a garment of a category with a number of one's choice."""

    def draw(category: str, number: int = 0, *, occluders: bool = False) -> SyntheticGarment:
        rng = np.random.default_rng([14, number, CATEGORY_INDEX[category]])
        return paint_scene(rng, category, occluders=occluders)

    return draw


@pytest.fixture(scope="session")
def garment_of() -> Callable[..., Garment]:
    """A function that makes a `Garment` of points; a `SyntheticGarment` has them."""

    def make(category: str, keypoints, visibility, image_size=(512, 512)) -> Garment:
        index = CATEGORY_INDEX[category]
        places = np.asarray(keypoints, np.float32)
        present = np.asarray(visibility) != Visibility.ABSENT
        box = np.concatenate([places[present].min(axis=0), places[present].max(axis=0)])
        return Garment(
            image_id="drawn.png",
            image_index=0,
            image_size=image_size,
            category=category,
            category_score=1.0,
            category_scores=np.eye(len(CATEGORY_INDEX), dtype=np.float32)[index],
            box=box,
            box_source="given",
            box_score=1.0,
            keypoints=places,
            keypoint_scores=CATEGORY_KEYPOINTS[index].astype(np.float32),
            visibility=np.asarray(visibility, np.int8),
        )

    return make
