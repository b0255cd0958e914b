"""Print how long crops, colours and catalogue pictures take on top of prediction: time of one core.

    python benchmarks/applications.py

Drawn garments with their own points, in pictures of 512x512.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np

from fashionkp_mm.applications import (
    CropOptions,
    PresentOptions,
    crop,
    dominant_colors,
    garment_mask,
    present,
    shape_descriptors,
)
from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_KEYPOINTS, CATEGORY_NAMES
from fashionkp_mm.core.parts import ATTRIBUTES, GROUPS
from fashionkp_mm.runtime import Garment
from fashionkp_mm.synthetic import SyntheticGarment
from fashionkp_mm.synthetic.dataset import draw_image

SIZE = (512, 512)
PICTURES = 20
REPEATS = 5
PARTS = tuple(name for name in GROUPS if name not in ATTRIBUTES)

Picture = np.ndarray
Work = Callable[[Picture, Garment], object]
RUNS: dict[str, Work] = {
    "all parts cropped to 224x224": lambda image, garment: crop(image, garment, CropOptions(PARTS)),
    "attributes' parts cropped to 224x224": (
        lambda image, garment: crop(image, garment, CropOptions(ATTRIBUTES))
    ),
    "shape descriptors": lambda image, garment: shape_descriptors(garment),
    "dominant colours": dominant_colors,
    "mask": garment_mask,
    "presented, ground kept": present,
    "presented on white": (
        lambda image, garment: present(image, garment, PresentOptions(background="white"))
    ),
}


def drawn_garment(index: int, seed: int) -> tuple[SyntheticGarment, Garment]:
    """A drawn garment, and what a model that makes no error would find on it."""
    drawn = draw_image(index, seed)
    category = CATEGORY_INDEX[drawn.category]
    present_points = drawn.keypoints[drawn.visibility >= 0].astype(np.float32)
    found = Garment(
        image_id=None,
        image_index=index,
        image_size=drawn.image.shape[1::-1],
        category=drawn.category,
        category_score=1.0,
        category_scores=np.eye(len(CATEGORY_NAMES), dtype=np.float32)[category],
        box=np.concatenate([present_points.min(axis=0), present_points.max(axis=0)]),
        box_source="given",
        box_score=1.0,
        keypoints=drawn.keypoints.astype(np.float32),
        keypoint_scores=CATEGORY_KEYPOINTS[category].astype(np.float32),
        visibility=drawn.visibility,
    )
    return drawn, found


def main() -> None:
    cv2.setNumThreads(1)
    pictures: list[tuple[Picture, Garment]] = []
    index = 0
    while len(pictures) < PICTURES:
        drawn, garment = drawn_garment(index, seed=0)
        index += 1
        if drawn.image.shape[1::-1] == SIZE:
            pictures.append((drawn.image, garment))
    print(f"| {len(pictures)} pictures of 512x512 | ms of one core, median | the slowest |")
    print("|---|---|---|")
    for name, work in RUNS.items():
        seconds = [min(_timed(work, *picture) for _ in range(REPEATS)) for picture in pictures]
        print(f"| {name} | {1000 * np.median(seconds):.1f} | {1000 * max(seconds):.1f} |")


def _timed(work: Work, image: Picture, garment: Garment) -> float:
    start = time.process_time()
    work(image, garment)
    return time.process_time() - start


if __name__ == "__main__":
    main()
