"""A garment laid onto its category's template, so that what is alike in garments lies alike.

`align` fits a map that carries the garment's points to those of a `Template`: by least squares a
similarity (turned, scaled and shifted) or an affine map, or a thin-plate spline, which bends as
well. An occluded point counts 0.3 times as much as a visible one, and an absent one nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications.errors import GarmentError
from fashionkp_mm.applications.templates import Template
from fashionkp_mm.core.canonical_shapes import visibility_weights
from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_INDEX,
    CATEGORY_KEYPOINTS,
    KEYPOINT_NAMES,
)
from fashionkp_mm.core.planar_maps import fit_affine, fit_similarity, inverse, moved, on_one_line
from fashionkp_mm.core.thin_plate_spline import ThinPlateSpline
from fashionkp_mm.core.unfolded_spline import FoldError, fit_unfolded
from fashionkp_mm.core.words import listed, plural
from fashionkp_mm.images.warping import dense_map, warped
from fashionkp_mm.visualization.sketch import Drawable

Method = Literal["similarity", "affine", "tps"]

SMOOTHING = 0.03
"""Of splines, see `ThinPlateSpline.fit`. On the validation images labelled points come to lie as
close together with any from 0.001 to 0.1 (``benchmarks/alignment.py``)."""
LARGE_RESIDUAL = 45.0
"""Percent of the normaliser: what one validation garment in ten exceeds by a similarity."""
_MISSED = 20.0
"""Percent of the normaliser from which a point that a spline misses is worth a word."""
_SMALL_EXTENT = 0.25
"""Share of the template's extent within which points say little of the rest."""
_WATCHED = 16
"""Pixels between the places where a spline is looked at for folds, in a template of 512."""
_NEEDED = {"similarity": 2, "affine": 3, "tps": 3}

_Points = NDArray[np.floating[Any]]
_Floats = NDArray[np.float64]


class PlaneMap(Protocol):
    """A map of the plane that knows its way back."""

    def __call__(self, points: _Points) -> _Floats:
        """Where ``(n, 2)`` pixels of the template lie in the picture."""

    def back(self, points: _Points) -> _Floats:
        """Where ``(n, 2)`` pixels of the picture lie in the template; NaN for nowhere."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """A garment laid onto a template; made by `align`.

    Attributes:
        template: The template.
        method: How it was laid.
        picture: ``(H, W, 3)`` BGR, the picture as it was given.
        keypoints: ``(K, 2)`` the garment's points in pixels of the template; NaN for those that
            it lacks.
        distances: ``(K,)`` of those points from the template's, in percent of the template's
            normaliser; NaN where either lacks the point.
        residual: Root of the mean square of the distances, each counted by its visibility.
        warnings: What to be wary of, in sentences.
    """

    template: Template
    method: Method
    picture: NDArray[np.uint8]
    keypoints: _Floats
    distances: _Floats
    residual: float
    warnings: tuple[str, ...]
    _map: PlaneMap

    @cached_property
    def map(self) -> NDArray[np.float32]:
        """``(height, width, 2)``: the pixel of the picture, x and y, for each of the template.

        ``cv2.remap(picture, alignment.map, None, cv2.INTER_LINEAR)`` is the garment aligned.
        """
        return dense_map(self._map, self.template.size)

    @cached_property
    def image(self) -> NDArray[np.uint8]:
        """``(height, width, 4)`` BGRA: the garment aligned, clear where the picture ends."""
        return warped(self.picture, self.map)

    def to_picture(self, points: _Points) -> _Floats:
        """Where ``(..., 2)`` pixels of the template lie in the picture."""
        return self._map(np.asarray(points).reshape(-1, 2)).reshape(np.shape(points))

    def to_template(self, points: _Points) -> _Floats:
        """Where ``(..., 2)`` pixels of the picture lie in the template; NaN for nowhere."""
        return self._map.back(np.asarray(points).reshape(-1, 2)).reshape(np.shape(points))


def align(
    picture: NDArray[np.uint8],
    garment: Drawable,
    *,
    method: Method = "similarity",
    template: Template | None = None,
) -> Alignment:
    """Lay a garment onto a template.

    Args:
        picture: ``(H, W, 3)`` BGR.
        garment: A `runtime.Garment`, or anything with its ``category``, ``keypoints`` and
            ``visibility``. Points may lie outside of the picture.
        method: ``similarity`` turns, scales and shifts, and is safe; ``affine`` shears and
            stretches as well; ``tps`` is a thin-plate spline, which bends the picture so that
            points meet, and lets points give way where it would fold.
        template: By default the category's canonical shape on 512x512 pixels.

    Raises:
        GarmentError: The garment has too few points for the method, or they lie on one line.
        ValueError: The template is of another category, or there is no such method.
    """
    if method not in _NEEDED:
        raise ValueError(f"there is no method {method!r}; expected one of {', '.join(_NEEDED)}")
    template = Template.canonical(garment.category) if template is None else template
    if template.category != garment.category:
        raise ValueError(f"a template of {template.category} for a garment of {garment.category}")
    points = np.asarray(garment.keypoints, np.float64)
    weights = visibility_weights(garment.visibility)
    weights[~CATEGORY_KEYPOINTS[CATEGORY_INDEX[garment.category]]] = 0
    weights[~np.isfinite(points).all(axis=-1)] = 0
    has = weights > 0
    used = has & np.isfinite(template.keypoints).all(axis=-1)
    _require_points(points[used], template, used, method)

    plane_map, odd = _fitted(points[used], weights[used], template, used, method)
    keypoints = np.full(points.shape, np.nan)
    keypoints[has] = plane_map.back(points[has])
    distances = np.linalg.norm(keypoints - template.keypoints, axis=-1)
    distances *= 100 / template.normalizer
    counted = used & np.isfinite(distances)
    residual = float(np.sqrt(np.average(distances[counted] ** 2, weights=weights[counted])))
    missed = [KEYPOINT_NAMES[k] for k in np.flatnonzero(counted & (distances > _MISSED))]
    if isinstance(plane_map, _Spline) and missed:
        odd.append(f"missed, since the spline would fold: {listed(missed)}")
    warnings = (*odd, *_doubts(template, used, residual))
    return Alignment(template, method, picture, keypoints, distances, residual, warnings, plane_map)


@dataclass(frozen=True, eq=False)
class _Straight:
    """A similarity or an affine map."""

    to_template: _Floats
    to_picture: _Floats

    def __call__(self, points: _Points) -> _Floats:
        return moved(self.to_picture, points)

    def back(self, points: _Points) -> _Floats:
        return moved(self.to_template, points)


@dataclass(frozen=True, eq=False)
class _Spline:
    spline: ThinPlateSpline
    nodes: _Floats
    """Places of the template between which the spline is nearly affine."""

    def __call__(self, points: _Points) -> _Floats:
        return self.spline(points)

    def back(self, points: _Points) -> _Floats:
        return self.spline.inverse(points, self.nodes)


def _fitted(
    points: _Floats,
    weights: _Floats,
    template: Template,
    used: NDArray[np.bool_],
    method: Method,
) -> tuple[PlaneMap, list[str]]:
    """The map by a method, and what is odd about it, in sentences."""
    target = template.keypoints[used]
    if method == "tps":
        nodes = _grid(template.size)
        try:
            spline = fit_unfolded(target, points, weights, SMOOTHING, nodes)
        except FoldError:
            plane_map, _ = _fitted(points, weights, template, used, "similarity")
            return plane_map, ["any spline through these points folds; this is a similarity"]
        return _Spline(spline, np.concatenate([nodes, target])), []
    if method == "affine":
        matrix = fit_affine(points, target, weights)
        if np.linalg.det(matrix[:, :2]) > 0:
            return _Straight(matrix, inverse(matrix)), []
        plane_map, _ = _fitted(points, weights, template, used, "similarity")
        return plane_map, ["the nearest affine map mirrors the garment; this is a similarity"]
    matrix = fit_similarity(points, target, weights)
    return _Straight(matrix, inverse(matrix)), []


def _grid(size: tuple[int, int]) -> _Floats:
    """Places all over a template between which a spline is nearly affine."""
    step = _WATCHED * max(size) / 512
    axes = [np.linspace(0, side - 1, max(round(side / step), 1) + 1) for side in size]
    return np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)


def _require_points(
    points: _Floats, template: Template, used: NDArray[np.bool_], method: Method
) -> None:
    needed = _NEEDED[method]
    if len(points) < needed:
        defined = ", ".join(CATEGORIES[template.category].keypoints)
        raise GarmentError(
            f"{template.category}: {plural(len(points), 'point')} to align by, {method} needs"
            f" {needed} or more of {defined}"
        )
    for what, some in (("the garment", points), ("the template", template.keypoints[used])):
        if not np.ptp(some, axis=0).any():
            raise GarmentError(f"all points of {what} are in one place, which no map can align")
        if needed > 2 and on_one_line(some):
            raise GarmentError(
                f"all points of {what} lie on one line, which fixes no {method} map; similarity"
                " needs no more than that"
            )


def _doubts(template: Template, used: NDArray[np.bool_], residual: float) -> list[str]:
    """What to be wary of in a map by these points that has this residual."""
    found = []
    if residual > LARGE_RESIDUAL:
        found.append(
            f"the garment is unlike the template: its points lie {residual:.0f} % of the"
            " normaliser away from it"
        )
    every = template.keypoints[np.isfinite(template.keypoints).all(axis=-1)]
    extent = np.linalg.norm(np.ptp(template.keypoints[used], axis=0))
    if extent < _SMALL_EXTENT * np.linalg.norm(np.ptp(every, axis=0)):
        found.append(
            f"only {listed([KEYPOINT_NAMES[k] for k in np.flatnonzero(used)])} to go by, which lie"
            " close together: what is far from them is a guess"
        )
    return found
