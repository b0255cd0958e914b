"""How many centimetres a pixel is: given, from a length that is known, or from a marker."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.lengths import LENGTHS, Place
from fashionkp_mm.core.words import listed

Unit = Literal["cm", "mm", "in"]
UNITS: tuple[Unit, ...] = get_args(Unit)
PER_CM: dict[str, float] = {"cm": 1.0, "mm": 10.0, "in": 1 / 2.54}
"""So many of a unit are a centimetre."""

_AMOUNT = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(cm|mm|in)?\s*", re.IGNORECASE)


class ScaleError(ValueError):
    """A scale that is none: zero, without a unit, of a length that does not exist."""


@dataclass(frozen=True, eq=False)
class Scale:
    """Where pixels of a picture lie in centimetres.

    Attributes:
        homography: ``(3, 3)`` from pixels to centimetres of the plane that the garment lies in.
        tilt: Degrees by which that plane is turned away from the camera; 0 where that is unknown.
        source: Where the scale comes from, for people.
    """

    homography: NDArray[np.float64]
    tilt: float = 0.0
    source: str = "given"

    @classmethod
    def of_pixels(cls, per_cm: float, source: str = "given") -> Scale:
        """A camera that looks straight at the garment.

        Args:
            per_cm: Pixels a centimetre.
            source: Where that comes from.

        Raises:
            ScaleError: It is not above 0, or not finite.
        """
        if not (math.isfinite(per_cm) and per_cm > 0):
            raise ScaleError(
                f"{per_cm:g} pixels per cm is no scale; expected a number above 0, such as 8.5"
            )
        return cls(np.diag([1 / per_cm, 1 / per_cm, 1.0]), source=source)

    def places(self, pixels: Sequence[Place]) -> list[Place]:
        """Places in pixels as places in centimetres.

        Raises:
            ScaleError: One lies on or beyond the horizon of the plane.
        """
        (a, b, c), (d, e, f), (g, h, i) = self.homography.tolist()
        places = []
        for x, y in pixels:
            depth = g * x + h * y + i
            if depth <= 0:
                raise ScaleError(
                    f"the plane of the {self.source} does not reach ({x:.0f}, {y:.0f}); photograph"
                    " garment and marker less aslant"
                )
            places.append(((a * x + b * y + c) / depth, (d * x + e * y + f) / depth))
        return places


@dataclass(frozen=True)
class KnownLength:
    """A length of the garment that is known, and gives the scale.

    Attributes:
        name: The length, as in `core.lengths`.
        cm: Centimetres.
    """

    name: str
    cm: float

    @classmethod
    def parse(cls, text: str) -> KnownLength:
        """Read ``chest=52cm``.

        Raises:
            ScaleError: There is no such length, or no amount above 0 with a unit.
        """
        name, separator, amount = (part.strip() for part in text.partition("="))
        if not separator:
            raise ScaleError(f"{text!r}: expected a length and how long it is, as in chest=52cm")
        names = list(dict.fromkeys(length.name for length in LENGTHS))
        if name not in names:
            sides = [each for each in names if each.startswith(f"{name}_")]
            meant = (
                f"name the side: {' or '.join(sides)}"
                if sides
                else f"expected one of {listed(names, len(names))}"
            )
            raise ScaleError(f"{text!r}: there is no length {name!r}; {meant}")
        return cls(name, parse_amount(amount, text))


def parse_amount(text: str, where: str) -> float:
    """Centimetres of an amount with its unit, such as ``52cm``, ``520 mm`` or ``20.5in``.

    Args:
        text: The amount.
        where: What the user wrote, for the message.

    Raises:
        ScaleError: It is not above 0, or has no unit.
    """
    parts = _AMOUNT.fullmatch(text)
    if parts is None:
        raise ScaleError(f"{where!r}: {text!r} is no amount; expected one such as 52cm or 20.5in")
    number, unit = parts.groups()
    if unit is None:
        raise ScaleError(f"{where!r}: {text} of what? Add the unit: {text}cm, {text}mm or {text}in")
    if not 0 < float(number) < math.inf:
        raise ScaleError(f"{where!r}: expected an amount above 0")
    return float(number) / PER_CM[unit.lower()]
