"""Picture files: what is shown, in the size that was announced, or `BrokenImageError`."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fashionkp_mm.images import BrokenImageError, image_size, load_image
from fuzzing import Fault
from fuzzing.child import Limits
from fuzzing.mutations import BYTE_MUTATIONS, overwritten, truncated

LIMITS = Limits(seconds=4, mebibytes=1024, silent=True)
"""The largest picture that is decoded takes 256 MiB as BGR, and its decoder as much again."""

Damage = Literal["none", "truncated", "checked", "other"]
"""``checked`` is damage that the format's checksums tell."""

_PNG = b"\x89PNG"
_ORIENTATION = 0x0112
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".bmp", ".gif", ".avif", ".jp2", "", ".dds")
_OTHERS_ALLOWED = 3.0
"""Mean difference in levels between two decoders of the same lossy file."""


@dataclass(frozen=True)
class _Format:
    """A way to store a picture.

    Attributes:
        name: Pillow's name.
        modes: Pillow's modes that it stores.
        options: What `Image.save` can be given, each with its values.
    """

    name: str
    modes: tuple[str, ...]
    options: dict[str, tuple[Any, ...]]


_FORMATS = (
    _Format(
        "JPEG",
        ("RGB", "L", "CMYK"),
        {"quality": (60, 90), "progressive": (False, True), "subsampling": (0, 2)},
    ),
    _Format("PNG", ("RGB", "RGBA", "L", "LA", "P", "1", "I;16"), {"compress_level": (1, 6)}),
    _Format("WEBP", ("RGB", "RGBA"), {"lossless": (False, True), "quality": (60, 90)}),
    _Format(
        "TIFF",
        ("RGB", "RGBA", "L", "P", "1", "CMYK"),
        {"compression": (None, "tiff_lzw", "tiff_adobe_deflate", "packbits")},
    ),
    _Format("BMP", ("RGB", "L", "P", "1"), {}),
    _Format("GIF", ("RGB", "L", "P"), {}),
    _Format("AVIF", ("RGB", "RGBA"), {"quality": (60, 90)}),
    _Format("JPEG2000", ("RGB", "RGBA", "L"), {"irreversible": (False, True)}),
    _Format("PPM", ("RGB", "L"), {}),
)
_RARE = (
    "DDS", "ICO", "TGA", "PCX", "SGI", "QOI", "ICNS", "MSP", "XBM", "PDF", "EPS", "SPIDER",
)  # fmt: skip
"""Formats that Pillow writes as well; these may be refused."""
_WITH_ORIENTATION = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")


@dataclass(frozen=True)
class Case:
    """A file.

    Attributes:
        name: Its name.
        content: Its bytes.
        damage: What was done to them.
        whole: The bytes before that.
        rare: Whether it may be refused even if whole.
    """

    name: str
    content: bytes
    damage: Damage
    whole: bytes
    rare: bool


def make(random: Random) -> Case:
    """A picture of any format; most of them damaged."""
    rare = random.random() < 0.1
    whole = _rare_file(random) if rare else _file(random)
    content, damage = whole, "none"
    kind = random.randrange(10)
    if kind < 3:
        content, damage = truncated(whole, random), "truncated"
    elif kind == 3 and whole.startswith(_PNG):
        content, damage = random.choice(BYTE_MUTATIONS)(whole, random), "checked"
    elif kind < 8:
        for _ in range(random.choice((1, 1, 2))):
            content = random.choice(_MUTATIONS)(content, random)
        damage = "other"
    if content == whole:
        damage = "none"
    return Case(f"picture{random.choice(_SUFFIXES)}", content, damage, whole, rare)


def prepare(folder: Path) -> None:
    """Load the decoders; what Pillow says of EXIF data is not what the fuzzer is after."""
    warnings.simplefilter("ignore")
    for name in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "JPEG2000"):
        path = folder / "picture"
        Image.new("RGB", (32, 32)).save(path, name)
        load_image(path)


def check(case: Case, folder: Path) -> Literal["accepted", "refused"]:
    """The file is refused, or it is a picture of the announced size, and what it was if whole."""
    path = folder / case.name
    path.write_bytes(case.content)
    image, size = _answer(load_image, path), _answer(image_size, path)
    if image is None:
        if case.damage == "none" and not case.rare:
            load_image(path)  # for the message
        return "refused"
    if not (image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size):
        raise Fault(f"an array {image.shape} of {image.dtype}")
    if size != (image.shape[1], image.shape[0]):
        raise Fault(f"image_size says {size}, load_image gives {image.shape[1::-1]}")
    if case.damage == "none":
        _require_shown(image, case.content)
    elif case.damage in ("truncated", "checked") and not case.rare:
        path.write_bytes(case.whole)
        if not np.array_equal(image, load_image(path)):
            raise Fault(f"a {case.damage} file gives another picture: {case.whole[:8]!r}")
    return "accepted"


def _answer(function: Callable[[Path], Any], path: Path) -> Any:
    try:
        return function(path)
    except BrokenImageError:
        return None


def _require_shown(image: NDArray[np.uint8], content: bytes) -> None:
    """The picture is what Pillow shows of the same file."""
    with Image.open(io.BytesIO(content)) as opened:
        shown = ImageOps.exif_transpose(opened)
        what = f"{opened.format} {opened.mode}"
        if shown.mode.startswith("I"):
            wanted = np.repeat((np.array(shown, np.uint32) >> 8).astype(np.uint8)[..., None], 3, 2)
        else:
            wanted = np.array(shown.convert("RGB"))[..., ::-1]
    if wanted.shape != image.shape:
        raise Fault(f"{what}: {image.shape}, Pillow shows {wanted.shape}")
    difference = float(np.abs(wanted.astype(int) - image.astype(int)).mean())
    if difference > _OTHERS_ALLOWED:
        raise Fault(f"{what}: {difference:.1f} levels from what Pillow shows")


# --- whole files


def _file(random: Random) -> bytes:
    form = random.choice((*_FORMATS[:1] * 3, *_FORMATS))
    mode = random.choice((*form.modes[:1] * 2, *form.modes))
    options = {name: random.choice(values) for name, values in form.options.items()}
    if form.name in _WITH_ORIENTATION and random.random() < 0.5:
        exif = Image.Exif()
        exif[_ORIENTATION] = random.randint(1, 8)
        options["exif"] = exif
    file = io.BytesIO()
    _picture(random, mode).save(file, form.name, **options)
    return file.getvalue()


def _rare_file(random: Random) -> bytes:
    if random.random() < 0.2:
        _, data = cv2.imencode(random.choice((".hdr", ".ras", ".pic")), _pixels(random))
        return bytes(data)
    name = random.choice(_RARE)
    mode = {"MSP": "1", "XBM": "1", "SPIDER": "F"}.get(name, "RGB")
    file = io.BytesIO()
    _picture(random, mode).save(file, name)
    return file.getvalue()


def _picture(random: Random, mode: str) -> Image.Image:
    pixels = _pixels(random)
    if mode == "I;16":
        return Image.fromarray((pixels[..., 0].astype(np.uint16) << 8) | 7)
    image = Image.fromarray(pixels)
    if mode.endswith("A"):
        image.putalpha(Image.fromarray(np.ascontiguousarray(pixels[::-1, :, 0])))
    return image.convert(mode)


def _pixels(random: Random) -> NDArray[np.uint8]:
    """Slopes and some blocks of colour, which every format keeps well enough to be compared."""
    random = Random(random.getrandbits(32))  # nothing there for Hypothesis to look into
    width, height = random.randint(16, 96), random.randint(16, 96)
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], 2)
    for _ in range(random.randrange(3)):
        left, top = random.randrange(width), random.randrange(height)
        pixels[top : top + 20, left : left + 20] = [random.randrange(256) for _ in range(3)]
    return pixels.astype(np.uint8)


# --- damage


def _other_head(data: bytes, random: Random) -> bytes:
    """The first bytes of another format's file, over the own ones or before them."""
    head = _file(random)[: random.randint(1, 64)]
    return head + data[len(head) if random.random() < 0.7 else 0 :]


def _claims_much(data: bytes, random: Random) -> bytes:
    """Another width and height in the header of a JPEG or PNG, the checksum made to fit."""
    width, height = (random.choice((0, 1, 33, 4000, 9000, 65535, 2**31 - 1)) for _ in range(2))
    if data.startswith(_PNG) and len(data) > 33:
        head = data[12:16] + struct.pack(">II", width, height) + data[24:29]
        return data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]
    for marker in (b"\xff\xc0", b"\xff\xc2"):
        place = data.find(marker)
        if place >= 0:
            claim = struct.pack(">HH", min(height, 65535), min(width, 65535))
            return data[: place + 5] + claim + data[place + 9 :]
    return overwritten(data, random)


def _end_kept(data: bytes, random: Random) -> bytes:
    """Its middle is missing, its end marker is there."""
    return data[: random.randrange(len(data) + 1)] + data[-2:]


def _followed(data: bytes, random: Random) -> bytes:
    return data + random.choice((bytes(10), b"\n", data, data[:50], b"\xff\xd8\xff"))


def _damaged_head(data: bytes, random: Random) -> bytes:
    """Damage to the first bytes, where sizes, tables and EXIF data stand."""
    length = min(len(data), random.choice((32, 128, 400)))
    return random.choice(BYTE_MUTATIONS)(data[:length], random) + data[length:]


_MUTATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    *BYTE_MUTATIONS, _other_head, _claims_much, _end_kept, _followed, _damaged_head, _damaged_head,
)  # fmt: skip
