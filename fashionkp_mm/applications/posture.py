"""Whether a garment lies as lengths need it: flat, facing the camera, upright."""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping
from dataclasses import dataclass

from fashionkp_mm.core.garments import mirrored_name
from fashionkp_mm.core.lengths import Place

MAX_TURN = 15.0
"""Degrees of turn in the picture from which a garment is called turned. Of FashionAI's validation
photographs one in thirteen is; the shipped model's lengths there are off by 1.8 times as much."""
MAX_ASYMMETRY = 0.1
"""From which a garment is called uneven. Likewise one in six is, and lengths there are off by 1.9
times as much."""
_MIN_PAIRS = 2


@dataclass(frozen=True)
class Posture:
    """How a garment lies.

    Attributes:
        turn: Degrees, clockwise, between its middle line and the picture's upright.
        asymmetry: How far its two sides are from being each other's mirror image, as a share of
            its size: half the root mean square distance of its points from the mirrored ones, by
            that from their mean.
    """

    turn: float
    asymmetry: float

    def warnings(self) -> tuple[str, ...]:
        """What is to be said of lengths measured on it."""
        said = []
        if abs(self.turn) > MAX_TURN:
            side = "right" if self.turn > 0 else "left"
            said.append(f"garment turned {abs(self.turn):.0f} degrees to the {side}")
        if self.asymmetry > MAX_ASYMMETRY:
            said.append(
                f"left and right differ by {self.asymmetry:.0%}: not laid flat, worn, or turned"
                " away"
            )
        return tuple(said)


def posture_of(points: Mapping[str, Place]) -> Posture | None:
    """How a garment lies, from the points that have a partner on the other side.

    The mirrored garment is turned onto the garment by least squares; half that angle is how far its
    middle line is turned.

    Args:
        points: By name, those that are absent left out.

    Returns:
        None where there are not two pairs of them, or all are in one place.
    """
    partners = {name: mirrored_name(name) for name in points}
    names = [name for name, other in partners.items() if name != other and other in points]
    if len(names) < 2 * _MIN_PAIRS:
        return None
    here = _centred([complex(*points[name]) for name in names])
    other = _centred([complex(*points[partners[name]]) for name in names])
    there = [-place.conjugate() for place in other]
    spread = math.fsum(abs(place) ** 2 for place in here)
    onto = sum(a * b.conjugate() for a, b in zip(here, there, strict=True))
    if spread == 0 or abs(onto) <= 1e-12 * spread:
        return None
    turn = onto / abs(onto)
    apart = math.fsum(abs(a - turn * b) ** 2 for a, b in zip(here, there, strict=True))
    return Posture(math.degrees(cmath.phase(turn)) / 2, math.sqrt(apart / spread) / 2)


def _centred(places: list[complex]) -> list[complex]:
    middle = sum(places) / len(places)
    return [place - middle for place in places]
