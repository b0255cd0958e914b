"""The models that come with the package, one of a kind, so that predicting needs no download."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parents[1] / "models"
"""Where they lie; part of the wheel."""

_NAMES = {"pose": "pose.onnx", "detector": "detector.onnx"}
"""File names by the kind that stands in the file's metadata."""


class NoModelError(FileNotFoundError):
    """No model was named, and none of its kind comes with this version."""


def shipped_model(kind: Literal["pose", "detector"] = "pose") -> Path:
    """The file of the model of a kind.

    Raises:
        NoModelError: This version comes with none.
    """
    file = FOLDER / _NAMES[kind]
    if not file.is_file():
        option = {"pose": "--model", "detector": "--detector"}[kind]
        raise NoModelError(
            f"no {kind} model: this version comes with none, so name one with {option} FILE (in"
            f" Python: {option[2:]}=FILE); `fashionkp export CONFIG CHECKPOINT OUT.onnx` makes it"
            " from a checkpoint that tools/train.py wrote"
        )
    return file
