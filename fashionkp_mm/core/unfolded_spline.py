"""A thin-plate spline that folds nowhere: points that would fold it give way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.planar_maps import fit_affine, fit_similarity, moved
from fashionkp_mm.core.thin_plate_spline import ThinPlateSpline

_Floats = NDArray[np.float64]
LEAST_AREA = 0.1
"""Share of its mean area that any part must keep: what is squeezed flatter looks like a fold."""
_SOFTER = 4.0
"""By how much a point's smoothing grows each time that it gives way."""
_SINGLE_ROUNDS, _ROUNDS = 12, 24
"""Rounds in which single points give way, and until it is given up; from the one to the other all
points give way, by which the spline becomes an affine map."""


class FoldError(ValueError):
    """Points that not even an affine map carries to their targets without a fold."""


def fit_unfolded(
    source: NDArray[np.floating[Any]],
    target: NDArray[np.floating[Any]],
    weights: NDArray[np.floating[Any]],
    smoothing: float,
    nodes: NDArray[np.floating[Any]],
) -> ThinPlateSpline:
    """The spline that carries ``source`` to ``target``, without a fold.

    Where it folds, of the points nearest to the fold those that an affine map misses by most give
    way: their smoothing grows until the fold is gone. So a sleeve that lies across the body is
    missed, and the body is met.

    Args:
        source: ``(n, 2)`` points, no two of them the same.
        target: ``(n, 2)`` where they go.
        weights: ``(n,)`` above 0.
        smoothing: Above 0, as in `ThinPlateSpline.fit`.
        nodes: ``(m, 2)`` where the spline is looked at, besides the points: a grid over the part of
            the plane where it may not fold.

    Raises:
        FoldError: Even the affine map nearest to the points mirrors the plane, or flattens it.
        ValueError: The points fix no spline, or an argument is out of range.
    """
    source = np.asarray(source, np.float64)
    watched: _Floats = np.concatenate([np.asarray(nodes, np.float64).reshape(-1, 2), source])
    firm: _Floats = np.asarray(weights, np.float64)
    loose = np.ones(len(source))
    least = LEAST_AREA * float(np.linalg.det(fit_similarity(source, target, firm)[:, :2]))
    for number in range(_ROUNDS):
        spline = ThinPlateSpline.fit(source, target, firm / loose, smoothing)
        folded = np.linalg.det(spline.jacobian(watched)) <= least
        if not folded.any():
            return spline
        if number < _SINGLE_ROUNDS:
            misses = np.linalg.norm(
                moved(fit_affine(source, target, firm / loose), source) - target, axis=1
            )
            loose[_at_fault(source, watched[folded], misses)] *= _SOFTER
        else:
            loose *= _SOFTER**2
    raise FoldError("no map of these points keeps the plane from turning over")


def _at_fault(
    source: NDArray[np.floating[Any]], folded: _Floats, misses: NDArray[np.floating[Any]]
) -> NDArray[np.bool_]:
    """``(n,)``: of the two points nearest to any folded place, those with the larger misses."""
    distances = ((folded[:, None] - source) ** 2).sum(axis=-1)
    near = np.zeros(len(source), np.bool_)
    near[np.argsort(distances, axis=1)[:, :2]] = True
    suspects: NDArray[np.bool_] = near & (misses >= 0.5 * misses[near].max())
    return suspects
