"""What a garment is: the 24 keypoints of FashionAI and the categories that use them.

This is the one place where a keypoint, a category, its outline, its mirror pairs and its normaliser
are written down. The CSV header, MMPose's metainfo, the heads' channel counts, the drawing and the
tables of the docs are derived from it. To add a category, add one entry to ``CATEGORIES``.

"left" and "right" are the *viewer's*: ``x_left < x_right`` on a garment seen from the front. A
mirrored picture therefore swaps the two names (``FLIP_INDICES``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


class Visibility(IntEnum):
    """State of one keypoint, the third number of a FashionAI cell ``x_y_v``."""

    ABSENT = -1
    """Not there, or not defined for the category; its cell is ``-1_-1_-1``."""
    OCCLUDED = 0
    """Hidden, yet its place is labelled. Trained on, not scored."""
    VISIBLE = 1
    """In plain sight. The only points the normalized error scores."""


KEYPOINT_NAMES: tuple[str, ...] = (
    "neckline_left",
    "neckline_right",
    "center_front",
    "shoulder_left",
    "shoulder_right",
    "armpit_left",
    "armpit_right",
    "waistline_left",
    "waistline_right",
    "cuff_left_in",
    "cuff_left_out",
    "cuff_right_in",
    "cuff_right_out",
    "top_hem_left",
    "top_hem_right",
    "waistband_left",
    "waistband_right",
    "hemline_left",
    "hemline_right",
    "crotch",
    "bottom_left_in",
    "bottom_left_out",
    "bottom_right_in",
    "bottom_right_out",
)
"""The keypoints in the order of the CSV's columns and of every ``K`` axis in this project."""

NUM_KEYPOINTS = len(KEYPOINT_NAMES)
KEYPOINT_INDEX: dict[str, int] = {name: index for index, name in enumerate(KEYPOINT_NAMES)}


def keypoint_indices(names: Iterable[str]) -> list[int]:
    """Indices on the ``K`` axis of the keypoints with these names."""
    return [KEYPOINT_INDEX[name] for name in names]


def mirrored_name(name: str) -> str:
    """Name a keypoint gets when its picture is mirrored; a name without a side stays as it is."""
    if "_left" in name:
        return name.replace("_left", "_right")
    return name.replace("_right", "_left")


FLIP_INDICES: tuple[int, ...] = tuple(keypoint_indices(map(mirrored_name, KEYPOINT_NAMES)))
"""``mirrored[:, k] = keypoints[:, FLIP_INDICES[k]]``, as MMPose's ``flip_indices``."""


@dataclass(frozen=True)
class BoxMargin:
    """How far cloth reaches beyond the tight box of a garment's points.

    Attributes:
        sides: On the left and on the right, as a share of that box's width.
        top: Above, as a share of its height.
        bottom: Below, as a share of its height.
    """

    sides: float
    top: float
    bottom: float


@dataclass(frozen=True)
class Category:
    """One category of garment.

    Attributes:
        name: As it stands in the CSV's ``image_category`` column.
        outline: Names of keypoints along the garment's outer edge, in drawing order; the last one
            joins the first. Points that a garment lacks are passed over, so a sleeveless dress
            still has a closed outline.
        seams: Lines inside the outline, each a run of keypoint names.
        normalizer: The two keypoints whose distance is the unit of the normalized error.
        color: RGB in which the category is drawn.
    """

    name: str
    outline: tuple[str, ...]
    normalizer: tuple[str, str]
    color: tuple[int, int, int]
    box_margin: BoxMargin
    seams: tuple[tuple[str, ...], ...] = ()

    @property
    def html_color(self) -> str:
        """The colour as HTML and CSS write it, such as ``#e64b3c``."""
        return "#{:02x}{:02x}{:02x}".format(*self.color)

    @property
    def keypoints(self) -> tuple[str, ...]:
        """Names of the keypoints that the category defines, in the order of ``KEYPOINT_NAMES``."""
        used = {*self.outline, *(name for seam in self.seams for name in seam)}
        return tuple(name for name in KEYPOINT_NAMES if name in used)

    @property
    def skeleton(self) -> tuple[tuple[str, str], ...]:
        """Links along the outline and the seams of a garment that lacks no point."""
        runs = ((*self.outline, self.outline[0]), *self.seams)
        return tuple(link for run in runs for link in pairwise(run))

    @property
    def flip_pairs(self) -> tuple[tuple[str, str], ...]:
        """Pairs ``(left, right)`` of keypoint names that trade places in a mirrored picture."""
        return tuple((name, mirrored_name(name)) for name in self.keypoints if "_left" in name)

    def links(self, present: NDArray[np.bool_]) -> list[tuple[int, int]]:
        """Lines to draw for a garment that has only some of its points.

        Args:
            present: ``(K,)``, which keypoints the garment has.

        Returns:
            Pairs of indices on the ``K`` axis. A missing point is bridged: its neighbours on the
            outline are joined.
        """
        outline = [k for k in keypoint_indices(self.outline) if present[k]]
        runs = [outline + outline[:1]] if len(outline) > 2 else [outline]
        runs += [[k for k in keypoint_indices(seam) if present[k]] for seam in self.seams]
        return [link for run in runs for link in pairwise(run)]


_NECK_AND_LEFT_SLEEVE = (
    "neckline_left", "shoulder_left", "cuff_left_out", "cuff_left_in", "armpit_left",
)  # fmt: skip
_RIGHT_SLEEVE_AND_NECK = (
    "armpit_right", "cuff_right_in", "cuff_right_out", "shoulder_right", "neckline_right",
)  # fmt: skip
_ARMPITS = ("armpit_left", "armpit_right")
_WAISTBAND = ("waistband_left", "waistband_right")
_WAISTLINE = ("waistline_left", "waistline_right")

# The margins: points lie on seams and corners, and leave out collars and hoods, the sag of a hem
# between its corners, elbows and knees. On the 357 training images that show a single garment on
# plain ground, its outline reaches beyond the points' box at each side by 0.4 to 1.1 % of the width
# (medians of the categories), above by 0.5 % (trousers) to 3.2 % of the height (outwear, for its
# collar), below by 0.8 % (blouse) to 4.9 % (skirt). The figures here lie between that median and
# the next quartile, and are no less than 2 % at the sides, where worn garments bulge more than laid
# out ones.
CATEGORIES: dict[str, Category] = {
    category.name: category
    for category in (
        Category(
            name="blouse",
            outline=(
                *_NECK_AND_LEFT_SLEEVE, "top_hem_left",
                "top_hem_right", *_RIGHT_SLEEVE_AND_NECK, "center_front",
            ),
            normalizer=_ARMPITS,
            color=(230, 85, 60),
            box_margin=BoxMargin(sides=0.03, top=0.03, bottom=0.02),
        ),
        Category(
            name="outwear",
            outline=(
                *_NECK_AND_LEFT_SLEEVE, "waistline_left", "top_hem_left",
                "top_hem_right", "waistline_right", *_RIGHT_SLEEVE_AND_NECK,
            ),
            seams=(_WAISTLINE,),
            normalizer=_ARMPITS,
            color=(30, 135, 200),
            box_margin=BoxMargin(sides=0.03, top=0.05, bottom=0.02),
        ),
        Category(
            name="dress",
            outline=(
                *_NECK_AND_LEFT_SLEEVE, "waistline_left", "hemline_left",
                "hemline_right", "waistline_right", *_RIGHT_SLEEVE_AND_NECK, "center_front",
            ),
            seams=(_WAISTLINE,),
            normalizer=_ARMPITS,
            color=(190, 60, 160),
            box_margin=BoxMargin(sides=0.03, top=0.02, bottom=0.05),
        ),
        Category(
            name="skirt",
            outline=("waistband_left", "hemline_left", "hemline_right", "waistband_right"),
            normalizer=_WAISTBAND,
            color=(235, 165, 20),
            box_margin=BoxMargin(sides=0.02, top=0.01, bottom=0.06),
        ),
        Category(
            name="trousers",
            outline=(
                "waistband_left", "bottom_left_out", "bottom_left_in", "crotch",
                "bottom_right_in", "bottom_right_out", "waistband_right",
            ),
            normalizer=_WAISTBAND,
            color=(30, 160, 100),
            box_margin=BoxMargin(sides=0.03, top=0.01, bottom=0.02),
        ),
    )
}  # fmt: skip
"""The categories by name. Their order gives the category index, MMPose's ``category_id``."""

CATEGORY_NAMES: tuple[str, ...] = tuple(CATEGORIES)
CATEGORY_INDEX: dict[str, int] = {name: index for index, name in enumerate(CATEGORY_NAMES)}
UNKNOWN_CATEGORY = -1
"""Category index with which a network goes by its own opinion."""


def _category_keypoints() -> NDArray[np.bool_]:
    mask = np.zeros((len(CATEGORIES), NUM_KEYPOINTS), dtype=np.bool_)
    for row, category in zip(mask, CATEGORIES.values(), strict=True):
        row[keypoint_indices(category.keypoints)] = True
    mask.flags.writeable = False
    return mask


CATEGORY_KEYPOINTS: NDArray[np.bool_] = _category_keypoints()
"""``(C, K)``: whether a category defines a keypoint."""


def _pairs(pairs: Sequence[tuple[str, str]]) -> NDArray[np.intp]:
    indices = np.array([keypoint_indices(pair) for pair in pairs], dtype=np.intp)
    indices.flags.writeable = False
    return indices


NORMALIZER_INDICES: NDArray[np.intp] = _pairs([c.normalizer for c in CATEGORIES.values()])
"""``(C, 2)``: the two keypoints whose labelled distance normalises a category's errors."""
