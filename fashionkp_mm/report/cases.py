"""Single images of a test run: which are worth a look, and what to show of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import CATEGORY_NAMES, KEYPOINT_NAMES
from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.images import load_image
from fashionkp_mm.visualization.keypoints import draw_garment

_SIDE = 360
"""Longest side in pixels of a picture on the page."""
_QUALITY = 82


@dataclass(frozen=True)
class Case:
    """One image with its labels and its prediction.

    Attributes:
        image_id: As it stands in the CSV.
        category: The labelled category.
        predicted_category: The predicted one.
        error: Its NE in percent.
        points: Number of points that this is the mean of.
        worst_point: Name of the point with the largest error, and that error in percent.
        labels: JPEG of the image with its labels.
        prediction: JPEG of it with the prediction.
        size: Width and height of both.
    """

    image_id: str
    category: str
    predicted_category: str
    error: float
    points: int
    worst_point: tuple[str, float]
    labels: bytes
    prediction: bytes
    size: tuple[int, int]


def ranked_images(errors: NDArray[np.float64]) -> NDArray[np.intp]:
    """Rows of the images that were scored, the largest NE first.

    Args:
        errors: ``(N, K)`` percent, NaN where a point is not scored.
    """
    scored = np.flatnonzero(~np.isnan(errors).all(axis=1))
    means = np.nanmean(errors[scored], axis=1)
    ranked: NDArray[np.intp] = scored[np.argsort(-means, kind="stable")]
    return ranked


def draw_case(
    path: Path,
    answer: KeypointTable,
    prediction: KeypointTable,
    errors: NDArray[np.float64],
    *,
    as_labelled: bool,
    max_megapixels: float = MAX_MEGAPIXELS,
) -> Case:
    """Draw one image's labels and prediction.

    Args:
        path: The image.
        answer: Its row of the labels.
        prediction: Its row of the predictions.
        errors: ``(K,)`` percent, NaN where a point is not scored.
        as_labelled: Whether to draw the points that are labelled, in predicted places, since the
            predictions do not tell which ones there are.
        max_megapixels: Size from which an image is refused.

    Raises:
        BrokenImageError: The image cannot be loaded.
    """
    image = load_image(path, max_megapixels=max_megapixels)
    height, width = image.shape[:2]
    factor = _SIDE / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    small = cv2.resize(image, size, interpolation=way).astype(np.uint8, copy=False)
    scale = np.array(size) / (width, height)

    category = CATEGORY_NAMES[answer.category_indices[0]]
    predicted_category = CATEGORY_NAMES[prediction.category_indices[0]]
    drawn = draw_garment(small, answer.keypoints[0] * scale, answer.visibility[0], category)
    shown = answer if as_labelled else prediction
    found = draw_garment(
        small,
        prediction.keypoints[0] * scale,
        shown.visibility[0],
        category if as_labelled else predicted_category,
    )
    worst = int(np.nanargmax(errors))
    return Case(
        image_id=answer.image_ids[0],
        category=category,
        predicted_category=predicted_category,
        error=float(np.nanmean(errors)),
        points=int((~np.isnan(errors)).sum()),
        worst_point=(KEYPOINT_NAMES[worst], float(errors[worst])),
        labels=_jpeg(drawn),
        prediction=_jpeg(found),
        size=size,
    )


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    content: bytes = data.tobytes()
    return content
