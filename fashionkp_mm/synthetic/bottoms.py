"""Skirts and trousers."""

from __future__ import annotations

import numpy as np

from fashionkp_mm.synthetic.fabric import Finish
from fashionkp_mm.synthetic.geometry import Axis, arc, axis_between, lengths, points, smooth, xy
from fashionkp_mm.synthetic.pattern import (
    SIDES,
    GarmentPattern,
    Piece,
    Pose,
    Trim,
    button,
    outline_trim,
)
from fashionkp_mm.synthetic.tops import add_skirt_part


def cut_skirt(rng: np.random.Generator, pose: Pose) -> GarmentPattern:
    """A pencil, A-line, flared, gathered or pleated skirt, mini to maxi."""
    del pose
    garment = GarmentPattern("skirt")
    waist_y = 66.0 + rng.uniform(-2, 4)
    waist_x = 12.6 + 0.25 * (waist_y - 66) + rng.uniform(-0.6, 1.4)
    length = float(
        rng.choice([34.0, 48.0, 62.0, 76.0], p=[0.36, 0.28, 0.24, 0.12]) + rng.uniform(-5, 5)
    )
    kind = str(rng.choice(["pencil", "line", "full", "pleated"], p=[0.27, 0.3, 0.25, 0.18]))
    hem_x = {
        "pencil": 17.6 - 0.035 * length + rng.uniform(-1.0, 0.8),
        "line": 19.0 + 0.12 * length + rng.uniform(-1.5, 3.0),
        "full": 23.5 + 0.16 * length + rng.uniform(-2.0, 6.0),
        "pleated": 20.0 + 0.14 * length + rng.uniform(-2.0, 5.0),
    }[kind]
    left, right = (np.array([s * waist_x, waist_y]) + rng.normal(0, 0.3, 2) for _, s in SIDES)
    hem_y = waist_y + length
    trims: list[Trim] = []
    if kind in {"pencil", "line"}:
        if rng.random() < 0.3:
            trims.append(Trim(points((0, waist_y + 2), (0, hem_y + 1)), 0.3, 0.25))
            trims += [button(0, y, 0.9) for y in np.arange(waist_y + 7, hem_y - 3, 8.0).tolist()]
        elif rng.random() < 0.4:
            x = rng.choice([-6.0, 6.0])
            slit = points((x, hem_y - 0.3 * length), (x - 0.7, hem_y + 1.6), (x + 1.0, hem_y + 1.6))
            trims.append(Trim(slit, tone=0.6, closed=True))
        if rng.random() < 0.4:
            for sign in (-1, 1):
                dart = points((sign * 6, waist_y + 3), (sign * 6.6, waist_y + 13))
                trims.append(Trim(dart, 0.2, 0.25))
        elif rng.random() < 0.4:
            for sign in (-1, 1):
                a, y = sign * 5.0, waist_y + 7.0
                b = sign * 13.0
                trims.append(outline_trim((a, y), (b, y + 1), (b, y + 10), (a, y + 10)))
    cloth = {"pencil": "smooth", "line": "smooth", "full": "gathered", "pleated": "pleated"}[kind]
    corners = add_skirt_part(
        garment,
        rng,
        (left, right),
        (hem_x, hem_y),
        "body",
        kind=cloth,
        trims=tuple(trims),
        hip=17.0 if kind == "pencil" else None,
    )
    add_waistband(garment, rng, left, right, 3.2)
    for name, _ in SIDES:
        garment.mark(f"waistband_{name}", left if name == "left" else right, "body", "waistband")
        garment.mark(f"hemline_{name}", corners[name], "body")
    return garment


def add_waistband(
    garment: GarmentPattern,
    rng: np.random.Generator,
    left: np.ndarray,
    right: np.ndarray,
    height: float,
) -> None:
    """A band that begins at the two waist points and shows the back's inside above its front."""
    upper, lower = (
        arc(left, right, 1.3),
        arc(left + xy(-0.35, height), right + xy(0.35, height), 1.3),
    )
    axis = Axis(points((0, left[1]), (0, left[1] + height + 2)), np.array([13.5, 14.0]))
    behind = np.concatenate([arc(left, right, -0.9), upper[::-1]])
    garment.pieces.insert(0, Piece("inside", behind, axis, Finish(0.1, 0.3), "lining", level=-1))
    trims = [Trim(lower[1:-1], 0.25, 0.3)]
    kind = rng.choice(["plain", "belt", "loops", "elastic"], p=[0.4, 0.2, 0.2, 0.2])
    if kind == "loops":
        for x in (-9.0, -4.5, 4.5, 9.0):
            y = left[1] + 0.9
            trims.append(Trim(points((x, y), (x, y + height)), 0.9, -0.12))
    if kind == "elastic":
        trims += [
            Trim(points((x, left[1] + 1.2), (x * 1.02, left[1] + height + 1)), 0.35, 0.16)
            for x in np.linspace(left[0] + 1, right[0] - 1, 17).tolist()
        ]
    garment.pieces.append(
        Piece(
            "waistband", np.concatenate([upper, lower[::-1]]), axis, Finish(0.3, 0.3),
            "trim" if kind == "belt" else "main", lift=0.3, trims=tuple(trims),
        )
    )  # fmt: skip


def cut_trousers(rng: np.random.Generator, pose: Pose) -> GarmentPattern:
    """Skinny, straight, wide or flared trousers, or shorts."""
    garment = GarmentPattern("trousers")
    waist_y = 67.0 + rng.uniform(-2, 6)
    waist_x = 12.8 + 0.22 * (waist_y - 67) + rng.uniform(-0.5, 1.2)
    kind = str(rng.choice(["skinny", "straight", "wide", "flare"], p=[0.3, 0.36, 0.22, 0.12]))
    long = float(
        rng.choice([0.06, 0.36, 0.8, 1.0], p=[0.17, 0.08, 0.2, 0.55]) + rng.uniform(-0.03, 0.03)
    )
    crotch = np.array([rng.uniform(-0.6, 0.6), waist_y + 24.5 + rng.uniform(-1.5, 3.0)])
    thigh, knee_w, ankle_w = {
        "skinny": (8.9, 6.2, 4.9),
        "straight": (9.2, 8.0, 7.2),
        "wide": (10.2, 11.0, 12.4),
        "flare": (9.0, 7.0, 10.8),
    }[kind]
    knee_w, ankle_w = knee_w + rng.uniform(-0.4, 0.8), ankle_w + rng.uniform(-0.5, 1.0)
    ends = [np.array([s * waist_x, waist_y]) + rng.normal(0, 0.3, 2) for _, s in SIDES]
    crease = rng.random() < 0.35 and kind != "skinny"
    turn_up = rng.random() < 0.22
    for (name, sign), leg, corner in zip(SIDES, pose.legs, ends, strict=True):
        hip, knee, ankle = leg
        spine = smooth(np.stack([(hip[0], crotch[1] + 2.5), knee, ankle]), 10)
        along = lengths(spine)
        stop = along[-1] * (0.1 + 0.9 * long)
        s = np.linspace(0, stop, 16)
        line = np.stack([np.interp(s, along, spine[:, i]) for i in (0, 1)], axis=1)
        width = np.interp(s / along[-1], [0, 0.5, 1.0], [thigh, knee_w, ankle_w])
        if long < 0.3:
            width = width + 1.2 * s / stop
        slant = np.diff(line, axis=0, append=2 * line[-1:] - line[-2:-1])
        side = np.stack([slant[:, 1], -slant[:, 0]], axis=1)
        side *= (width / np.maximum(np.hypot(*side.T), 1e-9))[:, None] * sign
        outer, inner = line + side, line - side
        hip_side = np.array([sign * (waist_x + 4.2), waist_y + 17.0])
        outseam = np.concatenate([smooth(np.stack([corner, hip_side, outer[1]]), 8), outer[2:]])
        # Wide legs would cross at the top: the inner seams meet at the crotch and part below.
        inner[:, 0] = sign * np.maximum(sign * (inner[:, 0] - crotch[0]), 0.25) + crotch[0]
        inseam = np.concatenate([smooth(np.stack([crotch, inner[3]]), 4)[:-1], inner[3:]])
        hem = arc(outseam[-1], inseam[-1], rng.uniform(0.3, 1.0), 8)
        top = arc(corner, (0.0, (ends[0][1] + ends[1][1]) / 2 + 1.3), 0.33, 6)
        middle = np.array([0.0, top[-1][1]])
        outline = np.concatenate([outseam, hem[1:-1], inseam[::-1], [middle], top[::-1][1:-1]])
        axis = _leg_axis(outseam, inseam, crotch, waist_y)
        trims = _leg_trims(axis, outseam, inseam, sign, waist_y, crease=crease, turn_up=turn_up)
        finish = Finish(0.3, 1.25 if kind != "wide" else 0.8, 3 if kind == "wide" else 0, 0.25, 0.6)
        leg_name = f"leg_{name}"
        garment.pieces.append(Piece(leg_name, outline, axis, finish, trims=trims, hides=False))
        garment.mark(f"bottom_{name}_out", outseam[-1], leg_name)
        garment.mark(f"bottom_{name}_in", inseam[-1], leg_name)
    add_waistband(garment, rng, ends[0], ends[1], 3.0)
    garment.pieces[-1] = _with_fly(garment.pieces[-1], crotch, waist_y)
    garment.mark("waistband_left", ends[0], "leg_left", "waistband")
    garment.mark("waistband_right", ends[1], "leg_right", "waistband")
    garment.mark("crotch", crotch, "leg_left", "leg_right")
    return garment


def _leg_axis(outseam: np.ndarray, inseam: np.ndarray, crotch: np.ndarray, top: float) -> Axis:
    """Middle of a leg; above the crotch the inner edge is the body's middle."""
    inner = np.concatenate([[(crotch[0], top), (crotch[0], (top + crotch[1]) / 2)], inseam])
    q = np.linspace(0, 1, 16)
    sides = []
    for edge in (outseam, inner):
        along = lengths(edge) / lengths(edge)[-1]
        sides.append(np.stack([np.interp(q, along, edge[:, i]) for i in (0, 1)], axis=1))
    first, second = (sides[0], sides[1]) if sides[0][0, 0] < sides[1][0, 0] else sides[::-1]
    return axis_between(first, second)


def _leg_trims(
    axis: Axis,
    outseam: np.ndarray,
    inseam: np.ndarray,
    sign: int,
    top: float,
    *,
    crease: bool,
    turn_up: bool,
) -> tuple[Trim, ...]:
    trims = []
    if crease:
        line = axis.center[3:]
        trims += [Trim(line, 0.4, -0.05), Trim(line + xy(0.4, 0), 0.4, 0.13)]
    pocket = smooth(
        points((sign * 7.5, top + 3.2), (sign * 9.5, top + 8), (sign * 14.6, top + 10.5)), 6
    )
    trims.append(Trim(pocket, 0.28, 0.3))
    if turn_up:
        trims.append(Trim(np.stack([outseam[-2], inseam[-2]]), 0.4, 0.3))
    else:
        low = [0.7 * edge[-1] + 0.3 * edge[-2] for edge in (outseam, inseam)]
        trims.append(Trim(np.stack(low), 0.16, 0.2))
    return tuple(trims)


def _with_fly(band: Piece, crotch: np.ndarray, top: float) -> Piece:
    """The waistband with the trousers' fly, front seam and button."""
    low = crotch[1] - 1.0
    fly = smooth(points((2.4, top + 4.2), (2.4, top + 11), (1.6, top + 14), (0.2, top + 15.5)), 5)
    front = points((0.0, top + 4.2), (crotch[0], low))
    trims = (
        Trim(front, 0.28, 0.3, clip=False),
        Trim(fly, 0.18, 0.26, clip=False),
        button(0.9, top + 2.9, 0.8),
    )
    return Piece(**{**band.__dict__, "trims": (*band.trims, *trims)})
