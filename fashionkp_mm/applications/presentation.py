"""Catalogue pictures by rule: upright, centred, of the right size, on the right ground."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications.anchors import Anchors
from fashionkp_mm.applications.composition import (
    is_straight,
    on_ground,
    parsed_color,
    placed,
)
from fashionkp_mm.applications.errors import GarmentError
from fashionkp_mm.applications.ground import ground_color
from fashionkp_mm.applications.masks import Mask, garment_mask
from fashionkp_mm.applications.outline import garment_extent
from fashionkp_mm.applications.presets import PRESETS, Preset
from fashionkp_mm.core.garments import CATEGORIES
from fashionkp_mm.core.parts import level_line, unit_of
from fashionkp_mm.runtime import Garment

KEEP, TRANSPARENT = "keep", "transparent"
_UPRIGHT = np.radians(0.3)
"""Below this tilt a picture is not turned: turning costs sharpness."""


@dataclass(frozen=True)
class PresentOptions:
    """How pictures are made.

    Attributes:
        preset: The shop's rules.
        fill: Share of the frame that the garment takes; the preset's by default.
        background: ``keep``, ``transparent``, or a colour as CSS has it: ``white``, ``#f4f0ec``. By
            default ``keep``, or ``white`` where the preset asks for a white or a light ground.
        hide_face: Show nothing above the neckline, or above the waistband.
        matting: Soft edges by pymatting.
    """

    preset: Preset = field(default_factory=lambda: PRESETS["square"])
    fill: float | None = None
    background: str | None = None
    hide_face: bool = False
    matting: bool = False

    def __post_init__(self) -> None:
        if not 0.05 <= self.share <= 1:
            raise ValueError(f"a fill of {self.share}, expected 0.05 to 1, the share of the frame")
        if self.ground not in (KEEP, TRANSPARENT):
            parsed_color(self.ground)

    @property
    def share(self) -> float:
        """The fill that is meant."""
        return self.preset.fill if self.fill is None else self.fill

    @property
    def ground(self) -> str:
        """The background that is meant."""
        return self.background or (KEEP if self.preset.ground == "any" else "white")


@dataclass(frozen=True, eq=False)
class Presented:
    """A catalogue picture.

    Attributes:
        image: ``(h, w, 3)`` BGR, or ``(h, w, 4)`` BGRA with a transparent ground. As large as the
            garment is in the picture; reduced only where the preset's most is less.
        matrix: ``(2, 3)`` from pixels of the picture to its own.
        mask: What was cut out; None where the ground was to stay.
        warnings: What is wrong with it.
    """

    image: NDArray[np.uint8]
    matrix: NDArray[np.float64]
    mask: Mask | None
    warnings: tuple[str, ...]


def present(
    image: NDArray[np.uint8], garment: Garment, options: PresentOptions | None = None
) -> Presented:
    """Make a catalogue picture of a garment.

    Args:
        image: ``(H, W, 3)`` BGR, the picture that the garment was found in.
        garment: The garment.
        options: By which rules.

    Raises:
        GarmentError: The garment has fewer than two points, those of its upright line are in one
            place, or it lies out of the picture.
        ImportError: Soft edges are asked for and pymatting is not installed.
    """
    options = options or PresentOptions()
    anchors = Anchors.of(garment)
    turn = _turn(anchors)
    warnings: list[str] = []
    mask = None
    if options.ground != KEEP:
        mask = garment_mask(image, garment, matting=options.matting)
        if mask.warning is not None:
            warnings.append(f"the ground stays, since {mask.warning}")
            mask = None
    extent = _seen_extent(garment, turn, image) if mask is None else _mask_extent(mask, turn)
    top = _neckline(anchors, turn) if options.hide_face else None
    if top is not None:
        extent[0, 1] = min(top, extent[1, 1] - 1)
    size, scale = _frame(extent, options)
    low = extent.mean(axis=0) - np.array(size) / scale / 2
    if top is not None and mask is None:
        low[1] = top  # the picture ends there; a ground that stays cannot be cut in the middle
    matrix = scale * np.column_stack([turn, -low])
    matrix[:, 2] -= 0.5  # to the middle of the first pixel
    if is_straight(matrix):
        matrix[:, 2] = np.rint(matrix[:, 2])  # no pixel is mixed with its neighbours
    if mask is None:
        pixels = placed(image, matrix, size, ground_color(image))
    else:
        hidden = 0 if top is None else max(0, round(scale * (top - low[1])))
        ground = None if options.ground == TRANSPARENT else parsed_color(options.ground)
        pixels = on_ground(image, mask.alpha, matrix, size, ground, hidden_rows=hidden)
    warnings += _shortcomings(pixels, options)
    return Presented(pixels, matrix, mask, tuple(warnings))


def _turn(anchors: Anchors) -> NDArray[np.float64]:
    """``(2, 2)`` what is right and down on the garment, in rows."""
    turn = anchors.directions(level_line(anchors.category))
    return np.eye(2) if abs(np.arctan2(turn[0, 1], turn[0, 0])) < _UPRIGHT else turn


def _neckline(anchors: Anchors, turn: NDArray[np.float64]) -> float:
    """How far down along the garment it begins, where its wearer ends."""
    neck = ("neckline_left", "neckline_right")
    names = (
        neck
        if set(neck) <= set(CATEGORIES[anchors.category].keypoints)
        else unit_of(anchors.category)
    )
    return float((anchors.at(names) @ turn[1]).min())


def _seen_extent(
    garment: Garment, turn: NDArray[np.float64], image: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """`garment_extent`, as far as the picture goes."""
    height, width = image.shape[:2]
    corners = (np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5) @ turn.T
    low, high = garment_extent(garment, turn)
    low, high = np.maximum(low, corners.min(axis=0)), np.minimum(high, corners.max(axis=0))
    if not (low <= high).all():
        raise GarmentError("the garment lies out of the picture")
    return np.stack([low, high])


def _mask_extent(mask: Mask, turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(2, 2)`` as `garment_extent`, of what a mask covers."""
    contours, _ = cv2.findContours(
        (mask.alpha > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    points = np.concatenate([contour[:, 0] for contour in contours]) @ turn.T
    extent: NDArray[np.float64] = np.stack([points.min(axis=0) - 0.5, points.max(axis=0) + 0.5])
    return extent


def _frame(extent: NDArray[np.float64], options: PresentOptions) -> tuple[tuple[int, int], float]:
    """Width and height of the new picture, and its scale."""
    preset = options.preset
    width, height = (extent[1] - extent[0]) / options.share
    height = max(height, width / preset.ratio, 1.0, 1.0 / preset.ratio)
    width = height * preset.ratio
    most = min(preset.most_side / max(width, height),
               float(np.sqrt(preset.most_megapixels * 1e6 / (width * height))))  # fmt: skip
    scale = min(1.0, most)
    # One side is rounded and the other follows, so that the ratio is met as nearly as can be.
    tall = max(1, int(scale * height) if scale < 1 else round(height))
    return (max(1, round(tall * preset.ratio)), tall), scale


def _shortcomings(pixels: NDArray[np.uint8], options: PresentOptions) -> list[str]:
    height, width = pixels.shape[:2]
    if min(height, width) >= options.preset.least_side:
        return []
    return [
        f"{width}x{height} pixels are all there are, and {options.preset.name} asks for"
        f" {options.preset.least_side} a side; take the picture from nearer"
    ]
