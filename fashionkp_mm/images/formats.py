"""The formats of pictures: one decoder for each, which gives its size, rotation and pixels.

JPEG is decoded by libjpeg-turbo (simplejpeg) with its warnings as errors, since it fills what a
damaged file lacks with gray; a JPEG's header is read here. All other formats are Pillow's, and HEIC
that of pillow-heif, where it is installed. A file is known by its first bytes, not by its name.

A picture comes out as it is *shown*: its EXIF rotation is applied, transparency is dropped, palette
and grayscale become colour, CMYK is converted, 16 bits become 8 (the upper ones).
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import IO

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

UPRIGHT = 1
"""The EXIF orientation of a picture that is stored as it is shown."""

_ROTATIONS = range(2, 9)
_TRANSPOSED = range(5, 9)
"""Values of the EXIF orientation that swap width and height."""
_EXIF_ORIENTATION, _TIFF_BITS = 0x0112, 0x0102
_START = 2**16
"""Bytes in which nearly every JPEG's header ends."""
_SEGMENT = re.compile(rb"\xff+([\x01-\xfe])(..)", re.DOTALL)
"""A JPEG's marker and the length of what follows; any number of bytes 0xFF may stand before it."""
_EXIF_SEGMENT, _SCAN_SEGMENT = 0xE1, 0xDA
_FRAME_SEGMENTS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MAX_SEGMENTS = 10_000
_JPEG_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_NO_END = "the image is truncated, its end is missing"
_LIBJPEG_NO_END = "Premature end of JPEG file"
_UNCOMMON_SAMPLING = "Could not determine subsampling"
"""What libjpeg-turbo's simple interface says of JPEGs that only its full one decodes."""


class UnusableError(Exception):
    """Why a file cannot be used as a picture; the path is the caller's to add."""


@dataclass(frozen=True)
class Header:
    """What a file says of its picture, without decoding it.

    Attributes:
        size: Width and height in pixels as shown.
        mode: How the pixels are stored, one of Pillow's modes.
        orientation: The EXIF orientation, 1 to 8, as stored.
    """

    size: tuple[int, int]
    mode: str
    orientation: int


def _no_further_check(data: bytes) -> None:
    """Of most formats the decoder notices all that can be noticed."""


def _require_checksums(data: bytes) -> None:
    """Compare a PNG's checksums, which Pillow does not do to those of the pixels by itself."""
    _FORMATS["PNG"].open(io.BytesIO(data)).verify()


def _require_end_of_codestream(data: bytes) -> None:
    """Refuse a JPEG 2000 that ends between two of its parts: the decoder takes what is there."""
    if data.find(b"\xff\xd9", data.find(b"\xff\x4f\xff\x51")) < 0:
        raise UnusableError(_NO_END)


@dataclass(frozen=True)
class _Format:
    """A format, and who decodes it.

    Attributes:
        suffixes: How names of its files end.
        start: What its files begin with.
        open: Gives Pillow's image, its pixels not decoded yet.
        turns: Whether Pillow applies the rotation itself.
        require_whole: Refuses what Pillow's decoder takes although it is damaged.
    """

    suffixes: tuple[str, ...]
    start: re.Pattern[bytes]
    open: Callable[[IO[bytes]], Image.Image]
    turns: bool = False
    require_whole: Callable[[bytes], None] = _no_further_check


def _starting(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


def _pillow(module: str, name: str) -> Callable[[IO[bytes]], Image.Image]:
    """One of Pillow's readers; `Image.open` has a limit of pixels that is the whole process's."""

    def open_image(file: IO[bytes]) -> Image.Image:
        image: Image.Image = getattr(import_module(f"PIL.{module}"), name)(file)
        return image

    return open_image


def _open_heic(file: IO[bytes]) -> Image.Image:
    if not _is_read(_HEIC):
        raise UnusableError(f"a HEIC image; {HEIC_REMEDY}")
    import_module(_HEIC_PACKAGE).register_heif_opener()
    return Image.open(file, formats=["HEIF"])


_HEIC_PACKAGE = "pillow_heif"
HEIC_REMEDY = "`pip install pillow-heif` brings a reader for HEIC"
"""What to do about HEIC files that are not read."""
_JPEG, _HEIC = "JPEG", "HEIC"
_FORMATS = {
    _JPEG: _Format(
        (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
        _starting(rb"\xff\xd8\xff"),
        _pillow("JpegImagePlugin", "JpegImageFile"),
    ),
    "PNG": _Format(
        (".png", ".apng"),
        _starting(rb"\x89PNG\r\n\x1a\n"),
        _pillow("PngImagePlugin", "PngImageFile"),
        require_whole=_require_checksums,
    ),
    "WebP": _Format(
        (".webp",), _starting(rb"RIFF....WEBP"), _pillow("WebPImagePlugin", "WebPImageFile")
    ),
    # AVIF and HEIC have one container: the brand, or one of those that the file fits as well, says
    # which it is.
    "AVIF": _Format(
        (".avif", ".avifs"),
        _starting(rb"....ftyp(?:....){0,12}?avi[fs]"),
        _pillow("AvifImagePlugin", "AvifImageFile"),
    ),
    _HEIC: _Format(
        (".heic", ".heif", ".hif"),
        _starting(rb"....ftyp(?:....){0,12}?(?:hei[cxms]|hev[cxm]|mif1|msf1)"),
        _open_heic,
    ),
    "TIFF": _Format(
        (".tif", ".tiff"),
        _starting(rb"II[*+]\0|MM\0[*+]"),
        _pillow("TiffImagePlugin", "TiffImageFile"),
        turns=True,
    ),
    "BMP": _Format((".bmp",), _starting(rb"BM"), _pillow("BmpImagePlugin", "BmpImageFile")),
    "GIF": _Format((".gif",), _starting(rb"GIF8[79]a"), _pillow("GifImagePlugin", "GifImageFile")),
    "JPEG 2000": _Format(
        (".jp2", ".j2k", ".jpc", ".jpf", ".jpx", ".j2c"),
        _starting(rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n"),
        _pillow("Jpeg2KImagePlugin", "Jpeg2KImageFile"),
        require_whole=_require_end_of_codestream,
    ),
    "PPM": _Format(
        (".ppm", ".pgm", ".pbm", ".pnm"),
        _starting(rb"P[1-6]\s"),
        _pillow("PpmImagePlugin", "PpmImageFile"),
    ),
}
_OTHER_SUFFIXES = (
    *(".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2"),
    *(".dds", ".eps", ".exr", ".hdr", ".ico", ".jxl", ".pcx", ".psd", ".svg", ".tga", ".xcf"),
)
"""How names of pictures end in formats that are not read at all."""


def image_suffixes() -> frozenset[str]:
    """How names of files end that can be read, in lower case."""
    every = (image_format.suffixes for name, image_format in _FORMATS.items() if _is_read(name))
    return frozenset(suffix for suffixes in every for suffix in suffixes)


def unread_suffixes() -> frozenset[str]:
    """How names of pictures end that cannot be read, in lower case."""
    return frozenset({*_OTHER_SUFFIXES, *_FORMATS[_HEIC].suffixes}) - image_suffixes()


def _is_read(name: str) -> bool:
    return name != _HEIC or find_spec(_HEIC_PACKAGE) is not None


def read_header(file: IO[bytes]) -> Header:
    """What a file says of its picture; the file stands at its beginning.

    Raises:
        UnusableError: It is no picture of a format that is read.
    """
    with _in_words():
        start = file.read(_START)
        image_format = _format_of(start)
        if image_format is _FORMATS[_JPEG]:
            header = _jpeg_header(start) or _jpeg_header(start + file.read())
            if header is None:
                raise UnusableError(_NO_END)
            return header
        file.seek(0)
        image = image_format.open(file)
        orientation = _stored_orientation(image)
        size = image.size if image_format.turns else _turned_size(image.size, orientation)
        return Header(size, image.mode, orientation)


def decode_pixels(data: bytes, header: Header) -> NDArray[np.uint8]:
    """Decode a picture as it is shown: ``(H, W, 3)`` BGR, contiguous.

    Args:
        data: The whole file.
        header: What `read_header` says of it.

    Raises:
        UnusableError: It is damaged.
    """
    with _in_words():
        image_format = _format_of(data)
        if image_format is _FORMATS[_JPEG]:
            stored = _jpeg_pixels(data)
        else:
            image_format.require_whole(data)
            stored = _eight_bit_bgr(image_format.open(io.BytesIO(data)))
        shown = stored if image_format.turns else _upright(stored, header.orientation)
        if shown.shape != (*header.size[::-1], 3):
            raise UnusableError(
                f"the image is damaged: its header says {header.size[0]}x{header.size[1]} pixels,"
                f" and there are {shown.shape[1]}x{shown.shape[0]}"
            )
        return np.ascontiguousarray(shown)


def decode_opacity(data: bytes, header: Header) -> NDArray[np.uint8]:
    """Decode how opaque a picture is, as it is shown: ``(H, W)``, 255 where the file says nothing.

    Args:
        data: The whole file, which `decode_pixels` takes.
        header: What `read_header` says of it.

    Raises:
        UnusableError: It is damaged.
    """
    with _in_words():
        image_format = _format_of(data)
        if image_format is _FORMATS[_JPEG]:
            return np.full(header.size[::-1], 255, np.uint8)
        image = image_format.open(io.BytesIO(data))
        if not image.has_transparency_data:
            return np.full(header.size[::-1], 255, np.uint8)
        stored = np.asarray(image.convert("RGBA"))[..., 3:]
        shown = stored if image_format.turns else _upright(stored, header.orientation)
        return np.ascontiguousarray(shown[..., 0])


def shown_pixels(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels of a Pillow image as it is shown: ``(H, W, 3)`` BGR, contiguous.

    Raises:
        UnusableError: It cannot be loaded.
    """
    with _in_words():
        image.load()  # by which Pillow turns a TIFF, and forgets its rotation
        orientation = _known(image.getexif().get(_EXIF_ORIENTATION))
        return np.ascontiguousarray(_upright(_eight_bit_bgr(image.copy()), orientation))


@contextmanager
def _in_words() -> Iterator[None]:
    """Turn whatever a decoder raises into `UnusableError`."""
    try:
        yield
    except UnusableError:
        raise
    except MemoryError:
        raise UnusableError("there is not enough memory to decode the image") from None
    # Damage can lead a decoder anywhere: NotImplementedError, RuntimeError, struct.error, …
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise UnusableError(f"the image is truncated or damaged ({reason})") from None


def _format_of(start: bytes) -> _Format:
    for image_format in _FORMATS.values():
        if image_format.start.match(start):
            return image_format
    if not start:
        raise UnusableError("the file is empty (0 bytes)")
    raise UnusableError(f"not an image of a format that is read: {', '.join(_FORMATS)}")


# --- JPEG


def _jpeg_header(data: bytes) -> Header | None:
    """What the segments before the first scan say; None if the data end before it."""
    place, frame, orientation = 2, None, UPRIGHT
    for _ in range(_MAX_SEGMENTS):
        segment = _SEGMENT.match(data, place)
        if segment is None:
            if len(data[place:].lstrip(b"\xff")) <= 2:
                return None
            raise UnusableError("the image is damaged: there is no marker behind a segment")
        kind, stop = segment[1][0], segment.start(2) + int.from_bytes(segment[2])
        if stop > len(data):
            return None
        content = data[segment.end() : stop]
        if kind in _FRAME_SEGMENTS and frame is None:
            frame = struct.unpack_from(">xHHB", content)
        elif kind == _EXIF_SEGMENT and content.startswith(b"Exif\0\0"):
            orientation = _orientation_in(content)
        elif kind == _SCAN_SEGMENT:
            if frame is None:
                raise UnusableError("the image is damaged: a scan stands before its frame header")
            height, width, components = frame
            mode = _JPEG_MODES.get(components, f"{components} components")
            return Header(_turned_size((width, height), orientation), mode, orientation)
        place = stop
    raise UnusableError(f"the image has more than {_MAX_SEGMENTS} segments before its pixels")


def _jpeg_pixels(data: bytes) -> NDArray[np.uint8]:
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, "BGR")
    except ValueError as error:
        if _LIBJPEG_NO_END in str(error):
            raise UnusableError(_NO_END) from None
        if _UNCOMMON_SAMPLING not in str(error):
            raise
        return _eight_bit_bgr(_FORMATS[_JPEG].open(io.BytesIO(data)))
    return pixels


# --- Pillow's images


def _eight_bit_bgr(image: Image.Image) -> NDArray[np.uint8]:
    """An image's pixels ``(H, W, 3)`` as they are stored."""
    image.load()
    # What a transparent pixel shows is not asked for.
    image.info.pop("transparency", None)
    if image.mode.startswith("I;16"):
        bits = getattr(image, "tag_v2", {}).get(_TIFF_BITS, (16,))[0]
        return _gray(np.asarray(image) >> (bits - 8))
    if image.mode == "I" and image.format == "PPM":  # Pillow stretches these to 16 bits
        return _gray(np.asarray(image) >> 8)
    if image.mode in ("I", "F"):
        raise UnusableError(
            "its pixels have 32 bits, and which value is white among them is not known; store it"
            " with 8 or 16"
        )
    rgb = np.asarray(image.convert("RGB"))
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR).astype(np.uint8, copy=False)


def _gray(pixels: NDArray[np.integer]) -> NDArray[np.uint8]:
    return np.repeat(pixels.astype(np.uint8)[..., None], 3, axis=2)


# --- rotation


def _stored_orientation(image: Image.Image) -> int:
    if image.format == "TIFF":
        return _known(image.getexif().get(_EXIF_ORIENTATION))
    # Without the look into `info`, Pillow searches the whole file for EXIF data.
    return _orientation_in(image.info["exif"]) if "exif" in image.info else UPRIGHT


def _orientation_in(exif: bytes) -> int:
    content = Image.Exif()
    try:
        content.load(exif)
        return _known(content.get(_EXIF_ORIENTATION))
    except Exception:  # Damaged EXIF data raise just anything, and the picture is none the worse.
        return UPRIGHT


def _known(orientation: object) -> int:
    return orientation if isinstance(orientation, int) and orientation in _ROTATIONS else UPRIGHT


def _turned_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    width, height = size
    return (height, width) if orientation in _TRANSPOSED else (width, height)


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """A view of ``(H, W, 3)`` as it is shown; orientations as in the EXIF standard, 4.6.4."""
    if orientation in _TRANSPOSED:
        pixels = pixels.transpose(1, 0, 2)
    mirrored_rows = orientation in (3, 4, 7, 8)
    mirrored_columns = orientation in (2, 3, 6, 7)
    return pixels[:: -1 if mirrored_rows else 1, :: -1 if mirrored_columns else 1]
