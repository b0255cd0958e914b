"""The edge of a mask that was found on a reduced picture, brought to the picture's own pixels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_EPSILON = 25.0
"""Variance of lightness that counts as an edge, of values from 0 to 255, squared."""
_STEEPNESS = 2.0
_CLOSED_FORM_SIDE = 512
"""Longer side in pixels from which pymatting works on a reduced picture: its time grows
faster than the picture."""


def soft_edges(
    image: NDArray[np.uint8], found: NDArray[np.bool_], *, closed_form: bool = False
) -> NDArray[np.uint8]:
    """How much of each pixel a mask covers.

    The mask is enlarged and drawn to the picture's edges by a guided filter, its guide the
    lightness (K. He, J. Sun, X. Tang, Guided Image Filtering, ECCV 2010).

    Args:
        image: ``(H, W, 3)`` BGR.
        found: ``(h, w)``, the same picture reduced or as it is.
        closed_form: Closed-form matting along the edge instead (A. Levin, D. Lischinski, Y. Weiss,
            PAMI 30(2), 2008), by pymatting.

    Returns:
        ``(H, W)`` uint8, 255 where it covers all.

    Raises:
        ImportError: ``closed_form`` is asked for and pymatting is not installed.
    """
    size = image.shape[1::-1]
    coarse = found.astype(np.float32)
    times = max(size) / max(found.shape)
    if closed_form:
        return _closed_form(image, coarse, times)
    alpha = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    light = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    alpha = _guided(light.astype(np.float32), alpha.astype(np.float32), max(1, round(2 * times)))
    return _bytes(np.clip((alpha - 0.5) * _STEEPNESS + 0.5, 0, 1))


def _guided(
    light: NDArray[np.float32], alpha: NDArray[np.float32], radius: int
) -> NDArray[np.float32]:
    side = (2 * radius + 1,) * 2

    def mean(values: NDArray[Any]) -> NDArray[np.float32]:
        return cv2.blur(values, side).astype(np.float32, copy=False)

    light_mean, alpha_mean = mean(light), mean(alpha)
    slope = mean(light * alpha) - light_mean * alpha_mean
    slope /= mean(light * light) - light_mean * light_mean + np.float32(_EPSILON)
    result: NDArray[np.float32] = mean(slope) * light + mean(alpha_mean - slope * light_mean)
    return result


def _closed_form(
    image: NDArray[np.uint8], coarse: NDArray[np.float32], times: float
) -> NDArray[np.uint8]:
    try:
        from pymatting import estimate_alpha_cf  # noqa: PLC0415  an extra
    except ImportError as error:
        raise ImportError(
            f"pymatting: {error}: soft edges need it: pip install 'fashionkp_mm[matting]'"
        ) from error

    size = image.shape[1::-1]
    scale = min(1.0, _CLOSED_FORM_SIDE / max(size))
    width, height = (max(1, round(scale * side)) for side in size)
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    area = (cv2.resize(coarse, (width, height)) > 0.5).astype(np.uint8)
    band = np.ones((2 * max(2, round(3 * times * scale)) + 1,) * 2, np.uint8)
    trimap = np.full(area.shape, 0.5)
    trimap[cv2.erode(area, band, borderValue=1) > 0] = 1
    trimap[cv2.dilate(area, band) == 0] = 0
    alpha = estimate_alpha_cf(small[..., ::-1] / 255.0, trimap)
    return _bytes(cv2.resize(alpha, size, interpolation=cv2.INTER_CUBIC))


def _bytes(alpha: NDArray[Any]) -> NDArray[np.uint8]:
    whole: NDArray[np.uint8] = np.rint(255 * np.clip(alpha, 0, 1)).astype(np.uint8)
    return whole
