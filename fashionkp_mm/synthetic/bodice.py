"""The part of a garment around the trunk: neckline, shoulders, armholes, sides and hem."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fashionkp_mm.synthetic.fabric import Finish
from fashionkp_mm.synthetic.geometry import Axis, FloatArray, arc, axis_between, points, smooth, xy
from fashionkp_mm.synthetic.pattern import SIDES, GarmentPattern, Piece, Trim


@dataclass(frozen=True)
class BodyCut:
    """Half measures in cm of the trunk of a garment; y counts down from the crown of the head.

    Attributes:
        neck: Neckline's x at the side, and its y there.
        neck_depth: How much lower the neckline's middle lies.
        neck_shape: ``"crew"``, ``"scoop"``, ``"v"``, ``"square"``, ``"boat"``, ``"high"`` or
            ``"straps"``.
        shoulder: x and y of the end of the shoulder.
        armpit: x and y.
        waist: x and y of the narrowest place.
        hip: x and y of the widest place below the waist; passed over when it lies below the hem.
        hem: x and y of the lower corner.
        hem_sag: How much lower the hem's middle lies.
    """

    neck: tuple[float, float]
    neck_depth: float
    neck_shape: str
    shoulder: tuple[float, float]
    armpit: tuple[float, float]
    waist: tuple[float, float]
    hip: tuple[float, float]
    hem: tuple[float, float]
    hem_sag: float = 1.5


def choose_neck(rng: np.random.Generator, cut: BodyCut, shapes: dict[str, float]) -> BodyCut:
    """Give a cut one of the neckline's shapes, drawn by their weights."""
    weights = np.array(list(shapes.values()))
    shape = str(rng.choice(list(shapes), p=weights / weights.sum()))
    width, depth = {
        "crew": ((6.5, 8.5), (5.0, 8.0)),
        "scoop": ((8.0, 11.0), (9.0, 15.0)),
        "v": ((6.5, 9.5), (10.0, 20.0)),
        "square": ((9.0, 12.0), (8.0, 13.0)),
        "boat": ((11.0, 14.0), (3.5, 6.0)),
        "high": ((5.6, 6.6), (1.0, 2.2)),
        "shirt": ((6.0, 7.2), (5.5, 9.0)),
        "straps": ((8.5, 11.0), (10.0, 15.0)),
    }[shape]
    x = float(rng.uniform(*width))
    y = 30.0 + 0.42 * max(x - 6.5, 0.0) + float(rng.uniform(-0.5, 0.5))
    if shape == "high":
        y = float(rng.uniform(24.0, 28.0))
    if shape == "straps":
        y = float(rng.uniform(33.0, 35.0))
    return replace(cut, neck=(x, y), neck_depth=float(rng.uniform(*depth)), neck_shape=shape)


def neckline(cut: BodyCut) -> FloatArray:
    """The neckline ``(25, 2)`` from the viewer's left to the right; its middle is point 12."""
    x, y = cut.neck
    q = np.linspace(-1.0, 1.0, 25)
    away = np.abs(q)
    sink = {
        "v": 1 - away,
        "square": np.minimum((1 - away) * 5.0, 1.0),
        "scoop": 1 - away**2.6,
        "shirt": 1 - away**1.3,
    }.get(cut.neck_shape, np.sqrt(1 - away**2))
    return np.stack([x * q, y + cut.neck_depth * sink], axis=1)


def _side(cut: BodyCut, sign: int, jitter: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One side from the armpit down ``(M, 2)``, and the shoulder ``(2,)``."""
    armpit, waist, hip, hem = (
        np.array([sign * x, y]) + j
        for (x, y), j in zip((cut.armpit, cut.waist, cut.hip, cut.hem), jitter, strict=True)
    )
    knots = [armpit]
    if waist[1] < hem[1] - 4:
        knots.append(waist)
    if hip[1] < hem[1] - 8:
        knots.append(hip)
    return smooth(np.stack([*knots, hem]), 8), np.array([sign * cut.shoulder[0], cut.shoulder[1]])


def add_bodice(
    garment: GarmentPattern,
    cut: BodyCut,
    rng: np.random.Generator,
    *,
    finish: Finish,
    trims: tuple[Trim, ...] = (),
    waist: bool = False,
) -> tuple[dict[str, FloatArray], Axis]:
    """Cut the trunk, sew it on and mark its points.

    Args:
        garment: What to sew it to.
        cut: Its measures.
        rng: Source of the small differences between the two sides.
        finish: How it is worked.
        trims: Lines on it.
        waist: Whether the garment has a waistline to mark.

    Returns:
        Places by the names ``shoulder_left``, ``armpit_left``, ``edge_left`` (the side from the
        armpit down), the same of the right side, ``body`` (outline), ``neck`` (neckline) and
        ``hem``; and the trunk's axis.
    """
    neck = neckline(cut)
    made: dict[str, FloatArray] = {"neck": neck}
    straps = cut.neck_shape == "straps"
    for name, sign in SIDES:
        made[f"edge_{name}"], made[f"shoulder_{name}"] = _side(
            cut, sign, rng.normal(0, 0.35, (4, 2))
        )
        made[f"armpit_{name}"] = made[f"edge_{name}"][0]
    left, right = made["edge_left"], made["edge_right"]
    wave = finish.gather_bottom * finish.gathers > 0 and finish.gather_bottom > 0.5
    made["hem"] = hem_curve(left[-1], right[-1], cut.hem_sag, finish.gathers if wave else 0, rng)
    axis = trunk_axis(left, right, cut.neck[1])
    if straps:
        top = _strap_edge(cut, made)
        outline = np.concatenate([top, right[1:], made["hem"][::-1][1:], left[::-1][1:-1]])
        _add_straps(garment, cut, top)
        made["neck"] = top
    else:
        armhole = {name: _armhole(made, name) for name, _ in SIDES}
        outline = np.concatenate(
            [
                neck,
                [_slope(cut, made["shoulder_right"])],
                armhole["right"],
                right[1:],
                made["hem"][::-1][1:],
                left[::-1][1:],
                armhole["left"][::-1],
                [_slope(cut, made["shoulder_left"])],
            ]
        )
        back = arc(neck[0], neck[-1], 1.6 if cut.neck_shape != "high" else -0.6)
        inner = np.concatenate([back, neck[::-1] + xy(0, 0.6)])
        garment.pieces.append(
            Piece("inside", inner, axis, Finish(0.1, 0.4), cloth="lining", level=-1)
        )
        for name, _ in SIDES:
            garment.mark(f"shoulder_{name}", made[f"shoulder_{name}"], "body")
    made["body"] = outline
    edge = Trim(made["neck"] + xy(0, 0.9), 0.2, 0.22)
    garment.pieces.append(
        Piece("body", outline, axis, finish, hides=True, lift=0.5, trims=(edge, *trims))
    )
    for name, sign in SIDES:
        corner = 0 if sign < 0 else -1
        strap = f"strap_{name}"
        garment.mark(f"neckline_{name}", neck[corner], strap if straps else "body")
        garment.mark(f"armpit_{name}", made[f"armpit_{name}"], "body")
        if waist:
            edge_curve = made[f"edge_{name}"]
            nearest = int(np.argmin(np.abs(edge_curve[:, 1] - cut.waist[1])))
            garment.mark(f"waistline_{name}", edge_curve[nearest], "body")
    garment.mark("center_front", made["neck"][len(made["neck"]) // 2], "body")
    return made, axis


def trunk_axis(left: FloatArray, right: FloatArray, top: float) -> Axis:
    """The axis between two sides that both run from the armpits down, lengthened to the neck."""
    low = min(left[-1, 1], right[-1, 1])
    y = np.linspace(top, low, 14)
    sides = [np.stack([np.interp(y, edge[:, 1], edge[:, 0]), y], axis=1) for edge in (left, right)]
    return axis_between(sides[0], sides[1])


def hem_curve(
    left: FloatArray, right: FloatArray, sag: float, waves: int, rng: np.random.Generator
) -> FloatArray:
    """A hem ``(N, 2)`` from corner to corner, sagging, and wavy where the cloth is full."""
    curve = arc(left, right, sag, 16 if not waves else 12 * waves)
    if waves:
        q = np.linspace(0, 1, len(curve))
        knots = np.linspace(0, 1, 2 * waves + 1)
        bends = np.cumsum(rng.uniform(0.5, 1.5, len(knots)))
        tall = np.interp(q, knots, rng.uniform(0.3, 1.0, len(knots)))
        depth = min(np.hypot(*(right - left)) / waves * 0.13, 1.7) * tall
        wave = np.sin(np.pi * np.interp(q, knots, bends))
        curve[:, 1] += depth * wave * np.minimum(1.0, 8 * np.minimum(q, 1 - q))
    return curve


def _slope(cut: BodyCut, shoulder: FloatArray) -> FloatArray:
    """A point ``(2,)`` between neckline and shoulder, where a turtleneck leaves the neck."""
    x, y = np.sign(shoulder[0]) * cut.neck[0], cut.neck[1]
    if cut.neck_shape == "high":
        return xy(x + np.sign(x) * 0.9, 31.2)
    return 0.5 * (xy(x, y) + shoulder) + xy(0.0, 0.35)


def _armhole(made: dict[str, FloatArray], name: str) -> FloatArray:
    shoulder, armpit = made[f"shoulder_{name}"], made[f"armpit_{name}"]
    middle = 0.45 * shoulder + 0.55 * armpit
    middle[0] = np.sign(shoulder[0]) * (min(abs(shoulder[0]), abs(armpit[0])) - 1.0)
    return smooth(np.stack([shoulder, middle, armpit]), 6)


def _strap_edge(cut: BodyCut, made: dict[str, FloatArray]) -> FloatArray:
    """Upper edge of a garment that hangs from straps, armpit to armpit."""
    x = cut.neck[0] * 0.92
    middle = cut.neck[1] + cut.neck_depth
    peak = min(middle - 1.5, made["armpit_left"][1] - 2.5)
    left, right = made["armpit_left"], made["armpit_right"]
    half = smooth(
        np.stack([left, (left + points((-x, peak)))[0] / 2 + (1, 0.6), np.array([-x, peak])]), 6
    )
    other = smooth(
        np.stack([np.array([x, peak]), (right + points((x, peak)))[0] / 2 + (-1, 0.6), right]), 6
    )
    return np.concatenate([half, arc((-x, peak), (x, peak), middle - peak)[1:-1], other])


def _add_straps(garment: GarmentPattern, cut: BodyCut, top: FloatArray) -> None:
    width = 0.55 + 0.12 * max(cut.neck_depth - 10, 0)
    for name, sign in SIDES:
        peak = np.array([sign * cut.neck[0] * 0.92, float(top[12, 1]) + 0.8])
        start = np.array([sign * cut.neck[0], cut.neck[1]])
        outline = np.concatenate(
            [
                [start + xy(-width, 0)],
                [start + xy(width, 0)],
                [peak + xy(width, 0)],
                [peak + xy(-width, 0)],
            ]
        )
        axis = Axis(np.stack([start, peak]), np.array([width, width]))
        garment.pieces.append(Piece(f"strap_{name}", outline, axis, Finish(0.2, 0.2), lift=0.3))
