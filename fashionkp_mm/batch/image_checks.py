"""All pictures of a table inspected: which are missing or broken, what is odd about the others."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import KEYPOINT_NAMES, Visibility
from fashionkp_mm.core.image_paths import in_other_case, locate_images
from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.core.table import KeypointTable, Problem
from fashionkp_mm.images import read_picture
from fashionkp_mm.images.formats import UPRIGHT, UnusableError

MIN_IMAGE_SIDE = 16
"""Pixels below which no garment can be made out; FashionAI's narrowest is 24 across the chest."""

_MODES = {
    "RGB": "colour",
    "L": "grayscale, used as three equal channels",
    "1": "black and white, used as three equal channels",
    "LA": "grayscale with transparency, which is dropped",
    "RGBA": "with transparency, which is dropped",
    "CMYK": "CMYK, converted to RGB",
    "P": "with a palette, which is applied",
}
"""Pillow's modes in words, each with what `load_image` makes of it."""


@dataclass
class ImageReport:
    """What `inspect_images` found.

    Attributes:
        problems: What is wrong, in the order of the table.
        modes: How many of the usable images are stored in which way, in words.
    """

    problems: list[Problem] = field(default_factory=list)
    modes: Counter[str] = field(default_factory=Counter)

    @property
    def usable(self) -> int:
        """Number of images that can be loaded."""
        return self.modes.total()


def inspect_images(
    table: KeypointTable,
    root: str | os.PathLike[str],
    *,
    file: str,
    labelled: bool = True,
    max_megapixels: float = MAX_MEGAPIXELS,
    progress: Callable[[int], None] | None = None,
) -> ImageReport:
    """Find and decode every image of a table, several at a time.

    Errors: an image that is missing or that `load_image` refuses, and one with a side below
    ``MIN_IMAGE_SIDE``. Warnings: an EXIF rotation, and a label beyond the right or the lower edge.

    Args:
        table: Rows of the CSV.
        root: Folder in which `core.image_paths.locate_images` looks for the images.
        file: The CSV's path, for the problems.
        labelled: Whether the points are labels, which belong inside their image.
        max_megapixels: As in `images.load_image`.
        progress: Called with the number of images inspected so far after each one.

    Returns:
        The problems and what else there is to tell. If no image is found at all, this is one
        problem of the file, not one of each row.

    Raises:
        OSError: The folder itself may not be read.
    """
    found = locate_images(table.image_ids, root)
    report = ImageReport()
    if len(table) > 1 and not found:
        message = (
            f"none of the {len(table)} images is in this folder; expected"
            f" {Path(root, table.image_ids[0])} or a folder between; give the folder"
            " that the image ids start from"
        )
        report.problems.append(Problem(file, 0, "image_id", os.fspath(root), message))
        return report
    others = in_other_case([name for name in table.image_ids if name not in found], root)

    def inspect(index: int) -> tuple[list[Problem], str | None]:
        image_id = table.image_ids[index]
        row = _Row(file, int(table.rows[index]), image_id)
        if image_id not in found:
            message = f"the image is missing below {os.fspath(root)}"
            if image_id in others:
                message += f"; there is {others[image_id]}, and upper and lower case differ"
            return [row.problem(f"{message}; add it or take the row out")], None
        points = (table.keypoints[index], table.visibility[index]) if labelled else None
        return _inspect(found[image_id], row, points, max_megapixels)

    # Decoding releases Python's lock.
    with ThreadPoolExecutor() as pool:
        try:
            results = pool.map(inspect, range(len(table)))
            for done, (problems, mode) in enumerate(results, start=1):
                report.problems.extend(problems)
                if mode is not None:
                    report.modes[mode] += 1
                if progress is not None:
                    progress(done)
        finally:
            # An interrupt need not wait for what has not begun.
            pool.shutdown(cancel_futures=True)
    return report


@dataclass(frozen=True)
class _Row:
    """Where an image stands in a CSV."""

    file: str
    number: int
    image_id: str

    def problem(self, message: str) -> Problem:
        return Problem(self.file, self.number, "image_id", self.image_id, message)

    def warning(self, message: str, column: str = "image_id", value: str = "") -> Problem:
        value = value or self.image_id
        return Problem(self.file, self.number, column, value, message, "warning")


def _inspect(
    path: Path,
    row: _Row,
    points: tuple[NDArray[np.float32], NDArray[np.int8]] | None,
    max_megapixels: float,
) -> tuple[list[Problem], str | None]:
    """Problems of an image, and how it is stored if it can be used."""
    try:
        header, _ = read_picture(path, max_megapixels)
    except UnusableError as error:
        return [row.problem(f"{path}: {error}; replace the file or take the row out")], None
    width, height = header.size
    problems = []
    if min(width, height) < MIN_IMAGE_SIDE:
        message = (
            f"{path}: the image has {width}x{height} pixels, too few to hold a garment; expected"
            f" {MIN_IMAGE_SIDE}x{MIN_IMAGE_SIDE} or more; replace the file or take the row out"
        )
        problems.append(row.problem(message))
    if header.orientation != UPRIGHT:
        message = (
            f"{path}: the image is rotated by its EXIF orientation {header.orientation}; labels"
            f" refer to it as shown, {width}x{height} pixels; to be sure of that, store it upright"
        )
        problems.append(row.warning(message))
    if points is not None:
        problems.extend(_points_beyond(points, (width, height), row))
    return problems, _MODES.get(header.mode, f"of mode {header.mode}, converted to 8-bit colour")


def _points_beyond(
    points: tuple[NDArray[np.float32], NDArray[np.int8]], size: tuple[int, int], row: _Row
) -> Iterator[Problem]:
    """Labels right of or below the picture; those left of or above it the CSV gives away itself."""
    keypoints, visibility = points
    outside = (visibility != Visibility.ABSENT) & (keypoints > np.subtract(size, 1)).any(axis=1)
    for k in np.flatnonzero(outside):
        x, y = keypoints[k].tolist()
        cell = f"{x:g}_{y:g}_{visibility[k]}"
        message = (
            f"the point lies outside its image of {size[0]}x{size[1]} pixels; expected x up to"
            f" {size[0] - 1} and y up to {size[1] - 1}; move it to the edge"
        )
        yield row.warning(message, KEYPOINT_NAMES[k], cell)
