"""RTMDet's head, trained on pictures in which only one garment is labelled."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from mmdet.models.dense_heads import RTMDetSepBNHead
from mmdet.registry import MODELS
from mmengine.structures import InstanceData
from torch import Tensor, nn

from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_NAMES

_NEVER_TOGETHER = (
    ("dress", "blouse"),
    ("dress", "skirt"),
    ("dress", "trousers"),
    ("skirt", "trousers"),
)
"""Categories that one person does not wear at once."""
_ONE_ABOVE_THE_OTHER = (("blouse", "skirt"), ("blouse", "trousers"))
"""Categories that are worn together, with boxes that overlap at their rims only."""
_CORE = 0.5
"""Share of a box's width and height, about its centre, in which no neighbour lies."""
_FIRST_REACH = 64.0
"""Pixels from a prior to each side of its box before anything is learned."""
_SURELY_ABSENT = -100.0
"""A logit that costs nothing and passes no gradient on where the truth is "absent"."""


@MODELS.register_module()
class GarmentRTMDetHead(RTMDetSepBNHead):
    """`RTMDetSepBNHead` that takes an unlabelled garment neither for garment nor for background.

    FashionAI labels one garment an image. The blouse over a labelled skirt is there, without a
    label, and the stock loss would teach that it is background. So, as in the federated loss for
    LVIS (Zhou et al., "Probabilistic two-stage detection", 2021), a class is supervised only where
    its presence or absence is known. In an image whose garment is labelled ``c``

    * ``c`` itself is supervised everywhere: background comes from the images of a class's own;
    * a class that is not worn together with ``c`` (no trousers under a labelled skirt, no blouse in
      a dress) is absent everywhere. Were it left open outside the box, nothing would ever teach
      that the bare legs below a skirt are no trousers;
    * a neighbour of ``c`` (skirt and trousers for a blouse and the other way round) is absent in
      the middle half of the labelled box, where ``c`` itself lies. At the box's rim the two
      overlap, and outside it the neighbour may well be: the loss is zero there;
    * any other class can be worn over or under ``c`` with much the same box, as a blouse is in an
      open coat. It is absent only at the priors that are assigned to the labelled garment. There
      the predicted box is that garment's by assignment, so this loses nothing, and it keeps a
      coat from being called a blouse; all the rest is left open.

    Pictures of several people in one frame break the second rule; they are rare in FashionAI.

    Untrained, it predicts boxes of a garment's usual size in a picture of 256 to 320 pixels. The
    stock head begins with boxes of no size; as a box counts in the loss by its overlap, a short
    training would be half over before they have grown.

    Arguments, state dict and predictions are those of the parent; ``exp_on_reg`` is always on.
    """

    def __init__(self, num_classes: int, *args: Any, **kwargs: Any) -> None:
        if num_classes != len(CATEGORY_NAMES):
            raise ValueError(
                f"num_classes is {num_classes}, expected {len(CATEGORY_NAMES)}, one for each of"
                f" {', '.join(CATEGORY_NAMES)}"
            )
        super().__init__(num_classes, *args, **{**kwargs, "exp_on_reg": True})

    def init_weights(self) -> None:
        """As the parent, but for the size of the first boxes."""
        super().init_weights()
        for layer, (stride, _) in zip(self.rtm_reg, self.prior_generator.strides, strict=True):
            nn.init.constant_(layer.bias, math.log(_FIRST_REACH / stride))

    def _get_targets_single(
        self,
        cls_scores: Tensor,
        bbox_preds: Tensor,
        flat_anchors: Tensor,
        valid_flags: Tensor,
        gt_instances: InstanceData,
        *args: Any,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """As the parent, with label weights ``(A, C)``, 0 where nothing is known of a class."""
        anchors, labels, weights, *rest = super()._get_targets_single(
            cls_scores, bbox_preds, flat_anchors, valid_flags, gt_instances, *args, **kwargs
        )
        if labels is not None:
            known = known_classes(
                flat_anchors[:, :2],
                gt_instances.bboxes,
                gt_instances.labels,
                assigned=labels < self.num_classes,
            )
            weights = weights[:, None] * known
        return (anchors, labels, weights, *rest)

    def loss_by_feat_single(
        self,
        cls_score: Tensor,
        bbox_pred: Tensor,
        labels: Tensor,
        label_weights: Tensor,
        *args: Any,
    ) -> tuple[Tensor, ...]:
        """As the parent, for ``label_weights`` ``(N, A, C)`` of zeros and ones."""
        unknown = (label_weights == 0).transpose(1, 2).reshape(cls_score.shape)
        # MMDetection's quality focal loss weighs priors, not classes. It is zero, and so is its
        # gradient, for a class that is absent and predicted so beyond doubt.
        cls_score = cls_score.masked_fill(unknown, _SURELY_ABSENT)
        losses: tuple[Tensor, ...] = super().loss_by_feat_single(
            cls_score, bbox_pred, labels, label_weights.amax(-1), *args
        )
        return losses


def known_classes(points: Tensor, boxes: Tensor, labels: Tensor, assigned: Tensor) -> Tensor:
    """Where the presence or absence of each class is known; see `GarmentRTMDetHead`.

    Args:
        points: ``(A, 2)`` the priors' x and y.
        boxes: ``(G, 4)`` labelled garments, one in FashionAI, in the same pixels.
        labels: ``(G,)`` their classes.
        assigned: ``(A,)``, priors that a labelled garment is assigned to.

    Returns:
        ``(A, C)`` bool.
    """
    known = assigned[:, None].expand(-1, len(CATEGORY_NAMES))
    for box, label in zip(boxes, labels.tolist(), strict=True):
        center, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
        in_core = ((points - center).abs() < _CORE * half).all(dim=1)
        known = known | _KNOWN_EVERYWHERE[label].to(points.device)
        known = known | (in_core[:, None] & _KNOWN_IN_CORE[label].to(points.device))
    return known


def _symmetric(pairs: Iterable[tuple[str, str]]) -> Tensor:
    relation = torch.zeros(len(CATEGORY_NAMES), len(CATEGORY_NAMES), dtype=torch.bool)
    for first, second in pairs:
        one, other = CATEGORY_INDEX[first], CATEGORY_INDEX[second]
        relation[one, other] = relation[other, one] = True
    return relation


_KNOWN_EVERYWHERE = _symmetric(_NEVER_TOGETHER) | torch.eye(len(CATEGORY_NAMES), dtype=torch.bool)
"""``(C, C)``: in an image labelled with the first class, all is known of the second."""
_KNOWN_IN_CORE = _symmetric(_ONE_ABOVE_THE_OTHER)
