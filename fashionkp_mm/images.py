"""Image files: loaded as BGR whatever they were stored as, and inspected for what is wrong.

A picture is used as it is *shown*: its EXIF rotation is applied, transparency is dropped, palette
and grayscale become colour, CMYK is converted, 16 bits become 8. Labels refer to that picture.
Training, drawing and ``fashionkp check`` load through the same function, so that a file which one
of them takes is a file which all of them take.
"""

from __future__ import annotations

import errno
import io
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fashionkp_mm.core.garments import KEYPOINT_NAMES, Visibility
from fashionkp_mm.core.image_paths import locate_images
from fashionkp_mm.core.table import KeypointTable, Problem

MAX_PIXELS = 89_478_485
"""Largest picture that is decoded: a quarter of a GiB as BGR. Pillow warns from there on."""
MIN_SIDE = 16
"""Pixels below which no garment can be made out; FashionAI's narrowest is 24 across the chest."""

_EXIF_ORIENTATION = 0x0112
_UPRIGHT = 1
_ROTATIONS = range(2, 9)
_TRANSPOSED = range(5, 9)
"""Values of the EXIF orientation that swap width and height."""

_JPEG_START, _JPEG_SCAN, _JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"

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


class BrokenImageError(OSError):
    """An image file that is missing, truncated, too large, or no image at all."""


def broken(path: str | os.PathLike[str], why: str) -> BrokenImageError:
    """The error for an image that cannot be used, with what to do about it."""
    return BrokenImageError(
        f"{os.fspath(path)}: {why}; replace the file or take its row out of the CSV"
        " (`fashionkp check CSV --images DIR` lists every such image)"
    )


def load_image(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Load a picture as it is shown.

    This is ``cv2.imread`` with two looks at the file that cost next to nothing: ``cv2.imread``
    fills what a truncated JPEG lacks with gray, and decodes whatever size a header claims.

    Returns:
        ``(H, W, 3)`` BGR.

    Raises:
        BrokenImageError: The file is missing, empty, truncated, larger than ``MAX_PIXELS``, or not
            an image.
    """
    try:
        return _decode(_read(path))
    except _UnusableError as error:
        raise broken(path, str(error)) from None


def image_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Width and height in pixels as the image is shown, EXIF rotation applied.

    Only the header is read.

    Raises:
        BrokenImageError: The file is missing or is not an image.
    """
    try:
        with Path(path).open("rb") as file:
            return _read_header(file).size
    except OSError as error:
        raise broken(path, _why_unreadable(error)) from None
    except _UnusableError as error:
        raise broken(path, str(error)) from None


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
    progress: Callable[[int], None] | None = None,
) -> ImageReport:
    """Find and decode every image of a table, several at a time.

    Errors: an image that is missing or that `load_image` refuses, and one with a side below
    ``MIN_SIDE``. Warnings: an EXIF rotation, and a label beyond the right or the lower edge.

    Args:
        table: Rows of the CSV.
        root: Folder in which `core.image_paths.locate_images` looks for the images.
        file: The CSV's path, for the problems.
        labelled: Whether the points are labels, which belong inside their image.
        progress: Called with the number of images inspected so far after each one.

    Returns:
        The problems and what else there is to tell. If no image is found at all, this is one
        problem of the file, not one of each row.
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

    def inspect(index: int) -> tuple[list[Problem], str | None]:
        path = found.get(table.image_ids[index])
        row = _Row(file, int(table.rows[index]), table.image_ids[index])
        if path is None:
            message = f"the image is missing below {os.fspath(root)}; add it or take the row out"
            return [row.problem(message)], None
        points = (table.keypoints[index], table.visibility[index]) if labelled else None
        return _inspect(path, row, points)

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


# --- loading


class _UnusableError(Exception):
    """Why a file cannot be used; the path is the caller's to add."""


@dataclass(frozen=True)
class _Header:
    """What a file says of its picture, without decoding it."""

    size: tuple[int, int]
    """Width and height as shown."""
    mode: str
    orientation: int


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise _UnusableError(_why_unreadable(error)) from None


def _why_unreadable(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "the image is missing"
    return f"the image cannot be read ({error.strerror})"


def _decode(data: bytes) -> NDArray[np.uint8]:
    # OpenCV decodes whatever the header promises, and cuts short what is not there.
    header = _read_header(io.BytesIO(data))
    if _is_cut_short(data):
        raise _UnusableError("the image is truncated, its end is missing")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        width, height = header.size
        raise _UnusableError(
            f"the image of {width}x{height} pixels cannot be decoded; it is truncated, damaged or"
            " of a kind that OpenCV does not read"
        )
    return image.astype(np.uint8, copy=False)


def _read_header(file: IO[bytes]) -> _Header:
    try:
        with Image.open(file) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise Image.DecompressionBombError(f"{width}x{height} pixels")
            orientation = _orientation(image)
            mode = image.mode
    except Image.DecompressionBombError as error:
        raise _UnusableError(
            f"the image is too large to be decoded ({error}); expected at most {MAX_PIXELS} pixels"
        ) from None
    except UnidentifiedImageError:
        empty = file.seek(0, os.SEEK_END) == 0
        raise _UnusableError(
            "the file is empty (0 bytes)" if empty else "not an image that Pillow knows"
        ) from None
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow's readers raise on damage
        raise _UnusableError(f"not a readable image ({error})") from None
    size = (height, width) if orientation in _TRANSPOSED else (width, height)
    return _Header(size, mode, orientation)


def _orientation(image: Image.Image) -> int:
    # Without the look into `info`, Pillow searches the whole file for EXIF data.
    if "exif" not in image.info:
        return _UPRIGHT
    try:
        orientation = image.getexif().get(_EXIF_ORIENTATION)
    except Exception:  # Damaged EXIF data raises just anything; OpenCV passes over it.
        return _UPRIGHT
    return int(orientation) if orientation and orientation in _ROTATIONS else _UPRIGHT


def _is_cut_short(data: bytes) -> bool:
    """Whether a JPEG's last scan has no end.

    Compressed data never holds the two markers; a thumbnail in the header has its own pair, before.
    """
    if not data.startswith(_JPEG_START) or data.endswith(_JPEG_END):
        return False
    return data.rfind(_JPEG_END) < data.rfind(_JPEG_SCAN) or _JPEG_SCAN not in data


# --- inspecting


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
    path: Path, row: _Row, points: tuple[NDArray[np.float32], NDArray[np.int8]] | None
) -> tuple[list[Problem], str | None]:
    """Problems of an image, and how it is stored if it can be used."""
    try:
        data = _read(path)
        header = _read_header(io.BytesIO(data))
        _require_whole(data)
        _decode(data)
    except _UnusableError as error:
        return [row.problem(f"{path}: {error}; replace the file or take the row out")], None
    width, height = header.size
    problems = []
    if min(width, height) < MIN_SIDE:
        message = (
            f"{path}: the image has {width}x{height} pixels, too few to hold a garment; expected"
            f" {MIN_SIDE}x{MIN_SIDE} or more; replace the file or take the row out"
        )
        problems.append(row.problem(message))
    if header.orientation != _UPRIGHT:
        message = (
            f"{path}: the image is rotated by its EXIF orientation {header.orientation}; labels"
            f" refer to it as shown, {width}x{height} pixels; to be sure of that, store it upright"
        )
        problems.append(row.warning(message))
    if points is not None:
        problems.extend(_points_beyond(points, (width, height), row))
    return problems, _MODES.get(header.mode, f"of mode {header.mode}, converted to 8-bit colour")


def _require_whole(data: bytes) -> None:
    """Let Pillow decode first what OpenCV's libraries would complain of on standard error."""
    if data.startswith(_JPEG_START):
        return
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise _UnusableError(f"the image is truncated or damaged ({error})") from None


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
