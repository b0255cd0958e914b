"""Jackets, coats, cardigans and waistcoats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fashionkp_mm.synthetic.bodice import BodyCut, trunk_axis
from fashionkp_mm.synthetic.fabric import Finish
from fashionkp_mm.synthetic.geometry import Axis, FloatArray, arc, points, smooth, xy
from fashionkp_mm.synthetic.pattern import (
    SIDES,
    GarmentPattern,
    Piece,
    Pose,
    Trim,
    button,
    outline_trim,
    polygon_trim,
)
from fashionkp_mm.synthetic.sleeves import SleeveCut, add_sleeve, choose_sleeve

STYLES: dict[str, float] = {
    "blazer": 0.26, "coat": 0.28, "zip": 0.26, "cardigan": 0.2,
}  # fmt: skip
"""Styles and how often each is met."""


def cut_outwear(rng: np.random.Generator, pose: Pose) -> GarmentPattern:
    """A blazer, a coat, a zipped jacket or a cardigan, open or closed."""
    garment = GarmentPattern("outwear")
    style = str(rng.choice(list(STYLES), p=list(STYLES.values())))
    length = {
        "blazer": rng.uniform(78, 90),
        "coat": rng.uniform(100, 134),
        "zip": rng.uniform(67, 84),
        "cardigan": rng.choice([74.0, 84.0, 105.0]) + rng.uniform(-4, 6),
    }[style]
    ease = 1.6 + rng.uniform(0, 2.4) + (1.4 if style == "zip" else 0.0)
    waisted = style == "coat" and rng.random() < 0.56
    flare = 0.09 * max(length - 80, 0) * rng.uniform(0.4, 1.8)
    slim = 1.2 if waisted or style == "blazer" else 3.2
    cut = BodyCut(
        neck=(float(rng.uniform(6.2, 8.0)), 29.6 + rng.uniform(-0.6, 0.6)),
        neck_depth=float(rng.uniform(4.0, 7.0)),
        neck_shape="crew",
        shoulder=(18.6 + 0.45 * ease + rng.uniform(-0.8, 0.8), 35.0 + rng.uniform(-0.6, 1.0)),
        armpit=(15.8 + ease, 50.5 + 0.8 * ease + rng.uniform(-1.5, 1.5)),
        waist=(12.0 + slim + 0.8 * ease, 67.0 + rng.uniform(-2, 2)),
        hip=(17.2 + 0.8 * ease + 0.4 * flare, 88.0),
        hem=(float(np.interp(length, [66, 88], [15.4, 17.4]) + 0.8 * ease + flare), float(length)),
        hem_sag=1.6,
    )
    gap = _opening(rng, style)
    made = _fronts(garment, cut, rng, style, gap, waisted=waisted)
    for name, _ in SIDES:
        garment.mark(f"top_hem_{name}", made[f"edge_{name}"][-1], f"front_{name}")
        if waisted:
            edge = made[f"edge_{name}"]
            place = edge[int(np.argmin(np.abs(edge[:, 1] - cut.waist[1])))]
            garment.mark(f"waistline_{name}", place, f"front_{name}")
    if waisted:
        _belt(garment, made, cut, gap)
    if rng.random() > 0.03:
        sleeve = choose_sleeve(rng, heavy=True)
        if style == "zip":
            sleeve = SleeveCut(1.02, 5.0, 1.6, 5.0)
        for side in SIDES:
            add_sleeve(garment, sleeve, pose, side, made)
    _collar(rng, garment, cut, style, gap)
    return garment


def _opening(rng: np.random.Generator, style: str) -> tuple[float, float]:
    """Half the gap between the fronts in cm, where it begins and at the hem; 0 for closed."""
    if rng.random() < (0.5 if style != "zip" else 0.4):
        return 0.0, 0.0
    top = float(rng.uniform(1.0, 4.5))
    return top, top + float(rng.uniform(0.0, 4.5))


def _fronts(
    garment: GarmentPattern,
    cut: BodyCut,
    rng: np.random.Generator,
    style: str,
    gap: tuple[float, float],
    *,
    waisted: bool,
) -> dict[str, FloatArray]:
    """Cut the back's inside and the two fronts; returns places as ``add_bodice`` does."""
    made: dict[str, FloatArray] = {}
    for name, sign in SIDES:
        jitter = rng.normal(0, 0.35, (4, 2))
        knots = [
            np.array([sign * x, y]) + j
            for (x, y), j in zip((cut.armpit, cut.waist, cut.hip, cut.hem), jitter, strict=True)
        ]
        if cut.hip[1] > cut.hem[1] - 9:
            del knots[2]
        if cut.waist[1] > cut.hem[1] - 4 or not (waisted or style == "blazer"):
            del knots[1]
        made[f"edge_{name}"] = smooth(np.stack(knots), 8)
        made[f"armpit_{name}"] = knots[0]
        made[f"shoulder_{name}"] = np.array([sign * cut.shoulder[0], cut.shoulder[1]])
    left, right = made["edge_left"], made["edge_right"]
    axis = trunk_axis(left, right, cut.neck[1])
    hem = arc(left[-1], right[-1], cut.hem_sag)
    x, y = cut.neck
    neck = np.stack([np.linspace(-x, x, 13), y + 1.5 * (1 - np.linspace(-1, 1, 13) ** 2)], axis=1)
    shoulders = made["shoulder_right"], made["shoulder_left"]
    made["body"] = np.concatenate(
        [neck, [shoulders[0]], right, hem[::-1][1:], left[::-1][1:], [shoulders[1]]]
    )
    garment.pieces.append(
        Piece(
            "inside",
            made["body"] * (0.985, 1.0) - (0, 0.5),
            axis,
            Finish(0.25, 0.7),
            "lining",
            level=-1,
        )
    )
    # Where the fronts meet: right below a stand collar or zip, lower under lapels.
    meet = y + (
        cut.neck_depth + 1 if style == "zip" else 26.0 if style in {"blazer", "coat"} else 19.0
    )
    meet += float(rng.uniform(-2, 4)) if style != "zip" else 0.0
    made["meet"] = points((0, meet))
    overlap = 0.0 if style == "zip" else 2.2
    for name, sign in SIDES[::-1]:
        lap = 0.0 if gap[0] else overlap * (1 if sign < 0 else -0.2)
        low_x = sign * gap[1] if gap[0] else -sign * lap
        top_x = sign * gap[0] if gap[0] else -sign * lap
        low = np.array([low_x, made[f"edge_{name}"][-1, 1] + cut.hem_sag])
        top = np.array([top_x, meet])
        shoulder, edge = made[f"shoulder_{name}"], made[f"edge_{name}"]
        middle = 0.45 * shoulder + 0.55 * edge[0]
        middle[0] = sign * (min(abs(shoulder[0]), abs(edge[0, 0])) - 1.2)
        armhole = smooth(np.stack([shoulder, middle, edge[0]]), 6)
        fold = smooth(
            np.stack(
                [top, 0.5 * (top + xy(sign * x, y)) + (sign * -0.8, 0.5), np.array([sign * x, y])]
            ),
            6,
        )
        foot = arc(edge[-1], low, 0.5, 8)
        outline = np.concatenate([[[sign * x, y]], armhole, edge[1:], foot[1:], fold[:-1]])
        trims = _details(rng, cut, style, sign, gap=gap, meet=meet)
        if style in {"zip", "cardigan"} and cut.hem[1] < 92:
            band = arc(edge[-1], low, 0.5, 8) - (0, 4.5)
            trims += (Trim(band, 0.4, 0.3),)
        garment.pieces.append(
            Piece(
                f"front_{name}", outline, axis, Finish(0.3, 0.8), hides=True, lift=0.5, trims=trims
            )
        )
        garment.mark(f"shoulder_{name}", shoulder, f"front_{name}")
        garment.mark(f"neckline_{name}", (sign * x, y), f"front_{name}")
        garment.mark(f"armpit_{name}", edge[0], f"front_{name}")
    return made


def _details(
    rng: np.random.Generator,
    cut: BodyCut,
    style: str,
    sign: int,
    *,
    gap: tuple[float, float],
    meet: float,
) -> tuple[Trim, ...]:
    """Buttons, zips, pockets and seams of one front; the viewer's left one lies on top."""
    low = cut.hem[1]
    trims: list[Trim] = []
    pocket = min(low - 13, 84.0)
    if style in {"blazer", "coat"} and low > 76:
        a, b = sign * 6.6, sign * 13.4
        trims.append(
            polygon_trim(
                (a, pocket), (b, pocket - 0.6), (b, pocket + 3.8), (a, pocket + 4.2), tone=0.16
            )
        )
        trims.append(
            outline_trim(
                (a, pocket), (b, pocket - 0.6), (b, pocket + 3.8), (a, pocket + 4.2), width=0.16
            )
        )
        seam = smooth(points((sign * 11, 49), (sign * 8.6, 60), (sign * 9.2, pocket - 1)), 6)
        trims.append(Trim(seam, 0.18, 0.16))
    elif style == "zip":
        trims.append(Trim(points((sign * 8, low - 16), (sign * 12.5, low - 7)), 0.7, 0.4))
        if gap[0] == 0 and sign < 0:
            trims.append(Trim(points((0, meet), (0, low + 1.5)), 1.1, 0.35))
            trims.append(Trim(points((0, meet), (0, low + 1.5)), 0.4, -0.55))
    elif rng.random() < 0.6:
        a, b, y = sign * 5.5, sign * 13.5, pocket
        trims.append(outline_trim((a, y - 4), (b, y - 4), (b, y + 5), (a, y + 5), width=0.3))
    if style != "zip" and sign < 0:
        x = -gap[0] - 1.2 if gap[0] else 0.4
        count = int(rng.integers(2, 4)) if style == "blazer" else 5
        ys = np.linspace(meet + 1.5, min(low - 12, 96 if style == "coat" else low - 6), count)
        for y in ys:
            drift = (gap[1] - gap[0]) * (y - meet) / max(low - meet, 1)
            trims.append(button(x - drift, float(y), 1.0 if style == "coat" else 0.85))
            if style == "coat" and gap[0] == 0:
                trims.append(button(x - 7.5, float(y), 1.0))
    return tuple(trims)


def _belt(
    garment: GarmentPattern, made: dict[str, FloatArray], cut: BodyCut, gap: tuple[float, float]
) -> None:
    """A tied belt over closed fronts, or its two halves hanging from open ones."""
    y = cut.waist[1]
    ends = [
        edge[int(np.argmin(np.abs(edge[:, 1] - y)))]
        for edge in (made["edge_left"], made["edge_right"])
    ]
    axis = Axis(points((0, y - 2), (0, y + 2)), np.array([15.0, 15.0]))
    if gap[0]:
        halves = [
            points(ends[0], (-gap[0] - 0.6, y + 0.8)),
            points((gap[0] + 0.6, y + 0.8), ends[1]),
        ]
    else:
        halves = [arc(ends[0], ends[1], 0.8)]
    for index, middle in enumerate(halves):
        band = np.concatenate([middle - (0, 2.1), (middle + xy(0, 2.1))[::-1]])
        garment.pieces.append(Piece(f"belt_{index}", band, axis, Finish(0.35, 0.2), lift=0.6))
    if not gap[0]:
        for sign, drop in ((-1, 22.0), (1, 17.0)):
            tail = smooth(
                points((1, y), (1 + sign * 1.8, y + drop / 2), (1 + sign * 2.6, y + drop)), 6
            )
            strip = np.concatenate([tail - (1.8, 0), (tail + xy(1.8, 0))[::-1]])
            garment.pieces.append(
                Piece(f"belt_tail_{sign}", strip, axis, Finish(0.2, 0.6), lift=0.6)
            )
        knot = points((-1.6, y - 2.4), (3.4, y - 2.2), (3.2, y + 2.8), (-1.2, y + 2.6))
        garment.pieces.append(Piece("knot", knot, axis, Finish(0.3, 0.5), lift=0.5))


def _collar(
    rng: np.random.Generator,
    garment: GarmentPattern,
    cut: BodyCut,
    style: str,
    gap: tuple[float, float],
) -> None:
    """Lapels, a fur or shirt collar, a stand, or none."""
    x, y = cut.neck
    fronts = {piece.name: piece for piece in garment.pieces}
    kind = {
        "blazer": "lapel",
        "coat": str(rng.choice(["lapel", "fur", "wide"], p=[0.6, 0.15, 0.25])),
    }.get(style, str(rng.choice(["stand", "shirt"])) if style == "zip" else "band")
    for name, sign in SIDES:
        fold = fronts[f"front_{name}"].outline[-12:]  # from the meeting point up to the neck
        meet, top = fold[0], np.array([sign * x, y])
        width = float({"lapel": 7.0, "wide": 10.0, "fur": 8.5}.get(kind, 5.0))
        axis = Axis(np.stack([top, meet]), np.array([width, width]))
        if kind in {"lapel", "wide"}:
            notch = top + (meet - top) * 0.34
            lapel = np.concatenate([fold, [notch], [notch + xy(sign * width, -2.4)]])
            bow = 0.4 * (notch + xy(sign * width, -2.4)) + 0.6 * meet + (sign * 0.8, 0)
            lapel = np.concatenate(
                [
                    lapel[:-2],
                    [top],
                    [notch + xy(sign * 2.5, -0.6)],
                    [notch + xy(sign * width, -2.4)],
                    [bow],
                ]
            )
            leaf = np.stack(
                [
                    top,
                    top + xy(sign * 2.2, 1.0),
                    notch + xy(sign * width * 0.8, -4.4),
                    notch + xy(sign * width * 0.62, -1.4),
                    notch,
                ]
            )
            shapes = [("lapel", lapel), ("collar", leaf)]
        elif kind == "fur":
            ridge = smooth(
                np.stack(
                    [
                        top + xy(sign * 1.5, -1.5),
                        top + xy(sign * 9.0, 5),
                        (0.55 * top + 0.45 * meet) + (sign * 8.5, 0),
                        meet,
                    ]
                ),
                10,
            )
            ruffle = ridge + rng.normal(0, 0.35, ridge.shape)
            shapes = [("collar", np.concatenate([ruffle, fold]))]
        elif kind == "shirt":
            tip = top + xy(sign * 1.0, 9.0)
            shapes = [
                (
                    "collar",
                    np.stack(
                        [top, top + xy(sign * 3.0, 1.5), tip + xy(sign * 1.5, 0), fold[0], fold[4]]
                    ),
                )
            ]
        else:
            rim = smooth(np.stack([meet, 0.5 * (meet + top) + (sign * 1.0, 0.6), top]), 6)
            inset = rim + xy(sign * 2.3, 0.8)
            inset[-1] = top + xy(sign * 2.6, 1.2)
            shapes = [("collar", np.concatenate([rim, inset[::-1]]))]
        for part, shape in shapes:
            cloth = "trim" if kind == "fur" else "main"
            finish = Finish(0.12, 2.4 if kind == "fur" else 0.5)
            edge = Trim(np.concatenate([shape, shape[:1]]), 0.14, 0.16)
            trims = () if kind == "fur" else (edge,)
            garment.pieces.append(
                replace(Piece(f"{part}_{name}", shape, axis, finish, cloth, lift=0.6), trims=trims)
            )
