"""The parts of a garment that are cut out of pictures: which points hold them, how far they reach.

To add a part, add one entry to ``_PARTS``; one with a side is written for the left, and its mirror
image comes by itself.

Eight parts are named after the tasks of FashionAI's attribute track (X. Zou et al., FashionAI: A
Hierarchical Dataset for Fashion Understanding, CVPR Workshops 2019). Its classes of length say
where on the body a garment ends, so that those parts reach beyond the hem or the cuff.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from fashionkp_mm.core.garments import CATEGORIES, KEYPOINT_NAMES, mirrored_name

Side = Literal["left", "right"]
_UPPER = ("blouse", "outwear", "dress")
_LOWER = ("skirt", "trousers")


@dataclass(frozen=True)
class Axis:
    """What is upright in a part: a line of the garment that lies level, or one that hangs down.

    Each end is a group of keypoint names, and lies in the middle of those that the category has.

    Attributes:
        start: Its left end, or its upper one.
        end: Its right end, or its lower one.
        level: Whether the line runs from left to right.
    """

    start: tuple[str, ...]
    end: tuple[str, ...]
    level: bool = False


@dataclass(frozen=True)
class Reach:
    """How far a part goes beyond its points, in its own directions.

    Attributes:
        up, down, sides: In units of the category, see `unit_of`.
        beyond: Below, as a share of the length of the part's points.
        least: The part's least length from its highest point down, in units of the category.
    """

    up: float = 0.0
    down: float = 0.0
    sides: float = 0.0
    beyond: float = 0.0
    least: float = 0.0


@dataclass(frozen=True)
class Part:
    """A part of a garment.

    Attributes:
        name: ``sleeve_left``, ``collar``.
        group: The name without the side: ``sleeve``, ``collar``.
        side: The viewer's side that it is on, or None.
        categories: Names of the categories that have it.
        points: Names of the keypoints that it holds; those that the category lacks do not count.
        axis: What is upright in it; None where that is the garment, see `level_line`.
        reach: How far it goes beyond its points.
        whole: Whether it is all there is of the garment, so that it goes by no absent point.
    """

    name: str
    group: str
    side: Side | None
    categories: tuple[str, ...]
    points: tuple[str, ...]
    axis: Axis | None
    reach: Reach
    whole: bool = False

    def upright(self, category: str) -> Axis:
        """What is upright in it on a garment of a category."""
        return self.axis or level_line(category)

    def points_of(self, category: str) -> tuple[str, ...]:
        """The points that it holds on a garment of a category."""
        return tuple(name for name in CATEGORIES[category].keypoints if name in self.points)


def unit_of(category: str) -> tuple[str, str]:
    """The two keypoints whose distance measures reaches: the shoulders, or the waistband's ends."""
    points = CATEGORIES[category].keypoints
    unit = ("shoulder_left", "shoulder_right"), ("waistband_left", "waistband_right")
    return unit[0] if set(unit[0]) <= set(points) else unit[1]


def level_line(category: str) -> Axis:
    """The line that is level on an upright garment: its shoulders, or its waistband."""
    left, right = unit_of(category)
    return Axis((left,), (right,), level=True)


def _pair(stem: str) -> tuple[str, str]:
    return f"{stem}_left", f"{stem}_right"


_NECK = (*_pair("neckline"), "center_front")
_SHOULDERS, _ARMPITS = _pair("shoulder"), _pair("armpit")
_WAISTLINE, _WAISTBAND = _pair("waistline"), _pair("waistband")
_HEM = (*_pair("top_hem"), *_pair("hemline"))
_CUFF = ("cuff_left_in", "cuff_left_out")
_SLEEVE = ("shoulder_left", "armpit_left", *_CUFF)
_BOTTOM = ("bottom_left_in", "bottom_left_out")
_BOTTOMS = tuple(name for name in KEYPOINT_NAMES if name.startswith("bottom"))

_LEVEL_WAISTLINE = Axis(_WAISTLINE[:1], _WAISTLINE[1:], level=True)
_LEVEL_HEM = Axis(_HEM[::2], _HEM[1::2], level=True)
_LEVEL_BOTTOMS = Axis(_BOTTOM, tuple(map(mirrored_name, _BOTTOM)), level=True)
_ARM = Axis(("shoulder_left",), _CUFF)
_LEG = Axis(("waistband_left", "crotch"), _BOTTOM)

# Waist to ground, in units: about 102 cm, to the 25 cm that are seen of a waist of 68 cm from the
# front, and to shoulders of 38 cm.
_FEET_BELOW_WAISTBAND, _FEET_BELOW_WAISTLINE = 4.0, 2.7


def _part(
    name: str,
    categories: tuple[str, ...],
    points: tuple[str, ...],
    reach: Reach,
    axis: Axis | None = None,
) -> Part:
    return Part(name, name, None, categories, points, axis, reach)


def _on_both_sides(
    group: str,
    categories: tuple[str, ...],
    points: tuple[str, ...],
    reach: Reach,
    axis: Axis | None = None,
) -> tuple[Part, Part]:
    """A part that is described on the left, and its mirror image."""

    def mirrored(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(mirrored_name, names))

    other = axis and Axis(mirrored(axis.start), mirrored(axis.end), axis.level)
    return (
        Part(f"{group}_left", group, "left", categories, points, axis, reach),
        Part(f"{group}_right", group, "right", categories, mirrored(points), other, reach),
    )


_PARTS: tuple[Part, ...] = (
    Part("garment", "garment", None, tuple(CATEGORIES), KEYPOINT_NAMES, None, Reach(), whole=True),
    _part("collar", _UPPER, _NECK, Reach(up=0.2, down=0.15, sides=0.1)),
    _part("neckline", _UPPER, _NECK, Reach(up=0.05, down=0.1, sides=0.05)),
    *_on_both_sides("shoulder", _UPPER, ("neckline_left", "shoulder_left", "armpit_left"),
                    Reach(up=0.05, sides=0.05)),
    *_on_both_sides("sleeve", _UPPER, _SLEEVE, Reach(0.05, 0.05, 0.05), _ARM),
    *_on_both_sides("cuff", _UPPER, _CUFF, Reach(up=0.25, down=0.1, sides=0.1), _ARM),
    _part("waist", ("outwear", "dress"), _WAISTLINE, Reach(0.25, 0.25, 0.05), _LEVEL_WAISTLINE),
    _part("waist", _LOWER, _WAISTBAND, Reach(up=0.1, down=0.3, sides=0.05)),
    _part("hem", ("blouse", "outwear", "dress", "skirt"), _HEM, Reach(0.25, 0.2, 0.05),
          _LEVEL_HEM),
    _part("hem", ("trousers",), _BOTTOMS, Reach(0.4, 0.2, 0.05), _LEVEL_BOTTOMS),
    _part("crotch", ("trousers",), ("crotch",), Reach(0.35, 0.35, 0.35)),
    *_on_both_sides("leg", ("trousers",), ("waistband_left", "crotch", *_BOTTOM),
                    Reach(down=0.1, sides=0.05), _LEG),
    # FashionAI's attributes
    _part("collar_design", _UPPER, (*_NECK, *_SHOULDERS), Reach(up=0.35, down=0.25)),
    _part("neckline_design", _UPPER, (*_NECK, *_SHOULDERS, *_ARMPITS), Reach(up=0.1)),
    _part("neck_design", _UPPER, _pair("neckline"), Reach(up=0.6, down=0.1, sides=0.1)),
    _part("lapel_design", ("blouse", "outwear"), (*_pair("neckline"), *_ARMPITS, *_WAISTLINE),
          Reach(up=0.15, least=1.1)),
    *_on_both_sides("sleeve_length", _UPPER, _SLEEVE,
                    Reach(up=0.1, sides=0.15, beyond=0.3, least=1.0), _ARM),
    _part("coat_length", ("blouse", "outwear"), (*_pair("neckline"), *_HEM),
          Reach(up=0.1, sides=0.15, beyond=0.6)),
    _part("skirt_length", ("dress",), (*_WAISTLINE, *_HEM),
          Reach(up=0.1, sides=0.15, beyond=0.2, least=_FEET_BELOW_WAISTLINE),
          Axis(_WAISTLINE, _pair("hemline"))),
    _part("skirt_length", ("skirt",), (*_WAISTBAND, *_HEM),
          Reach(up=0.1, sides=0.15, beyond=0.2, least=_FEET_BELOW_WAISTBAND),
          Axis(_WAISTBAND, _pair("hemline"))),
    _part("pant_length", ("trousers",), (*_WAISTBAND, "crotch", *_BOTTOMS),
          Reach(up=0.1, sides=0.15, beyond=0.15, least=_FEET_BELOW_WAISTBAND),
          Axis(_WAISTBAND, _BOTTOMS)),
)  # fmt: skip

ATTRIBUTES = (
    "collar_design", "neckline_design", "neck_design", "lapel_design",
    "sleeve_length", "coat_length", "skirt_length", "pant_length",
)  # fmt: skip
"""The parts that are named after a task of FashionAI's attribute track."""

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(part.group for part in _PARTS))
"""Names of parts without their side, in the order of the table."""
PIECES: tuple[str, ...] = tuple(name for name in GROUPS if name not in ATTRIBUTES)
"""Those of them that are pieces of a garment, and no task of the attribute track."""
PART_NAMES: tuple[str, ...] = tuple(dict.fromkeys(part.name for part in _PARTS))
"""Names of single parts: ``collar``, ``sleeve_left``."""


def require_parts(names: Iterable[str]) -> None:
    """Refuse what is neither of `GROUPS` nor of `PART_NAMES`.

    Raises:
        ValueError: The message lists what there is.
    """
    for name in names:
        if name not in {*GROUPS, *PART_NAMES}:
            raise ValueError(
                f"there is no part {name!r}; expected of {', '.join(GROUPS)}, those with a side"
                " also as in sleeve_left"
            )


def parts_of(category: str, names: Iterable[str]) -> Iterator[Part]:
    """The parts of these names that a category has, in the order of the table.

    Args:
        category: One of ``garments.CATEGORY_NAMES``.
        names: Of `PART_NAMES`, or of `GROUPS`, which stand for both sides.
    """
    wanted = set(names)
    for part in _PARTS:
        if category in part.categories and wanted & {part.name, part.group}:
            yield part
