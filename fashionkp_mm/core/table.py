"""Keypoints of many images in memory, and what can be wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import NUM_KEYPOINTS, Visibility

Severity = Literal["error", "warning"]

_MAX_LINES = 20
"""Lines of an error message; the exception carries all problems."""
_MAX_ALIKE = 5
"""Problems of one cause that are spelled out."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a data set, with where it stands and what to do about it.

    Attributes:
        file: The file's path as it was given.
        row: Its line number, counted from 1 as an editor does; 0 for the file as a whole.
        column: The column's name, or empty for the row as a whole.
        value: The text found there.
        message: What was expected, and the remedy.
        severity: ``error`` keeps the file from being used, ``warning`` does not.
        cause: What problems of one kind have in common where their messages differ; by default the
            message.
    """

    file: str
    row: int
    column: str
    value: str
    message: str
    severity: Severity = "error"
    cause: str = ""

    def __str__(self) -> str:
        where = self.file
        if self.row:
            where += f", row {self.row}"
        if self.column:
            where += f", column {self.column}"
        if self.value:
            where += f", value {_shortened(self.value)!r}"
        return f"{where}: {self.message}"


class AnnotationError(ValueError):
    """A file of labels or predictions that cannot be used; ``problems`` holds every reason."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [line for _, line in in_lines(self.problems)]
        if len(lines) > _MAX_LINES:
            lines = [*lines[:_MAX_LINES], "… and problems of other kinds"]
        if len(lines) != len(self.problems):
            lines.append("`fashionkp check FILE` counts them all, with --json it lists them")
        super().__init__("\n".join(lines))


class AnnotationWarning(UserWarning):
    """Something odd in a CSV file that does not keep it from being used."""


def in_lines(problems: Iterable[Problem]) -> Iterator[tuple[Severity, str]]:
    """Problems for people: five of each cause, then how many more there are.

    Yields:
        Severity and text of each line; causes come in the order of their first problem.
    """
    groups: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.severity, problem.cause or problem.message), []).append(problem)
    for alike in groups.values():
        # A line that stands for a single problem would say less than the problem.
        shown = alike if len(alike) <= _MAX_ALIKE + 1 else alike[:_MAX_ALIKE]
        for problem in shown:
            yield problem.severity, str(problem)
        more, last = len(alike) - len(shown), alike[-1]
        if more:
            yield last.severity, f"{last.file}: {more:,} more like this, the last in row {last.row}"


@dataclass(frozen=True)
class KeypointTable:
    """Keypoints of ``N`` garments. A CSV has one an image; other formats may have several.

    Attributes:
        image_ids: ``N`` ids, paths relative to the data root as they stand in the file; garments of
            one image share its id.
        category_indices: ``(N,)`` int8, positions in ``garments.CATEGORY_NAMES``.
        keypoints: ``(N, K, 2)`` float32, x and y in pixels of the image; (-1, -1) where absent,
            though a prediction may have a place for such a point; see `placed`.
        visibility: ``(N, K)`` int8 of ``garments.Visibility``.
        rows: ``(N,)`` line numbers in the CSV it was read from, or the garments' numbers in another
            format's file, counted from 1.
    """

    image_ids: tuple[str, ...]
    category_indices: NDArray[np.int8]
    keypoints: NDArray[np.float32]
    visibility: NDArray[np.int8]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def placed(self) -> NDArray[np.bool_]:
        """``(N, K)``, the points that have a place, whether or not they are called absent."""
        placed: NDArray[np.bool_] = (self.keypoints != -1).any(axis=-1)
        placed |= self.visibility != Visibility.ABSENT
        return placed

    @classmethod
    def empty(cls) -> KeypointTable:
        """A table without a garment."""
        return cls(
            image_ids=(),
            category_indices=np.empty(0, np.int8),
            keypoints=np.empty((0, NUM_KEYPOINTS, 2), np.float32),
            visibility=np.empty((0, NUM_KEYPOINTS), np.int8),
            rows=np.empty(0, np.int64),
        )

    @classmethod
    def joined(cls, parts: Sequence[KeypointTable]) -> KeypointTable:
        """The garments of all parts, one part behind the other.

        Args:
            parts: One or more tables.
        """
        return cls(
            image_ids=tuple(image_id for part in parts for image_id in part.image_ids),
            category_indices=np.concatenate([part.category_indices for part in parts]),
            keypoints=np.concatenate([part.keypoints for part in parts]),
            visibility=np.concatenate([part.visibility for part in parts]),
            rows=np.concatenate([part.rows for part in parts]),
        )

    @property
    def rows_of(self) -> dict[str, NDArray[np.intp]]:
        """The rows of each image's garments, in the order of the table."""
        rows: dict[str, list[int]] = {}
        for row, image_id in enumerate(self.image_ids):
            rows.setdefault(image_id, []).append(row)
        return {image_id: np.array(each, np.intp) for image_id, each in rows.items()}

    @property
    def names(self) -> list[str]:
        """Each row's image id, with the garment's number where it is not the image's first."""
        counts: Counter[str] = Counter()
        names = []
        for image_id in self.image_ids:
            counts[image_id] += 1
            number = counts[image_id]
            names.append(image_id if number == 1 else f"{image_id}, garment {number}")
        return names

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> KeypointTable:
        """The table's rows that a mask or an index array ``(M,)`` names."""
        picked = np.arange(len(self))[rows]
        return KeypointTable(
            image_ids=tuple(self.image_ids[i] for i in picked),
            category_indices=self.category_indices[picked],
            keypoints=self.keypoints[picked],
            visibility=self.visibility[picked],
            rows=self.rows[picked],
        )


def _shortened(value: str, limit: int = 60) -> str:
    return value if len(value) <= limit else f"{value[:limit]}…"
