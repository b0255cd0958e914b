"""A garment as the studio keeps it: plain JSON in the form of `runtime.Garment.to_dict`.

``{"category": …, "keypoints": {name: {"x", "y", "visibility", "score", "spread"}}}`` with exactly
the points that the category defines. x and y are pixels of the picture as it is shown. An absent
point has a place too: where it would be. Scores, and spreads, which are `Garment.keypoint_spreads`,
stand where a model gave them and nobody has moved the point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from fashionkp_mm.core.canonical_shapes import FRAME, canonical_shape, fitted_shape
from fashionkp_mm.core.csv_cells import MAX_COORDINATE
from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_INDEX,
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    KEYPOINT_INDEX,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.exchange.entries import STATE_NAMES, STATES
from fashionkp_mm.exchange.table import GarmentTable

MAX_GARMENTS = 200
"""Of one picture."""
_Pixel = Annotated[float, Field(ge=-MAX_COORDINATE, le=MAX_COORDINATE, allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0, le=1)]
Box = Annotated[list[_Pixel], Field(min_length=4, max_length=4)]
"""``x1, y1, x2, y2`` in pixels of the picture."""


class PointModel(BaseModel):
    """One point, as the page sends it."""

    model_config = ConfigDict(extra="forbid")
    x: _Pixel
    y: _Pixel
    visibility: Literal["visible", "occluded", "absent"]
    score: _Share | None = None
    spread: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class GarmentModel(BaseModel):
    """One garment, as the page sends it."""

    model_config = ConfigDict(extra="forbid")
    category: str
    category_score: _Share | None = None
    keypoints: dict[str, PointModel]

    @model_validator(mode="after")
    def _points_are_the_categorys(self) -> Self:
        if self.category not in CATEGORIES:
            raise ValueError(
                f"unknown category {self.category!r}; expected one of {', '.join(CATEGORIES)}"
            )
        expected = set(CATEGORIES[self.category].keypoints)
        if expected != set(self.keypoints):
            odd = sorted(expected ^ set(self.keypoints))
            raise ValueError(f"a {self.category} has other points: {', '.join(odd)}")
        return self

    def as_kept(self) -> dict[str, Any]:
        """As the store keeps it."""
        return self.model_dump(exclude_none=True)


def from_arrays(
    category: str,
    keypoints: NDArray[np.floating[Any]],
    visibility: NDArray[np.integer[Any]],
    scores: NDArray[np.floating[Any]] | None = None,
    *,
    category_score: float | None = None,
    spreads: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """A garment of a table or of a prediction.

    Args:
        category: Its name.
        keypoints: ``(K, 2)`` pixels; (-1, -1) where an absent point has no place.
        visibility: ``(K,)`` of `Visibility`.
        scores: ``(K,)`` how sure a model is of each point; NaN where it does not say.
        category_score: How sure it is of the category.
        spreads: Pixels between the passes of each point, by name, where they are known.
    """
    placed = (np.asarray(keypoints) != -1).any(axis=-1) | (visibility != Visibility.ABSENT)
    garment = _with_places(category, keypoints, visibility, placed)
    for name, point in garment["keypoints"].items():
        if scores is not None and not np.isnan(score := float(scores[KEYPOINT_INDEX[name]])):
            point["score"] = round(min(1.0, max(0.0, score)), 4)
        if spreads is not None and name in spreads:
            point["spread"] = round(max(0.0, spreads[name]), 2)
    if category_score is not None:
        garment["category_score"] = round(category_score, 4)
    return garment


def from_table(table: GarmentTable) -> dict[str, list[dict[str, Any]]]:
    """The garments of each picture of a table, by image id."""
    garments = table.garments
    return {
        image_id: [
            from_arrays(
                CATEGORY_NAMES[garments.category_indices[row]],
                garments.keypoints[row],
                garments.visibility[row],
                table.keypoint_scores[row],
                category_score=table.extras[row].get("category_score") if table.extras else None,
                spreads=table.extras[row].get("keypoint_spreads") if table.extras else None,
            )
            for row in rows
        ]
        for image_id, rows in table.rows_of.items()
    }


def to_table(
    labels: Mapping[str, Sequence[Mapping[str, Any]]], sizes: Mapping[str, tuple[int, int]]
) -> GarmentTable:
    """Labels as a table; absent points have no place there.

    Args:
        labels: Garments by image id.
        sizes: Width and height of each of these pictures, (0, 0) where they are not known.
    """
    rows = [(image_id, each) for image_id, garments in labels.items() for each in garments]
    keypoints = np.full((len(rows), NUM_KEYPOINTS, 2), -1, np.float32)
    visibility = np.full((len(rows), NUM_KEYPOINTS), Visibility.ABSENT, np.int8)
    scores = np.full((len(rows), NUM_KEYPOINTS), np.nan, np.float32)
    for row, (_, garment) in enumerate(rows):
        keypoints[row], visibility[row] = arrays(garment["keypoints"])
        for name, point in garment["keypoints"].items():
            scores[row, KEYPOINT_INDEX[name]] = point.get("score", np.nan)
    keypoints[visibility == Visibility.ABSENT] = -1
    return GarmentTable.of(
        KeypointTable(
            image_ids=tuple(image_id for image_id, _ in rows),
            category_indices=np.array([_index(garment) for _, garment in rows], np.int8),
            keypoints=keypoints,
            visibility=visibility,
            rows=np.arange(1, len(rows) + 1),
        ),
        sizes={image_id: sizes[image_id] for image_id in labels},
        keypoint_scores=scores,
        extras=[_extras(garment) for _, garment in rows],
    )


def _extras(garment: Mapping[str, Any]) -> dict[str, Any]:
    extras = {name: garment[name] for name in ("category_score",) if name in garment}
    points = garment["keypoints"].items()
    spreads = {name: point["spread"] for name, point in points if "spread" in point}
    return {**extras, "keypoint_spreads": spreads} if spreads else extras


def arrays(
    points: Mapping[str, Mapping[str, Any]],
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Places ``(K, 2)``, (-1, -1) of points that are not there, and states ``(K,)``."""
    keypoints = np.full((NUM_KEYPOINTS, 2), -1.0)
    visibility = np.full(NUM_KEYPOINTS, Visibility.ABSENT, np.int8)
    for name, point in points.items():
        k = KEYPOINT_INDEX[name]
        keypoints[k] = point["x"], point["y"]
        visibility[k] = STATES[point["visibility"]]
    return keypoints, visibility


def in_category(garment: Mapping[str, Any], category: str) -> dict[str, Any]:
    """The garment as one of another category.

    Points of both stay. The others come where the canonical shape, laid over those that stay, has
    them, and count as visible; where fewer than two stay, it is laid into the garment's box.
    """
    keypoints, visibility = arrays(garment["keypoints"])
    defined = CATEGORY_KEYPOINTS[CATEGORY_INDEX[category]]
    present = visibility != Visibility.ABSENT
    kept = defined & CATEGORY_KEYPOINTS[CATEGORY_INDEX[garment["category"]]]
    if np.unique(keypoints[kept & present], axis=0).shape[0] >= 2:
        places = fitted_shape(category, keypoints, np.where(kept, visibility, Visibility.ABSENT))
    else:
        points = keypoints[present] if present.any() else keypoints[keypoints[:, 0] != -1]
        places = _laid_into(category, [*points.min(axis=0), *points.max(axis=0)])
    states = np.where(kept, visibility, np.where(defined, Visibility.VISIBLE, Visibility.ABSENT))
    return _garment(category, np.where(kept[:, None], keypoints, places), states)


def in_box(category: str, box: Sequence[float]) -> dict[str, Any]:
    """A garment of the category's canonical shape that fills a box, all points visible."""
    states = np.where(
        CATEGORY_KEYPOINTS[CATEGORY_INDEX[category]], Visibility.VISIBLE, Visibility.ABSENT
    )
    return _garment(category, _laid_into(category, box), states)


def _index(garment: Mapping[str, Any]) -> int:
    return CATEGORY_INDEX[garment["category"]]


def _with_places(
    category: str,
    keypoints: NDArray[np.floating[Any]],
    visibility: NDArray[np.integer[Any]],
    placed: NDArray[np.bool_],
) -> dict[str, Any]:
    """A garment whose points without a place get the one that the others suggest."""
    places = np.asarray(keypoints, np.float64)
    if not placed[CATEGORY_KEYPOINTS[CATEGORY_INDEX[category]]].all():
        try:
            guess = fitted_shape(category, places, visibility)
        except ValueError:  # fewer than two points, or all in one place
            known = places[placed]
            corner = known.min(axis=0) if len(known) else np.zeros(2)
            guess = _laid_into(category, [*corner, *(corner + FRAME / 2)])
        places = np.where(placed[:, None], places, guess)
    return _garment(category, places, visibility)


def _laid_into(category: str, box: Sequence[float]) -> NDArray[np.float64]:
    shape = canonical_shape(category)
    low, high = np.nanmin(shape, axis=0), np.nanmax(shape, axis=0)
    corner = np.array(box[:2])
    size = np.maximum(np.array(box[2:]) - corner, 1.0)
    laid: NDArray[np.float64] = (shape - low) / (high - low) * size + corner
    return laid


def _garment(
    category: str, keypoints: NDArray[np.floating[Any]], visibility: NDArray[np.integer[Any]]
) -> dict[str, Any]:
    return {
        "category": category,
        "keypoints": {
            KEYPOINT_NAMES[k]: {
                "x": round(float(keypoints[k, 0]), 2),
                "y": round(float(keypoints[k, 1]), 2),
                "visibility": STATE_NAMES[int(visibility[k])],
            }
            for k in np.flatnonzero(CATEGORY_KEYPOINTS[CATEGORY_INDEX[category]])
        },
    }
