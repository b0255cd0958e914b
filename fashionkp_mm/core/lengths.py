"""The lengths of garments: what size charts call them, and between which points they lie.

This is the one place where a length is written down. To add one, add an entry to ``LENGTHS``;
measuring, its intervals, the drawing and the tables of the docs take it from there.

All are of the garment as it lies in front of the camera: flat widths, of which `chest`, `waist`,
`hem_width`, `cuff_width` and `leg_opening` are half of what goes around the body. "left" and
"right" are the viewer's, as in `garments`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fashionkp_mm.core.garments import CATEGORIES, mirrored_name

Place = tuple[float, float]
"""x and y."""
Weights = dict[str, float]
"""A place as a weighted mean of keypoints, by name; the weights sum to 1."""


@dataclass(frozen=True)
class Length:
    """One length of a garment.

    Attributes:
        name: Its identifier, as in ``sleeve_length_left``.
        description: What a size chart says of it.
        categories: Names of the categories that have it.
        start: Names of keypoints, in whose middle it starts.
        end: Likewise, where it ends.
        plumb: It starts at the one of ``start`` that is farther from the line through the two
            points of ``end``, and goes straight to that line, at a right angle.
    """

    name: str
    description: str
    categories: tuple[str, ...]
    start: tuple[str, ...]
    end: tuple[str, ...]
    plumb: bool = False

    def ends(self, points: Mapping[str, Place]) -> tuple[Weights, Weights] | None:
        """Where it starts and ends on a garment, as weighted means of its keypoints.

        The weights say how much each keypoint moves the ends, and so what its error does to the
        length.

        Args:
            points: The garment's points by name; those that it lacks are left out.

        Returns:
            None where a point is lacking, or the line that it goes straight to has no direction.
        """
        if not all(name in points for name in self.end):
            return None
        if self.plumb:
            return self._plumb_ends(points)
        if not all(name in points for name in self.start):
            return None
        return _middle(self.start), _middle(self.end)

    def _plumb_ends(self, points: Mapping[str, Place]) -> tuple[Weights, Weights] | None:
        first, second = self.end
        (x1, y1), (x2, y2) = points[first], points[second]
        along = x2 - x1, y2 - y1
        square = along[0] ** 2 + along[1] ** 2
        starts = [name for name in self.start if name in points]
        if not starts or square == 0:
            return None

        def height(name: str) -> float:
            x, y = points[name]
            return abs(along[0] * (y - y1) - along[1] * (x - x1))

        start = max(starts, key=height)
        x, y = points[start]
        share = (along[0] * (x - x1) + along[1] * (y - y1)) / square
        return {start: 1.0}, {first: 1 - share, second: share}


def _middle(names: tuple[str, ...]) -> Weights:
    return {name: 1 / len(names) for name in names}


def place_of(weights: Weights, points: Mapping[str, Place]) -> Place:
    """Where a weighted mean of keypoints lies."""
    return (
        math.fsum(weight * points[name][0] for name, weight in weights.items()),
        math.fsum(weight * points[name][1] for name, weight in weights.items()),
    )


def _both_sides(left: Length) -> Iterator[Length]:
    """A length of the left side, and the same of the right one."""
    yield replace(left, name=f"{left.name}_left")
    yield replace(
        left,
        name=f"{left.name}_right",
        start=tuple(map(mirrored_name, left.start)),
        end=tuple(map(mirrored_name, left.end)),
    )


_TOPS = ("blouse", "outwear", "dress")
_TOP_HEM = ("top_hem_left", "top_hem_right")
_HEMLINE = ("hemline_left", "hemline_right")
_WAISTBAND = ("waistband_left", "waistband_right")
_NECKLINE = ("neckline_left", "neckline_right")
_CUFF = ("cuff_left_in", "cuff_left_out")


def _across(name: str, description: str, categories: tuple[str, ...], points: str) -> Length:
    """A width between the two points of this name."""
    return Length(name, description, categories, (f"{points}_left",), (f"{points}_right",))


LENGTHS: tuple[Length, ...] = (
    _across("shoulder_width", "shoulder to shoulder", _TOPS, "shoulder"),
    _across("chest", "armpit to armpit; half the girth", _TOPS, "armpit"),
    _across("neck_width", "neckline, side to side", _TOPS, "neckline"),
    Length(
        "body_length",
        "highest point of the neckline straight down to the line of the hem",
        ("blouse", "outwear"), _NECKLINE, _TOP_HEM, plumb=True,
    ),
    Length(
        "body_length",
        "highest point of the neckline straight down to the line of the hem",
        ("dress",), _NECKLINE, _HEMLINE, plumb=True,
    ),
    Length(
        "front_length", "centre front to the middle of the hem",
        ("blouse",), ("center_front",), _TOP_HEM,
    ),
    Length(
        "front_length", "centre front to the middle of the hem",
        ("dress",), ("center_front",), _HEMLINE,
    ),
    *_both_sides(
        Length("sleeve_length", "shoulder to the middle of the cuff",
               _TOPS, ("shoulder_left",), _CUFF)
    ),
    *_both_sides(
        Length("cuff_width", "cuff, edge to edge; half the girth", _TOPS, _CUFF[:1], _CUFF[1:])
    ),
    *_both_sides(
        Length("armhole_depth", "shoulder to armpit", _TOPS, ("shoulder_left",), ("armpit_left",))
    ),
    _across("waist", "waistline, side to side; half the girth", ("outwear", "dress"), "waistline"),
    _across("waist", "waistband, side to side; half the girth", ("skirt", "trousers"), "waistband"),
    _across("hem_width", "hem, corner to corner; half the girth", ("blouse", "outwear"), "top_hem"),
    _across("hem_width", "hem, corner to corner; half the girth", ("dress", "skirt"), "hemline"),
    Length(
        "skirt_length", "middle of the waistband to the middle of the hem",
        ("skirt",), _WAISTBAND, _HEMLINE,
    ),
    *_both_sides(
        Length("outseam", "waistband to the outer corner of the leg's bottom",
               ("trousers",), ("waistband_left",), ("bottom_left_out",))
    ),
    *_both_sides(
        Length("inseam", "crotch to the inner corner of the leg's bottom",
               ("trousers",), ("crotch",), ("bottom_left_in",))
    ),
    Length("front_rise", "middle of the waistband to the crotch",
           ("trousers",), _WAISTBAND, ("crotch",)),
    *_both_sides(
        Length("leg_opening", "bottom of the leg, edge to edge; half the girth",
               ("trousers",), ("bottom_left_in",), ("bottom_left_out",))
    ),
)  # fmt: skip
"""All lengths. A category's stand in this order in every output."""


def lengths_of(category: str) -> tuple[Length, ...]:
    """The lengths of a category, in the order of ``LENGTHS``."""
    return tuple(length for length in LENGTHS if category in length.categories)


def normalizer_length(category: str) -> Length:
    """The length that a category's normaliser is: the unit where there is no scale.

    Raises:
        KeyError: There is none between these two points.
    """
    start, end = CATEGORIES[category].normalizer
    for length in lengths_of(category):
        if (length.start, length.end) == ((start,), (end,)):
            return length
    raise KeyError(f"no length of a {category} lies between {start} and {end}")


def sideless(name: str) -> str:
    """A keypoint's or a length's name without its side: what errors are alike on both sides of."""
    return name.replace("_left", "").replace("_right", "")
