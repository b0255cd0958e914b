"""Templates: the shape and the frame that garments of one category are laid onto."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.canonical_shapes import FRAME, canonical_shape
from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_INDEX,
    CATEGORY_NAMES,
    KEYPOINT_NAMES,
    NORMALIZER_INDICES,
)
from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.core.table import AnnotationError, Problem


@dataclass(frozen=True, eq=False)
class Template:
    """Where the points of a garment are to lie in a picture of its own.

    Attributes:
        category: Name of the category that it is for.
        keypoints: ``(K, 2)`` x and y in pixels of the template; NaN where it has no point.
        size: Width and height of the template in pixels.
    """

    category: str
    keypoints: NDArray[np.float64]
    size: tuple[int, int]

    @property
    def normalizer(self) -> float:
        """Distance in pixels of the category's two normaliser points."""
        start, end = self.keypoints[NORMALIZER_INDICES[CATEGORY_INDEX[self.category]]]
        return float(np.linalg.norm(end - start))

    @classmethod
    def canonical(cls, category: str, size: tuple[int, int] = (512, 512)) -> Template:
        """The category's mean shape, as large as the frame allows, upright and in the middle.

        Args:
            category: One of ``core.garments.CATEGORY_NAMES``.
            size: Width and height in pixels.

        Raises:
            ValueError: The size is out of range.
        """
        require_size(size)
        middle = (np.array(size) - 1) / 2
        scale = min(size) / FRAME
        return cls(category, (canonical_shape(category) - FRAME / 2) * scale + middle, size)


def canonical_templates(size: tuple[int, int]) -> dict[str, Template]:
    """`Template.canonical` of every category, by name."""
    return {name: Template.canonical(name, size) for name in CATEGORY_NAMES}


def read_templates(path: str | os.PathLike[str], size: tuple[int, int]) -> dict[str, Template]:
    """Templates of one's own, by category, from a CSV of labels.

    Each row is the template of its category; coordinates are pixels of the template. Points that
    are absent there are not aligned.

    Args:
        path: A FashionAI CSV, one row a category at most.
        size: Width and height of the template.

    Raises:
        AnnotationError: The file breaks a rule of its format, a category stands twice, or a
            template lacks its normaliser or has a point outside of its frame.
        OSError: The file cannot be read.
        ValueError: The size is out of range.
    """
    require_size(size)
    file, table = os.fspath(path), read_labels(path)
    templates: dict[str, Template] = {}
    for row, number in enumerate(table.rows.tolist()):
        name = CATEGORY_NAMES[table.category_indices[row]]
        if name in templates:
            message = "the category has a template already; keep one row a category"
            raise AnnotationError([Problem(file, number, "image_category", name, message)])
        points = np.where(table.visibility[row, :, None] >= 0, table.keypoints[row], np.nan)
        template = Template(name, points.astype(np.float64), size)
        _require_normalizer(template, file, number)
        outside = np.flatnonzero(((points < 0) | (points > np.array(size) - 1)).any(axis=-1))
        if len(outside):
            x, y = points[outside[0]].tolist()
            message = (
                f"the point lies outside of a template of {size[0]}x{size[1]} pixels; name the"
                " size of the template, as in --size 800x1000"
            )
            column = KEYPOINT_NAMES[outside[0]]
            raise AnnotationError([Problem(file, number, column, f"{x:g}, {y:g}", message)])
        templates[name] = template
    return templates


def require_size(size: tuple[int, int]) -> None:
    """Refuse sizes of pictures that nobody can mean.

    Raises:
        ValueError: A side is below 16 pixels, or the picture larger than is decoded by default.
    """
    width, height = size
    if min(size) < 16 or width * height > MAX_MEGAPIXELS * 1e6:
        raise ValueError(
            f"a size of {width}x{height} pixels; expected sides of 16 or more, and at most"
            f" {MAX_MEGAPIXELS:g} megapixels"
        )


def _require_normalizer(template: Template, file: str, row: int) -> None:
    if not template.normalizer > 0:
        names = " and ".join(CATEGORIES[template.category].normalizer)
        message = f"a template needs {names}, in two places: their distance is its unit"
        raise AnnotationError([Problem(file, row, "image_category", template.category, message)])
