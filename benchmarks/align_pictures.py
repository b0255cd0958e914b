"""Draw the pictures of docs/align.md: what `fashionkp align` makes of drawn garments.

    python benchmarks/align_pictures.py

``align_average.jpg``: the mean of a hundred garments of each category, a column each, as drawn and
by each method. ``align_print.jpg``: a print on a template, and on garments. Garments are aligned by
the points that they were drawn with.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np
from common import ROOT
from numpy.typing import NDArray

from fashionkp_mm.applications import Template, align, garment_mask, paste_print
from fashionkp_mm.applications.alignment import Method
from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_NAMES, keypoint_indices
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.exchange.table import GarmentTable
from fashionkp_mm.images import encode_image
from fashionkp_mm.runtime import Garment
from fashionkp_mm.runtime.file_garments import garments_of
from fashionkp_mm.synthetic.drawing import SyntheticGarment, paint_scene
from fashionkp_mm.visualization.keypoints import draw_garment
from fashionkp_mm.visualization.sketch import DrawnGarment

Image = NDArray[np.uint8]
Color = tuple[int, int, int, int]
METHODS: tuple[Method, ...] = ("similarity", "affine", "tps")
TILE, GAP, LEFT = 190, 6, 96
MEANT, PRINTED = 100, 5
SEED = 7


def main() -> None:
    write("align_print.jpg", print_picture())
    write("align_average.jpg", average_picture())


def write(name: str, picture: Image) -> None:
    path = ROOT / "docs" / name
    write_atomically(path, encode_image(picture, ".jpg"))
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


def drawn(category: str, count: int) -> Iterator[SyntheticGarment]:
    for number in range(count):
        rng = np.random.default_rng([SEED, number, CATEGORY_NAMES.index(category)])
        yield paint_scene(rng, category, occluders=False)


def average_picture() -> Image:
    columns = []
    for category in CATEGORY_NAMES:
        sums = np.zeros((len(METHODS) + 1, TILE, TILE, 3))
        counts = np.zeros((len(METHODS) + 1, TILE, TILE, 1))
        template = Template.canonical(category, (TILE, TILE))
        for each in drawn(category, MEANT):
            garment = DrawnGarment(each.keypoints, each.visibility, category)
            layers = [in_frame(each.image)]
            layers += [
                align(each.image, garment, method=m, template=template).image for m in METHODS
            ]
            for row, layer in enumerate(layers):
                opacity = layer[..., 3:] / 255
                sums[row] += layer[..., :3] * opacity
                counts[row] += opacity
        means = (sums / np.maximum(counts, 1e-9)).astype(np.uint8)
        means[(counts == 0)[..., 0]] = 255
        columns.append(list(means))
    names = [side_caption(name) for name in ("as drawn", *METHODS)]
    rows = [[name, *(column[row] for column in columns)] for row, name in enumerate(names)]
    return table(rows)


def in_frame(image: Image) -> Image:
    """A picture fitted into the tile, clear beside it."""
    scale = TILE / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = min(small.shape[0], TILE), min(small.shape[1], TILE)
    frame = np.zeros((TILE, TILE, 4), np.uint8)
    top, left = (TILE - height) // 2, (TILE - width) // 2
    frame[top : top + height, left : left + width, :3] = small[:height, :width]
    frame[top : top + height, left : left + width, 3] = 255
    return frame


def print_picture() -> Image:
    rows = []
    for category in ("blouse", "dress", "trousers"):
        template = Template.canonical(category)
        design = print_of(category)
        states = np.where(np.isfinite(template.keypoints[:, 0]), 1, -1)
        ground = np.full((512, 512, 3), 255, np.uint8)
        opacity = design[::2, ::2, 3:] / 255
        ground = (ground * (1 - opacity) + design[::2, ::2, :3] * opacity).astype(np.uint8)
        shown = draw_garment(ground, np.nan_to_num(template.keypoints), states, category)
        row = [side_caption(category), in_frame(shown)[..., :3]]
        for each in drawn(category, PRINTED):
            garment = garment_of(each)
            alignment = align(each.image, garment, method="tps", template=template)
            mask = garment_mask(each.image, garment)
            alpha = mask.alpha if mask.warning is None else None
            framed = in_frame(paste_print(alignment, design, alpha))
            framed[framed[..., 3] == 0] = 255
            row.append(framed[..., :3])
        rows.append(row)
    return table(rows)


def garment_of(each: SyntheticGarment) -> Garment:
    """A drawn garment as a model without errors would find it."""
    table = KeypointTable(
        ("drawn",),
        np.array([CATEGORY_INDEX[each.category]], np.int8),
        each.keypoints[None].astype(np.float32),
        each.visibility[None],
        np.zeros(1, np.int64),
    )
    size = each.image.shape[1], each.image.shape[0]
    (garment,) = garments_of(GarmentTable.of(table, sizes={"drawn": size}), score=1)["drawn"]
    return garment


def print_of(category: str) -> Image:
    """``(1024, 1024, 4)`` BGRA: a print for the canonical template of a category."""
    design = np.zeros((1024, 1024, 4), np.uint8)
    template = Template.canonical(category, (1024, 1024)).keypoints
    red, blue, white = (60, 50, 220, 255), (150, 80, 40, 255), (255, 255, 255, 255)

    def line(
        start: NDArray[np.float64], end: NDArray[np.float64], color: Color, width: int
    ) -> None:
        ends = (tuple(np.rint(point).astype(int).tolist()) for point in (start, end))
        cv2.line(design, *ends, color, width, cv2.LINE_AA)

    def between(first: str, second: str, share: float) -> NDArray[np.float64]:
        start, end = template[keypoint_indices([first, second])]
        return start + share * (end - start)

    if category == "blouse":
        middle = np.array([512, 470])
        cv2.circle(design, middle.tolist(), 110, red, -1, cv2.LINE_AA)
        angles = np.pi * (0.5 + 0.8 * np.arange(6))
        corners = middle + 90 * np.column_stack([np.cos(angles), -np.sin(angles)])
        for start, end in pairwise(corners):
            line(start, end, white, 10)
    elif category == "dress":
        design[:] = blue
        for row, y in enumerate(range(0, 1024, 44)):
            for x in range(22 * (row % 2), 1024, 44):
                cv2.circle(design, (x, y), 11, white, -1, cv2.LINE_AA)
    else:
        for side in ("left", "right"):
            other = "right" if side == "left" else "left"
            top = between(f"waistband_{side}", f"waistband_{other}", 0.08)
            line(top, between(f"bottom_{side}_out", f"bottom_{side}_in", 0.16), blue, 26)
    return design


def side_caption(text: str) -> Image:
    tile = np.full((TILE, LEFT, 3), 255, np.uint8)
    place = 8, TILE // 2
    cv2.putText(tile, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (60, 60, 60), 1, cv2.LINE_AA)
    return tile


def table(rows: list[list[Image]]) -> Image:
    across = np.full((TILE, GAP, 3), 255, np.uint8)
    lines = []
    for row in rows:
        line = np.hstack([part for tile in row for part in (tile, across)])
        lines += [line, np.full((GAP, line.shape[1], 3), 255, np.uint8)]
    return np.vstack(lines)


if __name__ == "__main__":
    main()
