"""Clean weights of a training checkpoint, as one hands them on.

A training checkpoint holds optimiser, averages, logs and the folders of the machine it was made on.
What is handed on is what ``tools/test.py`` makes of it: the ``state_dict`` (EMA's, where training
used EMA), with a ``meta`` that says where it comes from. Large weights are stored as float16;
loading copies them into a model's float32 parameters, so every tool of OpenMMLab takes the file as
it takes any. MMPose's ``publish_model.py`` keeps all of ``meta``, float32, and renames the file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from fashionkp_mm import __version__
from fashionkp_mm.core.files import require_apart, write_atomically
from fashionkp_mm.exporting.errors import ExportError
from fashionkp_mm.exporting.provenance import Provenance, provenance
from fashionkp_mm.exporting.rounding import MIN_ROUNDED
from fashionkp_mm.exporting.trained import TrainedModel, load_trained_model
from fashionkp_mm.plugin.weights import KEPT_META, checkpoint_bytes

MAX_BYTES = 16_000_000
"""A larger file does not belong into a repository."""


@dataclass(frozen=True)
class Published:
    """What came of it.

    Attributes:
        size: Of the file, in bytes.
        parameters: Numbers in its ``state_dict``.
        rounding: Largest relative change of a tensor, by its norm.
        provenance: What the file says of where it comes from.
    """

    size: int
    parameters: int
    rounding: float
    provenance: Provenance


def publish(
    config: Path,
    checkpoint: Path,
    out: Path,
    *,
    training_data: str | None = None,
    licence: str | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Published:
    """Write the clean weights of a checkpoint; the same checkpoint gives the same bytes.

    Args:
        config: The model's config.
        checkpoint: What training wrote.
        out: Where the weights go; the file appears as a whole or not at all.
        training_data: What the file says it was trained on; by default what the checkpoint says.
        licence: Under which terms the file says its weights stand; by default likewise.
        progress: Called with what is done next.

    Raises:
        ExportError: The checkpoint does not belong to the config, float16 cannot hold a weight, or
            the file would be too large to be handed on.
        CheckpointError: The checkpoint is damaged or holds more than data.
        FileExistsError: ``out`` is one of the files that are read.
        OSError: A file cannot be read, or ``out`` cannot be written.
    """
    if out.suffix.lower() != ".pth":
        raise ExportError(f"{out}: the name does not end in .pth; name the file {out}.pth")
    require_apart([out], [config, checkpoint])
    progress("loading the checkpoint")
    trained = load_trained_model(config, checkpoint)
    texts = provenance(trained, training_data, licence)
    progress("rounding the weights")
    weights = trained.model.state_dict()
    rounded = {name: _rounded(name, tensor) for name, tensor in weights.items()}
    content = checkpoint_bytes(_meta(trained, texts), rounded)
    if len(content) > MAX_BYTES:
        raise ExportError(
            f"{checkpoint}: its weights take {len(content) / 1e6:.1f} MB, and files of a repository"
            f" should not be larger than {MAX_BYTES / 1e6:g} MB; publish a smaller model"
        )
    write_atomically(out, content)
    return Published(
        size=len(content),
        parameters=sum(tensor.numel() for tensor in rounded.values()),
        rounding=max(_change(weights[name], tensor) for name, tensor in rounded.items()),
        provenance=texts,
    )


def _rounded(name: str, tensor: Tensor) -> Tensor:
    """A large weight in float16; small ones, norms, biases and counters as they are."""
    tensor = tensor.detach().cpu().contiguous()
    if not tensor.is_floating_point() or tensor.ndim < 2 or tensor.numel() < MIN_ROUNDED:
        return tensor.clone()
    rounded = tensor.half()
    if not rounded.isfinite().all():
        raise ExportError(f"the weight {name} holds {tensor.abs().max():g}, which float16 cannot")
    return rounded


def _change(tensor: Tensor, rounded: Tensor) -> float:
    if not tensor.is_floating_point() or not tensor.any():
        return 0.0
    return float((rounded.to(tensor.dtype) - tensor).norm() / tensor.norm())


def _meta(trained: TrainedModel, texts: Provenance) -> dict[str, Any]:
    kept = {key: trained.meta[key] for key in KEPT_META if key in trained.meta}
    return {
        **kept,
        "config": trained.config_path.name,
        "training_data": texts.training_data,
        "licence": texts.licence,
        "fashionkp_mm_version": __version__,
    }
