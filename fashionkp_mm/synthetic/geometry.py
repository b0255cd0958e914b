"""Curves in garment space, and the camera that carries them into the picture.

Garment space is the front view of a person about 170 cm tall: centimetres, x to the viewer's right
with 0 in the middle of the body, y down with 0 at the crown of the head. Clothes, body, hanger and
occluders are all cut there, so that one camera moves everything, labels included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

TURN_RADIUS = 24.0
"""Half width in cm of the body that a turn moves; arms held further out stay where they are."""


def points(*xy: tuple[float, float]) -> FloatArray:
    """The given ``(x, y)`` as an array ``(N, 2)``."""
    return np.array(xy, dtype=np.float64)


def xy(x: float, y: float) -> FloatArray:
    """One place or one step, ``(2,)``."""
    return np.array((x, y), dtype=np.float64)


def mirrored(curve: ArrayLike) -> FloatArray:
    """The curve ``(N, 2)`` on the other side of the body, in reverse order."""
    return (np.asarray(curve, dtype=np.float64) * (-1.0, 1.0))[::-1]


def smooth(knots: ArrayLike, steps: int = 8) -> FloatArray:
    """A Catmull-Rom curve through the knots, which are kept exactly.

    Args:
        knots: ``(N, 2)``, N of at least 2.
        steps: Samples from one knot to the next.

    Returns:
        ``((N - 1) * steps + 1, 2)``.
    """
    p = np.asarray(knots, dtype=np.float64)
    if len(p) == 2:
        return p
    padded = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[:, None]
    before, start, end, after = (padded[i : len(padded) - 3 + i, None] for i in range(4))
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    return np.concatenate([curve.reshape(-1, 2), p[-1:]])


def arc(start: ArrayLike, end: ArrayLike, sag: float, steps: int = 16) -> FloatArray:
    """A parabola from start to end whose middle lies ``sag`` cm lower; ``(steps + 1, 2)``."""
    t = np.linspace(0.0, 1.0, steps + 1)[:, None]
    a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    return a + (b - a) * t + 4 * sag * t * (1 - t) * (0.0, 1.0)


def ellipse(center: ArrayLike, rx: float, ry: float, steps: int = 28) -> FloatArray:
    """An upright ellipse ``(steps, 2)``."""
    angle = np.linspace(0.0, 2 * np.pi, steps, endpoint=False)
    return np.asarray(center) + np.stack([rx * np.cos(angle), ry * np.sin(angle)], axis=1)


def lengths(curve: FloatArray) -> FloatArray:
    """Distance in cm along a curve ``(N, 2)`` from its start to each of its points, ``(N,)``."""
    steps = np.hypot(*np.diff(curve, axis=0).T)
    return np.concatenate([[0.0], np.cumsum(steps)])


def normals(curve: FloatArray) -> FloatArray:
    """Unit vectors ``(N, 2)`` to the right of the walker, who sees y down: (1, 0) for a curve
    that runs upwards, (-1, 0) for one that runs downwards.
    """
    tangent = np.gradient(curve, axis=0)
    tangent /= np.maximum(np.hypot(*tangent.T), 1e-9)[:, None]
    return np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)


def inside(polygon: FloatArray, point: ArrayLike) -> bool:
    """Whether a point lies in a closed polygon ``(N, 2)``, by the even-odd rule."""
    x, y = np.asarray(point, dtype=np.float64)
    px, py = polygon.T
    qx, qy = np.roll(px, -1), np.roll(py, -1)
    crosses = (py > y) != (qy > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = px + (y - py) * (qx - px) / (qy - py)
    return bool(np.count_nonzero(crosses & (at > x)) % 2)


@dataclass(frozen=True)
class Axis:
    """The middle line of a piece of cloth, from top to bottom, and half its width along it.

    It gives cloth its own coordinates, so that prints run down a bent sleeve and pleats fan out
    with a skirt.

    Attributes:
        center: ``(M, 2)`` in cm.
        half_width: ``(M,)`` in cm.
    """

    center: FloatArray
    half_width: FloatArray

    @property
    def length(self) -> float:
        """In cm."""
        return float(lengths(self.center)[-1])

    def project(self, xy: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Coordinates on the cloth.

        Args:
            xy: ``(..., 2)`` in cm of garment space.

        Returns:
            ``along`` in cm from the top, ``across`` in cm from the middle line (positive to the
            viewer's right of a line that runs down) and ``half_width`` there; ``(...)`` each.
        """
        start, step = self.center[:-1], np.diff(self.center, axis=0)
        size = np.maximum(np.hypot(*step.T), 1e-9)
        unit = step / size[:, None]
        offset = xy[..., None, :] - start
        reach = (offset * unit).sum(-1)
        # The first and last segment go on for ever, so that cloth beyond the line is not squeezed.
        low = np.zeros(len(size))
        high = size.copy()
        low[0], high[-1] = -np.inf, np.inf
        reach = np.clip(reach, low, high)
        gap = offset - reach[..., None] * unit
        nearest = np.argmin((gap**2).sum(-1), axis=-1)[..., None]
        side = offset[..., 0] * unit[:, 1] - offset[..., 1] * unit[:, 0]
        along = np.take_along_axis(reach + lengths(self.center)[:-1], nearest, -1)[..., 0]
        across = np.take_along_axis(side, nearest, -1)[..., 0]
        return along, across, np.interp(along, lengths(self.center), self.half_width)


def axis_between(left: FloatArray, right: FloatArray) -> Axis:
    """The axis between two edges of equally many points ``(M, 2)``, both from top to bottom."""
    return Axis((left + right) / 2, np.hypot(*(right - left).T) / 2)


def tube(
    center: ArrayLike, half_width: ArrayLike, *, rounded: bool = False
) -> tuple[FloatArray, Axis]:
    """A limb or strap: its outline ``(N, 2)`` and its axis.

    Args:
        center: ``(M, 2)`` from top to bottom.
        half_width: ``(M,)`` or one number.
        rounded: Whether both ends are half discs.
    """
    line = np.asarray(center, dtype=np.float64)
    width = np.broadcast_to(np.asarray(half_width, dtype=np.float64), (len(line),))
    side = normals(line) * width[:, None]
    left, right = line + side, (line - side)[::-1]
    parts = [left, right]
    if rounded:
        parts = [left, _cap(line[-1], left[-1]), right, _cap(line[0], right[-1])]
    return np.concatenate(parts), Axis(line, np.array(width))


def _cap(center: FloatArray, start: FloatArray) -> FloatArray:
    """Half a turn around an end, from the tube's left edge to its right, ends left out."""
    angle = np.linspace(0.0, np.pi, 9)[1:-1, None]
    arm = start - center
    turned: FloatArray = arm * np.cos(angle) + np.array([arm[1], -arm[0]]) * np.sin(angle)
    return center + turned


@dataclass(frozen=True)
class Camera:
    """Garment space to picture: the stance bends the body, a homography does the rest.

    Attributes:
        matrix: ``(3, 3)`` homography from cm, after the stance, to pixels.
        turn: How far the body is turned, about -0.25 to 0.25: its middle moves to one side by
            ``turn * TURN_RADIUS`` cm while its edges stay, as a three-quarter view shows it.
        sway: Height in cm of the S that a relaxed body makes.
    """

    matrix: FloatArray
    turn: float = 0.0
    sway: float = 0.0

    @cached_property
    def _inverse(self) -> FloatArray:
        return np.asarray(np.linalg.inv(self.matrix), dtype=np.float64)

    @cached_property
    def pixels_per_cm(self) -> float:
        """Scale at the middle of the body."""
        a, b = self.to_pixels(points((0.0, 60.0), (0.0, 110.0)))
        return float(np.hypot(*(b - a)) / 50.0)

    def to_pixels(self, xy: ArrayLike) -> FloatArray:
        """``(..., 2)`` in cm to ``(..., 2)`` in pixels, whose centres are whole numbers."""
        x, y = np.moveaxis(np.asarray(xy, dtype=np.float64), -1, 0)
        inner = np.maximum(1 - (x / TURN_RADIUS) ** 2, 0.0)
        x = x + self.turn * TURN_RADIUS * inner + self.sway * np.sin((y - 30.0) / 45.0)
        return _apply(self.matrix, x, y)

    def to_garment(self, xy: ArrayLike) -> FloatArray:
        """The inverse of :meth:`to_pixels`."""
        x, y = np.moveaxis(np.asarray(xy, dtype=np.float64), -1, 0)
        x, y = np.moveaxis(_apply(self._inverse, x, y), -1, 0)
        x = x - self.sway * np.sin((y - 30.0) / 45.0)
        if self.turn:
            k = self.turn / TURN_RADIUS
            root = np.sqrt(np.maximum(1 - 4 * k * (x - self.turn * TURN_RADIUS), 0.0))
            x = np.where(np.abs(x) < TURN_RADIUS, (1 - root) / (2 * k), x)
        return np.stack([x, y], axis=-1)


def _apply(matrix: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    u, v, w = matrix @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    return np.stack([u / w, v / w], axis=-1).reshape(*x.shape, 2)


def homography(
    source: Sequence[tuple[float, float]], target: Sequence[tuple[float, float]]
) -> FloatArray:
    """The homography ``(3, 3)`` that carries four points onto four others."""
    rows = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    solution = np.linalg.solve(np.array(rows, dtype=np.float64), np.ravel(target))
    matrix = np.ones(9)
    matrix[:8] = solution
    return matrix.reshape(3, 3)
