"""What the service answers of a picture: the applications' results as plain JSON."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications import (
    CropOptions,
    GarmentError,
    KnownLength,
    PoseErrors,
    PresentOptions,
    Scale,
    align,
    crop,
    measure,
    present,
)
from fashionkp_mm.applications.alignment import Method
from fashionkp_mm.applications.templates import Template
from fashionkp_mm.core.garments import KEYPOINT_NAMES
from fashionkp_mm.images import encode_image
from fashionkp_mm.runtime import Garment, Prediction

_Image = NDArray[np.uint8]
_COLOURS = 3


def measured(
    prediction: Prediction,
    scale: Scale | KnownLength | None,
    unit: Any,
    errors: PoseErrors | None,
) -> dict[str, Any]:
    """The lengths of a picture's garments, and why some have none."""

    def one(garment: Garment) -> Iterable[dict[str, Any]]:
        yield measure(garment, scale=scale, unit=unit, errors=errors).to_dict()

    return _of_each(prediction, "garments", one)


def cropped(image: _Image, prediction: Prediction, options: CropOptions) -> dict[str, Any]:
    """The crops of a picture's garments, and why some have none."""

    def one(garment: Garment) -> Iterable[dict[str, Any]]:
        for each in crop(image, garment, options):
            yield {
                "category": garment.category,
                "part": each.part.name,
                "quad": each.quad.round(2).tolist(),
                "source": each.source,
                "score": None if math.isnan(each.score) else round(each.score, 4),
                **_encoded(each.image),
            }

    return _of_each(prediction, "crops", one)


def aligned(
    image: _Image, prediction: Prediction, options: tuple[Method, dict[str, Template]]
) -> dict[str, Any]:
    """The garments of a picture, laid onto their templates, and why some are not."""
    method, templates = options

    def one(garment: Garment) -> Iterable[dict[str, Any]]:
        found = align(image, garment, method=method, template=templates[garment.category])
        has = np.isfinite(found.keypoints).all(axis=1)
        yield {
            "category": garment.category,
            "method": method,
            "residual": round(found.residual, 2),
            "warnings": list(found.warnings),
            "keypoints": {
                KEYPOINT_NAMES[k]: found.keypoints[k].round(2).tolist()
                for k in np.flatnonzero(has).tolist()
            },
            **_encoded(found.image),
        }

    return _of_each(prediction, "garments", one)


def presented(image: _Image, prediction: Prediction, options: PresentOptions) -> dict[str, Any]:
    """A catalogue picture of each garment, and why some have none."""

    def one(garment: Garment) -> Iterable[dict[str, Any]]:
        made = present(image, garment, options)
        height, width = made.image.shape[:2]
        yield {
            "category": garment.category,
            "width": width,
            "height": height,
            "mask": made.mask and made.mask.method,
            "warnings": list(made.warnings),
            **_encoded(made.image),
        }

    return _of_each(prediction, "garments", one)


def _of_each(
    prediction: Prediction, name: str, one: Callable[[Garment], Iterable[dict[str, Any]]]
) -> dict[str, Any]:
    """What ``one`` makes of each garment, with its number, and the messages of those it refuses."""
    entries: list[dict[str, Any]] = []
    failures: list[str] = []
    for position, garment in enumerate(prediction):
        try:
            entries += [{"garment": position, **entry} for entry in one(garment)]
        except GarmentError as error:
            failures.append(str(error))
    return {name: entries, "failures": failures}


def _encoded(image: _Image) -> dict[str, str]:
    """A picture as base64: PNG where something is clear, else JPEG."""
    suffix, kind = (".jpg", "image/jpeg") if image.shape[2] == _COLOURS else (".png", "image/png")
    return {
        "media_type": kind,
        "image": base64.b64encode(encode_image(image, suffix)).decode(),
    }
