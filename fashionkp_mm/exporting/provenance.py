"""What can honestly be said of where exported weights come from, and who may use them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import PurePath

from fashionkp_mm.exporting.trained import TrainedModel

_UNKNOWN = "unknown: not stated in the checkpoint"
_FASHIONAI = "fashionai"


@dataclass(frozen=True)
class Provenance:
    """Texts for an exported file's metadata.

    Attributes:
        training_data: What the weights were trained on.
        licence: Under which terms they stand.
    """

    training_data: str
    licence: str


def provenance(
    trained: TrainedModel, training_data: str | None = None, licence: str | None = None
) -> Provenance:
    """What the caller says, and where he says nothing, what the checkpoint does.

    Published weights say it in so many words. A checkpoint of a training names the kind of its data
    set, its annotation file and its epoch. It cannot tell real garments from drawn ones that were
    laid out like them, nor does it know a licence.
    """
    return Provenance(
        training_data or _said(trained, "training_data") or _training_data(trained),
        licence or _said(trained, "licence") or _licence(trained),
    )


def _said(trained: TrainedModel, key: str) -> str | None:
    text = trained.meta.get(key)
    return text if isinstance(text, str) and text else None


def _training_data(trained: TrainedModel) -> str:
    meta = trained.meta
    dataset = _dataset_name(trained)
    said = [f"data set '{dataset}'"] if dataset else []
    annotations = _annotation_file(meta.get("cfg"))
    if annotations:
        said.append(f"annotations {annotations}")
    if not said:
        return _UNKNOWN
    said.append(f"config {trained.name}")
    epoch = meta.get("epoch")
    if isinstance(epoch, int):
        said.append(f"{epoch} epoch{'' if epoch == 1 else 's'}")
    return f"as the checkpoint says: {', '.join(said)}"


def _licence(trained: TrainedModel) -> str:
    if _dataset_name(trained) != _FASHIONAI:
        return _UNKNOWN
    return (
        f"{_UNKNOWN}. If trained on Alibaba's FashionAI images: for research only, as their terms"
        " say; if on garments drawn by `fashionkp synth`, which have the same layout: no such limit"
    )


def _dataset_name(trained: TrainedModel) -> str | None:
    dataset_meta = trained.meta.get("dataset_meta")
    name = dataset_meta.get("dataset_name") if isinstance(dataset_meta, dict) else None
    return name if isinstance(name, str) else None


def _annotation_file(config_text: object) -> str | None:
    """The training annotations in the config that training wrote into its checkpoint.

    The text is read, not run. Folders further up are left out: whose machine it was is nobody's
    business.
    """
    try:
        lines = ast.parse(config_text).body if isinstance(config_text, str) else []
    except (SyntaxError, ValueError):
        return None
    for line in lines:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "train_dataloader":
            for node in ast.walk(line.value):
                match node:
                    case ast.keyword(arg="ann_file", value=ast.Constant(value=str(file))):
                        return PurePath(*PurePath(file).parts[-3:]).as_posix()
    return None
