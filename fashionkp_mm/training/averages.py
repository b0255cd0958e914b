"""One network out of several that started from the same weights.

Trainings that go on from one checkpoint with other samples end in one valley of the loss, and the
mean of their weights is often better than each of them, at the cost of one (model soups,
arXiv:2203.05482).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fashionkp_mm.compat.checkpoints import load_checkpoint_file
from fashionkp_mm.core.files import require_apart, write_atomically
from fashionkp_mm.core.words import listed
from fashionkp_mm.plugin.weights import KEPT_META, WeightsError, checkpoint_bytes


def average_weights(arguments: argparse.Namespace) -> None:
    """Average checkpoints, as ``tools/average_weights.py`` is told to.

    Raises:
        CheckpointError: A checkpoint is damaged or holds more than data.
        FileExistsError: The output would overwrite a checkpoint.
        OSError: A file cannot be read or written.
        WeightsError: The checkpoints are not of one network.
    """
    out, paths = Path(arguments.out), [Path(path) for path in arguments.checkpoints]
    require_apart([out], paths)
    loaded = [load_checkpoint_file(path, "cpu") for path in paths]
    for path, checkpoint in zip(paths, loaded, strict=True):
        if not isinstance(checkpoint, dict) or "state_dict" not in checkpoint:
            raise WeightsError(f"{path}: holds no state_dict; name what tools/train.py saved")
    weights = mean_weights(
        {str(path): each["state_dict"] for path, each in zip(paths, loaded, strict=True)}
    )
    meta = _common([each.get("meta", {}) for each in loaded])
    write_atomically(out, checkpoint_bytes(meta, weights))
    print(f"{out}: the mean of {len(paths)} checkpoints")


def mean_weights(states: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of each weight, in float32; counters are the first checkpoint's.

    Args:
        states: Each checkpoint's ``state_dict``, by what messages call it.

    Raises:
        WeightsError: A weight is missing in one of them, or of another shape.
    """
    (first_name, first), *others = states.items()
    for name, state in others:
        shapes = {key: value.shape for key, value in state.items()}
        differing = sorted(
            {key for key in first if shapes.get(key) != first[key].shape} | (shapes.keys() - first)
        )
        if differing:
            raise WeightsError(
                f"{name} and {first_name} are not of one network: {listed(differing)} differ;"
                " average checkpoints of one config"
            )
    return {
        key: torch.stack([state[key].float() for state in states.values()]).mean(0)
        if value.is_floating_point()
        else value.clone()
        for key, value in first.items()
    }


def _common(metas: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What all of them say."""
    first, *others = metas
    return {
        key: first[key]
        for key in KEPT_META
        if key in first and all(_same(meta.get(key), first[key]) for meta in others)
    }


def _same(one: Any, other: Any) -> bool:
    """Compare what may hold arrays."""
    return repr(one) == repr(other)
