"""A config and its checkpoint, put together: strictly, and as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import MODELS, init_default_scope
from torch import nn

from fashionkp_mm.exporting.errors import ExportError
from fashionkp_mm.plugin.config_files import ConfigError, read_config
from fashionkp_mm.plugin.weights import WeightsError, read_checkpoint, require_match, weights_of


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
        ExportError: The config cannot be read or describes no model, the file holds no weights, or
            not exactly those that the config's model has.
        CheckpointError: The checkpoint is damaged or holds more than data.
        OSError: A file cannot be read.
    """
    try:
        cfg = read_config(config)
        if "model" not in cfg:
            raise ExportError(f"{config}: there is no 'model' in it; give the config of a model")
        init_default_scope(cfg.get("default_scope", "mmpose"))
        content = read_checkpoint(checkpoint)
        weights = weights_of(content, checkpoint)
        model = revert_sync_batchnorm(MODELS.build(cfg.model))
        require_match(model.state_dict(), weights, config, checkpoint)
    except (ConfigError, WeightsError) as error:
        raise ExportError(str(error)) from error
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
