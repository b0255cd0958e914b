"""Who or what wears the garment: a drawn person or a dressmaker's form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fashionkp_mm.synthetic.canvas import Canvas, Patch
from fashionkp_mm.synthetic.colors import Color, bgr, mixed, pick_color
from fashionkp_mm.synthetic.fabric import Fabric, Finish, cloth_pixels, plain_fabric
from fashionkp_mm.synthetic.geometry import (
    Axis,
    FloatArray,
    ellipse,
    mirrored,
    points,
    smooth,
    tube,
    xy,
)
from fashionkp_mm.synthetic.pattern import Pose

SKIN = (
    (244, 214, 196),
    (232, 192, 166),
    (214, 166, 134),
    (176, 124, 92),
    (128, 86, 62),
    (88, 58, 44),
)
HAIR = ((34, 26, 24), (58, 38, 30), (96, 62, 40), (150, 104, 62), (204, 164, 106), (120, 44, 32))

TORSO = smooth(
    points((0, 30), (5, 30.5), (10, 33.2), (14.8, 35.8), (16.2, 38.5), (15.4, 44), (14.6, 50),
           (13.8, 57), (11.9, 66), (13.6, 75), (16.4, 86), (15.8, 94), (0, 97)), 4,
)  # fmt: skip
"""Right half of a trunk from the pit of the neck to the crotch."""


@dataclass(frozen=True)
class Wearer:
    """How a person looks.

    Attributes:
        skin: Cloth-like description of the skin.
        hair: ... and of the hair.
        style: ``"bun"``, ``"bob"`` or ``"long"``.
        front: For long hair, which sides fall over the shoulder to the front.
        shoes: Their colour.
        tilt: Sideways lean of the head in cm.
    """

    skin: Fabric
    hair: Fabric
    style: str
    front: tuple[bool, bool]
    shoes: Color
    tilt: float

    def on_head(self, curve: FloatArray) -> FloatArray:
        """A curve ``(N, 2)`` of the head, drawn around x = 0, at its place."""
        return curve + xy(self.tilt, 2.6)


def make_wearer(rng: np.random.Generator) -> Wearer:
    """Choose a person."""
    skin, hair = (bgr(colors[int(rng.integers(len(colors)))]) for colors in (SKIN, HAIR))
    return Wearer(
        plain_fabric(skin),
        plain_fabric(hair),
        str(rng.choice(["bun", "bob", "long"], p=[0.25, 0.3, 0.45])),
        (bool(rng.random() < 0.5), bool(rng.random() < 0.5)),
        mixed(pick_color(rng), (30.0, 30.0, 30.0), 0.5),
        float(rng.uniform(-1.5, 1.5)),
    )


@dataclass(frozen=True)
class Painter:
    """A canvas with the light and the random numbers that cloth is painted with."""

    canvas: Canvas
    light: float
    rng: np.random.Generator

    def cloth(
        self, name: str, outline: FloatArray, axis: Axis, fabric: Fabric, finish: Finish, *,
        hides: bool = True, lift: float = 0.0,
    ) -> Patch | None:  # fmt: skip
        """Paint a piece and remember where it is, and whether it ``hides`` what lies below.

        Returns:
            Its place; None where it lies out of the picture.
        """
        canvas = self.canvas
        if lift:
            shift = (-1.1 * self.light, 0.8)
            canvas.shadow(outline, shift, 0.8, 0.34 * lift)
        patch = canvas.patch(outline)
        if patch is None:
            return None
        pixels = cloth_pixels(canvas, patch, axis, fabric, finish, light=self.light, rng=self.rng)
        canvas.paint(patch, pixels)
        canvas.remember(name, patch, hides=hides)
        return patch

    def limb(
        self,
        name: str,
        center: FloatArray,
        width: list[float],
        fabric: Fabric,
        *,
        lift: float = 0.0,
    ) -> None:
        """Paint a round limb."""
        outline, axis = tube(center, np.array(width), rounded=True)
        self.cloth(name, outline, axis, fabric, Finish(0.26, 0.12), lift=lift)


def paint_back_hair(paint: Painter, wearer: Wearer) -> None:
    """The hair behind the shoulders."""
    tilt = wearer.tilt
    if wearer.style == "bun":
        return
    low = 49.0 if wearer.style == "long" else 31.0
    half = smooth(
        points((tilt, 3.8), (tilt + 7, 6.6), (tilt + 9.2, 15), (9.6, 0.6 * low), (8.0, low)), 6
    )
    other = mirrored(half - xy(tilt, 0)) + xy(tilt, 0)
    outline = np.concatenate(
        [half, smooth(points((8, low), (0, low + 2.5), (-8, low)), 5)[1:-1], other]
    )
    axis = Axis(points((tilt, 1), (0, low)), np.array([10.0, 10.0]))
    paint.cloth("hair", outline, axis, wearer.hair, Finish(0.35, 1.4, 7, 0.3, 0.6), hides=False)


def paint_trunk(paint: Painter, wearer: Wearer) -> None:
    """Neck and trunk."""
    outline = np.concatenate([TORSO, mirrored(TORSO)])
    axis = Axis(points((0, 30), (0, 97)), np.array([15.0, 16.0]))
    paint.cloth("trunk", outline, axis, wearer.skin, Finish(0.22, 0.1), hides=False)
    neck = np.concatenate([smooth(points((4.2, 17), (4.4, 26), (6.2, 30.5), (9.5, 33.4)), 5)])
    shape = np.concatenate([neck, [[0, 37]], mirrored(neck)])
    axis = Axis(points((0, 18), (0, 36)), np.array([5.2, 8.0]))
    paint.cloth("neck", shape, axis, wearer.skin, Finish(0.3, 0.05), hides=True)
    paint.canvas.shadow(ellipse((0.3, 26.0), 4.0, 2.2), (0, 0), 1.0, 0.25)
    for sign in (-1, 1):
        bone = smooth(points((sign * 1.6, 33.6), (sign * 6, 34.4), (sign * 11, 33.8)), 5)
        paint.canvas.line(bone, 0.5, 0.09)


def paint_head(paint: Painter, wearer: Wearer) -> None:
    """Face and hair, as a fashion drawing gives them: a hint of eyes and lips."""
    at = wearer.on_head
    half = smooth(points((0, 3), (5.9, 6.2), (6.9, 12), (5.4, 18), (2, 22), (0, 22.6)), 6)
    outline = at(np.concatenate([half, mirrored(half)]))
    axis = Axis(at(points((0, 3), (0, 22))), np.array([7.2, 7.2]))
    paint.cloth("head", outline, axis, wearer.skin, Finish(0.24, 0.1))
    canvas, dark = paint.canvas, mixed(wearer.hair.base, (20.0, 20.0, 30.0), 0.5)
    brow = mixed(dark, wearer.skin.base, 0.3)
    for x in (-2.9, 2.9):
        lid, arch = (
            points((-1.3, 12.5), (0, 12.0), (1.3, 12.5)),
            points((-1.5, 10.4), (0, 9.8), (1.6, 10.2)),
        )
        canvas.line(at(smooth(lid + xy(x, 0), 5)), 0.5, dark)
        canvas.line(at(smooth(arch + xy(x, 0), 5)), 0.32, brow)
    canvas.line(at(points((0.2, 14.2), (0.7, 16.0), (-0.1, 16.3))), 0.22, 0.22)
    lips = mixed(wearer.skin.base, (70.0, 60.0, 190.0), 0.6)
    canvas.paint(canvas.patch(at(ellipse((0, 18.6), 1.7, 0.62))), lips)
    crown = points((-7.4, 14), (-7.6, 6.5), (-4.2, 1.4), (0.5, 0.4), (5, 1.6), (7.7, 7), (7.3, 14))
    part = points((6.4, 12.5), (5.2, 7.6), (1.4, 4.4), (-3.8, 6.6), (-6.6, 12.5))
    cap = at(np.concatenate([smooth(crown, 7), smooth(part, 6)]))
    paint.cloth("hair", cap, axis, wearer.hair, Finish(0.3, 1.2, 4, 0.3, 0.5))
    if wearer.style == "bun":
        axis = Axis(at(points((0, -4.5), (0, 2))), np.array([4.0, 4.0]))
        bun = at(ellipse((0.6, -1.6), 4.2, 3.6))
        paint.cloth("hair", bun, axis, wearer.hair, Finish(0.35, 1.2, 3, 0.5, 0.5))


def paint_front_hair(paint: Painter, wearer: Wearer) -> None:
    """Locks that fall over the shoulders and so over necklines."""
    if wearer.style == "bun":
        return
    x = wearer.tilt
    for side, sign in enumerate((-1, 1)):
        front = wearer.style == "long" and wearer.front[side]
        low = 50.0 if front else 29.0
        end = sign * (9.0 if front else 8.0)
        line = smooth(
            points(
                (x + sign * 6.9, 10.0),
                (x + sign * 7.8, 20),
                (sign * 8.3, 0.45 * low + 8),
                (end, low),
            ),
            6,
        )
        width = np.interp(np.linspace(0, 1, len(line)), [0, 0.4, 0.85, 1], [0.9, 2.3, 2.6, 0.5])
        outline, axis = tube(line, width)
        paint.cloth("lock", outline, axis, wearer.hair, Finish(0.35, 1.4, 3, 0.5, 0.6), lift=0.5)


def paint_upper_arm(paint: Painter, wearer: Wearer, arm: FloatArray) -> None:
    """One arm from the shoulder to the elbow."""
    shoulder, elbow, _ = arm
    shoulder = shoulder + xy(-np.sign(shoulder[0]) * 1.6, 2.4)  # under the cloth of a shoulder
    line = smooth(np.stack([shoulder, 0.5 * (shoulder + elbow), elbow]), 6)
    width = np.interp(np.linspace(0, 1, len(line)), [0, 0.2, 0.8, 1], [3.6, 4.0, 3.2, 3.0])
    outline, axis = tube(line, width, rounded=True)
    paint.cloth("arm", outline, axis, wearer.skin, Finish(0.28, 0.1), lift=0.2)


def paint_forearm(paint: Painter, wearer: Wearer, arm: FloatArray) -> None:
    """One arm from the elbow down, and its hand."""
    _, elbow, wrist = arm
    line = smooth(np.stack([elbow, 0.5 * (elbow + wrist), wrist]), 6)
    width = np.interp(np.linspace(0, 1, len(line)), [0, 0.15, 0.5, 1], [3.1, 3.2, 3.1, 2.2])
    outline, axis = tube(line, width, rounded=True)
    paint.cloth("arm", outline, axis, wearer.skin, Finish(0.28, 0.1))
    _hand(paint, wearer, arm)


def _hand(paint: Painter, wearer: Wearer, arm: FloatArray) -> None:
    shoulder, elbow, wrist = arm
    along = (wrist - elbow) / np.hypot(*(wrist - elbow))
    aside = np.array([-along[1], along[0]])
    side = np.sign(shoulder[0])
    palm = smooth(
        np.stack(
            [
                wrist - along,
                wrist + 4.5 * along,
                wrist + 10 * along + 0.6 * side * aside,
                wrist + 14.0 * along,
            ]
        ),
        5,
    )
    width = np.interp(
        np.linspace(0, 1, len(palm)), [0, 0.3, 0.6, 0.9, 1], [2.1, 3.3, 2.9, 1.7, 0.7]
    )
    outline, axis = tube(palm, width)
    paint.cloth("hand", outline, axis, wearer.skin, Finish(0.25, 0.3))
    thumb = np.stack(
        [
            wrist + 2.5 * along + 1.8 * side * aside,
            wrist + 6 * along + 3.8 * side * aside,
            wrist + 9 * along + 3.6 * side * aside,
        ]
    )
    paint.limb("hand", smooth(thumb, 4), [1.1] * 5 + [1.0] * 3 + [0.5], wearer.skin)
    for shift in (-0.9, 0.2, 1.2):
        start = wrist + 8.6 * along + shift * aside
        paint.canvas.line(np.stack([start, start + 5.6 * along]), 0.2, 0.14)


def paint_legs(paint: Painter, wearer: Wearer, pose: Pose) -> None:
    """Legs and shoes."""
    for leg in pose.legs:
        hip, knee, ankle = leg
        line = smooth(
            np.stack([hip, 0.5 * (hip + knee), knee, knee + 0.35 * (ankle - knee), ankle]), 6
        )
        q = np.linspace(0, 1, len(line))
        width = np.interp(q, [0, 0.25, 0.5, 0.67, 1.0], [8.4, 7.4, 4.9, 5.3, 2.9])
        outline, axis = tube(line, width)
        paint.cloth("leg", outline, axis, wearer.skin, Finish(0.3, 0.1), hides=False)
        sign = np.sign(ankle[0])
        sole = smooth(
            ankle
            + points(
                (-3.2, -1.5),
                (3.2, -1.5),
                (4.0 + sign, 6),
                (sign * 1.6 + 2.0, 12.0),
                (sign * 1.6 - 2.0, 12.0),
                (-4.0 + sign, 6),
                (-3.2, -1.5),
            ),
            4,
        )
        axis = Axis(np.stack([ankle, ankle + xy(0, 12)]), np.array([3.5, 4.0]))
        paint.cloth("shoe", sole, axis, plain_fabric(wearer.shoes), Finish(0.4, 0.2), hides=False)


def paint_form(paint: Painter, color: Color) -> None:
    """A dressmaker's form on its stand."""
    cloth = plain_fabric(color)
    canvas = paint.canvas
    metal = mixed(color, (60.0, 60.0, 64.0), 0.8)
    for end in (-17.0, 17.0):
        canvas.line(points((0, 158), (end, 170)), 1.4, metal)
    canvas.line(points((0, 96), (0, 161)), 1.9, metal)
    outline = np.concatenate([TORSO, mirrored(TORSO)])
    axis = Axis(points((0, 24), (0, 98)), np.array([15.0, 16.0]))
    paint.cloth("form", outline, axis, cloth, Finish(0.34, 0.05), hides=False)
    neck = smooth(points((5.0, 21.5), (4.8, 26.0), (6.8, 31.0), (12.0, 34.5)), 5)
    axis = Axis(points((0, 21), (0, 35)), np.array([5.0, 8.0]))
    paint.cloth("form", np.concatenate([neck, mirrored(neck)]), axis, cloth, Finish(0.34, 0.05))
    axis = Axis(points((0, 19), (0, 23)), np.array([5.0, 5.0]))
    wood = plain_fabric((70.0, 110.0, 160.0))
    paint.cloth("form", ellipse((0, 21.5), 5.0, 1.7), axis, wood, Finish(0.3, 0.1))
    for y in (45.0, 66.0, 84.0):
        canvas.line(points((-13, y), (0, y + 1.2), (13, y)), 0.2, 0.1)
