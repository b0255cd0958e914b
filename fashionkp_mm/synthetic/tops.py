"""Blouses and dresses."""

from __future__ import annotations

import numpy as np

from fashionkp_mm.synthetic.bodice import BodyCut, add_bodice, choose_neck, hem_curve
from fashionkp_mm.synthetic.fabric import Finish
from fashionkp_mm.synthetic.geometry import Axis, FloatArray, arc, axis_between, points, smooth, xy
from fashionkp_mm.synthetic.pattern import (
    SIDES,
    GarmentPattern,
    Piece,
    Pose,
    Trim,
    button,
    outline_trim,
)
from fashionkp_mm.synthetic.sleeves import add_sleeve, choose_sleeve


def cut_blouse(
    rng: np.random.Generator, pose: Pose, tuck: list[FloatArray] | None = None
) -> GarmentPattern:
    """A blouse, shirt, T-shirt, knit or camisole.

    Args:
        rng: Source of its measures.
        pose: How the arms are held.
        tuck: The two ends of the waistband ``(2,)`` that it is tucked into, if it is.
    """
    garment = GarmentPattern("blouse")
    ease = float(rng.choice([0.0, 2.0, 4.5], p=[0.4, 0.4, 0.2]) + rng.uniform(-0.5, 1.0))
    hem_y = float(rng.choice([69.0, 78.0, 86.0], p=[0.2, 0.5, 0.3]) + rng.uniform(-3, 4))
    cut = _measures(rng, ease)
    hem_x = np.interp(hem_y, [64, 78, 90], [12.6, 15.4, 17.2]) + 0.9 * ease + rng.uniform(-1.0, 2.5)
    cut = _with(cut, hem=(float(hem_x), hem_y), hem_sag=float(rng.choice([1.0, 2.2, 4.5])))
    if tuck is not None:
        hem_x, hem_y = 0.95 * tuck[1][0], tuck[1][1] + 3.5
        cut = _with(cut, waist=(cut.waist[0], min(cut.waist[1], hem_y - 5)), hem=(hem_x, hem_y))
    necks = {"crew": 5, "scoop": 2, "v": 3, "boat": 1, "square": 1, "high": 1.6, "shirt": 5}
    straps = rng.random() < 0.045
    cut = choose_neck(rng, cut, {"straps": 1.0} if straps else necks)
    trims = _front(rng, cut, hem_y + cut.hem_sag)
    if rng.random() < 0.3:
        trims += (Trim(arc((-hem_x, hem_y - 3.2), (hem_x, hem_y - 3.2), cut.hem_sag), 0.25, 0.22),)
    made, _ = add_bodice(garment, cut, rng, finish=Finish(0.3, 1.15), trims=trims)
    for name, _ in SIDES:
        garment.mark(f"top_hem_{name}", made[f"edge_{name}"][-1], "body")
    if not straps:
        _arms(rng, garment, pose, made, sleeved=rng.random() > 0.01)
    _collar(rng, garment, cut)
    return garment


def cut_dress(rng: np.random.Generator, pose: Pose) -> GarmentPattern:
    """A dress: a bodice and a skirt, or a shift that falls straight."""
    garment = GarmentPattern("dress")
    ease = float(rng.choice([0.0, 2.0], p=[0.65, 0.35]) + rng.uniform(-0.5, 0.8))
    hem_y = float(rng.choice([112.0, 124.0, 142.0], p=[0.45, 0.35, 0.2]) + rng.uniform(-8, 7))
    waisted = rng.random() > 0.295
    cut = _measures(rng, ease)
    necks = {"crew": 4, "scoop": 2, "v": 4, "boat": 1.2, "square": 1.4, "high": 0.9, "shirt": 2}
    straps = rng.random() < 0.098
    cut = choose_neck(rng, cut, {"straps": 1.0} if straps else necks)
    fullness = float(rng.choice([1.0, 1.35, 1.8], p=[0.3, 0.4, 0.3])) * rng.uniform(0.95, 1.08)
    hem_x = 17.0 * fullness + 0.05 * (hem_y - 100)
    if waisted:
        high = float(rng.choice([0.0, -6.0], p=[0.85, 0.15]))
        waist = (cut.waist[0], cut.waist[1] + high)
        cut = _with(cut, waist=waist, hem=(waist[0] + 0.1, waist[1] + 0.4), hem_sag=2.0)
        finish = Finish(0.3, 0.8)
        made, _ = add_bodice(garment, cut, rng, finish=finish, trims=_front(rng, cut, waist[1]))
        for name, _ in SIDES:
            garment.mark(f"waistline_{name}", made[f"edge_{name}"][-1], "body", "skirt")
        corners = add_skirt_part(
            garment, rng, (made["edge_left"][-1], made["edge_right"][-1]), (hem_x, hem_y), "skirt"
        )
        _belt(rng, garment, made["edge_left"][-1], made["edge_right"][-1])
    else:
        full = fullness > 1.5
        cut = _with(
            cut,
            waist=(cut.armpit[0] + 0.5 + 0.12 * (hem_x - 17), cut.waist[1]),
            hip=(float(np.interp(90, [50, hem_y], [cut.armpit[0] + 1, hem_x])) + 0.8, 90.0),
            hem=(hem_x * 0.92, hem_y),
            hem_sag=float(rng.uniform(1, 3)),
        )
        finish = Finish(0.32, 1.2, 5 if full else 0, 0.0, 0.9)
        trims = _front(rng, cut, hem_y)
        made, _ = add_bodice(garment, cut, rng, finish=finish, trims=trims)
        corners = {name: made[f"edge_{name}"][-1] for name, _ in SIDES}
    for name, _ in SIDES:
        garment.mark(f"hemline_{name}", corners[name], "skirt" if waisted else "body")
    if not straps:
        _arms(rng, garment, pose, made, sleeved=rng.random() > 0.165)
    _collar(rng, garment, cut)
    return garment


def _measures(rng: np.random.Generator, ease: float) -> BodyCut:
    """Measures of a trunk without neckline and hem."""
    drop = 0.6 * ease * rng.uniform(0.3, 1.0)
    return BodyCut(
        neck=(7.0, 30.0),
        neck_depth=6.0,
        neck_shape="crew",
        shoulder=(18.0 + drop + rng.uniform(-1.0, 0.8), 34.8 + 0.5 * drop + rng.uniform(-0.6, 0.6)),
        armpit=(15.6 + ease + rng.uniform(-0.4, 0.6), 49.5 + 0.8 * ease + rng.uniform(-1.5, 1.5)),
        waist=(12.3 + 1.1 * ease + rng.uniform(-0.5, 1.0), 66.5 + rng.uniform(-2.0, 2.0)),
        hip=(16.8 + ease, 87.0),
        hem=(15.0 + ease, 78.0),
    )


def _with(cut: BodyCut, **changes: object) -> BodyCut:
    return BodyCut(**{**cut.__dict__, **changes})


def _arms(
    rng: np.random.Generator,
    garment: GarmentPattern,
    pose: Pose,
    made: dict[str, FloatArray],
    *,
    sleeved: bool,
) -> None:
    sleeve = choose_sleeve(rng, heavy=False)
    if not sleeved:
        return
    for side in SIDES:
        add_sleeve(garment, sleeve, pose, side, made)


def _front(rng: np.random.Generator, cut: BodyCut, low: float) -> tuple[Trim, ...]:
    """What is worked into the front: a button band, darts, a chest pocket, princess seams."""
    middle = cut.neck[1] + cut.neck_depth
    trims: list[Trim] = []
    chance = {"shirt": 0.9, "v": 0.35, "crew": 0.12}.get(cut.neck_shape, 0.0)
    if rng.random() < chance:
        trims += [Trim(points((x, middle), (x, low)), 0.16, 0.2) for x in (-1.4, 1.4)]
        step = rng.uniform(6.5, 9.0)
        trims += [
            button(0.0, y, 0.62) for y in np.arange(middle + 2.5, min(low, 140) - 2, step).tolist()
        ]
        if rng.random() < 0.4:
            y = middle + 10
            trims.append(outline_trim((5, y), (12, y), (12, y + 7), (8.5, y + 9), (5, y + 7)))
    elif rng.random() < 0.3:
        for sign in (-1, 1):
            seam = smooth(points((sign * 12, 45), (sign * 8, 54), (sign * 7.2, min(low, 68))), 6)
            trims.append(Trim(seam, 0.18, 0.16))
    if cut.neck_shape == "crew" and rng.random() < 0.5:
        trims.append(Trim(_below_neck(cut, 2.0), 0.18, 0.2))
    if cut.neck_shape == "high":
        trims.append(Trim(arc((-7.0, 31.5), (7.0, 31.5), 3.0), 0.5, 0.16))
    return tuple(trims)


def _below_neck(cut: BodyCut, gap: float) -> FloatArray:
    x, y = cut.neck
    q = np.linspace(-1, 1, 25)
    depth = cut.neck_depth + gap
    return np.stack([(x + gap) * q, y + 0.9 + (depth - 0.9) * np.sqrt(1 - q**2)], axis=1)


def _collar(rng: np.random.Generator, garment: GarmentPattern, cut: BodyCut) -> None:
    """A shirt's collar, a Peter Pan collar, or none."""
    x, y = cut.neck
    low = y + cut.neck_depth
    cloth = "main" if rng.random() < 0.75 else "trim"
    shape: tuple[tuple[float, float], ...]
    if cut.neck_shape == "shirt":
        shape = ((0.35, low - 0.2), (6.2, low + 3.8), (x + 2.6, y + 2.4), (x, y))
    elif cut.neck_shape == "crew" and rng.random() < 0.14:
        shape = ((0.3, low), (3.5, low + 5.6), (x + 3.2, low + 2.0), (x + 4.2, y + 4.0), (x, y))
    else:
        return
    for name, sign in SIDES:
        leaf = points(*((sign * a, b) for a, b in shape))
        if cut.neck_shape == "crew":
            leaf = smooth(np.concatenate([leaf]), 5)
        leaf = np.concatenate([leaf, arc(leaf[-1], leaf[0], 0.18 * cut.neck_depth, 6)[1:-1]])
        axis = Axis(points((sign * 4, y), (sign * 4, low + 5)), np.array([6.0, 6.0]))
        piece = Piece(
            f"collar_{name}", leaf, axis, Finish(0.1, 0.4), cloth=cloth, lift=0.8,
            trims=(Trim(leaf[1:3], 0.16, 0.2),),
        )  # fmt: skip
        garment.pieces.append(piece)


def add_skirt_part(
    garment: GarmentPattern,
    rng: np.random.Generator,
    ends: tuple[FloatArray, FloatArray],
    hem_corner: tuple[float, float],
    name: str,
    *,
    kind: str | None = None,
    trims: tuple[Trim, ...] = (),
    hip: float | None = None,
) -> dict[str, FloatArray]:
    """Sew on a skirt from the waist's two ends down; returns its lower corners by side.

    Args:
        garment: What to sew it to.
        rng: Source of choices and small differences.
        ends: Where it begins on the viewer's left and right, ``(2,)`` each.
        hem_corner: Half its width at the hem, and the y of the lower corners.
        name: Layer name.
        kind: ``"smooth"``, ``"gathered"`` or ``"pleated"``; drawn by the fullness if None.
        trims: Lines on it.
        hip: Half its width at hip height, for narrow skirts.
    """
    (left, right), (hem_x, hem_y) = ends, hem_corner
    edges = {}
    for (side, sign), start in zip(SIDES, (left, right), strict=True):
        hem = np.array([sign * hem_x, hem_y]) + rng.normal(0, 0.8, 2)
        knots = [start]
        if hip is not None or hem_x < 21:
            knots.append(np.array([sign * (hip or min(17.2, hem_x)), start[1] + 19]))
        else:
            middle = 0.5 * (start + hem)
            knots.append(middle + xy(sign * rng.uniform(0.2, 1.4), 0))
        edges[side] = smooth(np.stack([*knots, hem]), 10)
    kind = kind or str(
        rng.choice(["smooth", "gathered", "pleated"], p=[0.75, 0.15, 0.1])
        if hem_x < 22
        else rng.choice(["smooth", "gathered", "pleated"], p=[0.1, 0.7, 0.2])
    )
    waves = {"smooth": 0, "gathered": int(rng.integers(4, 9)), "pleated": 0}[kind]
    pleats = int(rng.integers(9, 18)) if kind == "pleated" else 0
    hem = hem_curve(edges["left"][-1], edges["right"][-1], 0.07 * hem_x + 0.6, waves, rng)
    outline = np.concatenate(
        [edges["left"], hem[1:-1], edges["right"][::-1], arc(right, left, 1.2, 8)[1:-1]]
    )
    finish = Finish(0.3, 0.8, waves, 0.55, 1.15, pleats, fan=hem_x > 21)
    if rng.random() < 0.3:
        stitched = hem + xy(0, -2.2)
        trims = (*trims, Trim(stitched[1:-1], 0.16, 0.16))
    garment.pieces.append(
        Piece(name, outline, axis_between(edges["left"], edges["right"]), finish, lift=0.3,
              hides=False, trims=trims)
    )  # fmt: skip
    return {side: edges[side][-1] for side, _ in SIDES}


def _belt(
    rng: np.random.Generator, garment: GarmentPattern, left: FloatArray, right: FloatArray
) -> None:
    """A belt, a sash with a bow, or just the seam at the waist."""
    kind = rng.choice(["seam", "belt", "sash"], p=[0.5, 0.3, 0.2])
    height = {"seam": 0.0, "belt": 1.4, "sash": 2.0}[str(kind)]
    middle = arc(left, right, 0.6)
    if kind == "seam":
        garment.pieces[-1] = _with_trim(
            garment.pieces[-1], Trim(arc(left, right, 1.2) + xy(0, 0.3), 0.4, 0.3)
        )
        return
    band = np.concatenate([middle - (0, height), (middle + xy(0, height))[::-1]])
    axis = Axis(points((0, left[1] - height), (0, left[1] + height)), np.array([13.0, 13.0]))
    garment.pieces.append(Piece("belt", band, axis, Finish(0.35, 0.2), cloth="trim", lift=0.5))
    x, y = rng.uniform(-3, 3), left[1] + 0.4
    if kind == "sash":
        for sign, drop in ((-1, 20.0), (1, 16.0)):
            loop = smooth(
                points((x, y), (x + sign * 5, y - 3.2), (x + sign * 6.4, y + 0.6), (x, y)), 6
            )
            tail = smooth(
                points((x, y), (x + sign * 1.6, y + drop / 2), (x + sign * 2.8, y + drop)), 6
            )
            strip = np.concatenate([tail + xy(-0.9, 0), (tail + xy(0.9, 0))[::-1]])
            for part, shape in (("tail", strip), ("loop", loop)):
                piece = Piece(
                    f"{part}_{sign}", shape, axis, Finish(0.2, 0.6), cloth="trim", lift=0.5
                )
                garment.pieces.append(piece)
    else:
        buckle = outline_trim(
            (x - 1.5, y - 1.5),
            (x + 1.5, y - 1.5),
            (x + 1.5, y + 1.5),
            (x - 1.5, y + 1.5),
            tone=-0.6,
            width=0.5,
        )
        garment.pieces[-1] = _with_trim(garment.pieces[-1], buckle)


def _with_trim(piece: Piece, trim: Trim) -> Piece:
    return Piece(**{**piece.__dict__, "trims": (*piece.trims, trim)})
