"""Where to look for garments in a picture, in how many passes, and which of them vote.

A *pass* crops a box out of the picture and lets the network find points in the crop. The runtime
and ``tools/test.py`` both go by what is written here, so that a printed NE is the one users get.

====================  ===========================  ================================================
source of boxes       the first pass crops         then
====================  ===========================  ================================================
``whole``             the whole picture            nothing more
``given``             the box that the caller      nothing more
                      gave
``refine``            the whole picture; its       a pass around the points that it found, and one
                      points do not vote           over the same crop mirrored; both vote
``detector``          what the detector found      a second pass over the same crop mirrored; both
                                                   vote
``fast``              what the detector found      nothing more
====================  ===========================  ================================================

With a flip test every pass is averaged with its mirror. Then the second pass that votes looks
around the points that the first one found instead.

Where the detector finds nothing, the caller's category decides. With a category, the garment is
known to be there, so it is looked for as with ``refine``. Without one, it is up to the detector
whether there is a garment at all, and its answer is no.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.boxes import refined_boxes, without_margin
from fashionkp_mm.core.fusion import fused_keypoints, keypoint_spreads
from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS, UNKNOWN_CATEGORY, Visibility
from fashionkp_mm.core.nms import garment_nms

BoxSource = Literal["whole", "refine", "detector", "fast"]
BOX_SOURCES: tuple[BoxSource, ...] = get_args(BoxSource)
FROM_DETECTOR = frozenset[str](("detector", "fast"))
"""The sources that need one."""
BoxOrigin = BoxSource | Literal["given"]
"""Where boxes come from, those of the caller included."""

VOTES = 2
"""Passes whose points are fused, where there are several."""

MIN_GIVEN_SCORE = 0.05
"""Of a garment that is known to be there, a detection that scores less says less than none."""
MIN_BOX_SIDE = 4.0
"""Pixels below which a detected box is no use for a crop."""

_MAX_CANDIDATES = 1000
"""Boxes that go into the suppression; far more than a picture has garments."""
MAX_GARMENTS = 50
"""The best of one picture; each costs a crop a pass, so their number has to end somewhere."""


@dataclass(frozen=True)
class Passes:
    """How many passes a source of boxes takes.

    Attributes:
        locating: Passes whose points only give the next one its box.
        voting: Passes after those, whose points are fused.
    """

    locating: int
    voting: int

    @property
    def total(self) -> int:
        """All passes."""
        return self.locating + self.voting


PASSES: dict[BoxOrigin, Passes] = {
    "whole": Passes(locating=0, voting=1),
    "given": Passes(locating=0, voting=1),
    "refine": Passes(locating=1, voting=VOTES),
    # The detector's box takes the place of the refined one.
    "detector": Passes(locating=0, voting=VOTES),
    "fast": Passes(locating=0, voting=1),
}


@dataclass(frozen=True)
class Detections:
    """Garments found in one picture, best first.

    Attributes:
        boxes: ``(M, 4)`` ``x1, y1, x2, y2`` around whole garments, inside the picture.
        scores: ``(M,)``.
        category_indices: ``(M,)`` positions in ``core.garments.CATEGORY_NAMES``.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    category_indices: NDArray[np.intp]


@dataclass(frozen=True)
class StartBoxes:
    """The boxes of the first pass in one picture.

    Attributes:
        boxes: ``(M, 4)`` ``x1, y1, x2, y2`` in pixels of the picture, tight around the garments'
            points.
        category_indices: ``(M,)`` the garment to look for there, `UNKNOWN_CATEGORY` where the
            network chooses.
        source: Where the boxes come from, which says how many passes follow.
        scores: ``(M,)`` the detector's; 1 without one.
    """

    boxes: NDArray[np.float32]
    category_indices: NDArray[np.int64]
    source: BoxOrigin
    scores: NDArray[np.float32]

    @classmethod
    def of(cls, boxes: NDArray[np.float32], wanted: int | None, source: BoxOrigin) -> StartBoxes:
        """Boxes that are no detector's, in all of which the same garment is looked for.

        Args:
            boxes: ``(M, 4)``.
            wanted: Its category's index, or None if that is open.
            source: Where the boxes come from.
        """
        category = UNKNOWN_CATEGORY if wanted is None else wanted
        count = len(boxes)
        return cls(boxes, np.full(count, category), source, np.ones(count, np.float32))

    @classmethod
    def whole(
        cls, image_size: tuple[int, int], wanted: int | None, source: BoxOrigin = "whole"
    ) -> StartBoxes:
        """The whole picture, of this width and height; see `of`."""
        return cls.of(np.array([[0, 0, *image_size]], np.float32), wanted, source)

    @classmethod
    def detected(
        cls,
        detections: Detections,
        image_size: tuple[int, int],
        wanted: int | None,
        source: BoxOrigin = "detector",
    ) -> StartBoxes:
        """What `select_detections` found; where that is nothing, as the module says.

        The boxes are of whole pixels, as `refined_boxes` are and for the same reason.
        """
        if wanted is not None and not len(detections.boxes):
            return cls.whole(image_size, wanted, "refine")
        tight = without_margin(detections.boxes, detections.category_indices)
        categories = detections.category_indices.astype(np.int64)
        return cls(np.rint(tight), categories, source, detections.scores)


def select_detections(
    boxes: NDArray[np.floating],
    scores: NDArray[np.float32],
    category_indices: NDArray[np.integer],
    image_size: tuple[int, int],
    *,
    wanted: int | None,
    score_threshold: float,
    iou_threshold: float,
) -> Detections:
    """Choose among all that a detector sees in one picture.

    Without a category, these are the garments that score more than the threshold, one box each, and
    `MAX_GARMENTS` at most. With one, they are those of this category; where none of them scores
    enough, its best box is taken, from a score of `MIN_GIVEN_SCORE` on.

    Args:
        boxes: ``(N, 4)`` ``x1, y1, x2, y2`` around whole garments in pixels of the picture; what
            lies outside it is cut off.
        scores: ``(N,)``; those up to `lowest_score` need not be there.
        category_indices: ``(N,)``.
        image_size: Width and height.
        wanted: Index of a category that is known to be in the picture, or None.
        score_threshold: The detector's own.
        iou_threshold: As in `garment_nms`.
    """
    candidates = scores > lowest_score(score_threshold, wanted)
    if wanted is not None:
        candidates &= category_indices == wanted
    rows = np.flatnonzero(candidates)
    rows = rows[np.argsort(-scores[rows], kind="stable")[:_MAX_CANDIDATES]]
    categories = category_indices[rows].astype(np.intp)
    size = np.array([*image_size, *image_size], np.float32)
    inside = np.clip(boxes[rows], 0, size).astype(np.float32)
    tight = without_margin(inside, categories)
    usable = (tight[:, 2:] - tight[:, :2] >= MIN_BOX_SIDE).all(axis=1)
    rows, inside, categories = rows[usable], inside[usable], categories[usable]
    kept = garment_nms(inside, scores[rows], categories, iou_threshold)[:MAX_GARMENTS]
    if wanted is not None:
        sure = int((scores[rows[kept]] > score_threshold).sum())
        kept = kept[: max(sure, 1)]
    return Detections(inside[kept], scores[rows[kept]], categories[kept])


def lowest_score(score_threshold: float, wanted: int | None) -> float:
    """What a detection must score more than, to be of any use; see `select_detections`."""
    return score_threshold if wanted is None else min(score_threshold, MIN_GIVEN_SCORE)


class PassResult(Protocol):
    """What one pass found in ``N`` crops."""

    @property
    def keypoints(self) -> NDArray[np.float32]:
        """``(N, K, 2)`` x and y in pixels of the picture."""

    @property
    def keypoint_scores(self) -> NDArray[np.float32]:
        """``(N, K)``."""

    @property
    def visibility(self) -> NDArray[np.int8]:
        """``(N, K)`` of `Visibility`."""

    @property
    def category_indices(self) -> NDArray[np.int64]:
        """``(N,)``, `UNKNOWN_CATEGORY` of a network that knows no categories."""


_Result = TypeVar("_Result", bound=PassResult)


@dataclass(frozen=True)
class Fused(Generic[_Result]):
    """What all passes together found of ``N`` garments.

    Attributes:
        boxes: ``(N, 4)`` the last pass's.
        last: What the last pass found.
        keypoints: ``(N, K, 2)`` the fused points, which take the place of its own.
        spreads: ``(N, K)`` see `fusion.keypoint_spreads`.
    """

    boxes: NDArray[np.float32]
    last: _Result
    keypoints: NDArray[np.float32]
    spreads: NDArray[np.float32]


def further_passes(
    source: BoxOrigin,
    boxes: NDArray[np.float32],
    first: _Result,
    image_sizes: NDArray[np.integer],
    run_pass: Callable[[NDArray[np.float32], bool], _Result],
    *,
    mirror: bool = True,
) -> Fused[_Result]:
    """Make the passes that follow the first one, and fuse the points of those that vote.

    Args:
        source: Where the first boxes came from.
        boxes: ``(N, 4)`` the first boxes, one garment each.
        first: What the first pass found there.
        image_sizes: ``(N, 2)`` width and height of each garment's picture.
        run_pass: Makes one more pass, given boxes ``(N, 4)`` for the same ``N`` garments, and
            whether the crops are to be mirrored; the points are those of the picture as it is.
        mirror: Whether the second vote is that of the mirrored crop.
    """
    passes = PASSES[source]
    found = [first]
    for number in range(1, passes.total):
        again = mirror and number > passes.locating
        if not again:
            boxes = boxes_around(found[-1], image_sizes)
        found.append(run_pass(boxes, again))
    votes = found[passes.locating :]
    points = np.stack([vote.keypoints for vote in votes])
    categories = np.stack([vote.category_indices for vote in votes])
    spreads = keypoint_spreads(points, categories)
    if len(votes) == 1:
        return Fused(boxes, found[-1], found[-1].keypoints, spreads)
    scores = np.stack([vote.keypoint_scores for vote in votes])
    return Fused(boxes, found[-1], fused_keypoints(points, scores, categories), spreads)


def boxes_around(found: PassResult, image_sizes: NDArray[np.integer]) -> NDArray[np.float32]:
    """``(N, 4)`` boxes around the points that a pass takes for present, as the next one looks."""
    known = found.category_indices != UNKNOWN_CATEGORY
    defined = CATEGORY_KEYPOINTS[found.category_indices] | ~known[:, None]
    present = defined & (found.visibility != Visibility.ABSENT)
    return refined_boxes(found.keypoints, present, image_sizes, defined)
