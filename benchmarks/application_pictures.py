"""Draw the pictures of docs/applications.md and the pages behind it.

    python benchmarks/application_pictures.py [NAME…]

They show drawn garments with the drawing's own points, so they do not change with the model.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import count

import cv2
import numpy as np
from common import ROOT
from numpy.typing import NDArray

from fashionkp_mm.applications import (
    CropOptions,
    KnownLength,
    PresentOptions,
    crop,
    garment_mask,
    measure,
    present,
    preset_of,
)
from fashionkp_mm.applications.dimension_lines import draw_measurements
from fashionkp_mm.batch.pictures import write_picture
from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_NAMES
from fashionkp_mm.core.lengths import normalizer_length
from fashionkp_mm.core.parts import GROUPS
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.exchange.table import GarmentTable
from fashionkp_mm.runtime import Garment
from fashionkp_mm.runtime.file_garments import garments_of
from fashionkp_mm.synthetic import SyntheticGarment
from fashionkp_mm.synthetic.dataset import draw_image
from fashionkp_mm.visualization.sheet import contact_sheet

Picture = NDArray[np.uint8]
SEED = 117
"""Of the README's first picture."""
TILE = 400
KNOWN_CM = {"blouse": 46.0, "outwear": 52.0, "dress": 44.0, "skirt": 36.0, "trousers": 38.0}
"""The normalisers of the five garments: what a shop would know of them."""

CROP = 180
COLORS = ((60, 60, 220), (40, 160, 240), (80, 170, 60), (180, 60, 160))
CROPPED = {
    "blouse": ("collar", "sleeve_left", "hem", "sleeve_length_right"),
    "outwear": ("shoulder_left", "cuff_left", "waist", "coat_length"),
    "dress": ("neckline", "waist", "neckline_design", "skirt_length"),
    "skirt": ("garment", "waist", "hem", "skirt_length"),
    "trousers": ("waist", "leg_left", "hem", "pant_length"),
}
LEAST_OVERLAP = 0.97
PRESENTED = {
    "--preset amazon": PresentOptions(preset_of("amazon")),
    "--preset 4:5 --hide-face": PresentOptions(preset_of("4:5"), hide_face=True),
    "--background transparent": PresentOptions(background="transparent"),
}


def drawn_garments(seed: int = SEED) -> list[tuple[SyntheticGarment, Garment]]:
    """The first garment of each category, and its points as a garment."""
    pairs = []
    for index in range(len(CATEGORY_NAMES)):
        truth = draw_image(index, seed)
        height, width = truth.image.shape[:2]
        table = KeypointTable(
            (truth.category,),
            np.array([CATEGORY_INDEX[truth.category]], np.int8),
            truth.keypoints[None].astype(np.float32),
            truth.visibility[None],
            np.array([1]),
        )
        garments = GarmentTable.of(table, sizes={truth.category: (width, height)})
        (garment,) = garments_of(garments, score=1.0)[truth.category]
        pairs.append((truth, garment))
    return pairs


def measured() -> Picture:
    """Dimension lines, with the normaliser as the length that is known."""
    tiles = []
    for truth, garment in drawn_garments():
        known = KnownLength(normalizer_length(truth.category).name, KNOWN_CM[truth.category])
        tiles.append(draw_measurements(truth.image, [measure(garment, scale=known)]))
    return contact_sheet(tiles, columns=len(tiles), tile=TILE)


def cropped() -> Picture:
    """A few parts of each garment, and where they lie."""
    tiles, captions = [], []
    for truth, garment in drawn_garments():
        pieces = {
            piece.part.name: piece
            for piece in crop(truth.image, garment, CropOptions(GROUPS, (CROP, CROP)))
        }
        names = CROPPED[truth.category]
        shown = truth.image.copy()
        for name, color in zip(names, COLORS, strict=True):
            quad = np.rint(16 * pieces[name].quad).astype(np.int32)
            cv2.polylines(shown, [quad], True, (250, 250, 250), 5, cv2.LINE_AA, 4)
            cv2.polylines(shown, [quad], True, color, 3, cv2.LINE_AA, 4)
        tiles += [shown, *(framed(pieces[n].image, c) for n, c in zip(names, COLORS, strict=True))]
        captions += [truth.category, *names]
    return contact_sheet(tiles, columns=len(COLORS) + 1, tile=CROP, captions=captions)


def framed(image: Picture, color: tuple[int, int, int]) -> Picture:
    """A picture with a frame."""
    return cv2.copyMakeBorder(image, 3, 3, 3, 3, cv2.BORDER_CONSTANT, value=color)


def presented() -> Picture:
    """Garments as they were drawn, and as catalogue pictures.

    Those of the first seed whose masks all have an IoU of 0.97 with the drawn ones.
    """
    seed = next(seed for seed in count() if all(map(is_cut_out_well, drawn_garments(seed))))
    rows: dict[str, list[Picture]] = {"drawn": []}
    for truth, garment in drawn_garments(seed):
        rows["drawn"].append(truth.image)
        for name, options in PRESENTED.items():
            picture = present(truth.image, garment, options).image
            rows.setdefault(name, []).append(on_checks(picture))
    tiles = [tile for row in rows.values() for tile in row]
    captions = [name for name, row in rows.items() for _ in row]
    return contact_sheet(tiles, columns=len(CATEGORY_NAMES), tile=TILE // 2, captions=captions)


def is_cut_out_well(pair: tuple[SyntheticGarment, Garment]) -> bool:
    """Whether a garment's mask is nearly the drawn one."""
    truth, garment = pair
    found, right = garment_mask(truth.image, garment).alpha > 127, truth.mask > 127
    return bool((found & right).sum() >= LEAST_OVERLAP * (found | right).sum())


def on_checks(picture: Picture) -> Picture:
    """A picture with its transparent parts on a chequered ground, and a thin frame."""
    if picture.shape[2] == 4:
        y, x = np.indices(picture.shape[:2]) // 16
        checks = np.where((x + y) % 2, 255, 215)[..., None]
        share = picture[..., 3:] / 255
        picture = np.rint(picture[..., :3] * share + checks * (1 - share)).astype(np.uint8)
    return framed(picture, (200, 200, 200))


PICTURES: dict[str, Callable[[], Picture]] = {
    "measure": measured,
    "crop": cropped,
    "present": presented,
}
"""What draws docs/NAME.jpg."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"Of {', '.join(PICTURES)}.")
    for name in parser.parse_args().names or PICTURES:
        path = ROOT / "docs" / f"{name}.jpg"
        write_picture(path, PICTURES[name]())
        print(path)


if __name__ == "__main__":
    main()
