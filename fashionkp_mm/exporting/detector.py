"""Exporting a detector of garments, compared with MMDetection's own prediction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmcv.ops import batched_nms
from mmdet.models.dense_heads import RTMDetHead
from mmengine.config import ConfigDict
from mmengine.dataset import Compose
from torch import Tensor, nn

from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.core.nms import nms
from fashionkp_mm.exporting.errors import ExportError
from fashionkp_mm.exporting.exported_networks import Normalization
from fashionkp_mm.exporting.graph import to_onnx
from fashionkp_mm.exporting.parity import BoxedPicture, Difference, Floats, Parity
from fashionkp_mm.exporting.provenance import Provenance
from fashionkp_mm.exporting.trained import TrainedModel
from fashionkp_mm.runtime.detector import GarmentDetector
from fashionkp_mm.runtime.metadata import METADATA_KEY, DetectorMetadata
from fashionkp_mm.runtime.session import open_session

MAX_BOX_DIFFERENCE = 0.05
"""Pixels of the network's input."""
MAX_SCORE_DIFFERENCE = 1e-3

_EXAMPLES = 2
_CANDIDATES = 100
"""Best boxes of each level that are compared before the suppression."""


class DetectorNetwork(nn.Module):
    """What an exported detector computes: letterboxed pictures to boxes and scores.

    Takes ``images`` ``(N, H, W, 3)`` uint8 BGR; returns ``(N, A, 4)`` ``x1, y1, x2, y2`` in their
    pixels, inside them, and ``(N, A, C)`` scores, before any suppression.
    """

    priors: Tensor

    def __init__(self, detector: Any, input_size: tuple[int, int]) -> None:
        super().__init__()
        self.normalization = Normalization(detector.data_preprocessor)
        self.detector = detector
        width, height = self.input_size = input_size
        priors = detector.bbox_head.prior_generator
        sizes = [(height // y, width // x) for x, y in priors.strides]
        self.register_buffer("priors", torch.cat(priors.grid_priors(sizes, device="cpu")))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The graph from its input to its outputs, as the class says."""
        features = self.detector.extract_feat(self.normalization(images.permute(0, 3, 1, 2)))
        logits, distances = (
            torch.cat([level.permute(0, 2, 3, 1).flatten(1, 2) for level in levels], dim=1)
            for levels in self.detector.bbox_head(features)
        )
        corners = torch.cat([self.priors - distances[..., :2], self.priors + distances[..., 2:]], 2)
        width, height = self.input_size
        xs, ys = corners[..., 0::2].clamp(0, width), corners[..., 1::2].clamp(0, height)
        return torch.stack([xs, ys], dim=-1).flatten(2), logits.sigmoid()


class DetectorExporter:
    """Exports for `fashionkp_mm.runtime.FashionPredictor`'s boxes by ``detector``.

    Raises:
        ExportError: The detector is none of ours, or the config does not say how it is used.
    """

    def __init__(self, trained: TrainedModel, provenance: Provenance) -> None:
        self.metadata = _metadata(trained, provenance)
        self._trained = trained

    def onnx(self) -> bytes:
        """The file's content."""
        size = self.metadata.input_size
        inputs = {"images": torch.zeros((_EXAMPLES, *size[::-1], 3), dtype=torch.uint8)}
        network = DetectorNetwork(self._trained.model, size).eval()
        facts = {METADATA_KEY: self.metadata.to_json()}
        return to_onnx(network, inputs, ["boxes", "scores"], facts)

    def parity(self, file: Path, pictures: Iterable[BoxedPicture]) -> Parity:
        """Compare the exported file with PyTorch."""
        return detector_parity(self._trained, self.metadata, file, pictures)


def detector_parity(
    trained: TrainedModel, metadata: DetectorMetadata, file: Path, pictures: Iterable[BoxedPicture]
) -> Parity:
    """Compare a file that `DetectorExporter` made with the model that it was made of.

    One path is MMDetection's from the picture on: the config's test pipeline, the network, and the
    head's own decoding. The other is the runtime's letterbox and the file. Compared are the pixels
    that the networks are given, and boxes and scores of the best candidates of each level. Of
    candidates with the same score but for rounding either may suppress the other, so MMDetection's
    suppression and the runtime's are compared on the same numbers, those of the file.
    """
    detector: Any = trained.model
    pipeline = Compose(trained.pipeline)
    ours, (session, _) = GarmentDetector(file), open_session(file)
    pixels: list[float] = []
    distances: list[float] = []
    differences: list[float] = []
    garments = others = 0
    for picture in pictures:
        height, width = picture.image.shape[:2]
        item = pipeline(
            {"img": picture.image, "instances": [], "height": height, "width": width, "img_id": 0}
        )
        given = item["inputs"].permute(1, 2, 0).numpy()
        letterboxed = ours.letterbox(picture.image)
        pixels.append(float(np.abs(given.astype(int) - letterboxed).max()))
        (boxes,), (scores,) = session.run(["boxes", "scores"], {"images": letterboxed[None]})
        for label, box, score in zip(*_candidates(detector, item), strict=True):
            distance, difference = _nearest(box, score, boxes, scores[:, label])
            distances.append(distance)
            differences.append(difference)
        theirs = _kept_by_mmdetection(boxes, scores, metadata, detector.bbox_head.test_cfg.nms)
        garments += len(theirs)
        others += len(theirs ^ _kept(boxes, scores, metadata))
    compared = f"{len(distances)} candidates and {garments} garments in {len(pixels)} pictures"
    return Parity(
        compared,
        (
            Difference("letterboxed pixels", max(pixels), 1),
            Difference("boxes", max(distances), MAX_BOX_DIFFERENCE, "px"),
            Difference("scores", max(differences), MAX_SCORE_DIFFERENCE),
            Difference("garments that only one suppression keeps", others, 1),
        ),
    )


def _metadata(trained: TrainedModel, provenance: Provenance) -> DetectorMetadata:
    head = getattr(trained.model, "bbox_head", None)
    classes = getattr(head, "num_classes", None)
    if not isinstance(head, RTMDetHead) or head.with_objectness or classes != len(CATEGORY_NAMES):
        raise ExportError(
            f"{trained.config_path}: the model's head is {type(head).__name__} with {classes}"
            f" classes; expected an RTMDet head without objectness for the {len(CATEGORY_NAMES)}"
            " categories, as in configs/rtmdet_fashion.py"
        )
    for key in ("input_size", "score_threshold"):
        if key not in trained.config:
            raise ExportError(
                f"{trained.config_path}: there is no '{key}' in it; add it as"
                " configs/rtmdet_fashion.py has it"
            )
    width, height = trained.config.input_size
    return DetectorMetadata(
        name=trained.name,
        input_size=(int(width), int(height)),
        score_threshold=float(trained.config.score_threshold),
        iou_threshold=float(head.test_cfg.nms.iou_threshold),
        training_data=provenance.training_data,
        licence=provenance.licence,
    )


def _candidates(detector: Any, item: dict[str, Any]) -> tuple[list[int], Floats, Floats]:
    """Labels, boxes and scores of MMDetection's best candidates, before the suppression."""
    with torch.no_grad():
        batch = {"inputs": [item["inputs"]], "data_samples": [item["data_samples"]]}
        data = detector.data_preprocessor(batch)
        (found,) = detector.bbox_head.predict_by_feat(
            *detector.bbox_head(detector.extract_feat(data["inputs"])),
            batch_img_metas=[sample.metainfo for sample in data["data_samples"]],
            cfg=ConfigDict(score_thr=-1.0, nms_pre=_CANDIDATES),
            rescale=False,
            with_nms=False,
        )
    return found.labels.tolist(), found.bboxes.numpy(), found.scores.numpy()


def _nearest(box: Floats, score: float, boxes: Floats, scores: Floats) -> tuple[float, float]:
    """How far away the prior is that comes closest to a candidate's box and score together."""
    distances = np.abs(boxes - box).max(axis=1)
    differences = np.abs(scores - score)
    ratios = np.maximum(distances / MAX_BOX_DIFFERENCE, differences / MAX_SCORE_DIFFERENCE)
    nearest = int(ratios.argmin())
    return float(distances[nearest]), float(differences[nearest])


def _kept_by_mmdetection(
    boxes: Floats, scores: Floats, metadata: DetectorMetadata, settings: Mapping[str, Any]
) -> set[tuple[int, int]]:
    """Priors and labels that MMDetection's suppression keeps."""
    priors, labels = np.nonzero(scores > metadata.score_threshold)
    if not len(priors):  # which MMCV does not take
        return set()
    _, kept = batched_nms(
        torch.from_numpy(boxes[priors]),
        torch.from_numpy(scores[priors, labels]),
        torch.from_numpy(labels),
        dict(settings),
    )
    # As an array: by a tensor of one number, NumPy would take that one box out of its list.
    rows = kept.numpy()
    return set(zip(priors[rows].tolist(), labels[rows].tolist(), strict=True))


def _kept(boxes: Floats, scores: Floats, metadata: DetectorMetadata) -> set[tuple[int, int]]:
    """Priors and labels that the runtime's suppression keeps."""
    kept = set()
    for label in range(scores.shape[1]):
        (best,) = np.nonzero(scores[:, label] > metadata.score_threshold)
        best = best[np.argsort(-scores[best, label], kind="stable")]
        best = best[nms(boxes[best], metadata.iou_threshold)]
        kept |= {(prior, label) for prior in best.tolist()}
    return kept
