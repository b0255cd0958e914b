"""A garment's points, with the category's mean shape standing in for those that are absent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications.errors import GarmentError
from fashionkp_mm.core.canonical_shapes import fitted_shape
from fashionkp_mm.core.garments import CATEGORIES, Visibility, keypoint_indices
from fashionkp_mm.core.parts import Axis, Part
from fashionkp_mm.runtime import Garment

AnchorSource = Literal["visible", "occluded", "estimated"]
"""Where a place comes from, the best first."""
_SOURCES: tuple[AnchorSource, ...] = ("visible", "occluded", "estimated")


@dataclass(frozen=True)
class Anchors:
    """Where each point of a garment is, or would be.

    Attributes:
        category: The garment's.
        places: ``(K, 2)`` pixels of the picture; NaN for points that the category does not define.
        visibility: ``(K,)``; an absent point's place is the mean shape's.
        scores: ``(K,)`` the network's, of absent points too; NaN where they are not known.
    """

    category: str
    places: NDArray[np.float64]
    visibility: NDArray[np.int8]
    scores: NDArray[np.float32]

    @classmethod
    def of(cls, garment: Garment) -> Anchors:
        """The anchors of a garment.

        Raises:
            GarmentError: It has fewer than two points, or all of them in one place.
        """
        try:
            places = fitted_shape(garment.category, garment.keypoints, garment.visibility)
        except ValueError as error:
            raise GarmentError(str(error)) from None
        present = garment.visibility != Visibility.ABSENT
        places[present] = garment.keypoints[present]
        return cls(garment.category, places, garment.visibility, garment.keypoint_scores)

    def points_of(self, part: Part) -> tuple[str, ...]:
        """Names of the points that a part goes by."""
        names = part.points_of(self.category)
        if not part.whole:
            return names
        present = self.visibility[keypoint_indices(names)] != Visibility.ABSENT
        return tuple(name for name, there in zip(names, present, strict=True) if there)

    def at(self, names: Iterable[str]) -> NDArray[np.float64]:
        """``(n, 2)`` places of the points of these names that the category defines."""
        places = self.places[keypoint_indices(names)]
        return places[np.isfinite(places).all(axis=1)]

    def source(self, names: Iterable[str]) -> AnchorSource:
        """The worst of where these points' places come from."""
        worst = int(self.visibility[keypoint_indices(names)].min())
        return _SOURCES[Visibility.VISIBLE - worst]

    def score(self, names: Iterable[str]) -> float:
        """The least of these points' scores; NaN where one is not known."""
        return float(self.scores[keypoint_indices(names)].min())

    def directions(self, axis: Axis) -> NDArray[np.float64]:
        """What is right and down where an axis is upright: ``(2, 2)`` unit vectors, in rows.

        Raises:
            GarmentError: Both ends of the axis are in one place.
        """
        run = self.at(axis.end).mean(axis=0) - self.at(axis.start).mean(axis=0)
        length = float(np.hypot(*run))
        if not length > 1e-6:
            defined = set(CATEGORIES[self.category].keypoints)
            names = [name for name in (*axis.start, *axis.end) if name in defined]
            raise GarmentError(f"{' and '.join(names)} are in one place")
        x, y = run / length
        return np.array([[x, y], [-y, x]] if axis.level else [[y, -x], [x, y]])
