"""The one table between all formats: garments of pictures, any number a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.boxes import keypoint_boxes
from fashionkp_mm.core.csv_cells import MAX_COORDINATE
from fashionkp_mm.core.garments import KEYPOINT_NAMES, NUM_KEYPOINTS, Visibility
from fashionkp_mm.core.table import AnnotationError, KeypointTable, Problem


@dataclass(frozen=True, eq=False)
class GarmentTable:
    """``N`` garments of ``P`` pictures, and all that a format may say of them.

    Attributes:
        garments: Category, points and visibility, a row a garment. Garments of one picture share
            its id; where a file ranks them, the best comes first.
        pictures: ``P`` ids, those of pictures without a garment too.
        sizes: ``(P, 2)`` int64 width and height, 0 where they are not known.
        boxes: ``(N, 4)`` ``x1, y1, x2, y2`` in pixels of the picture, NaN where none is known.
        scores: ``(N,)`` how sure a prediction is, from 0 to 1; NaN for labels.
        keypoint_scores: ``(N, K)`` likewise of each point.
        extras: What else a file of this project says of each garment, by name; ``N`` or none.
    """

    garments: KeypointTable
    pictures: tuple[str, ...]
    sizes: NDArray[np.int64]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    keypoint_scores: NDArray[np.float32]
    extras: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[Problem, ...] = ()
    """What is odd about the file and does not keep it from being used."""

    def __len__(self) -> int:
        return len(self.garments)

    @classmethod
    def of(
        cls,
        garments: KeypointTable,
        *,
        sizes: Mapping[str, tuple[int, int]] | None = None,
        boxes: NDArray[np.float32] | None = None,
        scores: NDArray[np.float32] | None = None,
        keypoint_scores: NDArray[np.float32] | None = None,
        extras: Sequence[Mapping[str, Any]] = (),
        warnings: Sequence[Problem] = (),
    ) -> GarmentTable:
        """A table of garments; what is not given is not known.

        Args:
            garments: A row a garment.
            sizes: Width and height by picture, (0, 0) where they are not known. Pictures are those
                of the garments if none are given, else these, in their order.
            boxes, scores, keypoint_scores, extras, warnings: See the attributes.
        """
        count = len(garments)
        sizes = dict.fromkeys(garments.image_ids, (0, 0)) if sizes is None else sizes
        return cls(
            garments=garments,
            pictures=tuple(sizes),
            sizes=np.array(list(sizes.values()), np.int64).reshape(-1, 2),
            boxes=_unknown((count, 4)) if boxes is None else boxes,
            scores=_unknown((count,)) if scores is None else scores,
            keypoint_scores=(
                _unknown((count, NUM_KEYPOINTS)) if keypoint_scores is None else keypoint_scores
            ),
            extras=tuple(extras),
            warnings=tuple(warnings),
        )

    @property
    def rows_of(self) -> dict[str, list[int]]:
        """Rows of each picture's garments, in the order of the pictures."""
        rows: dict[str, list[int]] = {image_id: [] for image_id in self.pictures}
        return rows | {image_id: own.tolist() for image_id, own in self.garments.rows_of.items()}

    @property
    def size_of(self) -> dict[str, tuple[int, int]]:
        """Width and height of each picture; (0, 0) where they are not known."""
        pairs = zip(self.pictures, self.sizes.tolist(), strict=True)
        return {image_id: (width, height) for image_id, (width, height) in pairs}

    @property
    def drawn_boxes(self) -> NDArray[np.float32]:
        """``(N, 4)``: the boxes, tight ones around the points where a file has none.

        NaN where a garment has neither a box nor a point.
        """
        tight = keypoint_boxes(
            self.garments.keypoints, self.garments.visibility != Visibility.ABSENT
        )
        unknown = np.isnan(self.boxes).any(axis=1, keepdims=True)
        boxes: NDArray[np.float32] = np.where(unknown, tight, self.boxes).astype(np.float32)
        return boxes


@dataclass
class PointLists:
    """Points one behind the other, a list a fact; to be extended by what is many points long.

    Attributes:
        rows: Which garment each belongs to.
        keypoints: Its position in ``garments.KEYPOINT_NAMES``; -1 for one that is left out.
        x, y: In pixels of the picture.
        visibility: Of ``garments.Visibility``.
        scores: NaN where there is none.
    """

    rows: list[int] = field(default_factory=list)
    keypoints: list[int] = field(default_factory=list)
    x: list[Any] = field(default_factory=list)
    y: list[Any] = field(default_factory=list)
    visibility: list[int] = field(default_factory=list)
    scores: list[Any] = field(default_factory=list)


@dataclass
class TableBuilder:
    """Puts a table together, garment by garment and point by point, as a reader meets them.

    Numbers are judged all at once in the end, which a file of a million points can afford.

    Args:
        file: The file's path, for messages.
    """

    file: str
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    points: PointLists = field(default_factory=PointLists)
    _warnings: list[Problem] = field(default_factory=list)
    _ids: list[str] = field(default_factory=list)
    _places: list[str] = field(default_factory=list)
    _categories: list[int] = field(default_factory=list)
    _boxes: list[Sequence[float]] = field(default_factory=list)
    _scores: list[float] = field(default_factory=list)
    _extras: list[Mapping[str, Any]] = field(default_factory=list)

    def picture(self, image_id: str, size: tuple[int, int] = (0, 0)) -> None:
        """Add a picture; what is known of its size stays known."""
        if size != (0, 0) or image_id not in self.sizes:
            self.sizes[image_id] = size

    def warn(self, place: str, value: object, message: str, *, row: int = 0) -> None:
        """Keep what is odd, for the end."""
        self._warnings.append(Problem(self.file, row, place, str(value), message, "warning"))

    def garment(
        self,
        image_id: str,
        category_index: int,
        place: str,
        *,
        box: Sequence[float] = (np.nan,) * 4,
        score: float = np.nan,
        extras: Mapping[str, Any] | None = None,
    ) -> int:
        """Add a garment without points and return its row; ``place`` is where the file has it."""
        self.picture(image_id)
        self._ids.append(image_id)
        self._categories.append(category_index)
        self._places.append(place)
        self._boxes.append(box)
        self._scores.append(score)
        self._extras.append(extras or {})
        return len(self._ids) - 1

    def point(
        self,
        row: int,
        k: int,
        place: tuple[float, float],
        visibility: int,
        score: float = np.nan,
    ) -> None:
        """Add a point to a garment; ``k`` is -1 for one that is left out."""
        points = self.points
        points.rows.append(row)
        points.keypoints.append(k)
        points.x.append(place[0])
        points.y.append(place[1])
        points.visibility.append(visibility)
        points.scores.append(score)

    def build(self) -> GarmentTable:
        """The table.

        Raises:
            AnnotationError: A coordinate is no finite number of pixels, or a garment has a point
                twice.
        """
        count = len(self._ids)
        named = np.array(self.points.keypoints, np.intp) >= 0
        rows = np.array(self.points.rows, np.intp)[named]
        points = np.array(self.points.keypoints, np.intp)[named]
        places = self._places_of(named)
        self._require_once(rows, points)
        cells = rows * NUM_KEYPOINTS + points
        keypoints = np.full((count * NUM_KEYPOINTS, 2), -1, np.float32)
        visibility = np.full(count * NUM_KEYPOINTS, Visibility.ABSENT, np.int8)
        scores = _unknown((count * NUM_KEYPOINTS,))
        keypoints[cells] = places
        visibility[cells] = np.array(self.points.visibility, np.int8)[named]
        scores[cells] = self._scores_of(named)
        return GarmentTable.of(
            KeypointTable(
                image_ids=tuple(self._ids),
                category_indices=np.array(self._categories, np.int8),
                keypoints=keypoints.reshape(count, NUM_KEYPOINTS, 2),
                visibility=visibility.reshape(count, NUM_KEYPOINTS),
                rows=np.arange(1, count + 1),
            ),
            sizes=self.sizes,
            boxes=np.array(self._boxes, np.float32).reshape(-1, 4),
            scores=np.array(self._scores, np.float32),
            keypoint_scores=scores.reshape(count, NUM_KEYPOINTS),
            extras=self._extras if any(self._extras) else (),
            warnings=self._warnings,
        )

    def _places_of(self, named: NDArray[np.bool_]) -> NDArray[np.float64]:
        """``(M, 2)`` x and y of the points that are not left out."""
        axes = self.points.x, self.points.y
        at = -1
        if {*map(type, axes[0]), *map(type, axes[1])} <= {int, float}:
            values = np.array(axes, np.float64).T.reshape(-1, 2)
            usable = (np.abs(values) <= MAX_COORDINATE).all(axis=1)  # false of NaN
            if usable.all():
                return values[named]
            at = int(np.argmin(usable))
        else:
            pairs = enumerate(zip(*axes, strict=True))
            at = next(index for index, pair in pairs if not {*map(type, pair)} <= {int, float})
        raise wrong(
            self.file,
            self._place(at),
            f"{axes[0][at]}, {axes[1][at]}",
            "expected x and y in pixels, as plain numbers",
        )

    def _scores_of(self, named: NDArray[np.bool_]) -> NDArray[np.float64]:
        scores = self.points.scores
        if not set(map(type, scores)) <= {int, float}:
            at = next(i for i, score in enumerate(scores) if type(score) not in (int, float))
            message = "expected a score from 0 to 1"
            raise wrong(self.file, f"{self._place(at)}.score", scores[at], message)
        return np.array(scores, np.float64)[named]

    def _place(self, at: int) -> str:
        """Where a file has a point."""
        name = KEYPOINT_NAMES[self.points.keypoints[at]]
        return f"{self._places[self.points.rows[at]]}.{name}"

    def _require_once(self, rows: NDArray[np.intp], points: NDArray[np.intp]) -> None:
        """Refuse a garment that has two points of one name."""
        cells = rows * NUM_KEYPOINTS + points
        if not len(cells) or np.bincount(cells).max() == 1:
            return
        _, first = np.unique(cells, return_index=True)
        at = int(np.setdiff1d(np.arange(len(cells)), first)[0])
        name = KEYPOINT_NAMES[points[at]]
        raise wrong(
            self.file,
            self._places[rows[at]],
            name,
            "the garment has this point twice; take one out, or give them to two garments",
        )


def wrong(file: str, place: str, value: object, message: str, *, row: int = 0) -> AnnotationError:
    """The error for one thing that a file has wrong."""
    return AnnotationError([Problem(file, row, place.removeprefix("."), str(value), message)])


def _unknown(shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.full(shape, np.nan, np.float32)
