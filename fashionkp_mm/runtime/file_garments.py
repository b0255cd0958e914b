"""Garments as the runtime has them, from tables and files of any format, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fashionkp_mm.core.garments import (
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.exchange.formats import read_table
from fashionkp_mm.exchange.table import GarmentTable
from fashionkp_mm.exchange.tables import read_labels_table
from fashionkp_mm.runtime.garment import Garment


def read_garments(path: Path) -> dict[str, list[Garment]]:
    """All garments of predictions of any format, by image id, in the order of the file.

    A JSON or Parquet file tells all that `fashionkp predict` knew. What the others do not tell is
    not made up: scores are NaN, ``image_size`` is (0, 0), ``box`` is the tight box of the points.

    Raises:
        AnnotationError: The file breaks a rule of its format.
        FormatError: Its format is not recognised.
        OSError: The file cannot be read.
    """
    return garments_of(read_table(path))


def read_labelled_garments(path: Path) -> dict[str, list[Garment]]:
    """All garments of labels of any format, by image id; the scores of labelled points are 1.

    Raises:
        AnnotationError: The file breaks a rule of its format, or of labels.
        FormatError: Its format is not recognised.
        OSError: The file cannot be read.
    """
    return garments_of(read_labels_table(path), score=1.0)


def table_of(garments: Iterable[tuple[str, Garment]]) -> KeypointTable:
    """A table of garments, each with its picture's id."""
    named = list(garments)
    if not named:
        return KeypointTable.empty()
    return KeypointTable(
        image_ids=tuple(image_id for image_id, _ in named),
        category_indices=np.array([garment.category_index for _, garment in named], np.int8),
        keypoints=np.stack([garment.keypoints for _, garment in named]),
        visibility=np.stack([garment.visibility for _, garment in named]),
        rows=np.arange(len(named)),
    )


def table_of_predictions(
    pictures: Mapping[str, tuple[tuple[int, int], Sequence[Garment]]],
) -> GarmentTable:
    """A table of predictions, with what a Parquet file tells of them; quicker than by way of JSON.

    Args:
        pictures: Width and height, and the garments, the best first, of each picture by id.
    """
    named = [(image_id, each) for image_id, (_, own) in pictures.items() for each in own]
    table = table_of(named)
    defined = CATEGORY_KEYPOINTS[table.category_indices]
    garments = [garment for _, garment in named]
    points = [garment.keypoint_scores for garment in garments]
    scores = np.array(points, np.float32).reshape(-1, NUM_KEYPOINTS)
    boxes = np.array([garment.box for garment in garments], np.float32).reshape(-1, 4)
    box_scores = np.array([garment.box_score for garment in garments], np.float32)
    means = np.where(defined, scores, 0).sum(axis=1) / defined.sum(axis=1)
    extras = [
        {
            "category_score": round(garment.category_score, 4),
            "box_source": garment.box_source,
            "box_score": round(garment.box_score, 4),
        }
        for garment in garments
    ]
    return GarmentTable.of(
        replace(table, keypoints=np.where(defined[..., None], table.keypoints, np.float32(-1))),
        sizes={image_id: size for image_id, (size, _) in pictures.items()},
        boxes=boxes,
        scores=(box_scores * means).astype(np.float32),
        keypoint_scores=scores,
        extras=extras,
    )


def garments_of(table: GarmentTable, score: float = math.nan) -> dict[str, list[Garment]]:
    """The garments of a table by image id; pictures without one are left out.

    Args:
        table: The garments.
        score: That of what has none: the category, the box, and points that have a place.
    """
    garments, sizes = table.garments, table.size_of
    placed = garments.placed & CATEGORY_KEYPOINTS[garments.category_indices]
    points = np.where(placed[..., None], garments.keypoints, np.float32(-1))
    states = np.where(placed, garments.visibility, Visibility.ABSENT).astype(np.int8)
    unknown = np.isnan(table.keypoint_scores)
    scores = np.where(unknown, score, table.keypoint_scores)
    scores = np.where(placed, scores, 0).astype(np.float32)
    boxes = table.boxes.copy()
    found: dict[str, list[Garment]] = {}
    for row, image_id in enumerate(garments.image_ids):
        extras = table.extras[row] if table.extras else {}
        if np.isnan(boxes[row]).any():
            own = points[row, placed[row]]
            boxes[row] = [*own.min(axis=0), *own.max(axis=0)] if len(own) else [0] * 4
        category_scores = extras.get("category_scores", {})
        spreads = extras.get("keypoint_spreads", {})
        found.setdefault(image_id, []).append(
            Garment(
                image_id=image_id,
                image_index=0,
                image_size=sizes[image_id],
                category=CATEGORY_NAMES[garments.category_indices[row]],
                category_score=extras.get("category_score", score),
                category_scores=np.array(
                    [category_scores.get(name, math.nan) for name in CATEGORY_NAMES], np.float32
                ),
                box=boxes[row],
                box_source=extras.get("box_source", "given"),
                box_score=extras.get("box_score", score),
                keypoints=points[row],
                keypoint_scores=scores[row],
                visibility=states[row],
                keypoint_spreads=np.array(
                    [spreads.get(name, math.nan) for name in KEYPOINT_NAMES], np.float32
                ),
            )
        )
    return found
