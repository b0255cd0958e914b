"""What shops ask of a garment's picture, as a table, and what breaks it.

The rules are those that the shops publish: Amazon's product image requirements, Google Merchant
Center's ``image_link`` specification and AJIO's catalogue guidelines. To add a shop,
add an entry to ``PRESETS``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications.ground import edge_pixels
from fashionkp_mm.applications.outline import garment_extent
from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.runtime import Garment

Ground = Literal["white", "light", "any"]

_TOLERANCE = 0.01
"""Of ratios and of shares of the frame."""
_PURE_WHITE, _LIGHT, _GROUND_SHARE = 250, 190, 0.8
"""Least value of each channel, and how much of the picture's edge must have it: people who wear the
garment may be cut by the edge."""
_RATIO = re.compile(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Preset:
    """The rules of one shop.

    Attributes:
        name: As on the command line.
        ratio: Width by height of the pictures that are made.
        fill: The share of the frame that the garment takes, of its width or of its height,
            whichever is larger, in the pictures that are made.
        allowed_fill: Least and largest share that the rules allow.
        fixed_ratio: Whether they allow no other ratio.
        least_side, most_side: Pixels of the shorter side at least, and of the longer one at most.
        most_megapixels: Millions of pixels at most; by default as many as are read here.
        most_megabytes: Millions of bytes of the file at most.
        ground: What the ground must be.
    """

    name: str
    ratio: float
    fill: float
    allowed_fill: tuple[float, float] = (0.0, 1.0)
    fixed_ratio: bool = False
    least_side: int = 1
    most_side: int = 65_500  # JPEG has no more
    most_megapixels: float = MAX_MEGAPIXELS
    most_megabytes: float = float("inf")
    ground: Ground = "any"


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("amazon", 1.0, 0.9, (0.85, 1.0), least_side=500, most_side=10_000, ground="white"),
        Preset("google", 1.0, 0.85, (0.75, 0.9), least_side=250, most_megapixels=64,
               most_megabytes=16),
        Preset("ajio", 1 / 1.25, 0.83, (0.8, 0.85), fixed_ratio=True, least_side=1001,
               ground="light"),
        Preset("square", 1.0, 0.9, fixed_ratio=True),
    )
}  # fmt: skip


def preset_of(name: str) -> Preset:
    """A preset by its name, or one of any ratio, as ``4:5``.

    Raises:
        ValueError: It is neither.
    """
    if name in PRESETS:
        return PRESETS[name]
    match = _RATIO.fullmatch(name)
    ratio = float(match[1]) / float(match[2]) if match and float(match[2]) else 0.0
    if not 0.01 <= ratio <= 100:
        raise ValueError(
            f"there is no preset {name!r}; expected one of {', '.join(PRESETS)}, or width:height"
            " as in 4:5"
        )
    return Preset(name, ratio, 0.9, fixed_ratio=True)


def broken_rules(
    image: NDArray[np.uint8], garment: Garment, preset: Preset, file_bytes: int = 0
) -> list[str]:
    """What a picture breaks of a shop's rules.

    Args:
        image: ``(H, W, 3)`` BGR.
        garment: The garment that it is to sell.
        preset: The rules.
        file_bytes: Size of the file; 0 where there is none.

    Returns:
        A sentence each; none if it may be uploaded.

    Raises:
        GarmentError: The garment has fewer than two points, or all in one place.
    """
    height, width = image.shape[:2]
    low, high = garment_extent(garment)
    fill = float(max((high - low) / (width, height)))
    least, most = preset.allowed_fill
    light = {"white": _PURE_WHITE, "light": _LIGHT, "any": 0}[preset.ground]
    ground = float((edge_pixels(image).min(axis=1) >= light).mean())
    name = "pure white" if preset.ground == "white" else preset.ground
    cut = _where_cut(garment, width, height)
    size, megapixels, megabytes = f"{width}x{height} pixels", width * height / 1e6, file_bytes / 1e6
    rules = (
        (min(width, height) >= preset.least_side,
         f"{size}, at least {preset.least_side} a side are expected"),
        (max(width, height) <= preset.most_side,
         f"{size}, at most {preset.most_side} a side are expected"),
        (megapixels <= preset.most_megapixels,
         f"{megapixels:.1f} megapixels, at most {preset.most_megapixels:g} are expected"),
        (megabytes <= preset.most_megabytes,
         f"{megabytes:.1f} MB, at most {preset.most_megabytes:g} are expected"),
        (not preset.fixed_ratio or abs(width / height / preset.ratio - 1) <= _TOLERANCE,
         f"width by height is {width / height:.3f}, {preset.ratio:.3f} is expected"),
        (least - _TOLERANCE <= fill <= most + _TOLERANCE,
         f"the garment takes {fill:.0%} of the frame, {least:.0%} to {most:.0%} are expected"),
        (ground >= _GROUND_SHARE,
         f"{ground:.0%} of the edge are {name}, {_GROUND_SHARE:.0%} are expected"),
        (not cut, f"the garment is cut {cut}"),
    )  # fmt: skip
    return [problem for kept, problem in rules if not kept]


def _where_cut(garment: Garment, width: int, height: int) -> str:
    """At which edge a point of the garment lies on the frame or beyond it; empty at none."""
    points = garment.keypoints[garment.visibility != Visibility.ABSENT]
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    edges = {"above": y1 < 1, "below": y2 > height - 2, "left": x1 < 1, "right": x2 > width - 2}
    return " and ".join(name for name, cut in edges.items() if cut)
