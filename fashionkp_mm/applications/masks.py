"""Which pixels of a picture show a garment, by colours and the outline between its points.

No weights: near-white grounds are told by their colour, all others by `grabcut`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications.anchors import Anchors
from fashionkp_mm.applications.grabcut import REACH, cut_out
from fashionkp_mm.applications.ground import edge_pixels
from fashionkp_mm.applications.matting import soft_edges
from fashionkp_mm.applications.outline import outline_mask
from fashionkp_mm.core.garments import CATEGORIES, Visibility, keypoint_indices
from fashionkp_mm.core.parts import unit_of
from fashionkp_mm.core.planar_maps import moved
from fashionkp_mm.core.words import plural
from fashionkp_mm.runtime import Garment

_WORK_SIDE = 256
"""Longer side in pixels of what the mask is found in; the edges are refined on the picture."""
_WHITE, _WHITE_SHARE, _WHITE_STEP = 235, 0.8, 8
"""A ground is near-white if the median of the picture's edge is that light, and so much of the edge
is within so many steps of it, as is the ground itself."""
_GRAY, _SHADOW, _SHADOW_STEP = 10, 90, 12
"""A shadow on it differs between the channels by no more than that, is darker by no more than that,
and from one pixel to the next by no more than that."""
_CLEARANCE, _ALONE = 0.1, 0.02
"""A garment is alone on its ground if, from so many units beyond its outline on, there is nothing
else but so much of its own area."""
_PALE = 0.25
"""From that share of the outline's area on that looks like ground, the garment is white itself."""
_SPECK, _HOLE = 0.02, 0.7
"""Pieces of less than that share of the largest are dropped; holes that lie inside the outline with
more than that share are filled, since what lies over a garment comes from outside."""
_FULL, _LEAST, _MOST, _NEAR, _MET = 0.97, 0.3, 3.0, 0.15, 0.6
"""What a mask that can be right is like: share of the picture at most; of the outline's area at
least and at most; share of the visible points that it has within that many units at least."""

MaskMethod = Literal["colour", "grabcut"]


@dataclass(frozen=True, eq=False)
class Mask:
    """Where a garment is seen.

    Attributes:
        alpha: ``(H, W)`` uint8: how much of each pixel of the picture the garment covers, 255 all.
        method: How it was found.
        warning: Why it cannot be right; None if it can.
    """

    alpha: NDArray[np.uint8]
    method: MaskMethod
    warning: str | None


def garment_mask(image: NDArray[np.uint8], garment: Garment, *, matting: bool = False) -> Mask:
    """Find the pixels that show a garment.

    Args:
        image: ``(H, W, 3)`` BGR, the picture that the garment was found in.
        garment: The garment.
        matting: Soft edges, for fur and lace, by pymatting's closed-form matting.

    Raises:
        GarmentError: The garment has fewer than two points, or all in one place.
        ImportError: ``matting`` is asked for and pymatting is not installed.
    """
    anchors = Anchors.of(garment)
    window = _Window.around(image, anchors)
    inside = outline_mask(anchors, window.size, window.matrix)
    possible = inside | outline_mask(_with_absent(anchors), window.size, window.matrix)
    small = window.view(image)
    method: MaskMethod = "colour"
    found = _against_white(image, small, possible, window.unit)
    if found is None:
        method, found = "grabcut", cut_out(small, inside, possible, window.unit)
    found = _tidied(found, inside)
    warning = _why_wrong(found, anchors, window, image, (int(inside.sum()), int(possible.sum())))
    alpha = np.zeros(image.shape[:2], np.uint8)
    rows, columns = window.rows, window.columns
    alpha[rows, columns] = soft_edges(image[rows, columns], found, closed_form=matting)
    return Mask(alpha, method, warning)


@dataclass(frozen=True)
class _Window:
    """The part of a picture around a garment, and its scale while the mask is found.

    Attributes:
        rows, columns: Of the picture.
        size: Width and height of the reduced window.
        unit: The distance of ``core.parts.unit_of`` in its pixels.
    """

    rows: slice
    columns: slice
    size: tuple[int, int]
    unit: float

    @classmethod
    def around(cls, image: NDArray[np.uint8], anchors: Anchors) -> _Window:
        unit = float(np.hypot(*np.subtract(*anchors.at(unit_of(anchors.category)))))
        points = _with_absent(anchors).places
        points = points[np.isfinite(points).all(axis=1)]
        # Some of what is not the garment must be in it, or there is nothing to tell it from.
        room = 1.4 * REACH * unit
        limits = np.array(image.shape[1::-1])
        low = np.clip(np.floor(points.min(axis=0) - room), 0, limits - 1).astype(int)
        high = np.clip(np.ceil(points.max(axis=0) + room) + 1, low + 1, limits).astype(int)
        scale = min(1.0, _WORK_SIDE / float(max(high - low)))
        width, height = np.maximum(np.rint(scale * (high - low)), 1).astype(int).tolist()
        rows, columns = (slice(int(low[axis]), int(high[axis])) for axis in (1, 0))
        return cls(rows, columns, (width, height), max(unit * scale, 1.0))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """``(2, 3)`` from pixels of the picture to those of the reduced window."""
        x = self.size[0] / (self.columns.stop - self.columns.start)
        y = self.size[1] / (self.rows.stop - self.rows.start)
        shift = (0.5 - self.columns.start) * x - 0.5, (0.5 - self.rows.start) * y - 0.5
        return np.array([[x, 0, shift[0]], [0, y, shift[1]]])

    def view(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The reduced window of a picture."""
        small = cv2.resize(image[self.rows, self.columns], self.size, interpolation=cv2.INTER_AREA)
        return small.astype(np.uint8, copy=False)


def _with_absent(anchors: Anchors) -> Anchors:
    """All points taken for present; an absent hem further down, as the picture may cut it."""
    places = anchors.places.copy()
    low = [name for name in CATEGORIES[anchors.category].keypoints if "hem" in name]
    low += [name for name in CATEGORIES[anchors.category].keypoints if name.startswith("bottom")]
    drop = anchors.at(low).mean(axis=0) - anchors.at(unit_of(anchors.category)).mean(axis=0)
    for k in keypoint_indices(low):
        if anchors.visibility[k] == Visibility.ABSENT:
            places[k] += drop / 2
    present = np.full_like(anchors.visibility, Visibility.VISIBLE)
    return Anchors(anchors.category, places, present, anchors.scores)


def _against_white(
    image: NDArray[np.uint8],
    small: NDArray[np.uint8],
    possible: NDArray[np.bool_],
    unit: float,
) -> NDArray[np.bool_] | None:
    """What is not the near-white ground, if that is all there is besides the garment."""
    edge = edge_pixels(image).astype(np.int16)
    white = np.median(edge, axis=0).astype(np.int16)
    alike = (np.abs(edge - white).max(axis=1) <= _WHITE_STEP).mean()
    if white.min() < _WHITE or alike < _WHITE_SHARE:
        return None
    ground = _white_ground(small, white)
    apart = cv2.distanceTransform((~possible).astype(np.uint8), cv2.DIST_L2, 3)
    beyond = ~ground & (apart > _CLEARANCE * unit)
    if beyond.sum() > _ALONE * possible.sum() or (ground & possible).sum() > _PALE * possible.sum():
        return None
    found: NDArray[np.bool_] = ~ground & (apart <= REACH * unit)
    return found


def _white_ground(small: NDArray[np.uint8], white: NDArray[np.int16]) -> NDArray[np.bool_]:
    """The ground of this colour around a garment, with the shadow that falls on it.

    A shadow is gray and grows dark by degrees, where cloth begins at once.
    """
    gaps = white - small.astype(np.int16)
    plain = np.abs(gaps).max(axis=2) <= _WHITE_STEP
    shadow = (gaps.max(axis=2) - gaps.min(axis=2) <= _GRAY) & (gaps.max(axis=2) <= _SHADOW)
    framed = cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=white.tolist())
    barred = np.ones((framed.shape[0] + 2, framed.shape[1] + 2), np.uint8)
    barred[2:-2, 2:-2] = ~(plain | shadow)
    barred[1, 1:-1] = barred[-2, 1:-1] = barred[1:-1, 1] = barred[1:-1, -2] = 0
    step = (_SHADOW_STEP,) * 3
    cv2.floodFill(
        framed, barred, (0, 0), (0, 0, 0), step, step, 4 | cv2.FLOODFILL_MASK_ONLY | (2 << 8)
    )
    reached: NDArray[np.bool_] = barred[2:-2, 2:-2] == 2
    return reached


def _tidied(found: NDArray[np.bool_], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without specks, and without holes inside the outline."""
    _, labels, facts, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8))
    areas = facts[:, cv2.CC_STAT_AREA]
    kept = areas >= _SPECK * areas[1:].max(initial=0)
    kept[0] = False
    found = kept[labels]
    holes = np.pad(~found, 1, constant_values=True).astype(np.uint8)
    count, labels = cv2.connectedComponents(holes, connectivity=4)
    outer, labels = labels[0, 0], labels[1:-1, 1:-1]
    within = np.bincount(labels[inside], minlength=count) / np.maximum(
        np.bincount(labels.ravel(), minlength=count), 1
    )
    filled = within > _HOLE
    filled[outer] = False
    result: NDArray[np.bool_] = found | filled[labels]
    return result


def _why_wrong(
    found: NDArray[np.bool_],
    anchors: Anchors,
    window: _Window,
    image: NDArray[np.uint8],
    outlined: tuple[int, int],
) -> str | None:
    """What shows that a mask cannot be right; None if nothing does."""
    area = int(found.sum())
    pixels = (window.rows.stop - window.rows.start) * (window.columns.stop - window.columns.start)
    share = area / found.size * pixels / (image.shape[0] * image.shape[1])
    if share > _FULL:
        return f"the mask fills {share:.0%} of the picture"
    least, most = outlined
    if not _LEAST * least <= area <= _MOST * most:
        return f"the mask has {area / max(least, 1):.0%} of the area between the points"
    seen = anchors.visibility == Visibility.VISIBLE
    points = np.rint(moved(window.matrix, anchors.places[seen])).astype(int)
    there = ((points >= 0) & (points < window.size)).all(axis=1)
    gaps = cv2.distanceTransform((~found).astype(np.uint8), cv2.DIST_L2, 3)
    x, y = points[there].T
    missed = int((gaps[y, x] > _NEAR * window.unit).sum())
    if missed > (1 - _MET) * len(x):
        return f"the mask misses {missed} of {plural(len(x), 'visible point')}"
    return None
