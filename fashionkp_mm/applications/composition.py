"""A picture moved onto a new one, and a garment cut out of it onto a new ground."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from fashionkp_mm.applications.ground import Color
from fashionkp_mm.core.planar_maps import inverse

_LONGEST_SIDE, _MOST_SIDE = 2**15 - 2, 4096
"""Of a picture that OpenCV warps; of one that is made to be averaged."""
_FRINGE = 0.004
"""How far from a cut edge colours are mixed with those of the old ground, as a share of the
garment's size."""


def parsed_color(color: str) -> Color:
    """BGR of a colour as CSS has it: ``white``, ``#f4f0ec``.

    Raises:
        ValueError: It is none.
    """
    try:
        red, green, blue = ImageColor.getrgb(color)[:3]
    except ValueError:
        raise ValueError(
            f"{color!r} is no colour; expected keep, transparent, a name as white, or #rrggbb"
        ) from None
    return blue, green, red


def is_straight(matrix: NDArray[np.float64]) -> bool:
    """Whether a ``(2, 3)`` map shifts and does nothing else."""
    return np.array_equal(matrix[:, :2], np.eye(2))


def placed(
    image: NDArray[np.uint8],
    matrix: NDArray[np.float64],
    size: tuple[int, int],
    beyond: Color,
    interpolation: int = cv2.INTER_CUBIC,
) -> NDArray[np.uint8]:
    """A picture laid onto a new one by a map that keeps lines straight.

    Args:
        image: ``(H, W)`` or ``(H, W, 3)``.
        matrix: ``(2, 3)`` from its pixels to the new picture's. Where it shrinks, pixels are
            averaged; where it only shifts, by whole pixels, they stay as they are.
        size: Width and height of the new picture.
        beyond: What it has where the old one ends.
        interpolation: OpenCV's. Linear takes a third of the time, and is softer where it enlarges.
    """
    # OpenCV looks at a few pixels however many there are: what is to be coarse is made larger first
    # and then averaged. Where that would be too large, the picture is averaged before as well.
    coarse = int(np.linalg.svd(inverse(matrix)[:, :2], compute_uv=False)[-1])
    times = max(1, min(coarse, _MOST_SIDE // max(size)))
    before = max(coarse // times, -(-max(image.shape[:2]) // _LONGEST_SIDE))
    if before > 1:
        image, matrix = _reduced(image, matrix, before)
    back = inverse(matrix)
    back[:, 2] += back[:, :2].sum(axis=1) * (1 / times - 1) / 2
    back[:, :2] /= times
    pixels = cv2.warpAffine(
        image,
        back,
        (times * size[0], times * size[1]),
        flags=cv2.WARP_INVERSE_MAP | (cv2.INTER_NEAREST if is_straight(back) else interpolation),
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=beyond,
    )
    if times > 1:
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return pixels.astype(np.uint8, copy=False)


def _reduced(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], times: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A picture so many times smaller, and the map that does with it what another did before."""
    width, height = (max(1, side // times) for side in image.shape[1::-1])
    steps = np.array([image.shape[1] / width, image.shape[0] / height])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    shift = matrix[:, :2] @ ((steps - 1) / 2)
    changed = np.column_stack([matrix[:, :2] * steps, matrix[:, 2] + shift])
    return small.astype(np.uint8, copy=False), changed


def on_ground(
    image: NDArray[np.uint8],
    alpha: NDArray[np.uint8],
    matrix: NDArray[np.float64],
    size: tuple[int, int],
    ground: Color | None,
    *,
    hidden_rows: int = 0,
) -> NDArray[np.uint8]:
    """What a mask covers, alone on a new picture.

    Args:
        image: ``(H, W, 3)`` BGR.
        alpha: ``(H, W)`` how much of each pixel is covered, 255 all; something must be.
        matrix, size: As in `placed`.
        ground: The new ground; None for a transparent one.
        hidden_rows: How many rows of the new picture show the ground alone, from above.

    Returns:
        ``(h, w, 3)`` BGR, or ``(h, w, 4)`` BGRA.
    """
    pixels = placed(_without_fringe(image, alpha), matrix, size, (0, 0, 0))
    cover = placed(alpha, matrix, size, (0, 0, 0))
    cover[:hidden_rows] = 0
    if ground is None:
        return np.dstack([pixels, cover])
    share = cover.astype(np.float32) / 255
    below = np.empty_like(pixels)
    below[:] = ground
    return cv2.blendLinear(pixels, below, share, 1 - share).astype(np.uint8, copy=False)


def _without_fringe(image: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with the garment's colours carried outwards over its edge.

    Pixels of the edge show some of the old ground, which would be seen on the new one.
    """
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    colors, cover = image[window], alpha[window]
    radius = max(1, round(_FRINGE * max(cover.shape)))
    brush, side = np.ones((2 * radius + 1,) * 2, np.uint8), (4 * radius + 1,) * 2
    sure = cv2.erode((cover > 250).astype(np.uint8), brush).astype(np.float32)
    total = cv2.blur(sure, side)[..., None]
    near = cv2.blur(colors * sure[..., None], side) / np.maximum(total, 1e-6)
    mixed = (sure == 0)[..., None] & (total > 1e-3)
    clean = image.copy()
    clean[window] = np.where(mixed, np.rint(near), colors).astype(np.uint8)
    return clean
