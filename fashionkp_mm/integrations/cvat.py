"""A function of CVAT's auto-annotation: garments as skeletons.

    cvat-cli task auto-annotate TASK --function-module fashionkp_mm.integrations.cvat \\
        -p category=str:dress --allow-unmatched-labels

CVAT's own tools call `create`; parameters are given with ``-p NAME=TYPE:VALUE``. The labels are
those of ``fashionkp convert --to cvat``: a skeleton for each category, with the points that the
category has, all of which are returned; absent ones are outside.
"""

from __future__ import annotations

from pathlib import Path

import cvat_sdk.auto_annotation as cvataa
from cvat_sdk import models
from PIL import Image

from fashionkp_mm.batch.options import Options
from fashionkp_mm.core.box_sources import BOX_SOURCES, FROM_DETECTOR, BoxSource
from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_INDEX,
    CATEGORY_NAMES,
    KEYPOINT_INDEX,
    Visibility,
)
from fashionkp_mm.runtime import FashionPredictor, Garment

SPEC = cvataa.DetectionFunctionSpec(
    labels=[
        cvataa.skeleton_label_spec(
            name,
            CATEGORY_INDEX[name],
            [cvataa.keypoint_spec(point, KEYPOINT_INDEX[point]) for point in category.keypoints],
        )
        for name, category in CATEGORIES.items()
    ]
)
"""The labels, by the positions of categories and keypoints in `core.garments`."""


class GarmentFunction:
    """What CVAT calls with each picture; see `create`."""

    spec = SPEC

    def __init__(self, predictor: FashionPredictor, category: str | None, boxes: BoxSource) -> None:
        self._predictor, self._category, self._boxes = predictor, category, boxes

    def detect(
        self, context: cvataa.DetectionFunctionContext, image: Image.Image
    ) -> list[models.LabeledShapeRequest]:
        """The garments of a picture, less those whose score is below CVAT's threshold."""
        prediction = self._predictor.predict(image, self._category, self._boxes)
        if prediction.error is not None:
            raise prediction.error
        least = context.conf_threshold or 0.0
        return [_skeleton(garment) for garment in prediction if garment.score >= least]


def create(
    category: str = "",
    boxes: BoxSource = "refine",
    model: str = "",
    detector: str = "",
    *,
    flip_test: bool = False,
    device: str = "cpu",
) -> GarmentFunction:
    """Make the function; all parameters are those of ``fashionkp predict``.

    Args:
        category: Category of every garment; by default the model chooses.
        boxes: Where to look.
        model: ONNX file that ``fashionkp export`` wrote; by default the one of the package.
        detector: Likewise, for ``boxes=detector``.
        flip_test: Whether to average with the mirrored picture.
        device: ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        ValueError: There is no such category, or no such way to look.
        ModelFileError, NoModelError, DeviceError: See `FashionPredictor`.
    """
    if category and category not in CATEGORY_NAMES:
        raise ValueError(
            f"there is no category {category!r}; expected one of {', '.join(CATEGORY_NAMES)}"
        )
    if boxes not in BOX_SOURCES:
        raise ValueError(f"boxes is {boxes!r}, expected one of {', '.join(BOX_SOURCES)}")
    if detector and boxes not in FROM_DETECTOR:
        raise ValueError(f"a detector is of no use with boxes {boxes}")
    own_model, own_detector = (Path(file) if file else None for file in (model, detector))
    options = Options(own_model, own_detector, boxes, flip_test, device=device)
    return GarmentFunction(options.predictor(), category or None, boxes)


def _skeleton(garment: Garment) -> models.LabeledShapeRequest:
    points = [
        cvataa.keypoint(
            KEYPOINT_INDEX[name],
            [point.x, point.y],
            occluded=point.visibility == Visibility.OCCLUDED,
            outside=point.visibility == Visibility.ABSENT,
        )
        for name, point in garment.points.items()
    ]
    return cvataa.skeleton(garment.category_index, points)
