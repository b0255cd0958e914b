"""A cut garment before it is painted: its pieces in order, and where its keypoints lie on them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from fashionkp_mm.synthetic.fabric import Finish
from fashionkp_mm.synthetic.geometry import Axis, FloatArray, ellipse, points


@dataclass(frozen=True)
class Trim:
    """A line on a piece: a seam, a stitch, a zip, piping; or, when closed, a button or a pocket.

    Attributes:
        curve: ``(N, 2)`` in cm.
        width: In cm; of no meaning for a closed one.
        tone: Share of the light that it takes away (below 0: that it adds), or ``"trim"`` for the
            fabric's second colour.
        closed: Whether the curve is an outline to fill.
        clip: Whether an open curve ends where its piece does.
    """

    curve: FloatArray
    width: float = 0.22
    tone: float | str = 0.35
    closed: bool = False
    clip: bool = True


@dataclass(frozen=True)
class Piece:
    """One piece of cloth.

    Attributes:
        name: Layer name. Points name their owners by it.
        outline: ``(N, 2)`` in cm, closed.
        axis: Its own coordinates.
        finish: How it is worked.
        cloth: ``"main"``, ``"trim"`` or ``"lining"``.
        hides: Whether it can hide points of pieces below it. Pieces sewn onto others cannot.
        level: -1 is painted behind the wearer, 0 on the body, 1 over the arms.
        lift: How strong a shadow it throws on what lies below it, 0 to 1.
        trims: Lines on it.
    """

    name: str
    outline: FloatArray
    axis: Axis
    finish: Finish = field(default_factory=Finish)
    cloth: str = "main"
    hides: bool = False
    level: int = 0
    lift: float = 0.0
    trims: tuple[Trim, ...] = ()


@dataclass(frozen=True)
class Pose:
    """Limbs in garment space, the viewer's left one first; each ``(3, 2)`` in cm.

    Attributes:
        arms: Shoulder, elbow and wrist.
        legs: Hip, knee and ankle.
        behind: Whether an arm is held behind the back.
    """

    arms: tuple[FloatArray, FloatArray]
    legs: tuple[FloatArray, FloatArray]
    behind: tuple[bool, bool] = (False, False)


@dataclass
class GarmentPattern:
    """Pieces in painting order, and keypoints.

    Attributes:
        category: Its category's name.
        pieces: The pieces; within one level in painting order.
        keypoints: Name to ``(place in cm, names of the pieces that it is a corner of)``.
        sleeve_length: Share of the arm that the sleeves cover; 0 without sleeves.
    """

    category: str
    pieces: list[Piece] = field(default_factory=list)
    keypoints: dict[str, tuple[FloatArray, frozenset[str]]] = field(default_factory=dict)
    sleeve_length: float = 0.0

    def mark(self, name: str, place: ArrayLike, *owners: str) -> None:
        """Set a keypoint."""
        self.keypoints[name] = np.array(place, dtype=np.float64), frozenset(owners)


SIDES: tuple[tuple[str, int], ...] = (("left", -1), ("right", 1))
"""The viewer's sides and the sign of their x."""


def button(x: float, y: float, radius: float = 0.75) -> Trim:
    """A button."""
    return Trim(ellipse((x, y), radius, radius, 14), tone="trim", closed=True)


def polygon_trim(*xy: tuple[float, float], tone: float | str = 0.12) -> Trim:
    """A small filled shape, such as a pocket's flap."""
    return Trim(points(*xy), tone=tone, closed=True)


def outline_trim(*xy: tuple[float, float], tone: float = 0.3, width: float = 0.22) -> Trim:
    """A seam around a closed shape, such as a patch pocket."""
    return Trim(points(*xy, xy[0]), width, tone)


def make_pose(rng: np.random.Generator, worn: str) -> Pose:
    """Choose how the limbs are held.

    Args:
        rng: Source of the choice.
        worn: ``"flat"``, ``"hanger"``, ``"mannequin"`` or ``"person"``.
    """
    arms, legs, behind = [], [], []
    stride = rng.uniform(-1.5, 4.0) if worn == "person" else rng.uniform(0.0, 5.0)
    common = rng.uniform(14, 52)
    for _, sign in SIDES:
        hidden = False
        if worn == "flat":
            upper = common + rng.normal(0, 3)
            lower = upper + rng.normal(-3, 6)
        elif worn == "person":
            hold = rng.choice(
                ["down", "hip", "across", "raised", "behind"], p=[0.52, 0.16, 0.16, 0.06, 0.1]
            )
            upper, lower = {
                "down": (rng.uniform(5, 17), rng.uniform(-6, 8)),
                "hip": (rng.uniform(34, 50), rng.uniform(-62, -46)),
                "across": (rng.uniform(6, 18), rng.uniform(-105, -62)),
                "raised": (rng.uniform(45, 75), rng.uniform(165, 200)),
                "behind": (rng.uniform(12, 24), rng.uniform(-48, -28)),
            }[str(hold)]
            hidden = hold == "behind"
        else:
            upper = rng.uniform(7, 22)
            lower = upper + rng.uniform(-10, 2)
        shoulder = np.array([sign * 17.0, 37.0])
        elbow = shoulder + 27 * _toward(upper, sign)
        arms.append(np.stack([shoulder, elbow, elbow + 25 * _toward(lower, sign)]))
        behind.append(hidden)
        spread = stride + rng.normal(0, 1.0)
        knee = sign * (8.3 + 0.6 * spread) + rng.normal(0, 0.8)
        ankle = sign * (7.0 + spread) + rng.normal(0, 0.8)
        legs.append(points((sign * 8.8, 88.0), (knee, 124.0), (ankle, 160.0)))
    return Pose((arms[0], arms[1]), (legs[0], legs[1]), (behind[0], behind[1]))


def _toward(angle: float, sign: int) -> FloatArray:
    """Unit vector at an angle in degrees from straight down, outwards on the side of ``sign``."""
    return np.array([sign * np.sin(np.radians(angle)), np.cos(np.radians(angle))])
