"""What the detectors' configs say in one word: MMDetection's models, and pipelines of any size."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import mmdet
from mmengine.config import ConfigDict

from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.plugin.config_files import stock_config


def stock_detector(config: str) -> ConfigDict:
    """The ``model`` of one of MMDetection's RTMDet configs, for garments and for any machine.

    It gets `GarmentRTMDetHead` and plain batch norm: the synchronised one asks for a GPU.

    Args:
        config: Path below MMDetection's ``configs`` folder, without ``.py``.

    Raises:
        FileNotFoundError: The installed MMDetection has no such config.
    """
    model: ConfigDict = stock_config(mmdet, config).model
    model.bbox_head.update(type="GarmentRTMDetHead", num_classes=len(CATEGORY_NAMES))
    for part in (model.backbone, model.neck, model.bbox_head):
        part.norm_cfg = {"type": "BN"}
    return model


def with_input_size(
    pipeline: Sequence[Mapping[str, Any]], input_size: tuple[int, int]
) -> list[dict[str, Any]]:
    """The pipeline for one input size ``(width, height)``, which its transforms do not name.

    Raises:
        ValueError: The input is no square. MMDetection's ``Resize`` takes the two numbers for the
            longer and the shorter side, so that an upright picture would not fit a lying input.
    """
    if input_size[0] != input_size[1]:
        raise ValueError(f"the detector's input size is {tuple(input_size)}, expected a square")
    names = {"RandomResize": "scale", "Resize": "scale", "RandomCrop": "crop_size", "Pad": "size"}
    sized = []
    for transform in copy.deepcopy(list(pipeline)):
        name = names.get(transform["type"])
        sized.append({**transform, **({name: tuple(input_size)} if name else {})})
    return sized
