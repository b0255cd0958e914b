"""A picture seen through any map of the plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_LONGEST_SIDE = 2**15 - 2
"""Of a picture that `cv2.remap` reads from."""
_ALL_KNOWN = 0.9999
"""What known nodes, as ones, give between them, but for rounding."""
_NOWHERE = np.float32(-1e6)
_SAMPLED = 8
"""Distance of the pixels by which it is judged how much a map shrinks."""


def dense_map(
    place: Callable[[NDArray[np.float64]], NDArray[np.floating[Any]]],
    size: tuple[int, int],
    step: int = 8,
) -> NDArray[np.float32]:
    """Where each pixel of a new picture comes from, for `warped`.

    The map is computed at every ``step``-th pixel and interpolated between them: smooth maps lose
    hundredths of a pixel, and it is some fifty times as fast.

    Args:
        place: ``(n, 2)`` pixels of the new picture to ``(n, 2)`` pixels of the old one, x and y;
            NaN stands for nowhere.
        size: Width and height of the new picture.
        step: Distance of the pixels that are computed.

    Returns:
        ``(height, width, 2)`` pixels of the old picture.
    """
    width, height = size
    columns = max(2, -(-(width - 1) // step) + 1)
    rows = max(2, -(-(height - 1) // step) + 1)
    xs = np.linspace(0, width - 1, columns)
    ys = np.linspace(0, height - 1, rows)
    nodes = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    coarse = np.array(place(nodes), np.float32).reshape(rows, columns, 2)
    known: NDArray[np.bool_] = np.isfinite(coarse[..., 0] + coarse[..., 1])
    coarse[~known] = 0
    dense = _interpolated(coarse, size)
    if not known.all():
        shares = _interpolated(known[..., None].astype(np.float32), size)
        dense[shares[..., 0] < _ALL_KNOWN] = np.nan
    return dense


def warped(image: NDArray[np.uint8], places: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture seen through a map, transparent where the map leads out of it.

    Where the map shrinks, pixels are averaged first, so that fine patterns do not turn into others.

    Args:
        image: ``(H, W, 3)`` BGR or ``(H, W, 4)`` BGRA.
        places: ``(h, w, 2)`` from `dense_map`: where each new pixel comes from, x and y in pixels
            of ``image``; NaN for nowhere.

    Returns:
        ``(h, w, 4)`` BGRA; colours are not multiplied by the opacity.
    """
    if not np.isfinite(places.sum()):
        places = np.where(np.isfinite(places).all(axis=-1, keepdims=True), places, _NOWHERE)
    height, width = image.shape[:2]
    smaller = _shrinking(places, (width, height))
    reach = [(float(places[..., axis].min()), float(places[..., axis].max())) for axis in (0, 1)]
    margin = 2 * smaller
    left, top = (max(int(low) - margin, 0) for low, _ in reach)
    right, bottom = (
        min(int(high) + 1 + margin, side)
        for (_, high), side in zip(reach, (width, height), strict=True)
    )
    if left >= right or top >= bottom:
        return np.zeros((*places.shape[:2], 4), np.uint8)
    part = image[top:bottom, left:right]
    smaller = max(smaller, -(-max(part.shape[:2]) // _LONGEST_SIDE))
    if smaller > 1 or left or top:
        # Corners of pixels, not their middles, stay where they are when a picture shrinks.
        corner = np.array((left - 0.5, top - 0.5), np.float32)
        places = (places - corner) / np.float32(smaller) - np.float32(0.5)
    leaves = any(low < 0 for low, _ in reach) or reach[0][1] > width - 1 or reach[1][1] > height - 1
    if image.shape[2] == 3:
        colours = _seen(_shrunk(part, smaller), places, cv2.BORDER_REPLICATE)
        result = cv2.cvtColor(colours, cv2.COLOR_BGR2BGRA).astype(np.uint8, copy=False)
        if leaves:
            whole = np.full((*part.shape[:2], 1), 255, np.uint8)
            result[..., 3] = _seen(_shrunk(whole, smaller), places, cv2.BORDER_CONSTANT)
        return result
    seen = _seen(_shrunk(_multiplied(part), smaller), places, cv2.BORDER_CONSTANT)
    return _divided(seen)


def _seen(image: NDArray[np.uint8], places: NDArray[np.float32], border: int) -> NDArray[np.uint8]:
    none: Any = None  # what OpenCV takes for a second map, and its types do not
    seen = cv2.remap(image, places, none, cv2.INTER_LINEAR, borderMode=border)
    return seen.astype(np.uint8, copy=False)


def _shrinking(places: NDArray[np.float32], size: tuple[int, int]) -> int:
    """How many pixels of the old picture, along a side, become one of the new."""
    few = places[::_SAMPLED, ::_SAMPLED]
    across, down = np.diff(few, axis=1)[:-1], np.diff(few, axis=0)[:, :-1]
    x, y = few[..., 0], few[..., 1]
    seen = (x >= 0) & (x < size[0]) & (y >= 0) & (y < size[1])
    areas = abs(across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0])[
        seen[:-1, :-1] & seen[1:, :-1] & seen[:-1, 1:]
    ]
    return max(int(np.sqrt(np.median(areas)) / _SAMPLED), 1) if len(areas) else 1


def _shrunk(image: NDArray[np.uint8], times: int) -> NDArray[np.uint8]:
    """A picture with the means of squares of pixels; the last ones are made whole by repetition."""
    if times == 1:
        return image
    height, width = (-(-side // times) for side in image.shape[:2])
    lacking = height * times - image.shape[0], width * times - image.shape[1]
    padded = cv2.copyMakeBorder(image, 0, lacking[0], 0, lacking[1], cv2.BORDER_REPLICATE)
    small = cv2.resize(padded, (width, height), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False)


def _multiplied(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """BGRA with colours times opacity, which is how they may be averaged."""
    opacity = image[..., 3:].astype(np.float32) / 255
    colours = np.rint(image[..., :3] * opacity).astype(np.uint8)
    return np.concatenate([colours, image[..., 3:]], axis=-1)


def _divided(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """BGRA with colours as they are, from colours times opacity."""
    soft = (image[..., 3] > 0) & (image[..., 3] < 255)
    edge = image[soft].astype(np.float32)
    image[soft, :3] = np.minimum(np.rint(edge[:, :3] * (255 / edge[:, 3:])), 255)
    return image


def _interpolated(coarse: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """``(height, width, n)`` from the values ``(rows, columns, n)`` of a grid over them."""
    # By two products: OpenCV's own interpolation counts in 32nds of a node's distance.
    across, down = _between(coarse.shape[1], size[0]), _between(coarse.shape[0], size[1])
    half = np.tensordot(down, coarse, axes=1)
    return np.ascontiguousarray(np.einsum("wc,hcx->hwx", across, half, optimize=True))


def _between(nodes: int, pixels: int) -> NDArray[np.float32]:
    """``(pixels, nodes)`` shares of the nodes in each pixel, first on first and last on last."""
    places = np.linspace(0, nodes - 1, pixels)
    return np.clip(1 - np.abs(places[:, None] - np.arange(nodes)), 0, None).astype(np.float32)
