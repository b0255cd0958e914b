"""GrabCut, told by a garment's points where to look and what to doubt.

C. Rother, V. Kolmogorov, A. Blake, GrabCut, SIGGRAPH 2004: two mixtures of colours, one of the
garment and one of the rest, and the cut between them along strong edges. The seeds come from the
outline between the points. All thresholds were chosen on drawn garments
(``benchmarks/masks.py`` with seeds 11 and 12).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Truth = NDArray[np.bool_]

REACH = 0.35
"""How far beyond the outline a garment is looked for, in units of its category."""
_CORE = 0.04
"""How far inside the outline its colours are taken for the garment's, in the same units."""
_BESIDE = 0.05
"""How far outside the outline colours are taken for the rest's, in the same units."""
_ODD_SHARE, _MOST_ODD = 0.2, 0.5
"""Share of a colour, among what is inside and what is beside, that is beside, from which it is
doubted inside as well; and the share of the inside that may be doubted."""
_ROUNDS = 3
_BINS = (8, 32, 32)
"""Of lightness and of the two axes of hue in CIELAB: light and shade change the first."""


def cut_out(image: Picture, inside: Truth, possible: Truth, unit: float) -> Truth:
    """Which pixels are the garment's.

    Args:
        image: ``(h, w, 3)`` BGR, some 256 pixels a side: the work grows with their number.
        inside: ``(h, w)`` the area inside the outline of the points that the garment has.
        possible: ``(h, w)`` that of its absent points, too.
        unit: The distance of ``core.parts.unit_of`` in pixels.

    Returns:
        ``(h, w)``. All of ``inside`` where no outside is left to compare it with.
    """
    # An outline that the picture cuts is as certain there as in its middle.
    depth = _distance(np.pad(inside, 1, mode="edge"))[1:-1, 1:-1]
    gap = _distance(~possible)
    core, beside = depth > _CORE * unit, gap > _BESIDE * unit
    seeds = np.where(possible, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    seeds[core] = cv2.GC_FGD
    seeds[gap > REACH * unit] = cv2.GC_BGD
    seeds[_odd_colors(image, core, beside)] = cv2.GC_PR_BGD
    if not (seeds % 2 == 0).any() or not (seeds % 2 == 1).any():
        return inside
    cv2.setRNGSeed(0)  # the mixtures start by chance, and the same picture must give the same mask
    models = np.zeros((2, 1, 65))
    whole = (0, 0, *image.shape[1::-1])  # not looked at where there are seeds
    cv2.grabCut(image, seeds, whole, models[0], models[1], _ROUNDS, cv2.GC_INIT_WITH_MASK)
    result: Truth = (seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD)
    return result


def _odd_colors(image: Picture, core: Truth, beside: Truth) -> Truth:
    """Where in the core something else may lie over the garment, such as an arm or a strap.

    What lies over a garment reaches beyond it: its colours are common beside the outline and rare
    inside. Where that would be most of the core, the garment has the ground's colours.
    """
    lab = cv2.cvtColor(image, cv2.COLOR_BGR2LAB)
    steps = np.array([256 // bins for bins in _BINS], np.uint8)
    codes = np.ravel_multi_index(tuple(np.moveaxis((lab // steps).astype(np.intp), -1, 0)), _BINS)
    inner, outer = (_frequencies(codes[area]) for area in (core, beside))
    share = (outer / np.maximum(inner + outer, 1e-12))[codes].astype(np.float32)
    odd: Truth = core & (cv2.blur(share, (5, 5)) > _ODD_SHARE)
    return odd if odd.sum() < _MOST_ODD * core.sum() else np.zeros_like(odd)


def _frequencies(codes: NDArray[np.intp]) -> NDArray[np.float64]:
    """``(bins,)`` share of each colour, and of those of nearly its hue."""
    counts = np.bincount(codes, minlength=int(np.prod(_BINS))).astype(np.float64)
    smooth = np.stack([cv2.GaussianBlur(level, (3, 3), 0.8) for level in counts.reshape(_BINS)])
    return smooth.ravel() / max(1, len(codes))


def _distance(area: Truth) -> NDArray[np.float32]:
    """``(h, w)`` how far each pixel of an area lies inside of it."""
    inside = area.astype(np.uint8)
    if inside.all():
        return np.full(area.shape, np.inf, np.float32)
    return cv2.distanceTransform(inside, cv2.DIST_L2, 3).astype(np.float32, copy=False)
