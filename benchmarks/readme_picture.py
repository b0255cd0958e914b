"""Write the README's first picture: what the shipped model finds on drawn garments.

    python benchmarks/readme_picture.py

The garments are the first of one seed, one or two of each category; none was picked. The model is
told nothing but the picture: category, box, points and their visibility are its own.
"""

from __future__ import annotations

import cv2
from common import ROOT

from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.runtime import FashionPredictor
from fashionkp_mm.synthetic.dataset import draw_image
from fashionkp_mm.visualization.keypoints import draw_garment
from fashionkp_mm.visualization.sheet import contact_sheet

PICTURE = ROOT / "docs" / "garments.jpg"
SEED, COUNT, COLUMNS, TILE = 3, 10, 5, 300


def main() -> None:
    images = [draw_image(index, SEED).image for index in range(COUNT)]
    found = FashionPredictor(flip_test=True).predict(images)
    drawn = [
        draw_garment(
            image,
            garment.keypoints,
            garment.visibility,
            garment.category,
            label=f"{garment.category} {garment.category_score:.2f}",
        )
        for image, garment in zip(images, found, strict=True)
    ]
    sheet = contact_sheet(drawn, columns=COLUMNS, tile=TILE)
    done, encoded = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 88])
    assert done
    write_atomically(PICTURE, encoded.tobytes())
    print(PICTURE)


if __name__ == "__main__":
    main()
