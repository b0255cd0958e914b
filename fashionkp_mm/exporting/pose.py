"""Exporting a pose network: for this package's runtime, or for rtmlib."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from mmpose.codecs import SimCCLabel, UDPHeatmap

from fashionkp_mm.core.garments import UNKNOWN_CATEGORY
from fashionkp_mm.exporting.errors import ExportError
from fashionkp_mm.exporting.exported_networks import ExportedPoseNetwork, RtmlibNetwork
from fashionkp_mm.exporting.graph import to_onnx
from fashionkp_mm.exporting.parity import BoxedPicture, Parity
from fashionkp_mm.exporting.pose_parity import pose_parity, rtmlib_parity
from fashionkp_mm.exporting.provenance import Provenance
from fashionkp_mm.exporting.trained import TrainedModel
from fashionkp_mm.plugin.codec import CentroidHeatmap
from fashionkp_mm.plugin.garment_head import GarmentHead
from fashionkp_mm.runtime.metadata import (
    METADATA_KEY,
    CentroidHeatmapDecoder,
    Decoder,
    PoseMetadata,
    SimCCDecoder,
    UDPHeatmapDecoder,
)

_EXAMPLES = 2
"""Crops in the batch that the graph is traced with; with one, the axis would be taken as fixed."""
_RTMLIB_PADDING, _RTMLIB_SPLIT_RATIO = 1.25, 2.0
"""What rtmlib's ``RTMPose`` has built in."""


class PoseExporter:
    """Exports for `fashionkp_mm.runtime.FashionPredictor`.

    Raises:
        ExportError: The head is no `GarmentHead`, or its codec is none that the runtime decodes.
    """

    def __init__(self, trained: TrainedModel, provenance: Provenance) -> None:
        self.metadata = _metadata(trained, provenance)
        self._trained = trained

    def onnx(self) -> bytes:
        """The file's content."""
        width, height = self.metadata.input_size
        inputs = {
            "images": torch.zeros((_EXAMPLES, height, width, 3), dtype=torch.uint8),
            "categories": torch.full((_EXAMPLES,), UNKNOWN_CATEGORY),
        }
        points = self.metadata.decoder.outputs(self.metadata.input_size)
        outputs = [*points, "category_scores", "visibility_scores"]
        network = ExportedPoseNetwork(self._trained.model).eval()
        return to_onnx(network, inputs, outputs, {METADATA_KEY: self.metadata.to_json()})

    def parity(self, file: Path, pictures: Iterable[BoxedPicture]) -> Parity:
        """Compare the exported file with PyTorch."""
        return pose_parity(self._trained, self.metadata, file, pictures)


class RtmlibExporter:
    """Exports for rtmlib's ``RTMPose``, which knows neither categories nor visibility.

    Raises:
        ExportError: As `PoseExporter`, or rtmlib cannot decode such a network.
    """

    def __init__(self, trained: TrainedModel, provenance: Provenance) -> None:
        self.metadata = replace(_metadata(trained, provenance), kind="pose-rtmlib")
        self._trained = trained
        if self.metadata.decoder != SimCCDecoder(_RTMLIB_SPLIT_RATIO):
            raise ExportError(
                f"{trained.config_path}: rtmlib decodes SimCC vectors with"
                f" {_RTMLIB_SPLIT_RATIO:g} bins a pixel, this model gives {self.metadata.decoder};"
                " export it without --rtmlib"
            )
        if self.metadata.bbox_padding != _RTMLIB_PADDING:
            raise ExportError(
                f"{trained.config_path}: rtmlib pads boxes by {_RTMLIB_PADDING}, this model's"
                f" pipeline by {self.metadata.bbox_padding}; export it without --rtmlib"
            )

    def onnx(self) -> bytes:
        """The file's content."""
        width, height = self.metadata.input_size
        inputs = {"input": torch.zeros((_EXAMPLES, 3, height, width))}
        network = RtmlibNetwork(self._trained.model).eval()
        facts = {METADATA_KEY: self.metadata.to_json()}
        return to_onnx(network, inputs, ["simcc_x", "simcc_y"], facts)

    def parity(self, file: Path, pictures: Iterable[BoxedPicture]) -> Parity:
        """Compare the exported file with PyTorch."""
        return rtmlib_parity(self._trained, self.metadata, file, pictures)


def _metadata(trained: TrainedModel, provenance: Provenance) -> PoseMetadata:
    codec = _garment_head(trained).decoder
    width, height = codec.input_size
    return PoseMetadata(
        name=trained.name,
        input_size=(int(width), int(height)),
        decoder=_decoder(codec, trained),
        bbox_padding=_bbox_padding(trained),
        training_data=provenance.training_data,
        licence=provenance.licence,
    )


def _garment_head(trained: TrainedModel) -> GarmentHead:
    head = getattr(trained.model, "head", None)
    if not isinstance(head, GarmentHead):
        raise ExportError(
            f"{trained.config_path}: the model's head is {type(head).__name__}, which predicts"
            " neither category nor visibility; put it into a GarmentHead (head=dict("
            "type='GarmentHead', pose_head=dict(...))) and train that"
        )
    return head


def _decoder(codec: Any, trained: TrainedModel) -> Decoder:
    if isinstance(codec, SimCCLabel) and not codec.use_dark and not codec.decode_visibility:
        return SimCCDecoder(float(codec.simcc_split_ratio))
    if isinstance(codec, CentroidHeatmap):
        width, height = codec.heatmap_size
        return CentroidHeatmapDecoder((int(width), int(height)), codec.power, codec.floor)
    if isinstance(codec, UDPHeatmap) and codec.heatmap_type == "gaussian":
        width, height = codec.heatmap_size
        return UDPHeatmapDecoder(
            (int(width), int(height)), float(codec.sigma), int(codec.blur_kernel_size)
        )
    raise ExportError(
        f"{trained.config_path}: the runtime does not decode the codec {type(codec).__name__} as it"
        " is set there; it knows SimCCLabel (use_dark=False, decode_visibility=False),"
        " UDPHeatmap (heatmap_type='gaussian') and CentroidHeatmap"
    )


def _bbox_padding(trained: TrainedModel) -> float:
    for transform in trained.pipeline:
        if transform["type"] == "GetBBoxCenterScale":
            return float(transform.get("padding", 1.25))
    raise ExportError(
        f"{trained.config_path}: no GetBBoxCenterScale in test_dataloader.dataset.pipeline, so how"
        " far crops reach beyond their boxes is unknown; add it"
    )
