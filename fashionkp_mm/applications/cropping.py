"""Cut the parts of a garment out of its picture, each upright along its own axis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications.anchors import Anchors, AnchorSource
from fashionkp_mm.applications.composition import placed
from fashionkp_mm.applications.errors import GarmentError
from fashionkp_mm.applications.ground import Color, ground_color
from fashionkp_mm.core.parts import Part, Side, parts_of, require_parts, unit_of
from fashionkp_mm.core.planar_maps import inverse
from fashionkp_mm.runtime import Garment

MARGIN = 0.1
SIZE = 224
MOST_MARGIN, MOST_SIDE = 10, 4096


@dataclass(frozen=True)
class CropOptions:
    """How crops are cut.

    Attributes:
        parts: Of ``core.parts.GROUPS`` or ``PART_NAMES``.
        size: Width and height in pixels; a part is given more room until it has their ratio. With
            one number, that is the longer side, and the part keeps its own ratio.
        margin: Room on each side, as a share of the part's width and height.
        side: Which side mirrored parts are to look like, so that one classifier does for both; None
            leaves them as they are.
    """

    parts: tuple[str, ...]
    size: tuple[int, int] | int = (SIZE, SIZE)
    margin: float = MARGIN
    side: Side | None = None

    def __post_init__(self) -> None:
        require_parts(self.parts)
        if not 0 <= self.margin <= MOST_MARGIN:
            raise ValueError(f"a margin of {self.margin}, expected 0 to {MOST_MARGIN}")
        if not all(1 <= side <= MOST_SIDE for side in np.atleast_1d(self.size)):
            raise ValueError(f"a size of {self.size}, expected 1 to {MOST_SIDE} pixels")


@dataclass(frozen=True, eq=False)
class Crop:
    """A part of a garment.

    Attributes:
        part: What it is.
        image: ``(h, w, 3)`` BGR. What lies beyond the picture has the median colour of its edge.
        quad: ``(4, 2)`` where the crop's corners lie, from its upper left one clockwise, in pixels
            of the picture, which count from the middle of its first one, as keypoints do.
        source: Where its points come from, the worst of them: ``visible``, ``occluded``, or
            ``estimated`` where one is absent and the category's mean shape stands in for it.
        score: The least score of its points; NaN where one is not known.
        mirrored: Whether it was turned to the other side.
    """

    part: Part
    image: NDArray[np.uint8]
    quad: NDArray[np.float64]
    source: AnchorSource
    score: float
    mirrored: bool


def crop(image: NDArray[np.uint8], garment: Garment, options: CropOptions) -> list[Crop]:
    """Cut the parts out of a garment that it has.

    Args:
        image: ``(H, W, 3)`` the picture that the garment was found in.
        garment: The garment.
        options: Which parts, and how.

    Returns:
        The parts that the category has and that lie in the picture, in the order of ``core.parts``.

    Raises:
        GarmentError: The garment has fewer than two points, or those that a part goes by are in
            one place.
    """
    anchors, beyond = Anchors.of(garment), ground_color(image)
    crops = []
    for part in parts_of(garment.category, options.parts):
        quad = part_quad(part, anchors, image.shape[1::-1], options)
        if quad is None:
            continue
        mirrored = None not in (options.side, part.side) and part.side != options.side
        if mirrored:
            quad = quad[[1, 0, 3, 2]]
        names = anchors.points_of(part)
        crops.append(
            Crop(
                part, cut(image, quad, options.size, beyond), quad,
                anchors.source(names), anchors.score(names), mirrored,
            )
        )  # fmt: skip
    return crops


def part_quad(
    part: Part, anchors: Anchors, image_size: Iterable[int], options: CropOptions
) -> NDArray[np.float64] | None:
    """The rectangle of a part: ``(4, 2)`` corners in pixels of the picture, not mirrored.

    Args:
        part: One that the garment's category has.
        anchors: The garment's points.
        image_size: Width and height of the picture. A part reaches beyond its own points no further
            than the picture does.
        options: Margin and ratio.

    Returns:
        From the upper left corner clockwise; None where the part lies out of the picture.

    Raises:
        GarmentError: The points that the part goes by are in one place.
    """
    turn = anchors.directions(part.upright(anchors.category))
    unit = float(np.hypot(*np.subtract(*anchors.at(unit_of(anchors.category)))))
    points = anchors.at(anchors.points_of(part)) @ turn.T
    low, high = points.min(axis=0), points.max(axis=0)
    reach = part.reach
    far_low = low - unit * np.array([reach.sides, reach.up])
    far_high = high + unit * np.array([reach.sides, reach.down])
    far_high[1] += reach.beyond * (high[1] - low[1])
    far_high[1] = max(far_high[1], low[1] + reach.least * unit)
    width, height = image_size
    frame = (np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5) @ turn.T
    first, last = frame.min(axis=0), frame.max(axis=0)
    if not ((low < last) & (high > first)).all():
        return None
    low = np.minimum(low, np.maximum(far_low, first))
    high = np.maximum(high, np.minimum(far_high, last))
    middle, extent = (low + high) / 2, (high - low) * (1 + 2 * options.margin)
    if not extent.max() > 0:
        raise GarmentError(f"the points of {part.name} are in one place")
    # A line of points still has a picture.
    extent = np.maximum(extent, extent.max() / 8)
    if not isinstance(options.size, int):
        ratio = options.size[0] / options.size[1]
        extent = np.maximum(extent, extent[::-1] * np.array([ratio, 1 / ratio]))
    corners = middle + extent / 2 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    quad: NDArray[np.float64] = corners @ turn
    return quad


def cut(
    image: NDArray[np.uint8],
    quad: NDArray[np.float64],
    size: tuple[int, int] | int,
    beyond: Color,
) -> NDArray[np.uint8]:
    """The content of a rectangle of a picture, as a picture of its own.

    Args:
        image: ``(H, W, 3)``.
        quad: ``(4, 2)`` where the corners of the new picture lie.
        size: Width and height of the new picture, or its longer side.
        beyond: BGR of what lies beyond the picture.

    Returns:
        ``(h, w, 3)``.
    """
    sides = np.hypot(*(quad[[1, 3]] - quad[0]).T)
    if isinstance(size, int):
        width, height = (max(1, round(size * float(side / sides.max()))) for side in sides)
    else:
        width, height = size
    steps = (quad[[1, 3]] - quad[0]) / [[width], [height]]
    start = quad[0] + steps.sum(axis=0) / 2  # the middle of the first pixel
    matrix = inverse(np.column_stack([*steps, start]))
    return placed(image, matrix, (width, height), beyond, cv2.INTER_LINEAR)
