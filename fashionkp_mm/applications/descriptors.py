"""A garment's shape in a few numbers that need no training: ratios of its lengths."""

from __future__ import annotations

import math

from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.core.lengths import Place, lengths_of, place_of
from fashionkp_mm.runtime import Garment

_RATIOS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "sleeve_to_body": (("sleeve_length_left", "sleeve_length_right"), ("body_length",)),
    "body_to_shoulders": (("body_length",), ("shoulder_width",)),
    "hem_to_waist": (("hem_width",), ("waist",)),
    "neckline_width": (("neck_width",), ("shoulder_width",)),
    "length_to_waist": (
        ("skirt_length", "outseam_left", "outseam_right"), ("waist",)
    ),
}  # fmt: skip
"""Descriptor: the lengths of ``core.lengths`` above and below the line. Of several the mean of
those that the garment has counts."""
_DEPTH = "neckline_depth"

DESCRIPTORS: tuple[str, ...] = (*_RATIOS, _DEPTH)
"""Names of the descriptors: sleeve to body length; body length to shoulder width; hem to waist, 1
for a straight garment and more for an A-line; width and depth of the neckline to shoulder width;
length of a skirt or of trousers to their waist."""


def shape_descriptors(garment: Garment) -> dict[str, float | None]:
    """The descriptors of a garment, None where it lacks a point.

    They are of the picture: a garment that is worn, or seen from the side, has others.

    Args:
        garment: The garment; its visible and occluded points count.
    """
    points = {
        name: (point.x, point.y)
        for name, point in garment.points.items()
        if point.visibility != Visibility.ABSENT
    }
    lengths: dict[str, float] = {}
    for length in lengths_of(garment.category):
        ends = length.ends(points)
        if ends is not None:
            start, end = (place_of(weights, points) for weights in ends)
            lengths[length.name] = math.dist(start, end)
    ratios = {
        name: _ratio(_mean(above, lengths), _mean(below, lengths))
        for name, (above, below) in _RATIOS.items()
    }
    return {**ratios, _DEPTH: _ratio(_neckline_depth(points), lengths.get("shoulder_width"))}


def _mean(names: tuple[str, ...], lengths: dict[str, float]) -> float | None:
    found = [lengths[name] for name in names if name in lengths]
    return math.fsum(found) / len(found) if found else None


def _ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


def _neckline_depth(points: dict[str, Place]) -> float | None:
    """How far the centre front lies below the line between the neckline's ends, in pixels."""
    names = ("neckline_left", "neckline_right", "center_front")
    if not all(name in points for name in names):
        return None
    (x1, y1), (x2, y2), (x, y) = (points[name] for name in names)
    width = math.hypot(x2 - x1, y2 - y1)
    return ((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)) / width if width else None
