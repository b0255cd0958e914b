"""Image files: their size without decoding them, and what keeps one from being used."""

from __future__ import annotations

import os

from PIL import Image, ImageFile, UnidentifiedImageError

_TRANSPOSED = {5, 6, 7, 8}
"""Values of the EXIF orientation that swap width and height."""
_EXIF_ORIENTATION = 0x0112


class BrokenImageError(OSError):
    """An image file that is missing, truncated, or no image at all."""


def broken(path: str | os.PathLike[str], why: str) -> BrokenImageError:
    """The error for an image that cannot be used, with what to do about it."""
    return BrokenImageError(
        f"{os.fspath(path)}: {why}; replace the file or take its row out of the CSV"
        " (`fashionkp check CSV --images DIR` lists every such image)"
    )


def image_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Width and height in pixels as the image is shown, EXIF rotation applied.

    Only the header is read.

    Raises:
        BrokenImageError: The file is missing or is not an image.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            turned = _has_exif(image) and image.getexif().get(_EXIF_ORIENTATION) in _TRANSPOSED
    except FileNotFoundError:
        raise broken(path, "the image is missing") from None
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise broken(path, f"not a readable image ({error})") from error
    return (height, width) if turned else (width, height)


def _has_exif(image: ImageFile.ImageFile) -> bool:
    return "exif" in image.info
