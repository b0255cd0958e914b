"""Which pictures are worth a look first: where a model is unsure, or two sources disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import CATEGORY_INDEX, KEYPOINT_NAMES, Visibility
from fashionkp_mm.core.normalized_error import normalizers
from fashionkp_mm.studio.garments import arrays


@dataclass(frozen=True)
class Doubt:
    """How doubtful a picture's labels are.

    Attributes:
        value: From 0, no reason to doubt, to 1.
        reason: What it rests on, in a few words; empty where there is none.
    """

    value: float = 0.0
    reason: str = ""


def doubt_of(
    garments: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]] | None = None
) -> Doubt:
    """The strongest reason to doubt a picture's garments.

    A model's score of a point or of the category counts as one less the score. A point that the
    model's passes, or another source, have elsewhere counts by the distance, in units of the
    garment's normaliser (see `core.normalized_error`), up to 1; another category or number of
    garments counts as 1.

    Args:
        garments: The garments as `studio.garments` describes them.
        others: What another source says of the same picture; None where there is no other.
    """
    reasons = [reason for garment in garments for reason in _unsure(garment)]
    if others is not None:
        reasons += _differences(garments, others)
    return max(reasons, key=lambda doubt: doubt.value, default=Doubt())


def _unsure(garment: Mapping[str, Any]) -> list[Doubt]:
    reasons = [
        Doubt(1 - point["score"], f"{name} {point['score']:.2f}")
        for name, point in garment["keypoints"].items()
        if "score" in point and point["visibility"] != "absent"
    ]
    if "category_score" in garment:
        score = garment["category_score"]
        reasons.append(Doubt(1 - score, f"{garment['category']} {score:.2f}"))
    return reasons + _spread(garment)


def _spread(garment: Mapping[str, Any]) -> list[Doubt]:
    points, states = arrays(garment["keypoints"])
    unit = _unit(points, states, garment["category"])
    return [
        Doubt(
            min(1.0, point["spread"] / unit), f"{name}: passes {point['spread'] / unit:.0%} apart"
        )
        for name, point in garment["keypoints"].items()
        if "spread" in point and point["visibility"] != "absent"
    ]


def _differences(
    garments: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]
) -> list[Doubt]:
    if len(garments) != len(others):
        return [Doubt(1.0, f"{len(garments)} garments here, {len(others)} there")]
    reasons = []
    left = list(others)
    for garment in garments:
        other = min(left, key=lambda other: _apart(garment, other))
        left.remove(other)
        if other["category"] != garment["category"]:
            reasons.append(Doubt(1.0, f"{garment['category']} or {other['category']}"))
        else:
            reasons += _displaced(garment, other)
    return reasons


def _displaced(garment: Mapping[str, Any], other: Mapping[str, Any]) -> list[Doubt]:
    here, states = arrays(garment["keypoints"])
    there, other_states = arrays(other["keypoints"])
    both = (states != Visibility.ABSENT) & (other_states != Visibility.ABSENT)
    unit = _unit(here, states, garment["category"])
    distances = np.linalg.norm(here - there, axis=1) / unit
    return [
        Doubt(min(1.0, float(distances[k])), f"{KEYPOINT_NAMES[k]} {distances[k]:.0%} apart")
        for k in np.flatnonzero(both)
    ]


def _unit(points: NDArray[np.float64], states: NDArray[np.int8], category: str) -> float:
    """The garment's normaliser in pixels, or its extent where that is unknown; 1 at least."""
    index = np.array([CATEGORY_INDEX[category]])
    unit = float(normalizers(points[None], states[None], index)[0])
    present = states != Visibility.ABSENT
    if not np.isfinite(unit) or unit <= 0:
        unit = float(np.ptp(points[present], axis=0).max()) if present.any() else 1.0
    return max(unit, 1.0)


def _apart(garment: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    centres = [arrays(each["keypoints"])[0] for each in (garment, other)]
    middles = [points[points[:, 0] != -1].mean(axis=0) for points in centres]
    return float(np.linalg.norm(middles[0] - middles[1]))
