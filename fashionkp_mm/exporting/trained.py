"""A config and its checkpoint, put together: strictly, and as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import MODELS, init_default_scope
from torch import Tensor, nn

from fashionkp_mm.compat.checkpoints import load_checkpoint_file
from fashionkp_mm.exporting.errors import ExportError

_NAMED = 3
"""So many tensors are named where a checkpoint does not fit; the rest is counted."""


@dataclass(frozen=True)
class TrainedModel:
    """A model with its weights.

    Attributes:
        config_path: The config's file.
        config: What stands in it.
        checkpoint_path: The checkpoint's file.
        meta: What training noted in the checkpoint; empty where it noted nothing.
        model: The model as ``tools/test.py`` runs it: on the CPU, in evaluation mode, with the
            weights of the checkpoint's ``state_dict`` (EMA's, where training used EMA).
    """

    config_path: Path
    config: Config
    checkpoint_path: Path
    meta: dict[str, Any]
    model: nn.Module

    @property
    def name(self) -> str:
        """The config's name, by which the model goes."""
        return self.config_path.stem

    @property
    def pipeline(self) -> list[dict[str, Any]]:
        """The transforms that a test sends images through.

        Raises:
            ExportError: The config has none.
        """
        try:
            return list(self.config.test_dataloader.dataset.pipeline)
        except AttributeError:
            raise ExportError(
                f"{self.config_path}: there is no test_dataloader.dataset.pipeline in it, which"
                " says how crops are made; add it"
            ) from None


def load_trained_model(config: Path, checkpoint: Path) -> TrainedModel:
    """Build a config's model and give it a checkpoint's weights.

    Raises:
        ExportError: The config describes no model, the file is no checkpoint, or its weights are
            not exactly those that the config's model has.
        UnsafeCheckpointError: The checkpoint holds more than data.
        OSError: A file cannot be read.
    """
    cfg = Config.fromfile(config)
    if "model" not in cfg:
        raise ExportError(f"{config}: there is no 'model' in it; give the config of a model")
    init_default_scope(cfg.get("default_scope", "mmpose"))
    content = _load(checkpoint)
    model = revert_sync_batchnorm(MODELS.build(cfg.model))
    weights = _weights(content, checkpoint)
    _require_match(model.state_dict(), weights, config, checkpoint)
    model.load_state_dict(weights)
    model.requires_grad_(False)
    model.train(False)
    meta = content.get("meta")
    return TrainedModel(
        config_path=config,
        config=cfg,
        checkpoint_path=checkpoint,
        meta=dict(meta) if isinstance(meta, Mapping) else {},
        model=model,
    )


def _load(checkpoint: Path) -> dict[str, Any]:
    try:
        content = load_checkpoint_file(checkpoint, map_location="cpu")
    except (RuntimeError, EOFError, ValueError) as error:
        # What torch says of a truncated file differs with where it ends.
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ExportError(
            f"{checkpoint}: not a readable checkpoint ({reason[0]}); it may be cut short, copy it"
            " again"
        ) from error
    if not isinstance(content, dict):
        raise ExportError(
            f"{checkpoint}: holds a {type(content).__name__}, no weights; give a checkpoint that"
            " training wrote"
        )
    return content


def _weights(content: dict[str, Any], checkpoint: Path) -> dict[str, Tensor]:
    stated = content.get("state_dict", content)
    weights = {
        name.removeprefix("module."): value
        for name, value in stated.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    }
    if not weights:
        raise ExportError(
            f"{checkpoint}: there are no weights in it; give a checkpoint that training wrote"
        )
    return weights


def _require_match(
    own: dict[str, Tensor], weights: dict[str, Tensor], config: Path, checkpoint: Path
) -> None:
    shapes = [
        f"{name} is {tuple(weights[name].shape)} instead of {tuple(tensor.shape)}"
        for name, tensor in own.items()
        if name in weights and weights[name].shape != tensor.shape
    ]
    differences = {
        "missing": [name for name in own if name not in weights],
        "not the model's": [name for name in weights if name not in own],
        "of another shape": shapes,
    }
    found = [
        f"{len(names)} {what} ({', '.join(names[:_NAMED])}{', …' if len(names) > _NAMED else ''})"
        for what, names in differences.items()
        if names
    ]
    if found:
        raise ExportError(
            f"{checkpoint} does not belong to {config}: of the model's {len(own)} tensors,"
            f" {'; '.join(found)}. Give the config that the checkpoint was trained with"
        )
