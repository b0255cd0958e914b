"""The files that `fashionkp predict` writes: CSV, JSON, Parquet, COCO.

What the journal keeps of an image is what its output's format needs of it (`content`), so that the
file is the same whether it was made in one run or in several.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fashionkp_mm.core.csv_columns import COLUMNS
from fashionkp_mm.core.csv_text import line_of
from fashionkp_mm.core.garments import CATEGORY_NAMES, KEYPOINT_NAMES, NUM_KEYPOINTS
from fashionkp_mm.exchange.coco import coco_categories
from fashionkp_mm.exchange.formats import FormatError as FormatError  # noqa: PLC0414  exported
from fashionkp_mm.runtime.garment import Garment

Format = Literal["csv", "json", "parquet", "coco"]

DESCRIPTIONS: dict[Format, str] = {
    "csv": "CSV in the contest's form",
    "json": "JSON list of garments",
    "parquet": "Parquet table of garments",
    "coco": "COCO data set",
}
"""What a file of a format is, for people."""

STDOUT = Path("-")
"""Stands for standard output."""

_SUFFIXES: dict[str, Format] = {".csv": "csv", ".json": "json", ".parquet": "parquet"}
_COCO = re.compile(r"(?:(?<![a-z])coco(?![a-z]).*|coco)\.json$")
"""Names of COCO files: coco.json, coco_val.json, person-coco-2017.json, but not cocoa.json."""


def format_of(path: Path) -> Format:
    """The format that a file's name asks for; standard output is CSV.

    Raises:
        FormatError: It asks for none of them, or for Parquet without pyarrow.
    """
    if path == STDOUT:
        return "csv"
    name = path.name.lower()
    if _COCO.search(name):
        return "coco"
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise FormatError(
            f"{path}: unknown format '{suffix}'; expected a name that ends in .csv, .json or"
            " .parquet ('coco' in the name of a .json file asks for COCO, as in coco.json), or '-'"
            " for CSV on standard output"
        )
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise FormatError(
            f"{path}: Parquet needs pyarrow, which is not installed: pip install pyarrow;"
            " or name a .csv or .json file"
        )
    return _SUFFIXES[suffix]


def content(
    form: Format, image_size: tuple[int, int], garments: Sequence[Garment]
) -> dict[str, Any]:
    """What a file of this format needs of one image, as plain JSON.

    Args:
        form: The format.
        image_size: Width and height, which an image without garments cannot tell.
        garments: What was found on it, the best first.
    """
    if form == "csv":
        found: list[Any] = [garment.to_csv_row() for garment in garments]
    elif form == "coco":
        found = [garment.to_coco() for garment in garments]
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
    """A garment of each category, as a file of this format needs it."""
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
        )
        for category in CATEGORY_NAMES
    ]
    examples: list[Any] = content(form, (1, 1), garments)["garments"]
    return examples


def _alike(value: Any, example: Any) -> bool:
    """Whether plain JSON has the same keys, lengths and types everywhere, and finite numbers."""
    if isinstance(example, dict):
        return (
            isinstance(value, dict)
            and value.keys() == example.keys()
            and all(
                _is_polygon(value[key]) if key == _POLYGON else _alike(value[key], example[key])
                for key in example
            )
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


_POLYGON = "segmentation"
"""The one part of a garment that is not of the same length in every garment of its category."""


def _is_polygon(value: Any) -> bool:
    """Whether plain JSON is ``[[x, y, x, y, …]]``, three points or more."""
    if not (isinstance(value, list) and len(value) == 1 and isinstance(value[0], list)):
        return False
    (corners,) = value
    return len(corners) >= 6 and len(corners) % 2 == 0 and _alike(corners, [0.0] * len(corners))


def render(form: Format, images: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[bytes]:
    """The file, piece by piece.

    Args:
        form: The format.
        images: Id and `content` of each image, in the order of the file.
    """
    if form == "csv":
        yield from _csv(images)
    elif form == "json":
        yield from _json(_numbered(images))
    elif form == "coco":
        yield _coco(images)
    else:
        yield _parquet(_numbered(images))


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


def _json(garments: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """A list of objects, one a line."""
    before = b"[\n"
    for garment in garments:
        yield before + json.dumps(garment, allow_nan=False).encode()
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def _coco(images: Iterable[tuple[str, dict[str, Any]]]) -> bytes:
    """A whole data set, which ``pycocotools.coco.COCO`` loads; ids count from 1."""
    listed: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index, (image_id, found) in enumerate(images, start=1):
        width, height = found["size"]
        listed.append({"id": index, "file_name": image_id, "width": width, "height": height})
        for garment in found["garments"]:
            _, _, box_width, box_height = garment["bbox"]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    **garment,
                    "image_id": index,
                    "area": round(box_width * box_height, 2),
                    "iscrowd": 0,
                }
            )
    dataset = {"images": listed, "annotations": annotations, "categories": coco_categories()}
    return json.dumps(dataset, allow_nan=False).encode() + b"\n"


def _parquet(garments: Iterable[dict[str, Any]]) -> bytes:
    """A row a garment, a column a number; points that the category lacks are null."""
    import pandas as pd  # noqa: PLC0415  The other formats do without.

    frame = pd.DataFrame([_flat(garment) for garment in garments], columns=list(_PARQUET_TYPES))
    # Said outright, so that files agree where a column is empty in one of them.
    frame = frame.astype(_PARQUET_TYPES)
    data = io.BytesIO()
    frame.to_parquet(data, engine="pyarrow", index=False)
    return data.getvalue()


_POINT_FACTS = {"x": "float64", "y": "float64", "score": "float64", "visibility": "string"}
_PARQUET_TYPES = {
    "image_id": "string",
    "image_width": "int64",
    "image_height": "int64",
    "category": "string",
    "category_score": "float64",
    "box_x1": "float64",
    "box_y1": "float64",
    "box_x2": "float64",
    "box_y2": "float64",
    "box_source": "string",
    "box_score": "float64",
    **{f"{name}_{fact}": kind for name in KEYPOINT_NAMES for fact, kind in _POINT_FACTS.items()},
}


def _flat(garment: dict[str, Any]) -> dict[str, Any]:
    same = ("image_id", "category", "category_score", "box_source", "box_score")
    row = {name: garment[name] for name in same}
    row["image_width"], row["image_height"] = garment["image_size"]
    row["box_x1"], row["box_y1"], row["box_x2"], row["box_y2"] = garment["box"]
    for name, point in garment["keypoints"].items():
        row.update({f"{name}_{fact}": point[fact] for fact in _POINT_FACTS})
    return row
