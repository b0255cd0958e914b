"""The exported detector: pictures in, boxes around garments out."""

from __future__ import annotations

import os
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.box_sources import Detections, lowest_score, select_detections
from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_NAMES
from fashionkp_mm.runtime.metadata import DetectorMetadata, ModelFileError
from fashionkp_mm.runtime.session import ModelRunner

_PADDING = 114
"""Gray beside and below a letterboxed picture, as in MMDetection's ``Pad``."""


class GarmentDetector:
    """An exported detector; many threads may use one at once, and it can be pickled.

    Args:
        path: ONNX file of a detector that ``fashionkp export`` wrote.
        threads: As in `session.open_session`.
        device: As in `session.open_session`.

    Raises:
        ModelFileError: The file cannot be used.
        DeviceError: There is no such device.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        self._runner = ModelRunner(path, threads, device)
        file, metadata = self._runner.file, self._runner.metadata
        if not isinstance(metadata, DetectorMetadata):
            raise ModelFileError(f"{file}: not a detector, but a {metadata.kind}; give it as model")
        width, height = metadata.input_size
        outputs = {"boxes": (-1, 4), "scores": (-1, len(CATEGORY_NAMES))}
        inputs = {"images": ("tensor(uint8)", (height, width, 3))}
        self._runner.require_interface(inputs, outputs)
        self.metadata = metadata

    def detect(self, image: NDArray[np.uint8], category: str | None = None) -> Detections:
        """Find the garments of one picture ``(H, W, 3)`` BGR; see `detect_letterboxed`."""
        height, width = image.shape[:2]
        wanted = None if category is None else CATEGORY_INDEX[category]
        return self.detect_letterboxed(self.letterbox(image)[None], [(width, height)], [wanted])[0]

    def letterbox(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Scale a picture into the upper left of the network's input ``(height, width, 3)``."""
        height, width = image.shape[:2]
        scaled = self._scaled_size((width, height))
        box = np.full((*self.metadata.input_size[::-1], 3), _PADDING, np.uint8)
        box[: scaled[1], : scaled[0]] = cv2.resize(image, scaled, interpolation=cv2.INTER_LINEAR)
        return box

    def detect_letterboxed(
        self,
        letterboxed: NDArray[np.uint8],
        image_sizes: Sequence[tuple[int, int]],
        wanted: Sequence[int | None],
    ) -> list[Detections]:
        """Find the garments of ``N`` pictures at once.

        Args:
            letterboxed: ``(N, height, width, 3)``, as `letterbox` makes them.
            image_sizes: Widths and heights of the pictures.
            wanted: Index of a category that is known to be in a picture: it is then the only one
                that is looked for, and if nothing is sure, its best box is taken. Else None. See
                `core.box_sources.select_detections`.
        """
        answers = self._runner.run({"images": letterboxed})
        boxes, scores = answers["boxes"], answers["scores"]
        if boxes.shape[1] != scores.shape[1]:
            raise ModelFileError(
                f"{self._runner.file}: the graph gives {boxes.shape[1]} boxes and scores of"
                f" {scores.shape[1]}; export it again (`fashionkp export`)"
            )
        pictures = zip(boxes, scores, image_sizes, wanted, strict=True)
        return [self._select(*picture) for picture in pictures]

    def _scaled_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """Width and height in the network's input, rounded as MMDetection's ``Resize`` does."""
        sides = zip(self.metadata.input_size, image_size, strict=True)
        factor = min(target / side for target, side in sides)
        width, height = (max(1, int(side * factor + 0.5)) for side in image_size)
        return width, height

    def _select(
        self,
        boxes: NDArray[np.float32],
        scores: NDArray[np.float32],
        image_size: tuple[int, int],
        wanted: int | None,
    ) -> Detections:
        """Detections from one picture's raw boxes ``(A, 4)`` and scores ``(A, C)``."""
        threshold = self.metadata.score_threshold
        rows, categories = np.nonzero(scores > lowest_score(threshold, wanted))
        size = np.array(image_size, np.float32)
        factors = np.array(self._scaled_size(image_size), np.float32) / size
        return select_detections(
            boxes[rows] / np.tile(factors, 2),
            scores[rows, categories],
            categories,
            image_size,
            wanted=wanted,
            score_threshold=threshold,
            iou_threshold=self.metadata.iou_threshold,
        )
