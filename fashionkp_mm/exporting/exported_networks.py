"""Pose networks as an exported file computes them: crops as they are in, softmaxes out."""

from __future__ import annotations

from typing import Any

import torch
from mmpose.models.pose_estimators import TopdownPoseEstimator
from torch import Tensor, nn


class ExportedPoseNetwork(nn.Module):
    """What an exported pose network computes: crops to vectors and scores.

    Takes ``images`` ``(N, H, W, 3)`` uint8 BGR and ``categories`` ``(N,)`` int64, -1 where the
    network is to choose; returns what the pose head gives, then the softmax of the categories
    ``(N, C)`` and of the visibilities ``(N, K, 3)``.
    """

    def __init__(self, estimator: TopdownPoseEstimator) -> None:
        super().__init__()
        self.normalization = Normalization(estimator.data_preprocessor)
        self.estimator = estimator

    def forward(self, images: Tensor, categories: Tensor) -> tuple[Tensor, ...]:
        """The graph from its inputs to its outputs, as the class says."""
        features = self.estimator.extract_feat(self.normalization(images.permute(0, 3, 1, 2)))
        pose, category_logits, visibility_logits = self.estimator.head(features, categories)
        vectors = pose if isinstance(pose, tuple) else (pose,)
        return (*vectors, category_logits.softmax(-1), visibility_logits.softmax(-1))


class RtmlibNetwork(nn.Module):
    """The same for rtmlib: ``(N, 3, H, W)`` float32 BGR of 0 to 255; SimCC vectors alone.

    The network chooses the category itself.
    """

    def __init__(self, estimator: TopdownPoseEstimator) -> None:
        super().__init__()
        self.normalization = Normalization(estimator.data_preprocessor)
        self.estimator = estimator

    def forward(self, input: Tensor) -> tuple[Tensor, Tensor]:
        """The graph from its input to its outputs, as the class says."""
        features = self.estimator.extract_feat(self.normalization(input))
        (simcc_x, simcc_y), _, _ = self.estimator.head(features, None)
        return simcc_x, simcc_y


class Normalization(nn.Module):
    """What MMEngine's ``ImgDataPreprocessor`` does to a batch ``(N, 3, H, W)``, as a graph."""

    channels: Tensor | None
    mean: Tensor | None
    std: Tensor | None

    def __init__(self, preprocessor: Any) -> None:
        super().__init__()
        reversed_channels = torch.tensor([2, 1, 0]) if preprocessor._channel_conversion else None
        normalizes = preprocessor._enable_normalize
        self.register_buffer("channels", reversed_channels)
        self.register_buffer("mean", preprocessor.mean[None].clone() if normalizes else None)
        self.register_buffer("std", preprocessor.std[None].clone() if normalizes else None)

    def forward(self, batch: Tensor) -> Tensor:
        """Floats of what may be bytes."""
        if self.channels is not None:
            # Before the cast, while it is uint8: a quarter of the bytes to move.
            batch = batch.index_select(1, self.channels)
        batch = batch.float()
        return batch if self.mean is None or self.std is None else (batch - self.mean) / self.std
