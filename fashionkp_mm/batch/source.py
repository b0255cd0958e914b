"""One picture that a command is asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fashionkp_mm.core.uris import RemotePath, is_uri, without_secrets


class InputError(ValueError):
    """Nothing to predict where images were expected, or two images that cannot be told apart."""


@dataclass(frozen=True)
class Source:
    """One image to predict.

    Attributes:
        image_id: What the output calls it.
        path: Where it lies.
        category: The garment's category where it is known; None leaves the choice to the model.
    """

    image_id: str
    path: Path | RemotePath
    category: str | None = None


def absolute_name(source: Source) -> str:
    """Where a picture lies: its URI, or the path from the root on, with ``/`` between folders."""
    if isinstance(source.path, RemotePath):
        return os.fspath(source.path)
    # Path has no way to drop '..' alone.
    return os.path.abspath(source.path).replace(os.sep, "/")  # noqa: PTH100


def shown(given: str) -> str:
    """What was given, as messages and results may show it."""
    return without_secrets(given) if is_uri(given) else given


def from_the_root(given: str) -> str:
    """A URI as it is, a path from the root on."""
    return given if is_uri(given) else os.path.abspath(given)  # noqa: PTH100
