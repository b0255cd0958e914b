"""This project's Parquet: a row a garment, a column a number, null where nothing is known.

A folder of such files is one table. In the parts of a run over many machines each picture has a row
at least: one without a garment has no category, one that could not be predicted an ``error``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import CATEGORY_NAMES, KEYPOINT_NAMES
from fashionkp_mm.exchange import json_list
from fashionkp_mm.exchange.entries import STATE_NAMES
from fashionkp_mm.exchange.names import Names
from fashionkp_mm.exchange.table import GarmentTable, wrong

NEEDS = "Parquet needs pyarrow, which is not installed: pip install pyarrow"
ERROR = "error"
"""Column of what was wrong with a picture."""

_POINT = ("x", "y", "score", "visibility")
_BOX = ("box_x1", "box_y1", "box_x2", "box_y2")
_SIZE = ("image_width", "image_height")
KEPT = ("category_score", "box_source", "box_score")
"""Columns of what JSON has besides."""


def read(path: Path, names: Names) -> GarmentTable:
    """The garments of a file, or of a folder of files.

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
    has_every_picture = ERROR in columns
    sizes: dict[str, tuple[int, int]] = {}

    def entries() -> Iterator[dict[str, Any]]:
        rows = zip(frame.itertuples(index=False, name=None), known.tolist(), strict=True)
        for values, there in rows:
            cells = zip(columns, values, there, strict=True)
            row = {name: value for name, value, is_known in cells if is_known}
            if has_every_picture and isinstance(row.get("image_id"), str):
                sizes[row["image_id"]] = (int(row.get(_SIZE[0], 0)), int(row.get(_SIZE[1], 0)))
            if "category" in row or not has_every_picture:
                yield _entry(row)

    table = json_list.table_of(entries(), str(path), names)
    if not has_every_picture:
        return table
    pictures = np.array(list(sizes.values()), np.int64).reshape(-1, 2)
    return replace(table, pictures=tuple(sizes), sizes=pictures)


def write(table: GarmentTable) -> Iterator[bytes]:
    """The file, in one piece.

    Raises:
        ImportError: pyarrow is not installed.
    """
    yield _content(_columns(table))


def write_part(table: GarmentTable, errors: Mapping[str, str], facts: Mapping[str, str]) -> bytes:
    """A part of a run over many machines: each picture has a row at least.

    Args:
        table: The garments, and the pictures, those without a garment too.
        errors: What is wrong with pictures, by id.
        facts: What the file says of itself, by name; see `read_facts`.

    Raises:
        ImportError: pyarrow is not installed.
    """
    import pyarrow as pa  # noqa: PLC0415

    columns = _columns(table)
    garments = pa.table({**columns, ERROR: pa.nulls(len(table), pa.string())})
    known = set(table.garments.image_ids)
    left = [name for name in table.pictures if name not in known]
    sizes = np.array([table.size_of[name] for name in left], np.int64).reshape(-1, 2)
    others = {
        "image_id": pa.array(left, pa.string()),
        **_size_columns(sizes),
        ERROR: pa.array([errors.get(name) for name in left], pa.string()),
    }
    for name, column in columns.items():
        others.setdefault(name, pa.nulls(len(left), column.type))
    whole = pa.concat_tables(
        [garments, pa.table({name: others[name] for name in garments.schema.names})]
    )
    place = {name: position for position, name in enumerate(table.pictures)}
    order = np.argsort([place[name] for name in whole["image_id"].to_pylist()], kind="stable")
    whole = whole.take(pa.array(order, pa.int64()))
    return _content(whole.replace_schema_metadata(dict(facts)))


def read_facts(file: Any) -> dict[str, str]:
    """What a part says of itself.

    Args:
        file: The path, or the open file.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415

    metadata = pq.read_schema(file).metadata or {}
    return {name.decode(): value.decode() for name, value in metadata.items()}


def _content(columns: Any) -> bytes:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    data = io.BytesIO()
    pq.write_table(pa.table(columns) if isinstance(columns, dict) else columns, data)
    return data.getvalue()


def _columns(table: GarmentTable) -> dict[str, Any]:
    """The columns, of types that do not depend on what they hold, so that files agree."""
    import pyarrow as pa  # noqa: PLC0415

    garments, extras = table.garments, table.extras or ({},) * len(table)
    size_of = table.size_of
    sizes = np.array([size_of[name] for name in garments.image_ids], np.int64).reshape(-1, 2)
    # It follows from the box's and the points' scores where they are known, see json_list.
    own = ~np.array(["box_score" in extra for extra in extras], np.bool_)
    boxes = table.boxes.astype(np.float64).round(2)
    boxes[np.isnan(boxes).any(axis=1)] = np.nan
    columns: dict[str, Any] = {
        "image_id": pa.array(garments.image_ids, pa.string()),
        **_size_columns(sizes),
        "category": pa.array(
            [CATEGORY_NAMES[index] for index in garments.category_indices], pa.string()
        ),
        "score": _numbers(np.where(own, table.scores.astype(np.float64).round(4), np.nan)),
        **{name: _numbers(boxes[:, side]) for side, name in enumerate(_BOX)},
    }
    for name in KEPT:
        kind = pa.string() if name == "box_source" else pa.float64()
        columns[name] = pa.array([extra.get(name) for extra in extras], kind)
    placed = garments.placed
    places = np.where(placed[..., None], garments.keypoints.astype(np.float64).round(2), np.nan)
    scores = np.where(placed, table.keypoint_scores.astype(np.float64).round(4), np.nan)
    states = np.array([STATE_NAMES[state] for state in sorted(STATE_NAMES)], object)[
        garments.visibility - min(STATE_NAMES)
    ]
    for k, point in enumerate(KEYPOINT_NAMES):
        hidden = ~placed[:, k]
        facts = (
            _numbers(places[:, k, 0]),
            _numbers(places[:, k, 1]),
            _numbers(scores[:, k]),
            pa.array(states[:, k], pa.string(), mask=hidden),
        )
        columns.update({f"{point}_{name}": fact for name, fact in zip(_POINT, facts, strict=True)})
    return columns


def _size_columns(sizes: NDArray[np.int64]) -> dict[str, Any]:
    import pyarrow as pa  # noqa: PLC0415

    unknown = ~sizes.any(axis=1)
    return {
        name: pa.array(sizes[:, side], pa.int64(), mask=unknown) for side, name in enumerate(_SIZE)
    }


def _numbers(values: NDArray[np.float64]) -> Any:
    """A column of numbers, null where they are NaN."""
    import pyarrow as pa  # noqa: PLC0415

    return pa.array(values, pa.float64(), from_pandas=True)


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
