"""Before a run begins: none of the files that it will write is one that it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from fashionkp_mm.core.files import require_apart

_WRITTEN = ("submission_file", "predictions_file", "out_file_path")
"""Arguments of metrics that name files to write."""
_READ = ("ann_file", "bbox_file", "bbox_source")
"""Arguments of data sets that name files to read, or something else that is no file's name."""


def require_written_apart(
    cfg: Config,
    phases: Sequence[str],
    *,
    read: Sequence[str],
    written: Sequence[str] = (),
    suffixes: Sequence[str] = (),
) -> None:
    """Refuse a run that would write over labels, boxes, its config or a checkpoint.

    Args:
        cfg: The config, all options applied.
        phases: ``train``, ``val`` or ``test``, whose data and metrics count.
        read: Files that are read besides.
        written: Files that are written besides.
        suffixes: What goes in front of the suffixes of the files that metrics write.

    Raises:
        FileExistsError: A file would be written over.
    """
    outputs = [Path(path) for path in written]
    inputs = [Path(path) for path in read]
    for phase in phases:
        inputs += _data_files(cfg.get(f"{phase}_dataloader"))
        for path in _named(cfg.get(f"{phase}_evaluator"), _WRITTEN):
            outputs += [path, *(path.with_suffix(f".{each}{path.suffix}") for each in suffixes)]
    require_apart(outputs, inputs)


def _data_files(value: Any) -> Iterator[Path]:
    """Files that data sets read, however deep they are wrapped."""
    for part in _dictionaries(value):
        root = part.get("data_root") or ""
        for path in _named(part, _READ, deep=False):
            yield from (path, Path(root, path))


def _named(value: Any, keys: Sequence[str], *, deep: bool = True) -> Iterator[Path]:
    for part in _dictionaries(value) if deep else [value]:
        yield from (Path(part[key]) for key in keys if isinstance(part.get(key), str))


def _dictionaries(value: Any) -> Iterator[dict[str, Any]]:
    """A configuration's dictionaries, outer ones first."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _dictionaries(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _dictionaries(inner)
