"""Compare ways of looking at a picture: which crops, and which of them vote.

    FASHIONAI_ROOT=… python benchmarks/passes.py [MODEL.onnx [DETECTOR.onnx]]

Prints NE on the validation images, the labelled category given: on all of them, on the half that
chooses among such ways, and on the other half.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from common import choosing_half, fashionai_root
from numpy.typing import NDArray

from fashionkp_mm.core.box_sources import StartBoxes, boxes_around
from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.fusion import fused_keypoints
from fashionkp_mm.core.garments import CATEGORY_NAMES, Visibility
from fashionkp_mm.core.image_paths import locate_images
from fashionkp_mm.core.normalized_error import normalizers
from fashionkp_mm.images import load_image
from fashionkp_mm.runtime import GarmentDetector, shipped_model
from fashionkp_mm.runtime.crop import cut_out
from fashionkp_mm.runtime.pose import Found, PoseNetwork

WAYS: dict[str, tuple[str, ...]] = {
    "the whole picture (`whole`)": ("whole",),
    "around the whole picture's points, A": ("A",),
    "A mirrored": ("A mirrored",),
    "**A, plain and mirrored (`refine`)**": ("A", "A mirrored"),
    "A, and around its points, B": ("A", "B"),
    "A, and B mirrored": ("A", "B mirrored"),
    "A, and a box 1.1 times B's": ("A", "B wider"),
    "A and B, each plain and mirrored": ("A", "A mirrored", "B", "B mirrored"),
    "the detector's box, D (`fast`)": ("D",),
    "**D, plain and mirrored (`detector`)**": ("D", "D mirrored"),
    "D, and around its points, E": ("D", "E"),
    "E, plain and mirrored": ("E", "E mirrored"),
    "A and D": ("A", "D"),
    "A, and D mirrored": ("A", "D mirrored"),
}


class Looks:
    """All looks at one picture, by their names in `WAYS`."""

    def __init__(self, image: NDArray[np.uint8], category: int, network: PoseNetwork) -> None:
        self._image, self._network = image, network
        self._category = np.array([category])
        self._size = np.array([image.shape[1::-1]])
        self.found: dict[str, Found] = {}

    def look(self, name: str, box: NDArray[np.floating], *, mirrored: bool = False) -> None:
        geometry = self._network.geometry(box.reshape(1, 4).astype(np.float32))
        crops = cut_out([self._image], geometry)
        self.found[name] = self._network.find(crops, geometry, self._category, mirrored=mirrored)

    def both(self, name: str, box: NDArray[np.floating]) -> None:
        self.look(name, box)
        self.look(f"{name} mirrored", box, mirrored=True)

    def around(self, name: str) -> NDArray[np.float32]:
        return boxes_around(self.found[name], self._size)[0]


def main() -> None:
    root = fashionai_root()
    if root is None:
        sys.exit("error: no FashionAI data; set FASHIONAI_ROOT to its folder")
    files = [Path(path) for path in sys.argv[1:]]
    network = PoseNetwork(files[0] if files else shipped_model())
    detector = GarmentDetector(files[1] if len(files) > 1 else shipped_model("detector"))
    labels = read_labels(root / "val" / "Annotations" / "val.csv")
    paths = locate_images(labels.image_ids, root / "val")
    pictures = [
        looked_at(load_image(paths[image_id]), int(category), network, detector)
        for image_id, category in zip(labels.image_ids, labels.category_indices, strict=True)
    ]

    units = normalizers(labels.keypoints, labels.visibility, labels.category_indices)
    scored = (labels.visibility == Visibility.VISIBLE) & np.isfinite(units)[:, None]
    chooses = choosing_half(labels.image_ids, labels.category_indices.tolist())
    print("| passes that vote | all | that chose | others |\n|---|---|---|---|")
    for way, names in WAYS.items():
        points = np.stack([fused([found[name] for name in names]) for found in pictures])
        errors = 100 * np.linalg.norm(points - labels.keypoints, axis=-1) / units[:, None]
        halves = (np.ones(len(labels), bool), chooses, ~chooses)
        means = [f"{errors[half][scored[half]].mean():.2f}" for half in halves]
        print(f"| {way} | {' | '.join(means)} |")


def looked_at(
    image: NDArray[np.uint8], category: int, network: PoseNetwork, detector: GarmentDetector
) -> dict[str, Found]:
    height, width = image.shape[:2]
    looks = Looks(image, category, network)
    looks.look("whole", np.array([0, 0, width, height]))
    looks.both("A", looks.around("whole"))
    around = looks.around("A")
    looks.both("B", around)
    middle, half = (around[:2] + around[2:]) / 2, (around[2:] - around[:2]) / 2
    looks.look("B wider", np.concatenate([middle - 1.1 * half, middle + 1.1 * half]))
    start = StartBoxes.detected(
        detector.detect(image, CATEGORY_NAMES[category]), (width, height), category
    )
    # Where the detector finds nothing, the predictor does as with `refine`.
    looks.both("D", start.boxes[0] if start.source == "detector" else looks.around("whole"))
    looks.both("E", looks.around("D"))
    return looks.found


def fused(votes: list[Found]) -> NDArray[np.float32]:
    """``(K, 2)``."""
    return fused_keypoints(
        np.stack([vote.keypoints for vote in votes]),
        np.stack([vote.keypoint_scores for vote in votes]),
        np.stack([vote.category_indices for vote in votes]),
    )[0]


if __name__ == "__main__":
    main()
