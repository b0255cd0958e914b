"""What comparing an exported file with PyTorch found, and whether that will do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.boxes import keypoint_boxes
from fashionkp_mm.core.garments import CATEGORY_NAMES, Visibility
from fashionkp_mm.exporting.errors import ExportError
from fashionkp_mm.images import load_image
from fashionkp_mm.synthetic.dataset import draw_image

Floats = NDArray[np.float32]

MAX_PICTURES = 64
"""Of a folder with more pictures so many are compared, spread evenly."""

_DRAWN = 2 * len(CATEGORY_NAMES)
_SEED = 0


@dataclass(frozen=True)
class Difference:
    """The largest difference between PyTorch and ONNX Runtime in one respect.

    Attributes:
        what: Its name.
        value: How large it is.
        limit: From there on the file is no good; infinite where it is for information only.
        unit: Of both, for people.
    """

    what: str
    value: float
    limit: float
    unit: str = ""

    @property
    def is_small(self) -> bool:
        """Whether it will do; a difference that is no number will not."""
        return self.value < self.limit

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        limit = "" if math.isinf(self.limit) else f" (limit {self.limit:g})"
        return f"{self.what} {self.value:.2g}{unit}{limit}"


@dataclass(frozen=True)
class Parity:
    """What was compared, and how it came out.

    Attributes:
        compared: What was compared, in words.
        differences: The largest differences.
    """

    compared: str
    differences: tuple[Difference, ...]

    def require(self, failed: str = "the exported network does not do what PyTorch does") -> None:
        """Refuse a file that does not do what it was compared with does.

        Args:
            failed: What is to be said then.

        Raises:
            ExportError: A difference reaches its limit.
        """
        large = [str(difference) for difference in self.differences if not difference.is_small]
        if large:
            raise ExportError(
                f"{failed}, so nothing was written: largest difference of {'; '.join(large)};"
                f" compared: {self.compared}"
            )


@dataclass(frozen=True)
class BoxedPicture:
    """A picture to compare on.

    Attributes:
        image: ``(H, W, 3)`` BGR.
        box: ``(4,)`` ``x1, y1, x2, y2`` of a garment's points, in its pixels.
    """

    image: NDArray[np.uint8]
    box: NDArray[np.float32]


def pictures(files: Sequence[Path] | None) -> Iterator[BoxedPicture]:
    """Pictures to compare on: files, with the whole image as box, or else drawn garments.

    Raises:
        BrokenImageError: A file is no usable image.
    """
    if files is None:
        yield from map(_drawn, range(_DRAWN))
        return
    chosen = np.linspace(0, len(files) - 1, min(len(files), MAX_PICTURES)).round().astype(int)
    for index in chosen:
        image = load_image(files[index])
        height, width = image.shape[:2]
        yield BoxedPicture(image, np.array([0, 0, width, height], np.float32))


def _drawn(index: int) -> BoxedPicture:
    garment = draw_image(index, _SEED)
    labelled = garment.visibility != Visibility.ABSENT
    (box,) = keypoint_boxes(garment.keypoints[None].astype(np.float32), labelled[None])
    return BoxedPicture(garment.image, box)
