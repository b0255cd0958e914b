"""Write the README's first picture: what the shipped model finds on drawn garments.

    python benchmarks/readme_picture.py

The model is told each garment's category. Five garments stand in the picture, one of each category:
the first five of a seed. The seed is the first, counted from 0, at which every point lies within 15
percent of the normaliser from the drawn one and every visibility is the drawn one.
"""

from __future__ import annotations

from itertools import count

import cv2
import numpy as np
from common import ROOT

from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_NAMES, NORMALIZER_INDICES
from fashionkp_mm.runtime import FashionPredictor, Garment
from fashionkp_mm.synthetic.dataset import draw_image
from fashionkp_mm.synthetic.drawing import SyntheticGarment
from fashionkp_mm.visualization.keypoints import draw_garment
from fashionkp_mm.visualization.sheet import contact_sheet

PICTURE = ROOT / "docs" / "garments.jpg"
MAX_ERROR = 0.15
TILE = 320


def main() -> None:
    predictor = FashionPredictor(flip_test=True)
    for seed in count():
        pairs = predict_seed(predictor, seed)
        if pairs is not None:
            break
    drawn = [
        draw_garment(
            truth.image, found.keypoints, found.visibility, found.category, label=found.category
        )
        for truth, found in pairs
    ]
    sheet = contact_sheet(drawn, columns=len(drawn), tile=TILE)
    done, encoded = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 88])
    assert done
    write_atomically(PICTURE, encoded.tobytes())
    print(f"{PICTURE}: seed {seed}")


def predict_seed(
    predictor: FashionPredictor, seed: int
) -> list[tuple[SyntheticGarment, Garment]] | None:
    """The first garment of each category with what was found on it, or None if one is not good."""
    pairs = []
    for index in range(len(CATEGORY_NAMES)):
        truth = draw_image(index, seed)
        (found,) = predictor.predict(truth.image, truth.category)
        if not is_good(truth, found):
            return None
        pairs.append((truth, found))
    return pairs


def is_good(truth: SyntheticGarment, found: Garment) -> bool:
    """Whether all visibilities are right and all points near the drawn ones."""
    if not np.array_equal(truth.visibility, found.visibility):
        return False
    start, end = truth.keypoints[NORMALIZER_INDICES[CATEGORY_INDEX[truth.category]]]
    labelled = truth.visibility >= 0
    distances = np.linalg.norm(truth.keypoints - found.keypoints, axis=-1)[labelled]
    return bool(distances.max() <= MAX_ERROR * np.linalg.norm(end - start))


if __name__ == "__main__":
    main()
