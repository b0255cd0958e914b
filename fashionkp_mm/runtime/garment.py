"""What a prediction is: one garment in one picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import (
    CATEGORY_INDEX,
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    KEYPOINT_INDEX,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.exchange.coco import polygon


class Keypoint(NamedTuple):
    """One point of a garment.

    Attributes:
        x, y: Pixels of the picture as it is shown, the origin in its upper left corner.
        score: How sure the network is of the place, from 0 to 1.
        visibility: Whether the point is visible, occluded or absent. An absent point has a place
            all the same, where the network would expect it.
    """

    x: float
    y: float
    score: float
    visibility: Visibility


@dataclass(frozen=True, eq=False, repr=False)
class Garment:
    """One garment, with its category, its points, and which of them can be seen.

    All coordinates are pixels of the picture as it is shown, the origin in its upper left corner.
    What a file of garments does not tell is NaN, for a score, or (0, 0), for the size.
    ``K`` is 24, the keypoints of ``core.garments.KEYPOINT_NAMES``, ``C`` the categories of
    ``CATEGORY_NAMES``.

    Attributes:
        image_id: The path as it was given, or None for an array.
        image_index: Position of the picture among those given.
        image_size: Width and height.
        category: Name of the category: the one given, else the network's or the detector's choice.
        category_score: The network's probability of that category.
        category_scores: ``(C,)`` the network's probabilities of all of them.
        box: ``(4,)`` ``x1, y1, x2, y2``: the box of the last pass.
        box_source: A ``core.box_sources.BoxSource``, or ``given``.
        box_score: The detector's score, 1 without a detector.
        keypoints: ``(K, 2)`` x and y. Points that the category does not define have no meaning.
        keypoint_scores: ``(K,)``; 0 for points that the category does not define.
        visibility: ``(K,)`` int8 of ``core.garments.Visibility``: whether a point is visible,
            occluded or absent. Points that the category does not define are absent.
        keypoint_spreads: ``(K,)`` pixels between the points of the passes that vote; NaN where one
            pass alone does. Large ones mean a doubtful point.
    """

    image_id: str | None
    image_index: int
    image_size: tuple[int, int]
    category: str
    category_score: float
    category_scores: NDArray[np.float32]
    box: NDArray[np.float32]
    box_source: str
    box_score: float
    keypoints: NDArray[np.float32]
    keypoint_scores: NDArray[np.float32]
    visibility: NDArray[np.int8]
    keypoint_spreads: NDArray[np.float32] = field(
        default_factory=lambda: np.full(NUM_KEYPOINTS, np.nan, np.float32)
    )

    def __getitem__(self, name: str) -> Keypoint:
        """A point of the category by name: ``garment["armpit_left"]``.

        Raises:
            KeyError: The category has no such point; the message lists those it has.
        """
        k = KEYPOINT_INDEX.get(name)
        if k is None or not self.defined[k]:
            names = ", ".join(self._names())
            raise KeyError(f"{self.category}: there is no {name!r}, only {names}")
        x, y = self.keypoints[k].tolist()
        return Keypoint(x, y, float(self.keypoint_scores[k]), Visibility(int(self.visibility[k])))

    def __repr__(self) -> str:
        seen = int((self.visibility == Visibility.VISIBLE).sum())
        x1, y1, x2, y2 = (round(side) for side in self.box.tolist())
        return (
            f"<Garment {self.label}: {seen} of"
            f" {int(self.defined.sum())} points visible, box ({x1}, {y1}, {x2}, {y2})>"
        )

    @property
    def points(self) -> dict[str, Keypoint]:
        """The points that the category defines, by name, absent ones too."""
        return {name: self[name] for name in self._names()}

    @property
    def category_index(self) -> int:
        """Position of the category in ``core.garments.CATEGORY_NAMES``."""
        return CATEGORY_INDEX[self.category]

    @property
    def defined(self) -> NDArray[np.bool_]:
        """``(K,)``, the points that the category has at all, predicted absent or not."""
        mask: NDArray[np.bool_] = CATEGORY_KEYPOINTS[self.category_index]
        return mask

    @property
    def label(self) -> str:
        """What a picture of it says: ``skirt 0.98``, the category and its score if it is known."""
        if math.isnan(self.category_score):
            return self.category
        return f"{self.category} {self.category_score:.2f}"

    @property
    def score(self) -> float:
        """The box's score times the mean score of the points that the category defines."""
        return self.box_score * float(self.keypoint_scores[self.defined].mean())

    def _names(self) -> list[str]:
        return [KEYPOINT_NAMES[k] for k in np.flatnonzero(self.defined)]

    def to_csv_row(self) -> list[str]:
        """Cells of a row in the contest's form, in the order of ``core.csv_columns.COLUMNS``.

        Every point that the category defines has its place, with at most two decimals, and its
        predicted visibility, a point that is predicted absent too: ``x_y_-1``. The others are
        ``-1_-1_-1``. A picture without an id goes by its position.
        """
        image_id = str(self.image_index) if self.image_id is None else self.image_id
        points = self.keypoints.tolist()
        cells = [
            f"{_decimal(x)}_{_decimal(y)}_{v}" if defined else "-1_-1_-1"
            for (x, y), v, defined in zip(
                points, self.visibility.tolist(), self.defined.tolist(), strict=True
            )
        ]
        return [image_id, self.category, *cells]

    def to_coco(self) -> dict[str, Any]:
        """Result in COCO's form; `exchange.coco.coco_categories` says what its categories are.

        COCO's flag of a keypoint is 2 for visible, 1 for occluded, and 0, with the place (0, 0),
        for absent. The box is ``x, y, width, height``. The segmentation, which COCO's tools make
        masks of, is the convex hull of the points that are not absent, or the box where there are
        fewer than three; it is not the garment's outline to the pixel.
        """
        x1, y1, x2, y2 = self.box.tolist()
        present = self.visibility != Visibility.ABSENT
        keypoints = np.concatenate([self.keypoints, self.visibility[:, None] + 1], axis=1)
        keypoints[~present] = 0
        return {
            "image_id": self.image_index if self.image_id is None else self.image_id,
            "category_id": self.category_index + 1,
            "bbox": [_rounded(value) for value in (x1, y1, x2 - x1, y2 - y1)],
            "segmentation": [
                [_rounded(value) for value in polygon(self.keypoints[present], self.box)]
            ],
            "keypoints": [_rounded(value) for value in keypoints.ravel().tolist()],
            "num_keypoints": int(present.sum()),
            "score": round(self.score, 4),
        }

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain JSON types, the defined points and the categories by name."""
        names = {state.value: state.name.lower() for state in Visibility}
        return {
            "image_id": self.image_id,
            "image_index": self.image_index,
            "image_size": list(self.image_size),
            "category": self.category,
            "category_score": round(self.category_score, 4),
            "category_scores": {
                name: round(float(score), 4)
                for name, score in zip(CATEGORY_NAMES, self.category_scores, strict=True)
            },
            "keypoint_spreads": {
                KEYPOINT_NAMES[k]: _rounded(float(self.keypoint_spreads[k]))
                for k in np.flatnonzero(self.defined & ~np.isnan(self.keypoint_spreads))
            },
            "box": [_rounded(value) for value in self.box.tolist()],
            "box_source": self.box_source,
            "box_score": round(self.box_score, 4),
            "keypoints": {
                KEYPOINT_NAMES[k]: {
                    "x": _rounded(float(self.keypoints[k, 0])),
                    "y": _rounded(float(self.keypoints[k, 1])),
                    "score": round(float(self.keypoint_scores[k]), 4),
                    "visibility": names[int(self.visibility[k])],
                }
                for k in np.flatnonzero(self.defined)
            },
        }


def _rounded(value: float) -> float:
    return round(value, 2)


def _decimal(value: float) -> str:
    """A number with at most two decimals, and no more than it needs."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
