"""Image files: a picture as BGR whatever it was stored as, or a clear refusal.

A picture is used as it is *shown*; `images.formats` says how. Labels refer to that picture.
Predicting, training, drawing and ``fashionkp check`` load through the same function, so that a file
which one of them takes is a file which all of them take.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fashionkp_mm.core.image_paths import with_other_case
from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.core.uris import is_uri, without_secrets
from fashionkp_mm.images.formats import (
    Header,
    UnusableError,
    decode_opacity,
    decode_pixels,
    read_header,
    shown_pixels,
)

DRAWN_SUFFIXES = (".jpg", ".jpeg", ".png")
"""How names of pictures may end that are written here."""
_JPEG_QUALITY = 92
_LARGEST_PIXEL, _LARGEST_HEADER = 8, 2**20
"""Bytes that a file may have for each pixel, which 16 bits of RGBA have uncompressed, and beside
them: what is larger is no picture of at most so many pixels."""
_HEAD = 2**18
"""Bytes at a file's beginning that tell most pictures' size."""
_HOW_TO_RAISE = "--max-megapixels, or max_megapixels in Python, raises the limit"
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class BrokenImageError(OSError):
    """An image file that is missing, truncated, too large, or no image at all."""


def broken(path: str | os.PathLike[str], why: str) -> BrokenImageError:
    """The error for an image that cannot be used, with what to do about it."""
    where = os.fspath(path)
    if is_uri(where):
        return BrokenImageError(f"{without_secrets(where)}: {why}")
    return BrokenImageError(
        f"{where}: {why}; replace the file or take its row out of the CSV"
        " (`fashionkp check CSV --images DIR` lists every such image)"
    )


def load_image(
    path: str | os.PathLike[str], *, max_megapixels: float = MAX_MEGAPIXELS
) -> NDArray[np.uint8]:
    """Load a picture as it is shown.

    Args:
        path: A regular file, or a link to one, or a URI that fsspec opens; see `images.remote`.
        max_megapixels: Millions of pixels above which a picture is refused, before it is decoded.

    Returns:
        ``(H, W, 3)`` BGR.

    Raises:
        BrokenImageError: The file is missing, not a regular one, empty, truncated, damaged, too
            large, or not an image.
    """
    try:
        return read_picture(path, max_megapixels)[1]
    except UnusableError as error:
        raise broken(path, str(error)) from None


def load_transparent(
    path: str | os.PathLike[str], *, max_megapixels: float = MAX_MEGAPIXELS
) -> NDArray[np.uint8]:
    """Load a picture as `load_image` does, with its opacity.

    Returns:
        ``(H, W, 4)`` BGRA; 255 all over in the last channel where the file has no opacity.

    Raises:
        BrokenImageError: As `load_image`.
    """
    try:
        header, data = _read(path, max_megapixels)
        colours, opacity = decode_pixels(data, header), decode_opacity(data, header)
    except UnusableError as error:
        raise broken(path, str(error)) from None
    return np.concatenate([colours, opacity[..., None]], axis=-1)


def decode_image(
    data: bytes, name: str, *, max_megapixels: float = MAX_MEGAPIXELS
) -> NDArray[np.uint8]:
    """Load a picture from the bytes of a file, as `load_image` does from the file.

    Args:
        data: All of the file.
        name: What messages call it.
        max_megapixels: As in `load_image`.

    Returns:
        ``(H, W, 3)`` BGR.

    Raises:
        BrokenImageError: As `load_image`.
    """
    try:
        return decode_pixels(data, _header(io.BytesIO(data), max_megapixels))
    except UnusableError as error:
        raise BrokenImageError(f"{name}: {error}") from None


def convert_image(image: Image.Image, name: str) -> NDArray[np.uint8]:
    """A Pillow image as it is shown; see `decode_image`.

    Raises:
        BrokenImageError: It cannot be loaded.
    """
    try:
        return shown_pixels(image)
    except UnusableError as error:
        raise BrokenImageError(f"{name}: {error}") from None


def encode_image(image: NDArray[np.uint8], suffix: str) -> bytes:
    """A file's content for a picture.

    Args:
        image: ``(H, W, 3)`` BGR; for a PNG also ``(H, W, 4)`` BGRA.
        suffix: One of `DRAWN_SUFFIXES`, in any case.

    Raises:
        ValueError: The suffix is another one.
    """
    if suffix.lower() not in DRAWN_SUFFIXES:
        raise ValueError(
            f"pictures are not written as {suffix or 'files without a suffix'}; expected a name in"
            f" {', '.join(DRAWN_SUFFIXES)}"
        )
    # OpenCV 5 complains where a format has no such thing as a quality.
    quality = [] if suffix.lower() == ".png" else [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    _, data = cv2.imencode(suffix.lower(), image, quality)
    return data.tobytes()


def image_size(
    source: str | os.PathLike[str] | IO[bytes], *, max_megapixels: float = MAX_MEGAPIXELS
) -> tuple[int, int]:
    """Width and height in pixels as the image is shown, EXIF rotation applied.

    Only the header is read.

    Args:
        source: A path as in `load_image`, or an open file at its beginning.
        max_megapixels: As in `load_image`.

    Raises:
        BrokenImageError: The file is missing, not a regular one, too large, or not an image.
    """
    if not isinstance(source, str | os.PathLike):
        try:
            return _header(source, max_megapixels).size
        except UnusableError as error:
            raise BrokenImageError(f"the image: {error}") from None
    try:
        if is_uri(os.fspath(source)):
            head = _fetched(os.fspath(source), _HEAD - 1)
            if len(head) < _HEAD:  # all of the file
                return _header(io.BytesIO(head), max_megapixels).size
            with suppress(UnusableError):
                return _header(io.BytesIO(head), max_megapixels).size
        with _opened(source, max_megapixels) as (file, _):
            return _header(file, max_megapixels).size
    except UnusableError as error:
        raise broken(source, str(error)) from None


def file_size(path: str | os.PathLike[str]) -> int:
    """Bytes of a picture's file.

    Raises:
        OSError: It cannot be read.
    """
    where = os.fspath(path)
    if not is_uri(where):
        return Path(path).stat().st_size
    try:
        return len(_fetched(where, _most_bytes(MAX_MEGAPIXELS)))
    except UnusableError as error:
        raise broken(where, str(error)) from None


def read_picture(
    path: str | os.PathLike[str], max_megapixels: float
) -> tuple[Header, NDArray[np.uint8]]:
    """What a file says of its picture, and the picture; see `load_image`.

    Raises:
        UnusableError: Why it cannot be used, without the path and the remedy.
    """
    header, data = _read(path, max_megapixels)
    return header, decode_pixels(data, header)


def _read(path: str | os.PathLike[str], max_megapixels: float) -> tuple[Header, bytes]:
    """What a file says of its picture, and all of the file."""
    with _opened(path, max_megapixels) as (file, size):
        header = _header(file, max_megapixels)
        try:
            file.seek(0)
            return header, file.read(size)
        except OSError as error:
            raise UnusableError(_why_unreadable(path, error)) from None


@contextmanager
def _opened(path: str | os.PathLike[str], max_megapixels: float) -> Iterator[tuple[IO[bytes], int]]:
    """A regular file of a sane size, and that size in bytes."""
    if is_uri(os.fspath(path)):
        data = _fetched(os.fspath(path), _most_bytes(max_megapixels))
        _require_few(len(data), max_megapixels, "at least ")
        yield io.BytesIO(data), len(data)
        return
    try:
        # Asked twice: opening some devices does something, and names may change hands between.
        _require_regular(os.stat(path), max_megapixels)  # noqa: PTH116  a path may hold anything
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115
    except (OSError, ValueError) as error:
        raise UnusableError(_why_unreadable(path, error)) from None
    with file:
        yield file, _require_regular(os.fstat(file.fileno()), max_megapixels)


def _without_waiting(path: str, flags: int) -> int:
    # A pipe without a writer would keep us waiting; regular files do not care. Windows has no such.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _require_regular(status: os.stat_result, max_megapixels: float) -> int:
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(status.st_mode)), "no file")
        raise UnusableError(f"the image cannot be read, it is {kind}; expected a regular file")
    _require_few(status.st_size, max_megapixels)
    return status.st_size


def _most_bytes(max_megapixels: float) -> int:
    """What a file of so many pixels may have."""
    return int(max_megapixels * 1e6 * _LARGEST_PIXEL) + _LARGEST_HEADER


def _require_few(size: int, max_megapixels: float, so_far: str = "") -> None:
    limit = _most_bytes(max_megapixels)
    if size > limit:
        raise UnusableError(
            f"the file is too large to be decoded ({so_far}{size / 1e6:,.0f} MB); expected at"
            f" most {limit / 1e6:,.0f} MB for {max_megapixels:g} megapixels; {_HOW_TO_RAISE}"
        )


def _fetched(uri: str, limit: int) -> bytes:
    """A file that is none of this machine's, or a byte more of it than ``limit``."""
    # Here and not above: most pictures lie on this machine.
    from fashionkp_mm.images.parquet_rows import read_row  # noqa: PLC0415
    from fashionkp_mm.images.remote import (  # noqa: PLC0415
        MissingLibraryError,
        RemoteError,
        read_uri,
    )
    from fashionkp_mm.images.tar_members import read_member  # noqa: PLC0415

    try:
        content = read_member(uri, limit)
        if content is None:
            content = read_row(uri)
        return read_uri(uri, limit) if content is None else content
    except (RemoteError, MissingLibraryError) as error:
        raise UnusableError(str(error)) from None


def _header(file: IO[bytes], max_megapixels: float) -> Header:
    header = read_header(file)
    width, height = header.size
    if not 0 < width * height <= max_megapixels * 1e6:
        if width * height == 0:
            raise UnusableError(f"the image has {width}x{height} pixels, none at all")
        raise UnusableError(
            f"the image is too large to be decoded ({width}x{height} pixels); expected at most"
            f" {max_megapixels:g} megapixels; {_HOW_TO_RAISE}"
        )
    return header


def _why_unreadable(path: str | os.PathLike[str], error: OSError | ValueError) -> str:
    if isinstance(error, ValueError):  # a NUL in the path, or what is no text
        return f"the image cannot be read, there can be no such path ({error})"
    if error.errno != errno.ENOENT:
        return f"the image cannot be read ({error.strerror})"
    other = with_other_case(Path(path))
    return "the image is missing" + (
        f"; there is {other.name}, and upper and lower case differ" if other else ""
    )
