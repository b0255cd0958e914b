"""Find the points of garments, draw them, and write them to a table.

    python examples/predict.py blouse photo.jpg another.jpg

Writes ``drawn/photo.jpg`` and ``drawn/another.jpg``, and ``drawn/points.csv`` with a row a point.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from fashionkp_mm import CATEGORIES, FashionPredictor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("category", choices=list(CATEGORIES), help="what is in the pictures")
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("drawn"), help="folder to write to")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)

    predictions = FashionPredictor().predict(arguments.pictures, category=arguments.category)
    for picture, prediction in zip(arguments.pictures, predictions, strict=True):
        for garment in prediction:
            print(f"{picture}: {garment}")
        prediction.draw(arguments.out / picture.name)
    table = pd.concat([prediction.to_frame() for prediction in predictions])
    table.to_csv(arguments.out / "points.csv", index=False)


if __name__ == "__main__":
    main()
