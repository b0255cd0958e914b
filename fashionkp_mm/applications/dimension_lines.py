"""Measurements as dimension lines on their picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.applications.measurement import Measurement, Measurements
from fashionkp_mm.core.garments import CATEGORIES, Visibility
from fashionkp_mm.visualization.dimensions import Dimension, draw_dimensions


def draw_measurements(
    image: NDArray[np.uint8], garments: Sequence[Measurements]
) -> NDArray[np.uint8]:
    """Draw the lengths of a picture's garments, with their figures.

    Args:
        image: ``(H, W, 3)`` BGR; it is left as it is.
        garments: What was measured on it.

    Returns:
        BGR, enlarged where it is small; see `draw_dimensions`.
    """
    return draw_dimensions(image, [each for one in garments for each in _dimensions(one)])


def _dimensions(measured: Measurements) -> Iterable[Dimension]:
    color = CATEGORIES[measured.garment.category].color
    for each in measured:
        if each.start is not None and each.end is not None:
            yield Dimension(
                np.array(each.start),
                np.array(each.end),
                _figure(each, measured.unit),
                color,
                hidden=Visibility.OCCLUDED in each.ends,
            )


def _figure(each: Measurement, unit: str) -> str:
    if each.value is None:
        return f"{each.pixels or 0:.0f} px"
    if unit == "mm":
        return f"{each.value:.0f} mm"
    if unit in ("cm", "in"):
        return f"{each.value:.1f} {unit}"
    return f"{each.value:.2f} x"
