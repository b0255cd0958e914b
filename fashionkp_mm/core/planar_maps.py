"""Maps of the plane that keep lines straight, fitted to points by weighted least squares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.words import plural

_Floats = NDArray[np.float64]


def fit_similarity(
    source: NDArray[np.floating[Any]],
    target: NDArray[np.floating[Any]],
    weights: NDArray[np.floating[Any]] | None = None,
) -> _Floats:
    """The turn, scale and shift that carry ``source`` nearest to ``target``; it never mirrors.

    In closed form, with points as complex numbers: ``target ≈ a · source + b`` (S. Umeyama,
    Least-squares estimation of transformation parameters, PAMI 13(4), 1991, in two dimensions).

    Args:
        source: ``(n, 2)`` points, two of them different.
        target: ``(n, 2)`` where they are to go.
        weights: ``(n,)`` 0 or more: how much each square of a distance counts; 1 by default.

    Returns:
        ``(2, 3)`` as `cv2.warpAffine` takes it: ``matrix[:, :2] @ point + matrix[:, 2]``.

    Raises:
        ValueError: Fewer than two points have weight, or all in one place.
    """
    source, target, weights = _checked(source, target, weights, needed=2)
    if not _extent(source, weights)[0] > 0:
        raise ValueError("all points are in one place, which fixes no similarity")
    centre, middle = np.average(source, 0, weights), np.average(target, 0, weights)
    before = (source - centre) @ (1, 1j)
    after = (target - middle) @ (1, 1j)
    turn = (weights * before.conj() * after).sum() / (weights * abs(before) ** 2).sum()
    matrix = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([matrix, middle - matrix @ centre])


def fit_affine(
    source: NDArray[np.floating[Any]],
    target: NDArray[np.floating[Any]],
    weights: NDArray[np.floating[Any]] | None = None,
) -> _Floats:
    """The affine map that carries ``source`` nearest to ``target``.

    Args:
        source: ``(n, 2)`` points that do not lie on one line.
        target: ``(n, 2)`` where they are to go.
        weights: ``(n,)`` 0 or more: how much each square of a distance counts; 1 by default.

    Returns:
        ``(2, 3)`` as `cv2.warpAffine` takes it.

    Raises:
        ValueError: Fewer than three points have weight, or all on one line.
    """
    source, target, weights = _checked(source, target, weights, needed=3)
    if on_one_line(source, weights):
        raise ValueError("all points lie on one line, which fixes no affine map")
    centre = np.average(source, 0, weights)
    roots = np.sqrt(weights)[:, None]
    terms = np.column_stack([source - centre, np.ones(len(source))])
    solution = np.linalg.lstsq(terms * roots, target * roots, rcond=None)[0].T
    return np.column_stack([solution[:, :2], solution[:, 2] - solution[:, :2] @ centre])


def on_one_line(
    points: NDArray[np.floating[Any]], weights: NDArray[np.floating[Any]] | None = None
) -> bool:
    """Whether ``(n, 2)`` points that count have no extent across their own axis."""
    length, breadth = _extent(points, weights)
    return not breadth > 1e-6 * length


def moved(
    matrix: NDArray[np.floating[Any]], points: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Where a ``(2, 3)`` map carries ``(..., 2)`` points."""
    result: _Floats = np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return result


def inverse(matrix: NDArray[np.floating[Any]]) -> _Floats:
    """The ``(2, 3)`` map back.

    Raises:
        ValueError: The map flattens the plane, so there is no way back.
    """
    try:
        back = np.linalg.inv(np.asarray(matrix[:, :2], np.float64))
    except np.linalg.LinAlgError:
        raise ValueError("the map flattens the plane to a line") from None
    return np.column_stack([back, -back @ matrix[:, 2]])


def _checked(
    source: NDArray[np.floating[Any]],
    target: NDArray[np.floating[Any]],
    weights: NDArray[np.floating[Any]] | None,
    needed: int,
) -> tuple[_Floats, _Floats, _Floats]:
    before: _Floats = np.asarray(source, np.float64)
    after: _Floats = np.asarray(target, np.float64)
    if before.shape != after.shape or before.shape != (len(before), 2):
        raise ValueError(f"source {before.shape} and target {after.shape}, expected (n, 2) both")
    shares: _Floats = np.ones(len(before)) if weights is None else np.asarray(weights, np.float64)
    if shares.shape != (len(before),) or not (shares >= 0).all():
        raise ValueError(f"weights {shares.shape}, expected ({len(before)},) of 0 or more")
    count = int(np.count_nonzero(shares))
    if count < needed:
        raise ValueError(f"{plural(count, 'point')} to go by, {needed} are needed")
    return before, after, shares


def _extent(
    points: NDArray[np.floating[Any]], weights: NDArray[np.floating[Any]] | None
) -> _Floats:
    """``(2,)`` the weighted points' deviation along and across their own axis."""
    weights = np.ones(len(points)) if weights is None else np.asarray(weights, np.float64)
    shares = np.sqrt(weights / weights.sum())[:, None]
    centred = (points - np.average(points, 0, weights)) * shares
    result: _Floats = np.linalg.svd(centred, compute_uv=False)
    return result
