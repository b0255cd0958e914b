"""Real cloth in other garments' shapes: pictures warped onto shapes of which only labels exist."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS
from numpy.typing import NDArray

from fashionkp_mm.core.garments import CATEGORY_NAMES, Visibility
from fashionkp_mm.core.planar_maps import fit_similarity, moved
from fashionkp_mm.core.thin_plate_spline import ThinPlateSpline
from fashionkp_mm.images.warping import dense_map
from fashionkp_mm.plugin.label_files import read_table

_Floats = NDArray[np.float64]
_MIN_SHARED = 3
_MIN_DISTANCE = 3.0
"""Pixels of the crop below which two points are one to a spline."""
_TRIES = 3
_CANDIDATES = 4


@TRANSFORMS.register_module()
class RandomShapeWarp(BaseTransform):
    """Sometimes give the garment of a crop another garment's shape; goes behind `TopdownAffine`.

    The other shape is a row of the same category from a file of labels, whose pictures need not be
    there: 2,818 pictures become as many cuts, poses and proportions as there are rows. It is laid
    over the garment as well as turning, scaling and shifting can, and a thin-plate spline bends the
    picture until each labelled point has moved ``amount`` of the way to it. Points that the other
    row lacks go where the others take them. A bend that folds the picture, or stretches it further
    than ``max_stretch``, is halved until it does not.

    Args:
        shapes: File of labels, as a data set's ``ann_file``.
        exclude: Files of labels whose images lend no shape, such as those of validation.
        prob: Share of the samples that are changed.
        amount: Least and largest share of the way.
        max_stretch: How many times as large or as small as before an area may become.

    Raises:
        DataNotFoundError: A file is not there.
        AnnotationError: A file breaks a rule of its format.
        ValueError: ``amount`` or ``max_stretch`` is out of range.
    """

    def __init__(
        self,
        shapes: str,
        exclude: Sequence[str] = (),
        prob: float = 0.5,
        amount: tuple[float, float] = (0.2, 1.0),
        max_stretch: float = 4.0,
    ) -> None:
        least, most = amount
        if not 0 <= least <= most <= 1:
            raise ValueError(f"amount is {tuple(amount)}, expected two rising shares of 0 to 1")
        if max_stretch <= 1:
            raise ValueError(f"max_stretch is {max_stretch}, expected more than 1")
        self.shapes = shapes
        self.exclude = tuple(exclude)
        self.prob = prob
        self.amount = (least, most)
        self.max_stretch = max_stretch
        self._shapes = _read_shapes(shapes, self.exclude)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Warp ``img`` ``(H, W, 3)`` and ``transformed_keypoints`` ``(1, K, 2)``, or nothing."""
        if np.random.random() >= self.prob:  # noqa: NPY002
            return results
        labelled = np.flatnonzero(results["keypoint_visibility"][0] != Visibility.ABSENT)
        points = results["transformed_keypoints"][0, labelled].astype(np.float64)
        other = self._another(int(results["category_id"]), labelled)
        share = np.random.uniform(*self.amount)  # noqa: NPY002
        if other is None or _too_close(points):
            return results
        wanted = _laid_over(other, points)
        if wanted is None:
            return results
        height, width = results["img"].shape[:2]
        for _ in range(_TRIES):
            bent = points + share * (wanted - points)
            back = None if _too_close(bent) else self._sound_spline(bent, points, width, height)
            if back is not None:
                place = dense_map(back, (width, height))
                across, down = place[..., 0], place[..., 1]
                results["img"] = cv2.remap(results["img"], across, down, cv2.INTER_LINEAR)
                keypoints = results["transformed_keypoints"].copy()
                keypoints[0, labelled] = bent
                results["transformed_keypoints"] = keypoints
                break
            share /= 2
        return results

    def _another(self, category: int, labelled: NDArray[np.intp]) -> _Floats | None:
        """``(n, 2)`` places of these points in another garment, NaN where it lacks one."""
        rows = self._shapes[category]
        if not len(rows):
            return None
        chosen = rows[np.random.randint(len(rows), size=_CANDIDATES)][:, labelled]  # noqa: NPY002
        shared = (~np.isnan(chosen[..., 0])).sum(axis=1)
        best = int(shared.argmax())
        return chosen[best].astype(np.float64) if shared[best] >= _MIN_SHARED else None

    def _sound_spline(
        self, source: _Floats, target: _Floats, width: int, height: int
    ) -> ThinPlateSpline | None:
        try:
            spline = ThinPlateSpline.fit(source, target)
        except ValueError:
            return None
        nodes = np.stack(
            np.meshgrid(np.linspace(0, width - 1, 17), np.linspace(0, height - 1, 17)), axis=-1
        )
        areas = np.linalg.det(spline.jacobian(nodes))
        sound = areas.min() > 1 / self.max_stretch and areas.max() < self.max_stretch
        return spline if sound else None

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(shapes={self.shapes!r}, exclude={self.exclude},"
            f" prob={self.prob}, amount={self.amount}, max_stretch={self.max_stretch})"
        )


@cache
def _read_shapes(path: str, exclude: tuple[str, ...]) -> tuple[NDArray[np.float32], ...]:
    """Each category's rows ``(n, K, 2)`` in pixels, NaN where a point is absent."""
    table = read_table(path)
    hidden = {Path(image_id).name for other in exclude for image_id in read_table(other).image_ids}
    kept = np.array([Path(image_id).name not in hidden for image_id in table.image_ids], bool)
    absent = (table.visibility == Visibility.ABSENT)[..., None]
    keypoints = np.where(absent, np.nan, table.keypoints).astype(np.float32)
    return tuple(
        keypoints[kept & (table.category_indices == index)] for index in range(len(CATEGORY_NAMES))
    )


def _too_close(points: _Floats) -> bool:
    if len(points) < _MIN_SHARED:
        return True
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    return bool(distances[np.triu_indices(len(points), 1)].min() < _MIN_DISTANCE)


def _laid_over(other: _Floats, points: _Floats) -> _Floats | None:
    """``(n, 2)`` where ``other`` has the points, turned, scaled and shifted onto ``points``.

    Points that ``other`` lacks go where a smooth spline through the others takes them.
    """
    shared = ~np.isnan(other[:, 0])
    try:
        laid = fit_similarity(other[shared], points[shared])
    except ValueError:
        return None
    wanted = points.copy()
    wanted[shared] = moved(laid, other[shared])
    if not shared.all():
        try:
            spline = ThinPlateSpline.fit(points[shared], wanted[shared], smoothing=1.0)
        except ValueError:
            return None
        wanted[~shared] = spline(points[~shared])
    return wanted
