"""Tables of garments for tests of formats: any that a format has to hold."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from hypothesis import strategies as st

from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS, CATEGORY_NAMES, NUM_KEYPOINTS
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.exchange.table import GarmentTable

SIZES = ((64, 48), (333, 500), (4000, 3001))


@st.composite
def garment_tables(draw, *, several: bool = True, empty: bool = True, scored: bool = False):
    """Labels of up to four pictures; ``scored`` ones are predictions with boxes and scores."""
    rows, sizes, points, states, boxes = [], {}, [], [], []
    for number in range(draw(st.integers(1, 4))):
        name = draw(st.text("abz 19_,é;&'\"<", min_size=1, max_size=6))
        image_id = f"{draw(st.sampled_from(('', 'Images/dress/', 'ü x/')))}{number}{name}.png"
        width, height = sizes[image_id] = draw(st.sampled_from(SIZES))
        for _ in range(draw(st.integers(0 if empty else 1, 3 if several else 1))):
            category = draw(st.integers(0, len(CATEGORY_NAMES) - 1))
            rng = np.random.default_rng(draw(st.integers(0, 2**32)))
            places = rng.integers(0, (100 * width + 1, 100 * height + 1), (NUM_KEYPOINTS, 2)) / 100
            if draw(st.booleans()):
                places = places.round()
            seen = rng.integers(-1, 2, NUM_KEYPOINTS)
            seen[~CATEGORY_KEYPOINTS[category]] = -1
            if not (seen >= 0).any():
                seen[np.flatnonzero(CATEGORY_KEYPOINTS[category])[0]] = 1
            places[seen < 0] = -1
            rows.append((image_id, category))
            points.append(places)
            states.append(seen)
            low, high = rng.integers(0, 20, 2), rng.integers(21, 40, 2)
            boxes.append([*low / 10, *high])
    count = len(rows)
    shape = (count, NUM_KEYPOINTS)
    visibility = np.array(states, np.int8).reshape(shape)
    scores = np.round(np.linspace(0.9, 0.2, count), 4).astype(np.float32)
    return GarmentTable.of(
        KeypointTable(
            image_ids=tuple(image_id for image_id, _ in rows),
            category_indices=np.array([category for _, category in rows], np.int8),
            keypoints=np.array(points, np.float32).reshape(*shape, 2),
            visibility=visibility,
            rows=np.arange(1, count + 1),
        ),
        sizes=sizes,
        boxes=np.array(boxes, np.float32).reshape(-1, 4) if scored else None,
        scores=scores if scored else None,
        keypoint_scores=(
            np.where(visibility >= 0, np.float32(0.25), np.nan).astype(np.float32)
            if scored
            else None
        ),
    )


def write_pictures(folder: Path, table: GarmentTable) -> dict[str, Path]:
    """Black pictures of the table's sizes, at their ids below a folder."""
    paths = {}
    for image_id, (width, height) in table.size_of.items():
        path = folder / image_id
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_png(width, height))
        paths[image_id] = path
    return paths


def _png(width: int, height: int) -> bytes:
    if (width, height) not in _PNGS:
        _PNGS[width, height] = cv2.imencode(".png", np.zeros((height, width), np.uint8))[
            1
        ].tobytes()
    return _PNGS[width, height]


_PNGS: dict[tuple[int, int], bytes] = {}
