"""The smoothest map of the plane that carries some points to others: a thin-plate spline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]
_AFFINE_TERMS = 3
_NEWTON_STEPS = 12
_FOUND = 1e-9
"""How near an inverse must lead to its point, as a share of the coordinates."""


@dataclass(frozen=True)
class ThinPlateSpline:
    """A map of the plane to itself, made by `ThinPlateSpline.fit`.

    An affine map, and one bend of the form ``r² log r`` around each of the points that it was
    fitted to (F. L. Bookstein, Principal Warps, PAMI 11(6), 1989).

    Attributes:
        points: ``(n, 2)`` where the bends are, in units of ``scale`` around ``centre``.
        bends: ``(n, 2)`` their strengths.
        affine: ``(3, 2)`` constant, x and y.
        centre: ``(2,)`` and ``scale``: what the points are measured in, so that sizes do not
            matter to the smoothing.
    """

    points: _Floats
    bends: _Floats
    affine: _Floats
    centre: _Floats
    scale: float

    @classmethod
    def fit(
        cls,
        source: NDArray[np.floating[Any]],
        target: NDArray[np.floating[Any]],
        weights: NDArray[np.floating[Any]] | None = None,
        smoothing: float = 0.0,
    ) -> ThinPlateSpline:
        """The spline that carries ``source`` to ``target``.

        Args:
            source: ``(n, 2)`` points, no two of them the same.
            target: ``(n, 2)`` where they go.
            weights: ``(n,)`` above 0: how much each counts where the spline may miss them; 1 by
                default.
            smoothing: 0 meets every point; the larger, the more it keeps to an affine map.
                Without a unit: 0.1 is little, 10 is nearly affine.

        Raises:
            ValueError: There are fewer than three points, they lie on one line, two are the same,
                or ``smoothing`` or a weight is out of range.
        """
        source = np.asarray(source, np.float64)
        target = np.asarray(target, np.float64)
        count = len(source)
        if source.shape != target.shape or source.shape != (count, 2):
            raise ValueError(
                f"source {source.shape} and target {target.shape}, expected (n, 2) both"
            )
        if count < _AFFINE_TERMS:
            raise ValueError(f"{count} points, a thin-plate spline needs 3 or more")
        if smoothing < 0 or (weights is not None and not np.all(np.asarray(weights) > 0)):
            raise ValueError("smoothing must be 0 or more, and every weight above 0")
        centre = source.mean(axis=0)
        scale = float(np.sqrt(((source - centre) ** 2).sum(axis=1).mean()))
        points = (source - centre) / (scale or 1.0)
        # The least extent across the points' own axis: what "on one line" means in numbers.
        if scale == 0 or np.linalg.svd(points, compute_uv=False)[-1] < 1e-6 * np.sqrt(count):
            raise ValueError("all points lie on one line, which fixes no map of the plane")
        system: _Floats = np.zeros((count + _AFFINE_TERMS, count + _AFFINE_TERMS))
        system[:count, :count] = _kernel(points, points)
        system[range(count), range(count)] += smoothing / (
            np.ones(count) if weights is None else np.asarray(weights, np.float64)
        )
        system[:count, count:] = _affine_terms(points)
        system[count:, :count] = system[:count, count:].T
        wanted = np.zeros((count + _AFFINE_TERMS, 2))
        wanted[:count] = target
        try:
            solution = np.linalg.solve(system, wanted)
        except np.linalg.LinAlgError:
            raise ValueError("two points of the source are the same") from None
        return cls(
            points,
            np.asarray(solution[:count], np.float64),
            np.asarray(solution[count:], np.float64),
            centre,
            scale,
        )

    def __call__(self, points: NDArray[np.floating[Any]]) -> _Floats:
        """Where ``(..., 2)`` points go, as ``(..., 2)``."""
        flat = self._measured(points)
        moved: _Floats = _kernel(flat, self.points) @ self.bends + _affine_terms(flat) @ self.affine
        return moved.reshape(np.shape(points))

    def jacobian(self, points: NDArray[np.floating[Any]]) -> _Floats:
        """Derivatives ``(..., 2, 2)`` at ``(..., 2)`` points, ``[i, j]`` that of output i along j.

        Where its determinant is not above 0 the map folds (or mirrors).
        """
        flat = self._measured(points)
        offsets = flat[:, None] - self.points
        squares = (offsets**2).sum(axis=-1)
        # d/dx of r² log r is x (2 log r + 1), and 0 at the point itself.
        slopes = np.log(np.where(squares > 0, squares, 1.0)) + 1.0
        gradients = np.where(squares > 0, slopes, 0.0)[..., None] * offsets
        derivative = np.einsum("pnj,ni->pij", gradients, self.bends) + self.affine[1:].T
        result: _Floats = derivative.reshape(*np.shape(points)[:-1], 2, 2) / self.scale
        return result

    def inverse(
        self, points: NDArray[np.floating[Any]], near: NDArray[np.floating[Any]]
    ) -> _Floats:
        """Where points come from, by Newton's method.

        Args:
            points: ``(n, 2)`` points that the map leads to.
            near: ``(m, 2)`` places to start from: for each point the one that is led nearest to
                it. They should be so close that the map is nearly affine between them.

        Returns:
            ``(n, 2)``; NaN where the search found no place.
        """
        wanted: _Floats = np.asarray(points, np.float64).reshape(-1, 2)
        starts: _Floats = np.asarray(near, np.float64).reshape(-1, 2)
        led = self(starts)
        # The squares of the distances, less the part that is the same for all starts.
        found: _Floats = starts[((led**2).sum(axis=1) - 2 * wanted @ led.T).argmin(axis=1)]
        missed = wanted - self(found)
        with np.errstate(all="ignore"):  # a search that is lost ends as NaN
            for _ in range(_NEWTON_STEPS):
                (a, b), (c, d) = np.moveaxis(self.jacobian(found), 0, -1)
                x, y = missed.T
                found = (
                    found
                    + np.stack([d * x - b * y, a * y - c * x], -1) / ((a * d - b * c)[:, None])
                )
                missed = wanted - self(found)
                if not (abs(missed) > _FOUND * abs(led).max()).any():
                    break
            found[~(abs(missed) <= _FOUND * abs(led).max()).all(axis=1)] = np.nan
        return found

    def folds(self, points: NDArray[np.floating[Any]]) -> bool:
        """Whether the map turns over at one of ``(..., 2)`` points."""
        return bool((np.linalg.det(self.jacobian(points)) <= 0).any())

    def _measured(self, points: NDArray[np.floating[Any]]) -> _Floats:
        flat: _Floats = np.asarray(points, np.float64).reshape(-1, 2)
        return (flat - self.centre) / self.scale


def _kernel(points: _Floats, centres: _Floats) -> _Floats:
    """``(p, n)``: r² log r between each point and each centre."""
    squares = ((points[:, None] - centres) ** 2).sum(axis=-1)
    bent: _Floats = 0.5 * squares * np.log(np.where(squares > 0, squares, 1.0))
    return bent


def _affine_terms(points: _Floats) -> _Floats:
    return np.column_stack([np.ones(len(points)), points])
