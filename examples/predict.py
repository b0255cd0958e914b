"""Find the points of garments, draw them, and write them to a table.

    python examples/predict.py blouse photo.jpg another.jpg

Writes ``drawn/photo.jpg`` and ``drawn/another.jpg``, and ``drawn/points.csv`` with a row a point.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import cv2

from fashionkp_mm.core.garments import CATEGORY_NAMES, Visibility
from fashionkp_mm.images import load_image
from fashionkp_mm.runtime import FashionPredictor
from fashionkp_mm.visualization.keypoints import draw_garments


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("category", choices=CATEGORY_NAMES, help="what is in the pictures")
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("drawn"), help="folder to write to")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)

    predictor = FashionPredictor()
    with (arguments.out / "points.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["picture", "category", "point", "x", "y", "score", "visibility"])
        for picture in arguments.pictures:
            garments = predictor.predict(picture, category=arguments.category)
            for garment in garments:
                print(f"{picture}: {garment}")
                for name, point in garment.points.items():
                    if point.visibility != Visibility.ABSENT:
                        x, y, score = (round(value, 2) for value in point[:3])
                        seen = point.visibility.name.lower()
                        table.writerow([picture, garment.category, name, x, y, score, seen])
            drawn = draw_garments(load_image(picture), garments, names=True)
            cv2.imwrite(str(arguments.out / picture.name), drawn)


if __name__ == "__main__":
    main()
