"""The garments of a picture that nobody has labelled, as the models themselves see them.

FashionAI labels one garment a picture. Many pictures show another one that is worn with it, and
what is not labelled cannot be learned. So a detector and a pose network label them, and where the
two agree, that is a label as well (self-training).
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.boxes import box_overlaps, keypoint_boxes, shares_inside
from fashionkp_mm.core.files import require_apart
from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_NAMES, Visibility
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.exchange.formats import format_to_write, require_writable, write_table
from fashionkp_mm.exchange.table import GarmentTable
from fashionkp_mm.plugin.label_files import image_paths, read_table
from fashionkp_mm.runtime import FashionPredictor, Garment, shipped_model
from fashionkp_mm.runtime.file_garments import table_of

_WORN_TOGETHER = {
    frozenset((CATEGORY_INDEX[top], CATEGORY_INDEX[bottom]))
    for top in ("blouse", "outwear")
    for bottom in ("skirt", "trousers")
}
"""A top and what is worn below it. A blouse in an open coat is often half of one, so it is not
taken; nor are two garments of one category, which are mostly one that was seen twice."""
_MAX_OVERLAP = 0.35
"""Intersection over union with the labelled garment; a top and a bottom meet at their rims."""
_MAX_INSIDE = 0.5
"""Share of its own box that may lie inside the labelled garment's. What lies deeper in it is mostly
part of it: the lower half of a pullover on a hanger looks like a skirt."""
_MAX_BEYOND = 1
"""Points that may lie beyond the picture: a garment that it cuts off shows no hem."""
_MIN_POINTS = 3
"""Fewer points say little of where a garment is."""
_DECIMALS = 2


def label_neighbours(arguments: argparse.Namespace) -> None:
    """Add the neighbours of labelled garments, as ``tools/label_neighbours.py`` is told to.

    Raises:
        AnnotationError: The labels break a rule of their format.
        BrokenImageError: A picture cannot be read.
        DataNotFoundError: There are no labels.
        FileExistsError: The output would overwrite the labels.
        FormatError: The labels' format is not recognised, or the output's cannot be written.
        ModelFileError: A model cannot be used.
    """
    labels, out = Path(arguments.labels), Path(arguments.out)
    require_apart([out], [labels])
    form = format_to_write(out)
    require_writable(form, out)
    table = read_table(str(labels))
    predictor = FashionPredictor(
        arguments.model, detector=arguments.detector or shipped_model("detector")
    )
    pictures = list(dict.fromkeys(table.image_ids))
    found = predictor.predict(image_paths(pictures, arguments.images), boxes="detector")
    added = neighbours(table, dict(zip(pictures, found, strict=True)))
    write_table(out, GarmentTable.of(KeypointTable.joined([table, added])), form)
    counts = Counter(CATEGORY_NAMES[index] for index in added.category_indices.tolist())
    named = ", ".join(f"{counts[name]} {name}" for name in CATEGORY_NAMES if counts[name])
    print(f"{out}: {len(table)} labelled garments, {len(added)} added: {named or 'none'}")


def neighbours(labels: KeypointTable, found: Mapping[str, Iterable[Garment]]) -> KeypointTable:
    """The garments found beside the labelled ones that are sure enough to be labels.

    A garment is one if the pose network, asked for its own opinion, names the category that the
    detector found, if this is worn together with the labelled one and hardly overlaps it, if the
    picture does not cut it off, and if three of its points or more are there; the best one a
    category and picture.

    Args:
        labels: What is labelled.
        found: The garments of each picture by id, best first; of each the category that the
            detector found and the pose network was given.
    """
    boxes = keypoint_boxes(labels.keypoints, labels.visibility != Visibility.ABSENT)
    chosen: list[tuple[str, Garment]] = []
    for image_id, rows in labels.rows_of.items():
        labelled = labels.category_indices[rows].tolist()
        taken = set(labelled)
        for garment in found.get(image_id, ()):
            category = CATEGORY_INDEX[garment.category]
            present = garment.visibility != Visibility.ABSENT
            if (
                category not in taken
                and int(garment.category_scores.argmax()) == category
                and all(frozenset((category, other)) in _WORN_TOGETHER for other in labelled)
                and np.count_nonzero(present) >= _MIN_POINTS
                and _beyond(garment, present) <= _MAX_BEYOND
                and box_overlaps(boxes[rows], garment.box[None]).max() <= _MAX_OVERLAP
                and shares_inside(garment.box, boxes[rows]).max() <= _MAX_INSIDE
            ):
                taken.add(category)
                chosen.append((image_id, garment))
    return _labels(chosen)


def _beyond(garment: Garment, present: NDArray[np.bool_]) -> int:
    """How many of its points lie on the picture's edge or beyond."""
    points = garment.keypoints[present]
    last = np.array(garment.image_size) - 1
    return int(((points <= 0) | (points >= last)).any(axis=1).sum())


def _labels(garments: Sequence[tuple[str, Garment]]) -> KeypointTable:
    """Garments as labels are: points in their picture, to a hundredth of a pixel."""
    table = table_of(garments)
    sizes = np.array([garment.image_size for _, garment in garments]).reshape(-1, 1, 2)
    inside = np.clip(table.keypoints, 0, sizes - 1).round(_DECIMALS)
    present = table.visibility != Visibility.ABSENT
    keypoints = np.where(present[..., None], inside, -1).astype(np.float32)
    return replace(table, keypoints=keypoints)
