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
            and absolute ones do, is not found there; not even its folder is opened.
        root: Folder to look in.

    Returns:
        Path by image id, of the images that exist. An id whose folder is there and may not be read
        has the path that it would have in it: what is wrong with it shows when it is opened.

    Raises:
        OSError: ``root`` itself may not be read.
    """
    root = Path(root)
    folders = sorted({image_id.rpartition("/")[0] for image_id in image_ids})
    bases = [root, *sorted(path for path in _subfolders(root) if path.name not in CATEGORY_INDEX)]
    found: dict[str, Path] = {}
    barred: dict[str, Path] = {}
    for base in bases:
        for folder in folders:
            for relative in dict.fromkeys((folder, folder.removeprefix("Images").lstrip("/"))):
                if not _is_below(base / relative, base):
                    continue
                prefix = f"{folder}/" if folder else ""
                try:
                    names = [entry.name for entry in os.scandir(base / relative)]
                except (FileNotFoundError, NotADirectoryError):
                    continue
                except (OSError, ValueError):
                    # Of a base's other subfolders, such as lost+found, nobody said that they count.
                    if os.path.isdir(base / relative.partition("/")[0]) and relative:  # noqa: PTH112
                        barred.setdefault(folder, base / relative)
                    continue
                for name in names:
                    found.setdefault(prefix + name, base / relative / name)
    paths = {}
    for image_id in image_ids:
        folder, _, name = image_id.rpartition("/")
        if image_id in found:
            paths[image_id] = found[image_id]
        elif folder in barred:
            paths[image_id] = barred[folder] / name
    return paths


def folders_around(labels: Path) -> list[Path]:
    """Where the images of labels are looked for: in the folder of the file, and the one above.

    Of labels that are a folder themselves: in it, in ``images`` below it, and in the one above.
    """
    folder = labels if labels.is_dir() else labels.parent
    # Of '.' and of '..' the parent is not the folder above.
    above = folder.parent if folder.name not in ("", "..") else folder / ".."
    return [folder, *([folder / "images"] if labels.is_dir() else []), above]


def _is_below(path: Path, folder: Path) -> bool:
    """Whether a path, by its words alone, is the folder or lies in it."""
    return Path(os.path.abspath(path)).is_relative_to(os.path.abspath(folder))  # noqa: PTH100


def in_other_case(image_ids: Sequence[str], root: str | os.PathLike[str]) -> dict[str, str]:
    """What is there of images that are missing, if the suffix were in upper or lower case.

    Args:
        image_ids: Ids of images, for which `locate_images` found no path.
        root: Where they were looked for.

    Returns:
        The id that exists by the one that does not, of the images for which there is one.
    """
    others = {image_id: _with_other_suffix(image_id) for image_id in image_ids}
    there = locate_images([other for names in others.values() for other in names], root)
    return {
        image_id: other for image_id, names in others.items() for other in names if other in there
    }


def with_other_case(path: Path) -> Path | None:
    """The file whose name differs only in that its suffix is in upper or lower case, if any."""
    return next(
        (Path(other) for other in _with_other_suffix(str(path)) if Path(other).is_file()), None
    )


def _with_other_suffix(path: str) -> list[str]:
    stem, suffix = os.path.splitext(path)  # noqa: PTH122  an id is no path
    return [stem + other for other in (suffix.lower(), suffix.upper()) if other != suffix]


def _subfolders(root: Path) -> list[Path]:
    try:
        with os.scandir(root) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
