"""Find the points of garments, draw them, and write them to a table.

    python examples/predict.py blouse photo.jpg another.jpg

Writes ``drawn/photo.jpg`` and ``drawn/another.jpg``, and ``drawn/points.csv`` with a row a point.
A picture that cannot be read is named and passed over; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.runtime import FashionPredictor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("category", choices=CATEGORY_NAMES, help="what is in the pictures")
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("drawn"), help="folder to write to")
    arguments = parser.parse_args()
    drawings = [arguments.out / f"{picture.stem}.jpg" for picture in arguments.pictures]
    if len(set(drawings)) < len(drawings):
        parser.error("two pictures have the same name")

    predictor = FashionPredictor()
    tables = []
    predictions = predictor.stream(arguments.pictures, category=arguments.category)
    for drawing, prediction in zip(drawings, predictions, strict=True):
        if prediction.error is not None:
            print(f"error: {prediction.error}", file=sys.stderr)
            continue
        for garment in prediction:
            print(f"{prediction.image_id}: {garment}")
        prediction.draw(drawing)
        tables.append(prediction.to_frame())
    if tables:
        pd.concat(tables).to_csv(arguments.out / "points.csv", index=False)
    if len(tables) < len(drawings):
        sys.exit(1)


if __name__ == "__main__":
    main()
