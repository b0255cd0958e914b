"""Predictors without a network, for what is done with any number of pictures."""

from __future__ import annotations

import os
import signal
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS, CATEGORY_NAMES, NUM_KEYPOINTS
from fashionkp_mm.images import BrokenImageError
from fashionkp_mm.runtime import Garment, Prediction
from fashionkp_mm.runtime.request import Request


def stub_garment(name: str, index: int = 0) -> Garment:
    """A garment whose points follow from the picture's name."""
    return replace(_garment(zlib.crc32(name.encode()) % 100), image_id=name, image_index=index)


@cache
def _garment(seed: int) -> Garment:
    rng = np.random.default_rng(seed)
    category = int(rng.integers(len(CATEGORY_NAMES)))
    defined = CATEGORY_KEYPOINTS[category]
    return Garment(
        image_id=None,
        image_index=0,
        image_size=(100, 120),
        category=CATEGORY_NAMES[category],
        category_score=0.9,
        category_scores=np.full(len(CATEGORY_NAMES), 0.2, np.float32),
        box=np.array([1, 2, 90, 110], np.float32),
        box_source="detector",
        box_score=0.8,
        keypoints=rng.uniform(0, 100, (NUM_KEYPOINTS, 2)).astype(np.float32),
        keypoint_scores=np.where(defined, 0.7, 0).astype(np.float32),
        visibility=np.where(defined, 1, -1).astype(np.int8),
    )


@dataclass
class StubPredictor:
    """Takes so long for each picture, and does what the picture's name says.

    ``kill`` in it ends the process as a crash would, ``broken`` is a picture that cannot be read,
    ``empty`` one without a garment.
    """

    seconds: float = 0.0

    def stream(
        self, images: Iterable[Any], category: Any = None, boxes: Any = "refine"
    ) -> Iterator[Prediction]:
        for index, picture in enumerate(images):
            name = str(picture).rpartition("/")[2]
            if self.seconds:
                time.sleep(self.seconds)
            load(picture)
            request = Request(index, picture, None, "detector", None)
            if "broken" in name:
                error = BrokenImageError(f"{picture}: the image is missing; replace the file")
                yield Prediction(request, None, (), error)
            else:
                garments = () if "empty" in name else (stub_garment(name, index),)
                yield Prediction(request, (100, 120), garments)


def load(picture: Any) -> None:
    """Die of a picture that is called so."""
    if "kill" in str(picture).rpartition("/")[2]:
        os.kill(os.getpid(), signal.SIGKILL)
