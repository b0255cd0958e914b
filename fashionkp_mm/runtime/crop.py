"""From boxes to the crops that the network sees, and from points in a crop back to the image.

The maths, down to the rounding, is that of MMPose 1.3.2's ``GetBBoxCenterScale`` and
``TopdownAffine``, since that is what the network was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class CropGeometry:
    """How ``N`` boxes are cut out of their images.

    Attributes:
        centers: ``(N, 2)`` in pixels of the image.
        scales: ``(N, 2)`` width and height of what is cut out, in pixels of the image.
        matrices: ``(N, 2, 3)`` from the image to the crop, as ``cv2.warpAffine`` takes them.
        input_size: Width and height of a crop.
    """

    centers: NDArray[np.float32]
    scales: NDArray[np.float32]
    matrices: NDArray[np.float64]
    input_size: tuple[int, int]

    @classmethod
    def joined(cls, parts: Sequence[CropGeometry]) -> CropGeometry:
        """The geometry of the crops of all parts, one after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            centers=np.concatenate([part.centers for part in parts]),
            scales=np.concatenate([part.scales for part in parts]),
            matrices=np.concatenate([part.matrices for part in parts]),
            input_size=parts[0].input_size,
        )

    def to_image(self, keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take points ``(N, K, 2)`` from pixels of the crop to pixels of the image."""
        size = np.array(self.input_size, np.float32)
        scales = self.scales[:, None]
        return keypoints / size * scales + self.centers[:, None] - 0.5 * scales


def crop_geometry(
    boxes: NDArray[np.float32], input_size: tuple[int, int], padding: float, *, udp: bool
) -> CropGeometry:
    """Widen boxes and bring them to the crop's aspect ratio.

    Args:
        boxes: ``(N, 4)`` ``x1, y1, x2, y2`` in pixels of the image.
        input_size: Width and height of a crop.
        padding: Size of the crop in terms of the box.
        udp: Whether pixels are points (``TopdownAffine(use_udp=True)``) or squares.
    """
    width, height = input_size
    aspect_ratio = width / height
    scales = (boxes[:, 2:] - boxes[:, :2]) * np.float32(padding)
    centers = (boxes[:, 2:] + boxes[:, :2]) * np.float32(0.5)
    w, h = scales[:, :1], scales[:, 1:]
    scales = np.where(
        w > h * aspect_ratio,
        np.concatenate([w, w / aspect_ratio], axis=1),
        np.concatenate([h * aspect_ratio, h], axis=1),
    )
    make = _udp_matrices if udp else _matrices
    return CropGeometry(centers, scales, make(centers, scales, input_size), input_size)


def cut_out(images: Sequence[NDArray[np.uint8]], geometry: CropGeometry) -> NDArray[np.uint8]:
    """Cut ``N`` crops out of as many images; what lies beyond an image's edge is black.

    Args:
        images: ``N`` arrays ``(H, W, 3)``, which may be one and the same.
        geometry: Where to cut, for ``N`` crops.

    Returns:
        ``(N, height, width, 3)``.
    """
    width, height = geometry.input_size
    crops = np.empty((len(images), height, width, 3), np.uint8)
    for image, matrix, crop in zip(images, geometry.matrices, crops, strict=True):
        cv2.warpAffine(image, matrix, (width, height), dst=crop, flags=cv2.INTER_LINEAR)
    return crops


def _matrices(
    centers: NDArray[np.float32], scales: NDArray[np.float32], input_size: tuple[int, int]
) -> NDArray[np.float64]:
    """MMPose's ``get_warp_matrix`` without rotation: three points are brought to three points."""
    sources = np.empty((len(centers), 3, 2), np.float32)
    sources[:] = centers[:, None]
    sources[:, 1:, 0] -= 0.5 * scales[:, :1]
    # MMPose derives the third point from the other two, with their rounding.
    sources[:, 2, 1] += sources[:, 0, 0] - sources[:, 1, 0]
    width, height = input_size
    target = np.array(
        [[width / 2, height / 2], [0, height / 2], [0, height / 2 + width / 2]], np.float32
    )
    matrices = np.empty((len(centers), 2, 3))
    for source, matrix in zip(sources, matrices, strict=True):
        matrix[:] = cv2.getAffineTransform(source, target)
    return matrices


def _udp_matrices(
    centers: NDArray[np.float32], scales: NDArray[np.float32], input_size: tuple[int, int]
) -> NDArray[np.float64]:
    """MMPose's ``get_udp_warp_matrix`` without rotation."""
    factors = (np.array(input_size, np.float32) - 1) / scales
    matrices = np.zeros((len(centers), 2, 3), np.float32)
    matrices[:, 0, 0], matrices[:, 1, 1] = factors.T
    matrices[:, :, 2] = factors * (np.float32(0.5) * scales - centers)
    return matrices.astype(np.float64)
