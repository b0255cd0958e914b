"""Sleeves: a tube around the arm, sewn to the body from the shoulder to the armpit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.synthetic.fabric import Finish
from fashionkp_mm.synthetic.geometry import (
    Axis,
    FloatArray,
    inside,
    lengths,
    normals,
    smooth,
    xy,
)
from fashionkp_mm.synthetic.pattern import GarmentPattern, Piece, Pose, Trim

SAMPLES = 22
"""Points on a sleeve's middle line."""


@dataclass(frozen=True)
class SleeveCut:
    """How both sleeves are cut.

    Attributes:
        length: Share of the arm that they cover, 0.15 for a cap sleeve to 1.04 for a long one.
        cuff: Half their width at the end in cm.
        puff: Extra half width in the middle in cm.
        band: Height of the cuff's band in cm; 0 for none.
        gathers: Number of gathers.
    """

    length: float
    cuff: float
    puff: float = 0.0
    band: float = 0.0
    gathers: int = 0


def choose_sleeve(rng: np.random.Generator, *, heavy: bool) -> SleeveCut:
    """Choose a cut; a heavy one, for coats and jackets, is long and wide."""
    if heavy:
        return SleeveCut(
            length=float(rng.choice([0.78, 0.96, 1.02], p=[0.12, 0.44, 0.44])),
            cuff=float(rng.uniform(5.2, 7.0)),
            puff=float(rng.uniform(0.0, 0.8)),
            band=float(rng.choice([0.0, 0.0, 5.0, 7.0])),
        )
    kind = rng.choice(["cap", "short", "elbow", "long"], p=[0.08, 0.34, 0.16, 0.42])
    length = {"cap": 0.17, "short": 0.33, "elbow": 0.62, "long": 0.99}[str(kind)]
    length *= rng.uniform(0.92, 1.05)
    shape = rng.choice(["plain", "bell", "puff"], p=[0.62, 0.18, 0.2])
    slim = 8.4 - 4.2 * length + rng.uniform(-0.3, 1.4)
    if kind == "cap" or shape == "plain":
        return SleeveCut(
            length, slim, 0.0, float(rng.choice([0.0, 0.0, 2.5, 4.5])) * (length > 0.5)
        )
    if shape == "bell":
        return SleeveCut(length, slim + rng.uniform(2.5, 5.5), 0.0, 0.0, 4)
    return SleeveCut(length, slim - 0.6, rng.uniform(1.8, 4.0), rng.uniform(2.0, 5.0), 5)


def add_sleeve(
    garment: GarmentPattern,
    cut: SleeveCut,
    pose: Pose,
    side: tuple[str, int],
    made: dict[str, FloatArray],
) -> None:
    """Sew on one sleeve and mark its shoulder and cuff.

    Args:
        garment: What to sew it to.
        cut: How it is cut.
        pose: How the arm is held.
        side: Name and sign of the side.
        made: Places of the trunk; ``shoulder_<side>`` and ``armpit_<side>`` are used, ``(2,)``.
    """
    name, sign = side
    index = 0 if sign < 0 else 1
    shoulder, armpit = made[f"shoulder_{name}"], made[f"armpit_{name}"]
    line, s = _spine(cut, pose.arms[index], shoulder, armpit)
    width = _widths(cut, s, float(np.hypot(*(armpit - shoulder))))
    # `normals` points to the viewer's left of a line that runs down: outwards on the left side.
    outward = normals(line) * (-sign * width)[:, None]
    outer, inner = line + outward, line - outward
    core = 0.7 * (outer - inner)
    hangs = inside(np.concatenate([line + core / 2, (line - core / 2)[::-1]]), armpit)
    crook = inner if _bends_inwards(line, outward) else outer
    trims = _sleeve_trims(cut, s, outer, inner, crook)
    outer, inner = (edge[_clear(edge, line, width)] for edge in (outer, inner))
    down = _unit(line[-1] - line[0]) if cut.length < 0.5 else _unit(line[SAMPLES // 3] - line[0])
    cuff_out, cuff_in = outer[-1], inner[-1]
    over = _beyond(outer, shoulder, down, 2.5)
    below = _beyond(inner, armpit, down, -2.0 if hangs else 1.2)
    # A hanging sleeve covers the armpit; another one ends at it.
    under = below[0] - 2.0 * down if hangs else armpit
    middle = 0.45 * shoulder + 0.55 * armpit
    middle[0] = sign * (min(abs(shoulder[0]), abs(armpit[0])) - 1.9)
    seam = smooth(np.stack([under, middle, shoulder]), 6)
    top = smooth(np.stack([shoulder, *over[:2]]), 5)
    tip = (cuff_out + cuff_in) / 2 + 0.7 * _unit(line[-1] - line[-2])
    end = smooth(np.stack([cuff_out, tip, cuff_in]), 5)
    outline = np.concatenate([top, over[2:], end[1:-1], below[::-1], seam[:-1]])
    piece = f"sleeve_{name}"
    garment.pieces.append(
        Piece(
            piece, outline, Axis(line, width), Finish(0.36, 1.0, cut.gathers, 0.5, 0.9),
            hides=True, level=-1 if pose.behind[index] else 1, lift=0.7,
            trims=(Trim(seam, 0.5, 0.3), *trims),
        )
    )  # fmt: skip
    garment.sleeve_length = cut.length
    body = garment.keypoints[f"shoulder_{name}"][1]
    garment.mark(f"shoulder_{name}", shoulder, piece, *body)
    garment.mark(f"cuff_{name}_in", cuff_in, piece)
    garment.mark(f"cuff_{name}_out", cuff_out, piece)


def _bends_inwards(line: FloatArray, outward: FloatArray) -> bool:
    """Whether the crook of the arm lies on the sleeve's inner edge."""
    middle = len(line) // 2
    return bool((0.5 * (line[0] + line[-1]) - line[middle]) @ outward[middle] < 0)


def _clear(edge: FloatArray, line: FloatArray, width: FloatArray) -> NDArray[np.bool_]:
    """Which points of an edge ``(SAMPLES,)`` a bent elbow does not fold into the sleeve."""
    dense = smooth(line, 3)
    away = np.hypot(*np.moveaxis(edge[:, None] - dense, -1, 0)).min(axis=1)
    clear: NDArray[np.bool_] = away > 0.93 * width
    clear[-1] = True
    return clear


def _spine(
    cut: SleeveCut, arm: FloatArray, shoulder: FloatArray, armpit: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Middle line of a sleeve ``(SAMPLES, 2)`` and the distance of its points from the start."""
    start = 0.5 * (shoulder + armpit)
    elbow = arm[1] + 0.4 * (shoulder - arm[0]) * (1.0, 0.0)
    upper, fore = elbow - start, arm[2] - elbow
    knots = [
        start,
        start + 0.55 * upper,
        elbow - 0.05 * (upper - fore),
        elbow + 0.45 * fore,
        arm[2],
    ]
    curve = smooth(np.stack(knots), 6)
    along = lengths(curve)
    stop = cut.length * along[-1]
    s = np.linspace(0.0, stop, SAMPLES)
    line = np.stack([np.interp(s, along, curve[:, i]) for i in (0, 1)], axis=1)
    if stop > along[-1]:  # longer than the arm, over the hand
        line[-1] += _unit(fore) * (stop - along[-1])
    return line, s


def _widths(cut: SleeveCut, s: FloatArray, armhole: float) -> FloatArray:
    """Half the width of a sleeve ``(SAMPLES,)`` at the distances ``s`` from its start."""
    q = s / s[-1]
    top = min(0.42 * armhole, 7.6)
    width = top + (cut.cuff - top) * q + cut.puff * np.sin(np.pi * np.minimum(q * 1.05, 1.0))
    return np.where(s > s[-1] - cut.band, cut.cuff, width) if cut.band else width


def _beyond(edge: FloatArray, start: FloatArray, down: FloatArray, least: float) -> FloatArray:
    """The points of an edge from the first that lies ``least`` cm down the arm from a start."""
    far = (edge - start) @ down >= least
    first = int(np.argmax(far)) if far.any() else len(edge) - 1
    return edge[min(first, len(edge) - 1) :]


def _sleeve_trims(
    cut: SleeveCut, s: FloatArray, outer: FloatArray, inner: FloatArray, crook: FloatArray
) -> list[Trim]:
    """The cuff's seam, and the creases that start in the crook of a long sleeve."""
    trims = []
    if cut.band:
        back = int(np.searchsorted(s, s[-1] - cut.band))
        trims.append(Trim(np.stack([outer[back], inner[back]]), 0.3, 0.3))
    else:
        hem = [0.7 * edge[-1] + 0.3 * edge[-2] for edge in (outer, inner)]
        trims.append(Trim(np.stack(hem), 0.16, 0.2))
    if cut.length > 0.6:
        far = inner if crook is outer else outer
        for share, reach in ((0.48, 0.5), (0.55, 0.62), (0.62, 0.4)):
            place = int(share * SAMPLES)
            tip = crook[place] + reach * (far[place] - crook[place]) + xy(0.0, reach - 1.0)
            bow = 0.5 * (crook[place] + tip) + xy(0.0, 0.7)
            trims.append(Trim(smooth(np.stack([crook[place], bow, tip]), 4), 0.7, 0.11))
    return trims


def _unit(vector: FloatArray) -> FloatArray:
    return vector / max(float(np.hypot(*vector)), 1e-9)
