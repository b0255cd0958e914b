"""What a predictor answers for one picture: its garments, or why it could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.files import require_apart, write_atomically
from fashionkp_mm.core.garments import NUM_KEYPOINTS, Visibility
from fashionkp_mm.images import BrokenImageError, encode_image
from fashionkp_mm.runtime.garment import Garment
from fashionkp_mm.runtime.request import Request
from fashionkp_mm.visualization.keypoints import draw_garments

if TYPE_CHECKING:
    import os

    import pandas as pd

FRAME_COLUMNS = {
    "image_id": "string",
    "image_index": "int64",
    "garment": "int64",
    "category": "string",
    "category_score": "float64",
    "keypoint": "string",
    "x": "float64",
    "y": "float64",
    "score": "float64",
    "visibility": "string",
}
"""Columns of `Prediction.to_frame` and their pandas types."""


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """The garments of one picture, best first: a sequence of them, empty where there is none.

    Attributes:
        image_size: Width and height in pixels of the picture as it is shown; None if it could not
            be read.
        garments: What was found.
        error: Why the picture could not be read; None if it was.
    """

    _request: Request
    """The picture as it was given, for `draw`. A file is opened again, and not kept decoded."""
    image_size: tuple[int, int] | None
    garments: tuple[Garment, ...]
    error: BrokenImageError | None = None

    @property
    def index(self) -> int:
        """Position of the picture among those given."""
        return self._request.index

    @property
    def image_id(self) -> str | None:
        """Its path as it was given; None for arrays, bytes and Pillow images."""
        return self._request.image_id

    def __iter__(self) -> Iterator[Garment]:
        return iter(self.garments)

    def __len__(self) -> int:
        return len(self.garments)

    def __getitem__(self, index: int) -> Garment:
        return self.garments[index]

    def __repr__(self) -> str:
        name = self._request.name
        if self.error is not None:
            return f"<Prediction of {name}: not read, {self.error}>"
        found = ", ".join(garment.label for garment in self)
        return f"<Prediction of {name}: {found or 'no garment'}>"

    def image(self) -> NDArray[np.uint8]:
        """The picture's pixels, ``(H, W, 3)`` BGR; a file is read again.

        Raises:
            BrokenImageError: The picture cannot be read, or not any more.
        """
        if self.error is not None:
            raise self.error
        return self._request.image()

    def draw(
        self, out: str | os.PathLike[str] | None = None, *, names: bool = False
    ) -> NDArray[np.uint8]:
        """Draw the garments on their picture.

        Args:
            out: File to write, a .jpg, .jpeg or .png.
            names: Whether to write each point's name beside it.

        Returns:
            ``(H, W, 3)`` BGR.

        Raises:
            BrokenImageError: The picture cannot be read, or not any more.
            FileExistsError: ``out`` is the picture itself.
            OSError: ``out`` cannot be written.
            ValueError: The name of ``out`` ends otherwise.
        """
        if out is not None and self.image_id is not None:
            require_apart([Path(out)], [Path(self.image_id)])
        labels = [garment.label for garment in self]
        drawn = draw_garments(self.image(), self.garments, labels=labels, names=names)
        if out is not None:
            write_atomically(Path(out), encode_image(drawn, Path(out).suffix))
        return drawn

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain JSON types; `Garment.to_dict` says what a garment's entry holds."""
        return {
            "image_id": self.image_id,
            "image_index": self.index,
            "image_size": None if self.image_size is None else list(self.image_size),
            "error": None if self.error is None else str(self.error),
            "garments": [garment.to_dict() for garment in self],
        }

    def to_coco(self) -> list[dict[str, Any]]:
        """One COCO result a garment; see `Garment.to_coco`."""
        return [garment.to_coco() for garment in self]

    def to_frame(self) -> pd.DataFrame:
        """One row a point that its garment's category defines, absent points too.

        Columns: ``image_id``, ``image_index``, ``garment`` (its position, 0 is the best),
        ``category``, ``category_score``, ``keypoint``, ``x`` and ``y`` in pixels of the picture,
        ``score``, and ``visibility``: ``visible``, ``occluded`` or ``absent``.
        """
        import pandas as pd  # noqa: PLC0415  Predicting does without.

        rows = [
            (
                *(self.image_id, self.index, position, garment.category, garment.category_score),
                *(name, point.x, point.y, point.score, point.visibility.name.lower()),
            )
            for position, garment in enumerate(self)
            for name, point in garment.points.items()
        ]
        return pd.DataFrame(rows, columns=list(FRAME_COLUMNS)).astype(FRAME_COLUMNS)

    def to_supervision(self) -> Any:
        """The garments as ``supervision.KeyPoints``, with all 24 points each.

        ``visible`` is true for visible and occluded points; what the category lacks and what is
        absent lies at (0, 0), as supervision has it. ``data`` holds ``class_name`` ``(n,)`` and
        ``visibility`` ``(n, 24)``.

        Raises:
            ImportError: supervision is not installed.
        """
        try:
            import supervision  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415
        except ImportError as error:
            raise ImportError(f"supervision: {error}: pip install supervision") from error

        points = np.zeros((len(self), NUM_KEYPOINTS, 2), np.float32)
        scores = np.zeros((len(self), NUM_KEYPOINTS), np.float32)
        states = np.full((len(self), NUM_KEYPOINTS), Visibility.ABSENT, np.int8)
        for row, garment in enumerate(self):
            present = garment.visibility != Visibility.ABSENT
            points[row, present] = garment.keypoints[present]
            scores[row], states[row] = garment.keypoint_scores, garment.visibility
        return supervision.KeyPoints(
            xy=points,
            class_id=np.array([garment.category_index for garment in self], int),
            keypoint_confidence=scores,
            detection_confidence=np.array([garment.score for garment in self], np.float32),
            visible=states != Visibility.ABSENT,
            data={
                "class_name": np.array([garment.category for garment in self], dtype=str),
                "visibility": states,
            },
        )
