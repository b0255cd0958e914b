"""The weights of a checkpoint, and whether they are a model's."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor

from fashionkp_mm.core.words import listed

KEPT_META = ("dataset_meta", "epoch", "iter", "seed", "mmengine_version")
"""What of a checkpoint's ``meta`` goes with its weights where they are handed on."""

_NAMED = 3
"""So many tensors are named where a checkpoint does not fit; the rest is counted."""


class WeightsError(ValueError):
    """A checkpoint without weights, or with those of another model."""


def read_checkpoint(source: str | Path) -> dict[str, Any]:
    """Load what is in a checkpoint, on the CPU.

    Args:
        source: A file, or anything else that MMEngine loads checkpoints from, such as a URL.

    Raises:
        WeightsError: There is no such file, or it holds something else than a dictionary.
        CheckpointError: The file is damaged, or holds more than data.
        OSError: It cannot be read or downloaded.
    """
    if "://" not in str(source) and not Path(source).is_file():
        kind = "is a folder" if Path(source).is_dir() else "does not exist"
        raise WeightsError(f"{source}: {kind}; give the file of a checkpoint")
    content = CheckpointLoader.load_checkpoint(str(source), map_location="cpu", logger="silent")
    if not isinstance(content, dict):
        raise WeightsError(
            f"{source}: holds a {type(content).__name__}, no weights; give a checkpoint that"
            " training wrote"
        )
    return content


def weights_of(content: Mapping[str, Any], source: str | Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint, or of a file that holds nothing else, by name.

    Raises:
        WeightsError: There are none.
    """
    stated = content.get("state_dict", content)
    if not isinstance(stated, Mapping):
        raise WeightsError(
            f"{source}: its state_dict is of type {type(stated).__name__}, not a dictionary of"
            " weights; give a checkpoint that training wrote"
        )
    weights = {
        name.removeprefix("module."): value
        for name, value in stated.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    }
    if not weights:
        raise WeightsError(
            f"{source}: there are no weights in it; give a checkpoint that training wrote"
        )
    return weights


def same_kind(tensor: Tensor, weight: Tensor) -> bool:
    """Whether both hold whole, real or complex numbers.

    Precision may differ, and published weights are float16; but torch copies complex numbers into
    real ones, and those into whole ones, and drops the rest.
    """
    return (
        weight.is_complex() == tensor.is_complex()
        and weight.is_floating_point() == tensor.is_floating_point()
    )


def require_match(
    own: Mapping[str, Tensor],
    weights: Mapping[str, Tensor],
    config: str | Path,
    source: str | Path,
    *,
    more: bool = False,
) -> None:
    """Refuse weights that are not the model's.

    Args:
        own: The model's ``state_dict``.
        weights: The checkpoint's.
        config: Where the model is described, for the message.
        source: Where the weights are from, for the message.
        more: Whether the checkpoint may have tensors that the model has not.

    Raises:
        WeightsError: They differ in names, shapes or kind of number.
    """
    unlike = [
        f"{name} is {_described(weights[name])} instead of {_described(tensor)}"
        for name, tensor in own.items()
        if name in weights
        and not (tensor.shape == weights[name].shape and same_kind(tensor, weights[name]))
    ]
    differences = {
        "missing": [name for name in own if name not in weights],
        "not the model's": [] if more else [name for name in weights if name not in own],
        "of another shape or type": unlike,
    }
    found = [
        f"{len(names)} {what} ({listed(names, _NAMED)})"
        for what, names in differences.items()
        if names
    ]
    if found:
        raise WeightsError(
            f"{source} does not belong to {config}: of the model's {len(own)} tensors,"
            f" {'; '.join(found)}. Give the config that the checkpoint was trained with"
        )


def _described(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def checkpoint_bytes(meta: Mapping[str, Any], weights: Mapping[str, Tensor]) -> bytes:
    """A checkpoint's file; the same content gives the same bytes."""
    buffer = io.BytesIO()  # and not a file, whose name torch would note in what it writes
    torch.save({"meta": meta, "state_dict": weights}, buffer)
    content = buffer.getvalue()
    # What cannot be loaded as data would be found out by users otherwise.
    torch.load(io.BytesIO(content), weights_only=True)
    return content
