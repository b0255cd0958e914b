"""Draw the pictures of docs/applications.md and the pages behind it.

    python benchmarks/application_pictures.py [NAME…]

They show drawn garments with the drawing's own points, so they do not change with the model.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from common import ROOT
from numpy.typing import NDArray

from fashionkp_mm.applications import KnownLength, measure
from fashionkp_mm.applications.dimension_lines import draw_measurements
from fashionkp_mm.batch.pictures import write_picture
from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_NAMES
from fashionkp_mm.core.lengths import normalizer_length
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


PICTURES: dict[str, Callable[[], Picture]] = {"measure": measured}
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
