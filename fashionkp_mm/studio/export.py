"""Labels of the studio as files: new ones, and the one that it was opened with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fashionkp_mm.core.csv_cells import ABSENT, write_cell
from fashionkp_mm.core.csv_edit import edited
from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.core.words import plural
from fashionkp_mm.exchange import json_list
from fashionkp_mm.exchange.entries import load_json
from fashionkp_mm.exchange.formats import Format, format_to_read, render
from fashionkp_mm.studio.garments import arrays, to_table
from fashionkp_mm.studio.store import Version

Sizes = Callable[[Sequence[Version]], Mapping[str, tuple[int, int]]]
"""Gives width and height by image id; (0, 0) where they are not known."""


class ExportError(ValueError):
    """Labels that cannot be written as asked."""


def as_file(form: Format, versions: Sequence[Version], sizes: Sizes) -> tuple[bytes, list[str]]:
    """Labels as the content of a new file.

    Returns:
        The content, and what the format cannot hold, in sentences.

    Raises:
        ExportError: Nothing is labelled.
    """
    if not any(version.garments for version in versions):
        raise ExportError("there is no garment to write yet")
    table = to_table({each.image_id: each.garments for each in versions}, sizes(versions))
    notes = several_in_csv(versions) if form == "fashionai" else []
    return b"".join(render(table, form)), notes


def can_write_back(source: Path) -> bool:
    """Whether a file of labels can be written back with all else in it as it is."""
    return format_to_read(source) in ("fashionai", "json")


def written_back(source: Path, changed: Sequence[Version], sizes: Sizes) -> bytes:
    """The content of a file of labels with some pictures changed and all else as it is.

    Raises:
        OSError: The file cannot be read.
    """
    if format_to_read(source) == "fashionai":
        rows = {each.image_id: _cells(each.garments) for each in changed}
        return edited(source, rows)
    by_id: dict[str, list[Any]] = {}
    for entry in load_json(source):
        by_id.setdefault(entry["image_id"], []).append(entry)
    by_id |= {each.image_id: [] for each in changed}
    new = to_table({each.image_id: each.garments for each in changed}, sizes(changed))
    for entry in json_list.entries(new):
        by_id[entry["image_id"]].append(entry)
    lines = [json.dumps(entry, allow_nan=False) for entries in by_id.values() for entry in entries]
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


def several_in_csv(versions: Sequence[Version]) -> list[str]:
    """What a CSV, which has one garment an image, leaves out."""
    several = sum(len(version.garments) > 1 for version in versions)
    if not several:
        return []
    return [
        f"{plural(several, 'picture')} with several garments; a CSV holds the first of each, JSON"
        " and COCO hold all of them"
    ]


def _cells(garments: Sequence[Mapping[str, Any]]) -> list[str] | None:
    """Category and 24 cells of the row of the first of a picture's garments, if there is one."""
    if not garments:
        return None
    points = garments[0]["keypoints"]
    keypoints, visibility = arrays(points)
    cells = [
        ABSENT if state == Visibility.ABSENT else write_cell(x, y, state)
        for (x, y), state in zip(keypoints.tolist(), visibility.tolist(), strict=True)
    ]
    return [garments[0]["category"], *cells]
