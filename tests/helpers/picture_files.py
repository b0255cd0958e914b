"""Files of pictures, drawn by program: good ones, and broken ones of every kind."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

WIDTH, HEIGHT = 60, 40
ORIENTATION = 0x0112


def picture() -> Image.Image:
    """Red in its upper left quarter, blue in its lower right one, white elsewhere."""
    pixels = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    pixels[: HEIGHT // 2, : WIDTH // 2] = (255, 0, 0)
    pixels[HEIGHT // 2 :, WIDTH // 2 :] = (0, 0, 255)
    return Image.fromarray(pixels)


def png_header(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes that claims a size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" * 99)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def write_text(path: Path) -> None:
    path.write_text("<html>404 not found</html>")


def write_empty(path: Path) -> None:
    path.touch()


def write_noise(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(path, "JPEG")


def write_truncated_jpeg(path: Path) -> None:
    write_noise(path)
    path.write_bytes(path.read_bytes()[:5000])


def write_truncated_jpeg_with_thumbnail(path: Path) -> None:
    """A thumbnail brings an end marker of its own."""
    thumbnail = path.with_name("thumbnail")
    picture().save(thumbnail, "JPEG")
    write_truncated_jpeg(path)
    data = thumbnail.read_bytes()
    segment = b"\xff\xe9" + struct.pack(">H", len(data) + 2) + data
    path.write_bytes(b"\xff\xd8" + segment + path.read_bytes()[2:])


def write_truncated_png(path: Path) -> None:
    picture().save(path, "PNG")
    path.write_bytes(path.read_bytes()[:90])


def write_header_of_jpeg(path: Path) -> None:
    picture().save(path, "JPEG")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\xff\xda")])


def write_bomb(path: Path) -> None:
    path.write_bytes(png_header(9460, 9460))


def write_larger_bomb(path: Path) -> None:
    path.write_bytes(png_header(1_000_000, 1_000_000))


def make_folder(path: Path) -> None:
    path.mkdir()


def save(path: Path, orientation: int = 1, **options: Any) -> Path:
    """Write `picture`, turned by an EXIF orientation; the suffix says as what."""
    if orientation != 1:
        options["exif"] = Image.Exif()
        options["exif"][ORIENTATION] = orientation
    picture().save(path, **options)
    return path


def write_half_jpeg_with_end(path: Path) -> None:
    """What libjpeg fills with gray, and only warns of."""
    write_noise(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + b"\xff\xd9")


def write_damaged_jpeg(path: Path) -> None:
    """Its entropy-coded data go on, as something else."""
    write_noise(path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    path.write_bytes(data)


def write_dds(path: Path) -> None:
    """A DirectDraw surface of a kind for which Pillow raises NotImplementedError."""
    header = struct.pack("<7I44x", 124, 0x1007, 8, 8, 0, 0, 0)
    path.write_bytes(
        b"DDS " + header + struct.pack("<2I4s5I", 32, 4, b"XXXX", 0, 0, 0, 0, 0) + bytes(20)
    )


def write_damaged_avif(path: Path) -> None:
    """One for which Pillow raises RuntimeError."""
    picture().save(path, "AVIF")
    data = bytearray(path.read_bytes())
    data[data.index(b"mdat") + 4 :] = bytes(len(data) - data.index(b"mdat") - 4)
    path.write_bytes(data)


def write_float_tiff(path: Path) -> None:
    picture().convert("F").save(path, "TIFF")


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def write_sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"\xff\xd8\xff")
        file.truncate(6 * 10**9)


def write_padded_header(path: Path) -> None:
    """Ten million bytes of nothing where a JPEG's first segment belongs."""
    path.write_bytes(b"\xff\xd8\xff" + bytes(10**7))


def write_no_pixels(path: Path) -> None:
    """A JPEG that says its height behind its first scan, of which nobody has heard in years."""
    picture().save(path, "JPEG")
    data = path.read_bytes()
    frame = data.index(b"\xff\xc0")
    path.write_bytes(data[: frame + 5] + b"\0\0" + data[frame + 7 :])


BROKEN: dict[Callable[[Path], None], str] = {
    write_text: "not an image",
    write_empty: "empty (0 bytes)",
    write_truncated_jpeg: "truncated, its end is missing",
    write_truncated_jpeg_with_thumbnail: "truncated, its end is missing",
    write_header_of_jpeg: "truncated, its end is missing",
    write_truncated_png: "truncated",
    write_bomb: "too large to be decoded (9460x9460 pixels)",
    write_larger_bomb: "too large to be decoded",
    write_half_jpeg_with_end: "damaged (Corrupt JPEG data",
    write_damaged_jpeg: "damaged (",
    write_dds: "not an image",
    write_damaged_avif: "damaged (",
    write_float_tiff: "have 32 bits",
    write_padded_header: "no marker behind a segment",
    write_no_pixels: "0 pixels, none at all",
    write_sparse: "too large to be decoded (6,000 MB); expected at most",
    make_pipe: "it is a named pipe; expected a regular file",
    make_link_to_device: "it is a device; expected a regular file",
    make_folder: "it is a folder; expected a regular file",
}
parametrize_broken = pytest.mark.parametrize(
    ("write", "expected"), BROKEN.items(), ids=[write.__name__ for write in BROKEN]
)
