"""What configs say in one word instead of repeating it: MMPose's models, and pipelines of any size.

Used from MMEngine's text configs, where these calls leave nothing but plain dicts behind.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import mmpose
from mmengine.config import ConfigDict

from fashionkp_mm.plugin.config_files import stock_config
from fashionkp_mm.plugin.efficientnet_lite import stage_channels, weights_url


def stock_model(config: str) -> ConfigDict:
    """The ``model`` of one of MMPose's own configs, with its head wrapped in a `GarmentHead`.

    Args:
        config: Path below MMPose's ``configs`` folder, without ``.py``.

    Raises:
        FileNotFoundError: The installed MMPose has no such config.
    """
    model: ConfigDict = stock_config(mmpose, config).model
    model.head = ConfigDict(type="GarmentHead", pose_head=model.head)
    model.data_preprocessor.type = "GroupedDataPreprocessor"
    return model


def rtmpose_size(config: str) -> dict[str, Any]:
    """What tells one of MMPose's RTMPose models from its sisters: depth, width, starting weights.

    A ``model`` to be merged into that of `stock_model`; ``config`` is as there.
    """
    stock = stock_model(config)
    backbone = {key: stock.backbone[key] for key in ("deepen_factor", "widen_factor", "init_cfg")}
    return {
        "backbone": backbone,
        "head": {"pose_head": {"in_channels": stock.head.pose_head.in_channels}},
    }


def efficientnet_lite_pyramid(
    variant: str, stages: Sequence[int], out_channels: int
) -> dict[str, Any]:
    """An `EfficientNetLite` from ImageNet's weights, with a `TopDownNeck` above it.

    A ``model`` to be merged into another one, whose head is a `GarmentHead`.

    Args:
        variant: The backbone's.
        stages: Those that the neck takes, fine to coarse.
        out_channels: The neck's.
    """
    every = stage_channels(variant)
    channels = [every[stage] for stage in stages]
    return {
        "backbone": {
            "variant": variant,
            "out_indices": tuple(stages),
            "init_cfg": {"type": "Pretrained", "checkpoint": weights_url(variant)},
        },
        "head": {
            "in_channels": channels[-1],
            "neck": {
                "type": "TopDownNeck",
                "in_channels": channels,
                "out_channels": out_channels,
            },
        },
    }


def with_codec(
    pipeline: Sequence[Mapping[str, Any]], codec: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The pipeline for one codec: `TopdownAffine` gets its input size, `GenerateTarget` the codec.

    Codecs of UDP's heatmaps get the unbiased crop that they need.
    """
    sized = []
    for transform in copy.deepcopy(list(pipeline)):
        extra: dict[str, Any] = {}
        if transform["type"] == "TopdownAffine":
            extra = {"input_size": codec["input_size"]}
            if codec["type"] in ("UDPHeatmap", "CentroidHeatmap"):
                extra["use_udp"] = True
        elif transform["type"] == "GenerateTarget":
            extra = {"encoder": dict(codec)}
        sized.append({**transform, **extra})
    return sized


def with_transforms(
    pipeline: Sequence[Mapping[str, Any]], behind: str, *transforms: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The pipeline with more transforms behind the one named.

    Raises:
        ValueError: The pipeline has no such transform.
    """
    longer = copy.deepcopy([dict(transform) for transform in pipeline])
    types = [transform["type"] for transform in longer]
    if behind not in types:
        raise ValueError(f"the pipeline has no {behind}, but {', '.join(types)}")
    place = types.index(behind) + 1
    return [*longer[:place], *(dict(transform) for transform in transforms), *longer[place:]]
