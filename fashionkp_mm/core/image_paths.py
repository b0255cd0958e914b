"""Where the images of a data set lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fashionkp_mm.core.garments import CATEGORY_INDEX


def locate_images(image_ids: Sequence[str], root: str | os.PathLike[str]) -> dict[str, Path]:
    """Find the files of images in any of the folder layouts in use.

    Below ``root``, or below a folder in it (``train1``, ``train2`` of the archives; ``train`` of a
    whole data root), an image lies at its id, or at its id less the leading ``Images/``. Folders
    are listed once, so that this is quick for a whole data set.

    Args:
        image_ids: Paths with ``/``. One that leaves the folder it would be looked up in, as ``..``
            and absolute ones do, is not found there; not even its folder is looked at.
        root: Folder to look in.

    Returns:
        Path by image id, of the images that exist.
    """
    root = Path(root)
    folders = sorted({image_id.rpartition("/")[0] for image_id in image_ids})
    bases = [root, *sorted(path for path in _subfolders(root) if path.name not in CATEGORY_INDEX)]
    found: dict[str, Path] = {}
    for base in bases:
        for folder in folders:
            for place in dict.fromkeys((folder, folder.removeprefix("Images").lstrip("/"))):
                if not _is_below(base / place, base):
                    continue
                names = _file_names(base / place)
                prefix = f"{folder}/" if folder else ""
                for name in names:
                    found.setdefault(prefix + name, base / place / name)
    wanted = set(image_ids)
    return {image_id: path for image_id, path in found.items() if image_id in wanted}


def _is_below(path: Path, folder: Path) -> bool:
    """Whether a path, by its words alone, is the folder or lies in it."""
    return Path(os.path.abspath(path)).is_relative_to(os.path.abspath(folder))  # noqa: PTH100


def _subfolders(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return []


def _file_names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder)]
    except OSError:
        return []
