"""What a format cannot hold, and how much of that a table has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS, Visibility
from fashionkp_mm.core.words import plural
from fashionkp_mm.exchange.checks import outside
from fashionkp_mm.exchange.parquet import KEPT
from fashionkp_mm.exchange.table import GarmentTable

_TIGHT = 0.02
"""Pixels that rounding moves a box."""


def _without_place(table: GarmentTable) -> int:
    absent = table.garments.visibility == Visibility.ABSENT
    return int((table.garments.placed & absent).sum())


def _own_boxes(table: GarmentTable) -> int:
    known = replace(table, boxes=np.full_like(table.boxes, np.nan)).drawn_boxes
    # False of NaN: a garment without a box, or without a point.
    alike = np.abs(known - table.boxes).max(axis=1) <= _TIGHT
    return int((~alike & ~np.isnan(table.boxes).any(axis=1)).sum())


def _foreign(table: GarmentTable) -> int:
    present = table.garments.visibility != Visibility.ABSENT
    return int((present & ~CATEGORY_KEYPOINTS[table.garments.category_indices]).sum())


def _with_facts(table: GarmentTable, kept: Iterable[str]) -> int:
    known = {"image_index", *kept}  # the index follows from the order
    return sum(not extras.keys() <= known for extras in table.extras)


ASPECTS: Mapping[str, tuple[str, str, Callable[[GarmentTable], int]]] = {
    "several": (
        "garment",
        "beyond the first of their picture",
        lambda table: sum(len(rows) - 1 for rows in table.rows_of.values() if rows),
    ),
    "empty": (
        "picture",
        "without a garment",
        lambda table: sum(not rows for rows in table.rows_of.values()),
    ),
    "boxes": ("box", "other than tight around the points", _own_boxes),
    "scores": ("score", "of garments", lambda table: int((~np.isnan(table.scores)).sum())),
    "point scores": (
        "score",
        "of points",
        lambda table: int((~np.isnan(table.keypoint_scores)).sum()),
    ),
    "absent places": ("place", "of absent points", _without_place),
    "foreign points": ("point", "that their garment's category lacks", _foreign),
    "outside points": (
        "point",
        "outside their picture, moved to its edge",
        lambda table: int(outside(table).sum()),
    ),
    "further": (
        "garment",
        "with further facts, such as the scores of all categories",
        lambda table: _with_facts(table, ()),
    ),
    "facts without a column": (
        "garment",
        "with facts that have no column, such as the scores of all categories",
        lambda table: _with_facts(table, KEPT),
    ),
}
"""By name: what it is of, in words, and how much of it a table has."""

_LOST: Mapping[str, tuple[str, ...]] = {
    "fashionai": ("several", "empty", "boxes", "scores", "point scores", "further"),
    "json": ("empty",),
    "parquet": ("empty", "facts without a column"),
    "coco": ("point scores", "absent places", "further"),
    "yolo-pose": ("scores", "point scores", "absent places", "outside points", "further"),
    "cvat": ("boxes", "scores", "point scores", "foreign points", "further"),
    "label-studio": ("absent places", "outside points", "further"),
    "labelme": ("scores", "point scores", "absent places", "further"),
}


def lost(form: str) -> tuple[str, ...]:
    """Names of the `ASPECTS` that a format cannot hold."""
    return _LOST[form]


def losses(table: GarmentTable, form: str) -> list[str]:
    """What writing a table in a format loses of it, in words."""
    found = []
    for name in lost(form):
        noun, rest, count_of = ASPECTS[name]
        count = count_of(table)
        if count:
            nouns = plural(count, noun).replace("boxs", "boxes")
            found.append(f"{nouns} {rest}".rstrip())
    return found
