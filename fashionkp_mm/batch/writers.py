"""The files that `fashionkp predict` writes, of any format of `exchange`.

What the journal keeps of an image is what its output's format needs of it (`content`), so that the
file is the same whether it was made in one run or in several.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from fashionkp_mm.core.csv_columns import COLUMNS
from fashionkp_mm.core.csv_text import line_of
from fashionkp_mm.core.garments import CATEGORY_NAMES, NUM_KEYPOINTS
from fashionkp_mm.exchange import formats, json_list
from fashionkp_mm.exchange.formats import Format
from fashionkp_mm.exchange.names import Names
from fashionkp_mm.exchange.table import GarmentTable
from fashionkp_mm.runtime.garment import Garment

STDOUT = Path("-")
"""Stands for standard output."""


def format_of(path: Path) -> Format:
    """The format that a name asks for; standard output is CSV.

    Raises:
        FormatError: It asks for none, or for Parquet without pyarrow.
    """
    return "fashionai" if path == STDOUT else formats.format_to_write(path)


def content(
    form: Format, image_size: tuple[int, int], garments: Sequence[Garment]
) -> dict[str, Any]:
    """What a file of this format needs of one image, as plain JSON.

    Args:
        form: The format.
        image_size: Width and height, which an image without garments cannot tell.
        garments: What was found on it, the best first.
    """
    if form == "fashionai":
        found: list[Any] = [garment.to_csv_row() for garment in garments]
    else:
        found = [garment.to_dict() for garment in garments]
    return {"size": list(image_size), "garments": found}


def fits(form: Format, found: Any) -> bool:
    """Whether something read from a file is `content` of this format, and `render` can take it."""
    if not isinstance(found, dict) or not _alike(found.get("size"), [1, 1]):
        return False
    garments = found.get("garments")
    return isinstance(garments, list) and all(
        any(_alike(garment, example) for example in _examples(form)) for garment in garments
    )


@cache
def _examples(form: Format) -> list[Any]:
    """A garment of each category, of several passes and of one, as a file of this format has it."""
    garments = [
        Garment(
            image_id="",
            image_index=0,
            image_size=(1, 1),
            category=category,
            category_score=1.0,
            category_scores=np.zeros(len(CATEGORY_NAMES), np.float32),
            box=np.zeros(4, np.float32),
            box_source="",
            box_score=1.0,
            keypoints=np.zeros((NUM_KEYPOINTS, 2), np.float32),
            keypoint_scores=np.zeros(NUM_KEYPOINTS, np.float32),
            visibility=np.zeros(NUM_KEYPOINTS, np.int8),
            keypoint_spreads=np.full(NUM_KEYPOINTS, spread, np.float32),
        )
        for category in CATEGORY_NAMES
        for spread in (0.0, np.nan)
    ]
    examples: list[Any] = content(form, (1, 1), garments)["garments"]
    return examples


def _alike(value: Any, example: Any) -> bool:
    """Whether plain JSON has the same keys, lengths and types everywhere, and finite numbers."""
    if isinstance(example, dict):
        return (
            isinstance(value, dict)
            and value.keys() == example.keys()
            and all(_alike(value[key], example[key]) for key in example)
        )
    if isinstance(example, list):
        return (
            isinstance(value, list)
            and len(value) == len(example)
            and all(map(_alike, value, example))
        )
    if isinstance(example, float):
        return isinstance(value, float) and math.isfinite(value)
    return type(value) is type(example)


def render(form: Format, images: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[bytes]:
    """The file, piece by piece.

    Args:
        form: The format of a file; see `table_of` for folders.
        images: Id and `content` of each image, in the order of the file.
    """
    if form == "fashionai":
        return _csv(images)
    if form == "json":  # of any length, so it is never all in memory
        return json_list.lines(_numbered(images))
    return formats.render(table_of(images), form)


def table_of(images: Iterable[tuple[str, dict[str, Any]]]) -> GarmentTable:
    """The table of garments of images, each with its id and `content` as for JSON."""
    sizes: dict[str, tuple[int, int]] = {}

    def counted() -> Iterator[tuple[str, dict[str, Any]]]:
        for image_id, found in images:
            sizes[image_id] = (found["size"][0], found["size"][1])
            yield image_id, found

    table = json_list.table_of(_numbered(counted()), "predictions", Names())
    pictures = np.array(list(sizes.values()), np.int64).reshape(-1, 2)
    return replace(table, pictures=tuple(sizes), sizes=pictures)


def _csv(images: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[bytes]:
    """A label CSV's form, which has one garment an image: the best one."""
    yield line_of(COLUMNS).encode()
    for image_id, found in images:
        for _, *cells in found["garments"][:1]:
            yield line_of([image_id, *cells]).encode()


def _numbered(images: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    for index, (image_id, found) in enumerate(images):
        for garment in found["garments"]:
            yield {**garment, "image_id": image_id, "image_index": index}
