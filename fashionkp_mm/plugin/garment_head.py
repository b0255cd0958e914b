"""A pose head that also says what the garment is and which of its points can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn
from torch.nn import functional

from fashionkp_mm.core.garments import (
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    NUM_KEYPOINTS,
    UNKNOWN_CATEGORY,
    Visibility,
)

Features = Sequence[Tensor]


@MODELS.register_module()
class GarmentHead(BaseHead):
    """Wraps one of MMPose's pose heads and adds the garment's category and its points' visibility.

    The category comes first, from the deepest features; given or chosen, it then conditions the
    features from which the points are found, so that a skirt under a blouse is looked for as a
    skirt. The conditioning starts as the identity. While training, the labelled category
    conditions. Each point's visibility (`Visibility`: absent, occluded, visible) is read where
    a learned attention map looks for that point, next to a global view.

    ``pred_instances`` carry, next to what the pose head predicts, ``category_indices`` ``(1,)``,
    ``category_scores`` ``(1, C)`` (the network's own opinion, given or not),
    ``visibility_scores`` ``(1, K, 3)`` in the order of `Visibility` and ``keypoint_visibility``
    ``(1, K)``. ``keypoint_scores`` are the pose head's, times the probability that the point is not
    absent; points that the category does not define get score 0, so that nothing draws them.

    A sample's category counts as given if ``gt_instances.category_indices`` is there and the
    sample's metainfo does not say ``category_given=False``. A ``wanted_category`` in the metainfo
    goes before both; `UNKNOWN_CATEGORY` there leaves the choice to the head.

    Args:
        pose_head: Config of the head to wrap. Its ``in_channels`` are those of the features that
            it gets: the backbone's last, or the neck's.
        in_channels: Channels of the backbone's last features; those of the pose head by default.
        neck: Config of a module between the conditioned features and the pose head, such as
            `TopDownNeck`.
        condition: Whether the category conditions the features.
        hidden_channels: Width of the category's branch and of the conditioning.
        category_weight: Weight of the category's loss. As heavy as the pose head's, it would teach
            the backbone what a garment is and keep it from finding the points.
        visibility_weight: Weight of the visibility's loss; the same goes for it.
        category_smoothing: Share of each label that its loss spreads over all categories
            (arXiv:1512.00567).
        only_category: Train the category's branch alone, on features as they are: the points stay
            exactly where they were. For a backbone whose features do not change,
            ``frozen_stages`` of it has to be its last stage.
        category_temperature: What the category's logits are divided by where the head predicts.
            A network that knows its training pictures by heart is sure of every other one, too;
            above 1 its scores come nearer to how often they are right (arXiv:1706.04599). The
            category with the highest score stays the same.
        decoder: As in MMPose's heads; MMPose's demos look for it here.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        pose_head: dict[str, Any],
        *,
        in_channels: int | None = None,
        neck: dict[str, Any] | None = None,
        condition: bool = True,
        hidden_channels: int = 256,
        category_weight: float = 0.01,
        visibility_weight: float = 0.01,
        category_smoothing: float = 0.0,
        category_temperature: float = 1.0,
        only_category: bool = False,
        decoder: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.pose_head = MODELS.build(pose_head)
        self.decoder = KEYPOINT_CODECS.build(decoder) if decoder else self.pose_head.decoder
        self.category_weight = category_weight
        self.visibility_weight = visibility_weight
        self.category_smoothing = category_smoothing
        self.category_temperature = category_temperature
        self.only_category = only_category
        fine_channels = pose_head["in_channels"]
        deep_channels = in_channels or fine_channels
        self.category = _CategoryBranch(deep_channels, hidden_channels)
        self.condition = _Conditioning(deep_channels, hidden_channels) if condition else None
        self.neck = MODELS.build(neck) if neck else None
        self.visibility = _VisibilityBranch(deep_channels, fine_channels)
        self.register_buffer(
            "category_keypoints", torch.from_numpy(CATEGORY_KEYPOINTS.copy()), persistent=False
        )

    def forward(
        self, feats: Features, category_indices: Tensor | None = None
    ) -> tuple[Any, Tensor, Tensor]:
        """Predict the points, the category and the visibility.

        Args:
            feats: Feature maps of the backbone, fine to coarse.
            category_indices: ``(N,)`` categories to look for; `UNKNOWN_CATEGORY`, or none at all,
                leaves the choice to the head.

        Returns:
            What the pose head's ``forward`` gives, the categories' logits ``(N, C)`` and the
            visibilities' logits ``(N, K, 3)``.
        """
        logits = self.category(feats[-1]) / self.category_temperature
        chosen = choose_category(logits, category_indices)
        fine, deep = self._conditioned(feats, chosen)
        return self.pose_head.forward(fine), logits, self.visibility(deep, fine[-1])

    def loss(
        self,
        feats: Features,
        batch_data_samples: Sequence[PoseDataSample],
        train_cfg: dict[str, Any] | None = None,
    ) -> dict[str, Tensor]:
        """The pose head's losses, those of category and visibility, and the two accuracies.

        With ``only_category``, the category's alone. Of samples that are not ``named`` what is seen
        goes by another name, so they teach no category; see `RandomWiderBBox`.
        """
        labels = feats[-1].new_tensor(
            [int(sample.gt_instances.category_indices[0]) for sample in batch_data_samples],
            dtype=torch.long,
        )
        logits = self.category(feats[-1])
        named = torch.tensor(
            [bool(s.gt_instances.get("named", [True])[0]) for s in batch_data_samples],
            device=labels.device,
        )
        category_losses = {
            "loss_category": self.category_weight
            * functional.cross_entropy(
                logits[named],
                labels[named],
                label_smoothing=self.category_smoothing,
                reduction="sum",
            )
            / max(int(named.sum()), 1),
            "acc_category": _accuracy(logits, labels),
        }
        if self.only_category:
            return category_losses

        visibility = torch.from_numpy(
            np.concatenate([s.gt_instances.keypoint_visibility for s in batch_data_samples])
        ).to(feats[-1].device)
        fine, deep = self._conditioned(feats, labels)
        losses: dict[str, Tensor] = self.pose_head.loss(fine, batch_data_samples, train_cfg or {})
        defined = self.category_keypoints[labels]
        seen = self.visibility(deep, fine[-1])[defined]
        states = (visibility.long() - Visibility.ABSENT)[defined]
        losses |= category_losses
        losses["loss_visibility"] = self.visibility_weight * functional.cross_entropy(seen, states)
        losses["acc_visibility"] = _accuracy(seen, states)
        return losses

    def train(self, mode: bool = True) -> GarmentHead:
        """Set the training mode; with ``only_category`` all but that branch stays as it is."""
        super().train(mode)
        if self.only_category:
            for name, part in self.named_children():
                if name != "category":
                    part.eval().requires_grad_(False)
        return self

    def predict(
        self,
        feats: Features | Sequence[Features],
        batch_data_samples: Sequence[PoseDataSample],
        test_cfg: dict[str, Any] | None = None,
    ) -> Any:
        """Predict as MMPose's heads do; see the class for what the predictions carry.

        Args:
            feats: Feature maps of the backbone, or with ``test_cfg['flip_test']`` a list of two,
                the second made from the mirrored images.
            batch_data_samples: The batch's samples.
            test_cfg: The model's ``test_cfg``.
        """
        test_cfg = test_cfg or {}
        flip_test = test_cfg.get("flip_test", False)
        views = cast("Sequence[Features]", feats if flip_test else [feats])
        category_scores = torch.stack(
            [(self.category(view[-1]) / self.category_temperature).softmax(-1) for view in views]
        ).mean(0)
        given = category_scores.new_tensor(
            [_given_category(sample) for sample in batch_data_samples], dtype=torch.long
        )
        chosen = choose_category(category_scores, given)
        conditioned = [self._conditioned(view, chosen) for view in views]
        visibility_scores = [
            self.visibility(deep, fine[-1]).softmax(-1) for fine, deep in conditioned
        ]
        if flip_test:
            mirrored = batch_data_samples[0].metainfo["flip_indices"]
            visibility_scores[1] = visibility_scores[1][:, mirrored]
        fines = [fine for fine, _ in conditioned]
        predictions = self.pose_head.predict(
            fines if flip_test else fines[0], batch_data_samples, test_cfg
        )
        _complete(
            predictions[0] if isinstance(predictions, tuple) else predictions,
            chosen.cpu().numpy(),
            category_scores.cpu().numpy(),
            torch.stack(visibility_scores).mean(0).cpu().numpy(),
        )
        return predictions

    def _conditioned(self, feats: Features, category_indices: Tensor) -> tuple[Features, Tensor]:
        """The features for the pose head, and the deepest ones, for a garment of this category."""
        deep = feats[-1]
        if self.condition is not None:
            deep = self.condition(deep, category_indices)
        fine: Features = (*feats[:-1], deep)
        return (fine if self.neck is None else self.neck(fine)), deep


def choose_category(scores: Tensor, category_indices: Tensor | None) -> Tensor:
    """``(N,)`` indices: those given, and where they are `UNKNOWN_CATEGORY` the highest scores'."""
    own = scores.argmax(-1)
    if category_indices is None:
        return own
    return torch.where(category_indices < 0, own, category_indices)


class _CategoryBranch(nn.Sequential):
    """Deep features ``(N, C, h, w)`` to the categories' logits ``(N, categories)``."""

    def __init__(self, in_channels: int, hidden_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, hidden_channels, 1, bias=False),
            nn.BatchNorm2d(hidden_channels),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(hidden_channels, len(CATEGORY_NAMES)),
        )


class _Conditioning(nn.Module):
    """Adds to deep features what a given category makes of them.

    Each channel of a bottleneck is scaled and shifted by the category (FiLM, arXiv:1709.07871);
    a 5x5 filter then lets neighbouring places agree on which garment they belong to.
    """

    def __init__(self, channels: int, hidden_channels: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, hidden_channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(hidden_channels)
        self.modulation = nn.Embedding(len(CATEGORY_NAMES), 2 * hidden_channels)
        self.spread = nn.Conv2d(
            hidden_channels, hidden_channels, 5, padding=2, groups=hidden_channels, bias=False
        )
        self.spread_norm = nn.BatchNorm2d(hidden_channels)
        self.restore = nn.Conv2d(hidden_channels, channels, 1)
        nn.init.normal_(self.modulation.weight, std=0.1)
        # The block starts as the identity, so the pose head starts as it would without it.
        for parameter in self.restore.parameters():
            nn.init.zeros_(parameter)

    def forward(self, feature: Tensor, category_indices: Tensor) -> Tensor:
        scale, shift = self.modulation(category_indices)[:, :, None, None].chunk(2, dim=1)
        x = functional.relu(self.norm(self.reduce(feature)) * (1 + scale) + shift)
        correction: Tensor = self.restore(functional.relu(self.spread_norm(self.spread(x))))
        return feature + correction


class _VisibilityBranch(nn.Module):
    """Visibility logits ``(N, K, 3)``, seen where each point is looked for and over all."""

    def __init__(self, deep_channels: int, fine_channels: int) -> None:
        super().__init__()
        states = len(Visibility)
        self.attention = nn.Conv2d(fine_channels, NUM_KEYPOINTS, 1)
        self.local = nn.Parameter(torch.zeros(NUM_KEYPOINTS, fine_channels, states))
        self.overall = nn.Linear(deep_channels, NUM_KEYPOINTS * states)

    def forward(self, deep: Tensor, fine: Tensor) -> Tensor:
        attention = self.attention(fine).flatten(2).softmax(-1)  # (N, K, h * w)
        seen = attention @ fine.flatten(2).transpose(1, 2)  # (N, K, channels)
        local = torch.einsum("nkc,kcs->nks", seen, self.local)
        overall: Tensor = self.overall(deep.mean((2, 3))).unflatten(1, (NUM_KEYPOINTS, -1))
        return local + overall


def _given_category(sample: PoseDataSample) -> int:
    if "wanted_category" in sample.metainfo:
        return int(sample.metainfo["wanted_category"])
    given = sample.metainfo.get("category_given", True)
    if not given or "category_indices" not in sample.get("gt_instances", ()):
        return UNKNOWN_CATEGORY
    return int(sample.gt_instances.category_indices[0])


def _complete(
    predictions: Sequence[InstanceData],
    category_indices: np.ndarray,
    category_scores: np.ndarray,
    visibility_scores: np.ndarray,
) -> None:
    """Add category and visibility to the pose head's predictions, one instance each."""
    defined = CATEGORY_KEYPOINTS[category_indices]
    states = visibility_scores.argmax(-1) + Visibility.ABSENT
    visibility = np.where(defined, states, Visibility.ABSENT).astype(np.int8)
    present = np.where(defined, 1 - visibility_scores[..., 0], 0)
    for index, predicted in enumerate(predictions):
        row = slice(index, index + 1)
        predicted.category_indices = category_indices[row]
        predicted.category_scores = category_scores[row]
        predicted.visibility_scores = visibility_scores[row]
        predicted.keypoint_visibility = visibility[row]
        predicted.keypoint_scores = predicted.keypoint_scores * present[row]


def _accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    return (logits.argmax(-1) == labels).float().mean()
