"""A print that was designed on a template, laid onto the garment in its picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications.alignment import Alignment
from fashionkp_mm.images.warping import dense_map, warped

_NODES = 64
"""Places along a side of the print's part of the picture at which the map back is computed."""
_GRAIN = 0.004
"""Deviation of the blur that takes the grain out, as a share of the print's side."""
_BLACK = 12.0
_SHADES = 0.3, 1.5
"""Darkest and lightest that a print becomes in folds, as shares of its own colours."""
_SAME_RATIO = 0.01
"""By how much ratios of sides may differ, which whole pixels make differ by a little."""


class PrintError(ValueError):
    """A print that was not designed on the template."""


def require_ratio(design: NDArray[np.uint8], size: tuple[int, int]) -> None:
    """Refuse a print that has other sides than a template of this width and height.

    Raises:
        PrintError: Their ratio differs.
    """
    height, width = design.shape[:2]
    if abs(width * size[1] / (height * size[0]) - 1) > _SAME_RATIO:
        raise PrintError(
            f"a print of {width}x{height} pixels for a template of {size[0]}x{size[1]}; give it the"
            " template's ratio of sides, or name the template's size with --size"
        )


def paste_print(
    alignment: Alignment, design: NDArray[np.uint8], mask: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Lay a print onto the garment, with the shading of the cloth's folds.

    Args:
        alignment: The garment, laid onto the template that the print was designed on.
        design: ``(h, w, 3)`` BGR or ``(h, w, 4)`` BGRA, of the template's ratio and any size.
        mask: ``(H, W)`` how much of each pixel of the picture is cloth, 255 all of it, as in
            `masks.Mask.alpha`; there is no print elsewhere. By default all is.

    Returns:
        ``(H, W, 3)`` BGR: the picture with the print.

    Raises:
        PrintError: The print has another ratio than the template.
    """
    require_ratio(design, alignment.template.size)
    scale = np.array(design.shape[1::-1]) / alignment.template.size
    result = alignment.picture.copy()
    low, high = _reach(alignment)
    if (low >= high).any():
        return result

    def in_design(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        # Corners of pixels, not their middles, lie on each other.
        places: NDArray[np.float64] = (alignment.to_template(pixels + low) + 0.5) * scale - 0.5
        return places

    size = int(high[0] - low[0]), int(high[1] - low[1])
    step = max(4, -(-max(size) // _NODES))
    laid = warped(design, dense_map(in_design, size, step))
    ground = result[low[1] : high[1], low[0] : high[0]]
    opacity = (laid[..., 3] / 255).astype(np.float32)
    if mask is not None:
        opacity *= (mask[low[1] : high[1], low[0] : high[0]] / 255).astype(np.float32)
    colours = laid[..., :3] * _shading(ground, opacity)[..., None]
    ground[:] = np.rint(ground + (np.minimum(colours, 255) - ground) * opacity[..., None])
    return result


def _reach(alignment: Alignment) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First x and y of the part of the picture that the template covers, and those past it."""
    places = alignment.map.reshape(-1, 2)
    size = np.array(alignment.picture.shape[1::-1])
    low = np.clip(np.floor(places.min(axis=0)), 0, size).astype(np.intp)
    high = np.clip(np.ceil(places.max(axis=0)) + 1, 0, size).astype(np.intp)
    return low, high


def _shading(ground: NDArray[np.uint8], opacity: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much lighter or darker than the rest each place of the cloth is: its folds."""
    covered = opacity > 0
    if not covered.any():
        return np.ones(opacity.shape, np.float32)
    gray = cv2.cvtColor(ground, cv2.COLOR_BGR2GRAY).astype(np.float32)
    middle = float(np.median(gray[covered]))
    # The grain of the picture and of the weave is no fold.
    smooth = cv2.GaussianBlur(gray, (0, 0), max(_GRAIN * float(np.sqrt(covered.sum())), 0.5))
    # On black cloth a step of one would count for much.
    shading: NDArray[np.float32] = np.clip((smooth + _BLACK) / (middle + _BLACK), *_SHADES)
    return shading
