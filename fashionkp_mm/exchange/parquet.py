"""This project's Parquet: a row a garment, a column a number, null where nothing is known."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fashionkp_mm.core.garments import KEYPOINT_NAMES
from fashionkp_mm.exchange import json_list
from fashionkp_mm.exchange.names import Names
from fashionkp_mm.exchange.table import GarmentTable, wrong

NEEDS = "Parquet needs pyarrow, which is not installed: pip install pyarrow"

_POINT = {"x": "float64", "y": "float64", "score": "float64", "visibility": "string"}
_BOX = ("box_x1", "box_y1", "box_x2", "box_y2")
_SIZE = ("image_width", "image_height")
KEPT = {"category_score": "float64", "box_source": "string", "box_score": "float64"}
"""Columns of what JSON has besides, by their pandas types."""
_TYPES = {
    "image_id": "string",
    **dict.fromkeys(_SIZE, "Int64"),
    "category": "string",
    "score": "float64",
    **dict.fromkeys(_BOX, "float64"),
    **KEPT,
    **{f"{name}_{fact}": kind for name in KEYPOINT_NAMES for fact, kind in _POINT.items()},
}


def read(path: Path, names: Names) -> GarmentTable:
    """The garments of a file.

    Raises:
        AnnotationError: It breaks a rule of the format, or pyarrow is not installed.
        OSError: The file cannot be read.
    """
    import pandas as pd  # noqa: PLC0415  The other formats do without.

    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise wrong(str(path), "", "", NEEDS) from None
    except ValueError as error:  # pyarrow's errors for damaged files are ValueErrors, too
        raise wrong(str(path), "", "", f"not readable as Parquet ({error})") from None
    known = frame.notna().to_numpy()
    columns = list(frame.columns)
    rows = zip(frame.itertuples(index=False, name=None), known.tolist(), strict=True)
    entries = (
        _entry(
            {
                name: value
                for name, value, is_known in zip(columns, row, there, strict=True)
                if is_known
            }
        )
        for row, there in rows
    )
    return json_list.table_of(entries, str(path), names)


def write(table: GarmentTable) -> Iterator[bytes]:
    """The file, in one piece.

    Raises:
        ImportError: pyarrow is not installed.
    """
    import pandas as pd  # noqa: PLC0415

    frame = pd.DataFrame([_flat(entry) for entry in json_list.entries(table)], columns=list(_TYPES))
    # Said outright, so that files agree where a column is empty in one of them.
    data = io.BytesIO()
    frame.astype(_TYPES).to_parquet(data, engine="pyarrow", index=False)
    yield data.getvalue()


def _flat(entry: dict[str, Any]) -> dict[str, Any]:
    row = {name: entry.get(name) for name in ("image_id", "category", "score", *KEPT)}
    row.update(zip(_SIZE, entry.get("image_size", (None, None)), strict=True))
    row.update(zip(_BOX, entry.get("box", (None,) * 4), strict=True))
    for name, point in entry["keypoints"].items():
        row.update({f"{name}_{fact}": point.get(fact) for fact in _POINT})
    return row


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    """A row, less its nulls, in the form of `json_list`."""
    entry: dict[str, Any] = {
        name: row[name] for name in ("image_id", "category", "score", *KEPT) if name in row
    }
    if _SIZE[0] in row and _SIZE[1] in row:
        entry["image_size"] = [int(row[name]) for name in _SIZE]
    if all(name in row for name in _BOX):
        entry["box"] = [row[name] for name in _BOX]
    entry["keypoints"] = {
        name: {fact: row[f"{name}_{fact}"] for fact in _POINT if f"{name}_{fact}" in row}
        for name in KEYPOINT_NAMES
        if f"{name}_visibility" in row
    }
    return entry
