"""The exported pose network: crops in, points with category and visibility out."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import (
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.runtime.crop import CropGeometry, crop_geometry
from fashionkp_mm.runtime.decode import (
    Outputs,
    average_with_mirrored,
    decode_outputs,
    mirrored_back,
)
from fashionkp_mm.runtime.metadata import HeatmapDecoder, ModelFileError, PoseMetadata
from fashionkp_mm.runtime.session import ModelRunner


@dataclass(frozen=True)
class Found:
    """What the network found in ``N`` crops.

    Attributes:
        keypoints: ``(N, K, 2)`` in pixels of the image.
        keypoint_scores: ``(N, K)``, 0 for points that the category does not define.
        visibility: ``(N, K)`` int8 of ``core.garments.Visibility``.
        category_indices: ``(N,)``, those given or chosen.
        category_scores: ``(N, C)`` the network's own probabilities.
    """

    keypoints: NDArray[np.float32]
    keypoint_scores: NDArray[np.float32]
    visibility: NDArray[np.int8]
    category_indices: NDArray[np.int64]
    category_scores: NDArray[np.float32]

    def select(self, rows: NDArray[np.intp]) -> Found:
        """The findings in some rows."""
        return Found(*(getattr(self, field.name)[rows] for field in fields(self)))

    def replaced(self, rows: NDArray[np.intp], by: Found) -> Found:
        """The same with other findings in some rows."""
        columns = {}
        for field in fields(self):
            columns[field.name] = getattr(self, field.name).copy()
            columns[field.name][rows] = getattr(by, field.name)
        return Found(**columns)


class PoseNetwork:
    """An exported pose network; many threads may use one at once, and it can be pickled.

    Args:
        path: ONNX file that ``fashionkp export`` wrote.
        flip_test: Whether to average with what the network makes of the mirrored crops; it takes
            twice as long.
        threads: As in `session.open_session`.
        device: As in `session.open_session`.
        batch_size: Most crops that go through the network at once, mirrored ones not counted.

    Raises:
        ModelFileError: The file cannot be used.
        DeviceError: There is no such device.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        flip_test: bool = False,
        threads: int | None = None,
        device: str = "cpu",
        batch_size: int = 32,
    ) -> None:
        self._runner = ModelRunner(path, threads, device)
        file, metadata = self._runner.file, self._runner.metadata
        if not isinstance(metadata, PoseMetadata) or metadata.kind != "pose":
            remedy = (
                "give it as detector= or --detector"
                if metadata.kind == "detector"
                else "it runs in rtmlib's RTMPose; export once more without --rtmlib for here"
            )
            raise ModelFileError(f"{file}: not a pose network, but a {metadata.kind}; {remedy}")
        width, height = metadata.input_size
        outputs = {
            **metadata.decoder.outputs(metadata.input_size),
            "category_scores": (len(CATEGORY_NAMES),),
            "visibility_scores": (NUM_KEYPOINTS, len(Visibility)),
        }
        inputs = {
            "images": ("tensor(uint8)", (height, width, 3)),
            "categories": ("tensor(int64)", ()),
        }
        self._runner.require_interface(inputs, outputs)
        self.metadata = metadata
        self.flip_test = flip_test
        self._batch_size = batch_size

    def geometry(self, boxes: NDArray[np.float32]) -> CropGeometry:
        """How the crops for boxes ``(N, 4)`` in pixels of the image are cut out."""
        udp = isinstance(self.metadata.decoder, HeatmapDecoder)
        return crop_geometry(boxes, self.metadata.input_size, self.metadata.bbox_padding, udp=udp)

    def find(
        self,
        crops: NDArray[np.uint8],
        geometry: CropGeometry,
        category_indices: NDArray[np.int64],
        *,
        mirrored: bool = False,
    ) -> Found:
        """Find the points of ``N`` garments.

        Args:
            crops: ``(N, height, width, 3)`` BGR.
            geometry: Where they were cut out.
            category_indices: ``(N,)``, `core.garments.UNKNOWN_CATEGORY` where the network chooses.
            mirrored: Whether the network is shown the mirrored crops. The points are those of the
                picture as it is. With a flip test that changes nothing.

        Raises:
            ModelFileError: The network fails, or answers what can mean nothing.
        """
        run = self._run
        if self.flip_test:
            run = self._run_both
        elif mirrored:
            run = self._run_mirrored
        starts = range(0, len(crops), self._batch_size)
        batches = [slice(start, start + self._batch_size) for start in starts]
        parts = [run(crops[batch], category_indices[batch]) for batch in batches]
        outputs = (
            parts[0]
            if len(parts) == 1
            else {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        )
        return self._found(outputs, geometry, category_indices)

    def _run(self, crops: NDArray[np.uint8], category_indices: NDArray[np.int64]) -> Outputs:
        return self._runner.run({"images": crops, "categories": category_indices})

    def _run_mirrored(
        self, crops: NDArray[np.uint8], category_indices: NDArray[np.int64]
    ) -> Outputs:
        return mirrored_back(self._run(np.ascontiguousarray(crops[:, :, ::-1]), category_indices))

    def _run_both(self, crops: NDArray[np.uint8], category_indices: NDArray[np.int64]) -> Outputs:
        """Outputs averaged with those for the mirrored crops.

        Both have to look for the same category, the one that they choose together. Where one of
        them would have chosen another, it makes one more pass.
        """
        count = len(crops)
        both = np.concatenate([crops, crops[:, :, ::-1]])
        outputs = self._run(both, np.tile(category_indices, 2))
        own = outputs["category_scores"].argmax(axis=1)
        chosen = (outputs["category_scores"][:count] + outputs["category_scores"][count:]).argmax(1)
        again = np.flatnonzero((np.tile(category_indices, 2) < 0) & (own != np.tile(chosen, 2)))
        if again.size:
            corrected = self._run(both[again], np.tile(chosen, 2)[again])
            for name, values in outputs.items():
                values[again] = corrected[name]
        return average_with_mirrored(
            {name: values[:count] for name, values in outputs.items()},
            {name: values[count:] for name, values in outputs.items()},
        )

    def _found(
        self, outputs: Outputs, geometry: CropGeometry, category_indices: NDArray[np.int64]
    ) -> Found:
        keypoints, scores = decode_outputs(outputs, self.metadata.decoder, self.metadata.input_size)
        category_scores, visibility_scores = (
            outputs["category_scores"],
            outputs["visibility_scores"],
        )
        own = category_scores.argmax(axis=1)
        chosen = np.where(category_indices < 0, own, category_indices)
        defined = CATEGORY_KEYPOINTS[chosen]
        states = visibility_scores.argmax(axis=-1) + Visibility.ABSENT
        return Found(
            keypoints=geometry.to_image(keypoints),
            keypoint_scores=scores * np.where(defined, 1 - visibility_scores[..., 0], 0),
            visibility=np.where(defined, states, Visibility.ABSENT).astype(np.int8),
            category_indices=chosen,
            category_scores=category_scores,
        )
