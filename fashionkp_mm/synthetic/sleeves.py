"""Sleeves: a tube around the arm, sewn to the body from the shoulder to the armpit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fashionkp_mm.synthetic.fabric import Finish
from fashionkp_mm.synthetic.geometry import (
    Axis,
    FloatArray,
    inside,
    lengths,
    normals,
    smooth,
)
from fashionkp_mm.synthetic.pattern import Garment, Piece, Pose, Trim


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
            cuff=float(rng.uniform(5.4, 8.0)),
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
    garment: Garment,
    cut: SleeveCut,
    pose: Pose,
    side: tuple[str, int],
    shoulder: FloatArray,
    armpit: FloatArray,
    body: FloatArray,
) -> None:
    """Sew on one sleeve and mark its shoulder and cuff.

    Args:
        garment: What to sew it to.
        cut: How it is cut.
        pose: How the arm is held.
        side: Name and sign of the side.
        shoulder: Where it begins, ``(2,)``.
        armpit: Where its under-edge meets the body, ``(2,)``.
        body: Outline ``(N, 2)`` of the body piece.
    """
    name, sign = side
    index = 0 if sign < 0 else 1
    arm = pose.arms[index].copy()
    armhole = (shoulder + armpit) / 2
    reach = np.hypot(*(armpit - shoulder)) / 2
    arm += (shoulder - pose.arms[index][0]) * (0.6, 0.8) + (0.0, 0.45 * reach)
    upper, fore = arm[1] - arm[0], arm[2] - arm[1]
    bend = arm[1] - 0.06 * (upper - fore)
    spine = smooth(np.stack([arm[0], arm[0] + 0.55 * upper, bend, arm[1] + 0.45 * fore, arm[2]]), 6)
    along = lengths(spine)
    # An odd cut: longer than the arm means to cover the wrist.
    stop = cut.length * along[-1]
    s = np.linspace(0.0, stop, 15)
    line = np.stack([np.interp(s, along, spine[:, i]) for i in (0, 1)], axis=1)
    if stop > along[-1]:
        line[-1] += fore / np.hypot(*fore) * (stop - along[-1])
    line[0] = 0.5 * (line[0] + armhole)
    q = s / stop
    top = min(reach * 0.86, 9.5)
    width = top + (cut.cuff - top) * q + cut.puff * np.sin(np.pi * np.minimum(q * 1.05, 1.0))
    if cut.band:
        width = np.where(s > stop - cut.band, cut.cuff, width)
    # `normals` points to the viewer's left of a line that runs down: outwards on the left side.
    outward = normals(line) * (-sign * width)[:, None]
    outer, inner = line + outward, line - outward
    keep = max(2, round(0.16 * len(line)))
    cuff_out, cuff_in = outer[-1], inner[-1]
    tube = np.concatenate([outer, inner[::-1]])
    if inside(tube, armpit):  # the arm hangs: the sleeve lies over the armpit
        under = armpit + (-sign * 2.2, -2.5)
    else:
        under = armpit
    over = smooth(np.stack([shoulder, outer[keep], outer[keep + 2]]), 6)[:-6]
    over = np.concatenate([over, outer[keep + 1 :]])
    below = inner[keep + 1 :][::-1]
    end = smooth(
        np.stack([cuff_out, (cuff_out + cuff_in) / 2 + _unit(line[-1] - line[-2]) * 0.7, cuff_in]),
        5,
    )
    outline = np.concatenate([over, end[1:-1], below, [under]])
    piece = f"sleeve_{name}"
    trims = [Trim(smooth(np.stack([shoulder, armhole + (-sign * 1.6, 0.5), under]), 6), 0.3, 0.2)]
    if cut.band:
        back = int(np.searchsorted(s, stop - cut.band))
        trims.append(Trim(np.stack([outer[back], inner[back]]), 0.3, 0.3))
    elif cut.length > 0.25:
        trims.append(
            Trim(
                np.stack(
                    [0.82 * outer[-1] + 0.18 * outer[-2], 0.82 * inner[-1] + 0.18 * inner[-2]]
                ),
                0.16,
                0.2,
            )
        )
    elbow = (outer[8] + inner[8]) / 2
    if cut.length > 0.6:  # creases of the crook of the arm
        for shift in (-2.0, 1.2):
            start = inner[8] + (inner[9] - inner[8]) * shift / 2
            trims.append(
                Trim(np.stack([start, 0.45 * start + 0.55 * elbow + (0, shift)]), 0.7, 0.14)
            )
    behind = pose.behind[index]
    garment.pieces.append(
        Piece(
            piece, outline, Axis(line, width), Finish(0.36, 1.0, cut.gathers, 0.5, 0.9),
            hides=True, level=-1 if behind else 1, lift=0.7, trims=tuple(trims),
        )
    )  # fmt: skip
    garment.mark(f"shoulder_{name}", shoulder, piece, "body")
    garment.mark(f"cuff_{name}_in", cuff_in, piece)
    garment.mark(f"cuff_{name}_out", cuff_out, piece)


def _unit(vector: FloatArray) -> FloatArray:
    return vector / max(float(np.hypot(*vector)), 1e-9)
