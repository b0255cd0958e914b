"""Pretrained backbones: asked for, checked, never silently missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from torch import Tensor

from fashionkp_mm.compat.checkpoints import CheckpointError
from fashionkp_mm.plugin.weights import WeightsError, read_checkpoint, same_kind, weights_of

_MIN_MATCHED = 0.9
"""Share of a backbone's tensors that pretrained weights must provide to count as its own."""


class PretrainedError(RuntimeError):
    """Pretrained weights that cannot be had or do not fit."""


def set_pretrained(cfg: Config, pretrained: str) -> None:
    """Make the backbone start from the weights asked for, or fail before anything is trained.

    Args:
        cfg: The whole config; its backbone's ``init_cfg`` is changed.
        pretrained: ``default`` for the weights that the config names, ``none`` for random ones, or
            the path of a checkpoint, of a backbone alone or of a whole model.

    Raises:
        PretrainedError: The weights cannot be loaded, or belong to another backbone.
    """
    backbone = cfg.model.backbone
    if pretrained == "none":
        backbone.init_cfg = None
        return
    if pretrained != "default":
        if not Path(pretrained).is_file():
            raise PretrainedError(
                f"--pretrained {pretrained}: no such file; give a checkpoint, 'default' or 'none'"
            )
        backbone.init_cfg = {"type": "Pretrained", "checkpoint": pretrained}
    if not backbone.get("init_cfg") or "checkpoint" not in backbone.init_cfg:
        return
    source = backbone.init_cfg.checkpoint
    weights = _load_weights(source)
    if pretrained != "default" and any(name.startswith("backbone.") for name in weights):
        backbone.init_cfg.prefix = "backbone."
    init_default_scope(cfg.default_scope)
    _require_match(backbone, weights, source)


def _load_weights(source: str) -> dict[str, Tensor]:
    try:
        return weights_of(read_checkpoint(source), source)
    except (OSError, CheckpointError, WeightsError) as error:
        raise PretrainedError(
            f"the pretrained weights {source} could not be loaded ({error}). Pass"
            " --pretrained FILE with a copy of them, or --pretrained none to start from random"
            " weights"
        ) from error


def _require_match(backbone: Any, weights: dict[str, Tensor], source: str) -> None:
    prefix = backbone.init_cfg.get("prefix", "")
    own = MODELS.build({**backbone, "init_cfg": None}).state_dict()
    unlike = [
        name
        for name, tensor in own.items()
        if prefix + name in weights and not same_kind(tensor, weights[prefix + name])
    ]
    if unlike:
        dtype = str(weights[prefix + unlike[0]].dtype).removeprefix("torch.")
        raise PretrainedError(
            f"the pretrained weights {source} hold {dtype} in {prefix}{unlike[0]}; they are not"
            " this backbone's"
        )
    matched = [
        name
        for name, tensor in own.items()
        if prefix + name in weights and weights[prefix + name].shape == tensor.shape
    ]
    if len(matched) < _MIN_MATCHED * len(own):
        raise PretrainedError(
            f"the pretrained weights {source} fit only {len(matched)} of the {len(own)} tensors of"
            f" the {backbone.type} backbone; they belong to another model. Pass --pretrained FILE"
            " with weights of this one, or --pretrained none to start from random weights"
        )
