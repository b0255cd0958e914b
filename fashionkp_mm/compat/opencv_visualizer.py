"""Lets MMPose's OpenCV visualizer draw circles under NumPy 2.4 and later.

What it patches: ``OpencvBackendVisualizer.draw_circles`` (mmpose 1.3.2) is given the radius as an
array of one number and calls ``int(radius)``, which NumPy deprecated in 1.25 and refuses since 2.4.
It can go when mmpose passes or reads a plain number.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

import numpy as np


def patch(opencv_backend_visualizer: Any) -> None:
    """Make the radius a plain number before ``draw_circles`` reads it."""
    visualizer = opencv_backend_visualizer.OpencvBackendVisualizer
    stock = visualizer.draw_circles

    @wraps(stock)
    def draw_circles(self: Any, center: Any, radius: Any, *args: Any, **kwargs: Any) -> Any:
        if self.backend == "opencv":  # matplotlib's branch wants the array
            radius = np.asarray(radius).item()
        return stock(self, center, radius, *args, **kwargs)

    visualizer.draw_circles = draw_circles
