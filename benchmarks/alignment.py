"""How closely aligned garments lie on each other, and how long that takes: tables of docs/align.md.

    python benchmarks/alignment.py val.csv predictions.json

Garments are aligned by the predicted points. Measured is where the labelled points, visible and
occluded, come to lie then: how far from the mean place of their keypoint in their category, in
percent of the labelled normaliser's median length there. "none" is each picture shrunk or enlarged
into the template's frame. The times are those of drawn garments on one core, everything from points
and a picture of 512x512 pixels to the aligned picture of 512x512.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications import GarmentError, Template, align
from fashionkp_mm.applications.alignment import LARGE_RESIDUAL, Method
from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_NAMES, NORMALIZER_INDICES
from fashionkp_mm.core.image_paths import locate_images
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.exchange.tables import read_predictions_file
from fashionkp_mm.images import image_size
from fashionkp_mm.synthetic.dataset import draw_image
from fashionkp_mm.visualization.sketch import DrawnGarment

METHODS: tuple[Method, ...] = ("similarity", "affine", "tps")
SIDE = 512
DRAWN, REPEATS = 20, 5
NO_PICTURE = np.zeros((1, 1, 3), np.uint8)

Places = dict[str, list[NDArray[np.float64]]]
"""By category ``(K, 2)`` for each garment; NaN where a point is not labelled."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labels", type=Path)
    parser.add_argument("predictions", type=Path)
    parser.add_argument("--images", type=Path, help="default: two folders above the labels")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    warnings.simplefilter("ignore")
    labels = read_labels(arguments.labels)
    predicted = read_predictions_file(arguments.predictions)
    place = {image_id: row for row, image_id in enumerate(predicted.image_ids)}
    predicted = predicted.select(np.array([place[image_id] for image_id in labels.image_ids]))
    images = arguments.images or arguments.labels.parents[1]
    print_dispersion(labels, predicted, images)
    print()
    print_times()


def print_dispersion(labels: KeypointTable, predicted: KeypointTable, images: Path) -> None:
    print(f"| mean, % | all | {' | '.join(CATEGORY_NAMES)} | nine in ten within | garments |")
    print(f"|{'---|' * (len(CATEGORY_NAMES) + 4)}")
    notes = []
    found = locate_images(labels.image_ids, images)
    sizes = [image_size(found[image_id]) for image_id in labels.image_ids]
    print_row("none", in_frames(labels, sizes), len(labels))
    for method in METHODS:
        aligned, residuals = laid(labels, predicted, method)
        print_row(method, aligned, len(residuals))
        quantiles = np.quantile(residuals, (0.5, 0.9)).round(1)
        large = float(np.mean(np.array(residuals) > LARGE_RESIDUAL))
        notes.append(
            f"{method}: residual {quantiles[0]} % in the median, {quantiles[1]} % for nine in ten;"
            f" {large:.1%} of the garments above {LARGE_RESIDUAL:g} %"
        )
    print()
    print("\n".join(notes))


def in_frames(labels: KeypointTable, sizes: Sequence[tuple[int, int]]) -> Places:
    places: Places = {name: [] for name in CATEGORY_NAMES}
    for row, size in enumerate(sizes):
        scale = SIDE / max(size)
        points = (labelled(labels, row) - np.array(size) / 2) * scale + SIDE / 2
        places[CATEGORY_NAMES[labels.category_indices[row]]].append(points)
    return places


def laid(
    labels: KeypointTable, predicted: KeypointTable, method: Method
) -> tuple[Places, list[float]]:
    places: Places = {name: [] for name in CATEGORY_NAMES}
    residuals = []
    for row, index in enumerate(labels.category_indices):
        name = CATEGORY_NAMES[index]
        garment = DrawnGarment(predicted.keypoints[row], predicted.visibility[row], name)
        try:
            alignment = align(NO_PICTURE, garment, method=method)
        except GarmentError:
            continue
        points = labelled(labels, row)
        has = np.isfinite(points[:, 0])
        points[has] = alignment.to_template(points[has])
        places[name].append(points)
        residuals.append(alignment.residual)
    return places, residuals


def labelled(labels: KeypointTable, row: int) -> NDArray[np.float64]:
    has = labels.visibility[row, :, None] >= 0
    return np.where(has, labels.keypoints[row], np.nan).astype(np.float64)


def print_row(method: str, places: Places, aligned: int) -> None:
    by_category = {name: distances(name, np.array(points)) for name, points in places.items()}
    every = np.concatenate(list(by_category.values()))
    means = " | ".join(f"{values.mean():.1f}" for values in by_category.values())
    print(
        f"| {method} | {every.mean():.1f} | {means} | {np.quantile(every, 0.9):.1f} | {aligned} |"
    )


def distances(category: str, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """All labelled points' distances from the mean place of their keypoint, in percent."""
    start, end = places[:, NORMALIZER_INDICES[CATEGORY_INDEX[category]]].transpose(1, 0, 2)
    unit = np.nanmedian(np.linalg.norm(end - start, axis=-1))
    away = np.linalg.norm(places - np.nanmean(places, axis=0), axis=-1)
    return away[np.isfinite(away)] * 100 / unit


def print_times() -> None:
    print("| method | ms | nine in ten within |")
    print("|---|---|---|")
    drawn = [draw_image(index, seed=0) for index in range(DRAWN)]
    pictures = [cv2.resize(each.image, (SIDE, SIDE)) for each in drawn]
    garments = [
        DrawnGarment(
            each.keypoints * (np.array([SIDE, SIDE]) / each.image.shape[1::-1]),
            each.visibility,
            each.category,
        )
        for each in drawn
    ]
    templates = {name: Template.canonical(name, (SIDE, SIDE)) for name in CATEGORY_NAMES}
    for method in METHODS:

        def run(index: int, method: Method = method) -> object:
            garment = garments[index]
            template = templates[garment.category]
            return align(pictures[index], garment, method=method, template=template).image

        times = np.array([seconds(run, index) for _ in range(REPEATS) for index in range(DRAWN)])
        print(f"| {method} | {np.median(times) * 1e3:.1f} | {np.quantile(times, 0.9) * 1e3:.1f} |")
    print(f"\n{DRAWN} drawn garments, {REPEATS} times; {cpu()}, one core")


def seconds(run: Callable[[int], object], index: int) -> float:
    # Of this thread: what else the machine does meanwhile is not ours.
    start = time.thread_time()
    run(index)
    return time.thread_time() - start


def cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if os.name == "posix" else ():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


if __name__ == "__main__":
    main()
