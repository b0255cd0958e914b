"""Contact sheets: pictures in a grid, with a line of text below each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import cv2
import numpy as np

from fashionkp_mm.visualization.pen import DARK, FONT, Image, Rectangle, font_scale

_PAPER = (244, 244, 246)


def contact_sheet(
    images: Sequence[Image],
    *,
    columns: int,
    tile: int,
    captions: Sequence[str] | None = None,
) -> Image:
    """Arrange pictures in a grid.

    Args:
        images: ``(H, W, 3)`` BGR each, of any size.
        columns: Pictures in a row; fewer pictures than that make a narrower sheet.
        tile: Side in pixels of the square that each picture is fitted into.
        captions: A line of text below each picture; what is too long is cut.

    Returns:
        The sheet, BGR.

    Raises:
        ValueError: There is no picture, a number is below 1, or captions and pictures differ in
            number.
    """
    if not images or columns < 1 or tile < 1:
        raise ValueError(
            f"{len(images)} images in {columns} columns of {tile} pixels: expected 1 or more each"
        )
    if captions is not None and len(captions) != len(images):
        raise ValueError(f"{len(captions)} captions for {len(images)} images")
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    gap = max(2, tile // 24)
    line = max(12, tile // 10) if captions is not None else 0
    sheet = np.full(
        (gap + rows * (tile + line + gap), gap + columns * (tile + gap), 3), _PAPER, np.uint8
    )
    for index, (row, column) in enumerate(product(range(rows), range(columns))):
        if index == len(images):
            break
        x, y = gap + column * (tile + gap), gap + row * (tile + line + gap)
        _paste(sheet, images[index], x, y, tile)
        if captions is not None:
            _caption(sheet, captions[index], (x, y + tile, x + tile, y + tile + line))
    return sheet


def fitted(image: Image, tile: int) -> Image:
    """A picture scaled to fit a sheet's square; so it can wait for the sheet in little memory."""
    height, width = image.shape[:2]
    factor = tile / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)


def _paste(sheet: Image, image: Image, x: int, y: int, tile: int) -> None:
    small = fitted(image, tile)
    height, width = small.shape[:2]
    x, y = x + (tile - width) // 2, y + (tile - height) // 2
    sheet[y : y + height, x : x + width] = small


def _caption(sheet: Image, text: str, place: Rectangle) -> None:
    x1, y1, x2, y2 = place
    scale = font_scale(max(7.0, 0.42 * (y2 - y1)))

    def measure(words: str) -> int:
        return int(cv2.getTextSize(words, FONT, scale, 1)[0][0])

    shown = text
    while shown and measure(shown) > x2 - x1:
        text = text[:-1]
        shown = f"{text}..." if text else ""
    (width, height), _ = cv2.getTextSize(shown, FONT, scale, 1)
    at = (x1 + (x2 - x1 - width) // 2, y1 + (y2 - y1 + height) // 2)
    cv2.putText(sheet, shown, at, FONT, scale, DARK, 1, cv2.LINE_AA)
