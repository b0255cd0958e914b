"""What a caller wants to know of a picture, checked before any work is done on it."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from fashionkp_mm.core.box_sources import BOX_SOURCES, BoxOrigin, BoxSource
from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_NAMES
from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.core.uris import is_remote, is_uri, without_secrets
from fashionkp_mm.images import (
    BrokenImageError,
    convert_image,
    decode_image,
    image_size,
    load_image,
)

_FETCHED = 3 * 4_000_000
"""Bytes of a decoded picture of 4 megapixels: what one that is yet to be fetched counts as."""

Picture = NDArray[np.uint8] | str | os.PathLike[str] | bytes | Image
"""An array ``(H, W, 3)``, the path or URI of an image file, its content, or a Pillow image."""
ChannelOrder = Literal["bgr", "rgb"]
"""How an array's channels stand: ``bgr`` as ``cv2.imread`` gives them, ``rgb`` as Pillow does."""
Boxes = NDArray[Any] | Sequence[Sequence[float]]
"""``(M, 4)`` ``x1, y1, x2, y2`` in pixels of the picture."""


@dataclass(frozen=True)
class Request:
    """One picture, and what to look for where.

    Attributes:
        index: Its position among those given.
        picture: As it was given.
        wanted: The category's position in ``core.garments.CATEGORY_NAMES``; None if it is open.
        source: A `BoxSource`, or ``given`` where there are boxes.
        boxes: ``(M, 4)`` as they were given, not checked yet.
        max_megapixels: Size from which a file's picture is refused.
        channel_order: That of arrays; all else says itself how its channels stand.
    """

    index: int
    picture: Picture
    wanted: int | None
    source: BoxOrigin
    boxes: Boxes | None
    max_megapixels: float = MAX_MEGAPIXELS
    channel_order: ChannelOrder = "bgr"

    @property
    def image_id(self) -> str | None:
        """The path as it was given, a URI less its secrets; None for other kinds of pictures."""
        path = self.picture
        return without_secrets(os.fspath(path)) if isinstance(path, str | os.PathLike) else None

    @property
    def name(self) -> str:
        """What messages call the picture."""
        return self.image_id or f"image {self.index}"

    @property
    def is_remote(self) -> bool:
        """Whether it comes over a network, so that many are fetched at a time."""
        path = self.picture
        return isinstance(path, str | os.PathLike) and is_remote(os.fspath(path))

    def decoded_bytes(self) -> int | None:
        """Memory that the decoded picture takes; None for an array, of which there is no more."""
        picture, limit = self.picture, self.max_megapixels
        if isinstance(picture, np.ndarray):
            return None
        if isinstance(picture, Image):
            width, height = picture.size
            return 3 * width * height
        if not isinstance(picture, bytes) and is_uri(os.fspath(picture)):
            return _FETCHED  # a worker fetches it
        try:
            source = io.BytesIO(picture) if isinstance(picture, bytes) else picture
            width, height = image_size(source, max_megapixels=limit)
        except BrokenImageError:
            return 0  # what is wrong with it comes to light when it is loaded
        return 3 * width * height

    def image(self) -> NDArray[np.uint8]:
        """The picture's pixels, ``(H, W, 3)`` BGR.

        Raises:
            BrokenImageError: The file or the Pillow image cannot be used.
            ValueError: The array is no picture.
        """
        picture = self.picture
        if isinstance(picture, bytes):
            return decode_image(picture, self.name, max_megapixels=self.max_megapixels)
        if isinstance(picture, Image):
            return convert_image(picture, self.name)
        if not isinstance(picture, np.ndarray):
            return load_image(picture, max_megapixels=self.max_megapixels)
        shape = picture.shape
        if picture.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or not picture.size:
            raise ValueError(
                f"image {self.index} is an array {shape} of {picture.dtype}, expected"
                " (height, width, 3) uint8 in BGR order, as cv2.imread gives it"
            )
        return np.ascontiguousarray(picture[..., ::-1] if self.channel_order == "rgb" else picture)

    def checked_boxes(self, size: tuple[int, int]) -> NDArray[np.float32]:
        """The boxes ``(M, 4)`` for a picture of this width and height.

        Raises:
            ValueError: A box is empty, inverted, not finite or outside the picture.
        """
        where = self.name
        try:
            boxes = np.array(self.boxes, np.float32)
        except (TypeError, ValueError):
            boxes = np.empty(0, np.float32)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(
                f"the boxes of {where} are {_shown(self.boxes)}, expected an array (M, 4) of"
                f" x1, y1, x2, y2 in pixels, or one of {', '.join(BOX_SOURCES)}"
            )
        rules = (
            (~np.isfinite(boxes).all(axis=1), "is not finite"),
            ((boxes[:, 2:] <= boxes[:, :2]).any(axis=1), "is empty or inverted"),
            ((boxes[:, :2] >= size).any(axis=1) | (boxes[:, 2:] <= 0).any(axis=1), "lies outside"),
        )
        for broken, what in rules:
            for index in np.flatnonzero(broken):
                raise ValueError(
                    f"box {index} of {where}, {boxes[index].tolist()}, {what}; expected x1 < x2"
                    f" and y1 < y2 in the picture of {size[0]}x{size[1]} pixels"
                )
        return boxes


def make_requests(
    images: Iterable[Picture],
    category: str | Iterable[str | None] | None,
    boxes: str | Iterable[Boxes],
    max_megapixels: float = MAX_MEGAPIXELS,
    channel_order: ChannelOrder = "bgr",
) -> Iterator[Request]:
    """One request a picture; a category or box source that is no list goes for all of them.

    Files with pictures of more than ``max_megapixels`` are refused when they are loaded.

    Raises:
        ValueError: A category, a box source or an order of channels does not exist, a picture is of
            no kind that is read, or there are fewer categories or boxes than pictures.
    """
    if channel_order not in get_args(ChannelOrder):
        raise ValueError(f"channel_order is {channel_order!r}, expected 'bgr' or 'rgb'")
    categories = repeat(category) if isinstance(category, str | None) else iter(category)
    all_boxes = repeat(boxes) if isinstance(boxes, str) else iter(boxes)
    more = max_megapixels, channel_order
    for index, picture in enumerate(images):
        if not isinstance(picture, np.ndarray | str | os.PathLike | bytes | Image):
            raise ValueError(
                f"image {index} is {_shown(picture)}, expected an array (height, width, 3), a path,"
                " the bytes of an image file or a Pillow image"
            )
        try:
            name, where = next(categories), next(all_boxes)
        except StopIteration:
            raise ValueError(
                f"there is no category or no boxes for image {index}; give one for each image"
            ) from None
        wanted = _category_index(name, index)
        if isinstance(where, str):
            yield Request(index, picture, wanted, _source(where), None, *more)
        else:
            yield Request(index, picture, wanted, "given", where, *more)


def _category_index(name: str | None, index: int) -> int | None:
    if name is None:
        return None
    if not isinstance(name, str) or name not in CATEGORY_INDEX:
        raise ValueError(
            f"there is no category {name!r} (image {index}); expected one of"
            f" {', '.join(CATEGORY_NAMES)}, or None for the network's choice"
        )
    return CATEGORY_INDEX[name]


def _source(name: str) -> BoxSource:
    for source in BOX_SOURCES:
        if name == source:
            return source
    raise ValueError(
        f"there are no boxes {name!r}; expected one of {', '.join(BOX_SOURCES)}, or an array (M, 4)"
    )


def _shown(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array {value.shape} of {value.dtype}"
    return f"{type(value).__name__} {value!r}"[:80]
