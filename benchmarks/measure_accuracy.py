"""How right lengths are where the points are: drawn garments, photographed aslant with a marker.

    python benchmarks/measure_accuracy.py [--garments N]

A drawn garment's own points are taken, so what is compared is scale and geometry alone.
docs/measure.md gets the table.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import cv2
import numpy as np
from application_pictures import drawn_garments
from common import ROOT

from fashionkp_mm.applications import (
    KnownLength,
    Marker,
    Measurements,
    Scale,
    measure,
    scale_of_marker,
)
from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.core.lengths import normalizer_length
from fashionkp_mm.core.words import plural
from fashionkp_mm.runtime import Garment
from fashionkp_mm.synthetic import SyntheticGarment

sys.path.insert(0, str(ROOT / "tests" / "helpers"))
from photographs import beside, camera, photographed

PAGE = ROOT / "docs" / "measure.md"
BEGIN, END = "<!-- by benchmarks/measure_accuracy.py -->", "<!-- by hand, on -->"
PX_PER_CM = 10.0
SIDE = 90
"""Pixels of the marker."""
NOISE = 3.0
TILTS = (0, 15, 30, 45)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--garments", type=int, default=50, metavar="N")
    count = parser.parse_args().garments
    errors: dict[tuple[str, int], list[float]] = {}
    tilts: dict[int, list[float]] = {}
    garments = list(some_garments(count))
    for number, (truth, garment) in enumerate(garments):
        true = measure(garment, scale=Scale.of_pixels(PX_PER_CM))
        scene = beside(truth.image, SIDE)
        size = (scene.shape[1], scene.shape[0])
        for tilt in TILTS:
            picture, onto = photographed(scene, camera(tilt, 37 * number, size), NOISE)
            seen = moved(garment, onto, size)
            marked = scale_of_marker(picture, Marker(SIDE / PX_PER_CM, "4X4_50"))
            tilts.setdefault(tilt, []).append(marked.tilt)
            known = normalizer_length(truth.category).name
            scales = {
                "`--px-per-cm`": Scale.of_pixels(PX_PER_CM / 1.4),
                "`--known`, the normaliser": KnownLength(known, value_of(true, known)),
                "`--marker`": marked,
            }
            for name, scale in scales.items():
                found = measure(seen, scale=scale)
                errors.setdefault((name, tilt), []).extend(relative_errors(true, found))
    report = "\n".join(report_lines(errors, tilts, len(garments)))
    print(report)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    write_atomically(PAGE, f"{before}{BEGIN}\n\n{report}\n\n{END}{after}".encode())
    print(f"{PAGE}: written")


def some_garments(count: int) -> Iterator[tuple[SyntheticGarment, Garment]]:
    """Drawn garments of all categories in turn."""
    seed = 0
    while count > 0:
        yield from drawn_garments(seed)[:count]
        count -= 5
        seed += 1


def moved(garment: Garment, onto: np.ndarray, size: tuple[int, int]) -> Garment:
    """A garment's points as a photograph shows them."""
    points = cv2.perspectiveTransform(garment.keypoints[None].astype(np.float64), onto)[0]
    absent = garment.visibility == Visibility.ABSENT
    points[absent] = -1
    return replace(garment, keypoints=points.astype(np.float32), image_size=size)


def value_of(measured: Measurements, name: str) -> float:
    return measured[name].value or 1.0


def relative_errors(true: Measurements, found: Measurements) -> Iterator[float]:
    for one, other in zip(true, found, strict=True):
        if one.value and other.value is not None:
            yield abs(other.value / one.value - 1)


def report_lines(
    errors: dict[tuple[str, int], list[float]], tilts: dict[int, list[float]], garments: int
) -> Iterator[str]:
    yield (
        f"{plural(garments, 'drawn garment')} of 512 pixels with a marker of {SIDE} pixels beside"
        f" each, photographed at 1/1.4 of the size, noise of {NOISE:g} grey levels, exact points:"
    )
    yield ""
    yield "| scale | tilt, degrees | median error, % | nine in ten below, % | largest, % |"
    yield "|---|---|---|---|---|"
    names = list(dict.fromkeys(name for name, _ in errors))
    for name, tilt in product(names, TILTS):
        values = errors[name, tilt]
        middle, most, largest = 100 * np.quantile(values, [0.5, 0.9, 1])
        yield f"| {name} | {tilt} | {middle:.2f} | {most:.2f} | {largest:.2f} |"
    yield ""
    found = ", ".join(f"{np.min(v):.0f} to {np.max(v):.0f} for {t}" for t, v in tilts.items())
    yield f"Tilt as the marker tells it, in degrees: {found}."


if __name__ == "__main__":
    main()
