"""From a pose network's raw outputs to points in the crop, as their codecs read them.

MMPose 1.3.2's codecs, and the plugin's `CentroidHeatmap`.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import FLIP_INDICES
from fashionkp_mm.core.heatmaps import centroids
from fashionkp_mm.runtime.metadata import (
    CentroidHeatmapDecoder,
    Decoder,
    SimCCDecoder,
    UDPHeatmapDecoder,
)

Outputs = Mapping[str, NDArray[np.float32]]

_FLIP = np.array(FLIP_INDICES)
_LOWEST, _HIGHEST = 1e-3, 50.0
"""Between these a heatmap is taken the logarithm of, as in MMPose."""


def decode_outputs(
    outputs: Outputs, decoder: Decoder, input_size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read points from the outputs that ``decoder.outputs`` names.

    Returns:
        Points ``(N, K, 2)`` in pixels of the crop, and their scores ``(N, K)``. As in MMPose, a
        point without any response has a score of 0 or less and lies beyond the crop's corner.
    """
    if isinstance(decoder, SimCCDecoder):
        return decode_simcc(outputs["simcc_x"], outputs["simcc_y"], decoder.simcc_split_ratio)
    if isinstance(decoder, CentroidHeatmapDecoder):
        return decode_centroids(outputs["heatmaps"], decoder, input_size)
    return decode_udp_heatmaps(outputs["heatmaps"], decoder, input_size)


def decode_simcc(
    simcc_x: NDArray[np.float32], simcc_y: NDArray[np.float32], split_ratio: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read points from vectors ``(N, K, width * ratio)`` and ``(N, K, height * ratio)``."""
    best_x, best_y = simcc_x.argmax(axis=-1), simcc_y.argmax(axis=-1)
    scores = np.minimum(simcc_x.max(axis=-1), simcc_y.max(axis=-1))
    places = np.stack([best_x, best_y], axis=-1).astype(np.float32)
    places[scores <= 0] = -1
    return places / np.float32(split_ratio), scores


def decode_udp_heatmaps(
    heatmaps: NDArray[np.float32], decoder: UDPHeatmapDecoder, input_size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read points from ``(N, K, height, width)``; see `decode_outputs`.

    The maximum is refined by the blurred heatmap's logarithm there, which is a parabola where the
    heatmap is a Gaussian (DARK, arXiv:1910.06278, and UDP, arXiv:1911.07524).
    """
    batch, points, height, width = heatmaps.shape
    flat = heatmaps.reshape(batch * points, height * width)
    best = flat.argmax(axis=1)
    scores = flat.max(axis=1)
    x, y = best % width, best // width
    logarithms = _blurred_logarithms(heatmaps.reshape(-1, height, width), decoder.blur_kernel_size)
    places = np.stack([x, y], axis=1) - _parabola_offsets(logarithms, x, y)
    places[scores <= 0] = -1
    places = places / (np.array([width, height]) - 1) * input_size
    shape = batch, points
    return places.reshape(*shape, 2).astype(np.float32), scores.reshape(shape)


def decode_centroids(
    heatmaps: NDArray[np.float32], decoder: CentroidHeatmapDecoder, input_size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read points from ``(N, K, height, width)``; see `core.heatmaps.centroids`."""
    batch, points, height, width = heatmaps.shape
    places, scores = centroids(
        heatmaps.reshape(-1, height, width), power=decoder.power, floor=decoder.floor
    )
    places = places / (np.array([width, height], np.float32) - 1) * input_size
    shape = batch, points
    return places.reshape(*shape, 2).astype(np.float32), scores.reshape(shape)


def average_with_mirrored(outputs: Outputs, mirrored: Outputs) -> dict[str, NDArray[np.float32]]:
    """Average outputs for crops with those for the mirrored crops."""
    back = mirrored_back(mirrored)
    return {name: (plain + back[name]) * np.float32(0.5) for name, plain in outputs.items()}


def mirrored_back(outputs: Outputs) -> dict[str, NDArray[np.float32]]:
    """Outputs for mirrored crops as those for the crops themselves.

    Whatever has a horizontal axis is mirrored back, left and right points change places.
    """
    back = {}
    for name, values in outputs.items():
        plain = values[..., ::-1] if name in ("simcc_x", "heatmaps") else values
        back[name] = plain if name == "category_scores" else plain[:, _FLIP]
    return back


def _blurred_logarithms(heatmaps: NDArray[np.float32], kernel: int) -> NDArray[np.float32]:
    """Blur each heatmap, bring it back to its old maximum and take the logarithm."""
    border = (kernel - 1) // 2
    _, height, width = heatmaps.shape
    result = np.empty_like(heatmaps)
    padded = np.zeros((height + 2 * border, width + 2 * border), np.float32)
    inside = slice(border, border + height), slice(border, border + width)
    for index, heatmap in enumerate(heatmaps):
        padded[inside] = heatmap
        blurred = cv2.GaussianBlur(padded, (kernel, kernel), 0)[inside]
        peak = blurred.max()
        # A weak peak among values below 0 is blurred away; the factor is negative, as MMPose's is.
        result[index] = blurred * (heatmap.max() / peak) if peak != 0 else blurred
    np.clip(result, _LOWEST, _HIGHEST, out=result)
    return np.log(result, out=result)


def _parabola_offsets(
    maps: NDArray[np.float32], x: NDArray[np.intp], y: NDArray[np.intp]
) -> NDArray[np.float64]:
    """``(M, 2)``: how far the parabola's top lies before ``x``, ``y`` on each of ``M`` maps."""
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)), mode="edge")
    _, height, width = padded.shape
    flat = padded.ravel()
    index = (x + 1) + (y + 1) * width + height * width * np.arange(len(maps))
    here, right, left = flat[index], flat[index + 1], flat[index - 1]
    below, above = flat[index + width], flat[index - width]
    below_right, above_left = flat[index + width + 1], flat[index - width - 1]
    gradient = np.stack([0.5 * (right - left), 0.5 * (below - above)], axis=-1)
    dxx = right - 2 * here + left
    dyy = below - 2 * here + above
    dxy = 0.5 * (below_right - right - below + here + here - left - above + above_left)
    hessian = np.stack([dxx, dxy, dxy, dyy], axis=-1).reshape(-1, 2, 2)
    hessian = hessian + np.finfo(np.float32).eps * np.eye(2)
    # No parabola has a top where this is singular, nor where a blurred peak was next to nothing.
    usable = np.isfinite(hessian).all(axis=(1, 2)) & np.isfinite(gradient).all(axis=1)
    usable[usable] = np.linalg.det(hessian[usable]) != 0
    offsets = np.zeros_like(gradient, np.float64)
    inverse = np.linalg.inv(hessian[usable])
    offsets[usable] = np.einsum("imn,in->im", inverse, gradient[usable])
    return offsets
