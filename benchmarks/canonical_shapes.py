"""Write the canonical shape of each category: the symmetrised mean of all labelled garments.

    python benchmarks/canonical_shapes.py annotations_2018.csv --without val.csv

Garments are laid onto the mean by turning, scaling and shifting, then averaged again, until the
mean stays where it is (generalised Procrustes analysis: J. C. Gower, Psychometrika 40, 1975). An
occluded point counts 0.3 times as much as a visible one, an absent one not at all. The mirror image
of each garment counts as well, so the mean is symmetric. Its normaliser is kept at one length, or
all would shrink to a point.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.canonical_shapes import FRAME, SHAPES_FILE, visibility_weights
from fashionkp_mm.core.csv_format import read_labels, write_labels
from fashionkp_mm.core.garments import (
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    FLIP_INDICES,
    NORMALIZER_INDICES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.core.table import KeypointTable

FILLED = 0.75
"""Share of the frame that the longer side of a shape takes. Of the validation garments laid onto
it by a similarity one in twenty has a point outside of the frame; at 0.9 it is one in four."""
STILL = 1e-6
"""Normalisers that the mean may move in the last round."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("labels", type=Path, help="CSV of labels, for instance all public ones")
    parser.add_argument(
        "--without",
        type=Path,
        action="append",
        default=[],
        metavar="CSV",
        help="leave out the images of this CSV, such as those for validation",
    )
    parser.add_argument("--out", type=Path, default=SHAPES_FILE)
    arguments = parser.parse_args()

    warnings.simplefilter("ignore")  # rows that stand twice are dropped
    table = read_labels(arguments.labels)
    left_out = {
        Path(image_id).name
        for path in arguments.without
        for image_id in read_labels(path).image_ids
    }
    table = table.select(np.array([Path(one).name not in left_out for one in table.image_ids]))
    shapes = np.full((len(CATEGORY_NAMES), NUM_KEYPOINTS, 2), -1.0)
    for index, name in enumerate(CATEGORY_NAMES):
        rows = table.select(table.category_indices == index)
        defined = CATEGORY_KEYPOINTS[index]
        mean, rounds = procrustes_mean(rows, NORMALIZER_INDICES[index], defined)
        shapes[index, defined] = framed(mean[defined])
        print(f"{name}: {len(rows):,} garments, {rounds} rounds")
    write_labels(
        arguments.out,
        KeypointTable(
            tuple(f"canonical/{name}" for name in CATEGORY_NAMES),
            np.arange(len(CATEGORY_NAMES), dtype=np.int8),
            shapes.astype(np.float32),
            np.where(CATEGORY_KEYPOINTS, Visibility.VISIBLE, Visibility.ABSENT).astype(np.int8),
            np.arange(2, 2 + len(CATEGORY_NAMES)),
        ),
    )
    print(f"{arguments.out}: {arguments.out.stat().st_size:,} bytes")


def procrustes_mean(
    table: KeypointTable, normalizer: NDArray[np.intp], defined: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], int]:
    """The mean ``(K, 2)``, its axis at x = 0, and the rounds that it took."""
    weights = visibility_weights(table.visibility)
    # Two labelled points fix a similarity; such a garment adds nothing, and fewer fix none.
    enough = (weights > 0).sum(1) > 2
    weights = weights[enough]
    points = table.keypoints[enough].astype(np.float64) @ (1, 1j)
    # The first mean: upright and centred, each garment as large as its own points say.
    points = points - weighted_mean(points, weights)[:, None]
    size = np.sqrt(weighted_mean(abs(points) ** 2, weights).real)
    mean = standard(column_mean(points / size[:, None], weights), normalizer, defined)
    change, rounds = np.inf, 0
    while change > STILL:
        laid = laid_onto(points, mean, weights)
        new = standard(column_mean(laid, weights), normalizer, defined)
        change, rounds, mean = abs(new - mean).max(), rounds + 1, new
    return np.column_stack([mean.real, mean.imag]), rounds


def laid_onto(
    points: NDArray[np.complex128], mean: NDArray[np.complex128], weights: NDArray[np.float64]
) -> NDArray[np.complex128]:
    """``(N, K)`` garments, each by its own similarity; see `core.planar_maps.fit_similarity`."""
    centred = points - weighted_mean(points, weights)[:, None]
    middle = weighted_mean(np.broadcast_to(mean, points.shape), weights)[:, None]
    turn = (weights * centred.conj() * (mean - middle)).sum(1) / (weights * abs(centred) ** 2).sum(
        1
    )
    laid: NDArray[np.complex128] = turn[:, None] * centred + middle
    return laid


def weighted_mean(
    points: NDArray[np.complex128], weights: NDArray[np.float64]
) -> NDArray[np.complex128]:
    """``(N,)``, over the points of each garment."""
    mean: NDArray[np.complex128] = (points * weights).sum(1) / weights.sum(1)
    return mean


def column_mean(
    points: NDArray[np.complex128], weights: NDArray[np.float64]
) -> NDArray[np.complex128]:
    """``(K,)``, over the garments; 0 for a point that none has."""
    mean: NDArray[np.complex128] = (points * weights).sum(0) / np.maximum(weights.sum(0), 1e-9)
    return mean


def standard(
    mean: NDArray[np.complex128], normalizer: NDArray[np.intp], defined: NDArray[np.bool_]
) -> NDArray[np.complex128]:
    """``(K,)`` the mean of a shape and its mirror image, the normaliser's length 1."""
    mean = np.where(defined, mean - mean[defined].mean(), 0)
    both: NDArray[np.complex128] = mean - mean[list(FLIP_INDICES)].conj()
    return both / abs(np.diff(both[normalizer]))


def framed(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(n, 2)`` in pixels of a square of `FRAME`, centred, and as large as `FILLED` says."""
    low, high = points.min(0), points.max(0)
    scaled: NDArray[np.float64] = (points - (low + high) / 2) * (
        FILLED * FRAME / (high - low).max()
    )
    return scaled + FRAME / 2


if __name__ == "__main__":
    main()
