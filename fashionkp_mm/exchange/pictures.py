"""The pictures that a table is of: where they lie, and how large they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from fashionkp_mm.core.image_paths import folders_around, locate_images
from fashionkp_mm.core.table import AnnotationError, Problem
from fashionkp_mm.core.words import listed, plural
from fashionkp_mm.exchange.table import GarmentTable
from fashionkp_mm.images import BrokenImageError, image_size


def find_pictures(table: GarmentTable, file: Path, images: Path | None) -> dict[str, Path]:
    """Paths of the pictures that are there, by id.

    Args:
        table: The garments.
        file: The file or folder that it was read from; pictures are looked for around it.
        images: Folder to look in instead.
    """
    for root in [images] if images is not None else folders_around(file):
        if found := locate_images(table.pictures, root):
            return found
    # Predictions name pictures by any path.
    return {name: Path(name) for name in table.pictures if images is None and _is_file(name)}


def with_sizes(
    table: GarmentTable, found: dict[str, Path], file: Path, *, checked: bool = False
) -> GarmentTable:
    """The table with the size of each picture that is found and that the file does not give.

    Args:
        table: The garments.
        found: Paths of pictures by id.
        file: The file, for messages.
        checked: Whether the sizes that the file gives are compared with the pictures'.

    Raises:
        AnnotationError: They differ.
        BrokenImageError: A picture cannot be read.
    """
    sizes, problems = table.sizes.copy(), []
    for index, image_id in enumerate(table.pictures):
        known = tuple(sizes[index].tolist())
        if image_id not in found or (known != (0, 0) and not checked):
            continue
        size = image_size(found[image_id])
        if known not in ((0, 0), size):
            problems.append(_size_problem(file, image_id, (known[0], known[1]), size))
        sizes[index] = size
    if problems:
        raise AnnotationError(problems)
    return replace(table, sizes=sizes)


def size_problems(table: GarmentTable, found: dict[str, Path], file: Path) -> list[Problem]:
    """Pictures whose size is not what the file says, of those that can be read."""
    problems = []
    for image_id, known in table.size_of.items():
        if image_id in found and known != (0, 0):
            try:
                size = image_size(found[image_id])
            except BrokenImageError:
                continue
            if size != known:
                problems.append(_size_problem(file, image_id, known, size))
    return problems


def require_sizes(table: GarmentTable, what: str, file: Path, images: Path | None) -> None:
    """Refuse pictures of unknown size for a format that needs it.

    Raises:
        AnnotationError: There are such pictures.
    """
    unknown = np.flatnonzero(table.sizes[:, 0] == 0)
    if len(unknown):
        names = listed([table.pictures[index] for index in unknown])
        where = f"in {images}" if images is not None else f"around {file}"
        message = (
            f"{what} needs the sizes of the pictures, and {plural(len(unknown), 'picture')}"
            f" {'is' if len(unknown) == 1 else 'are'} not {where}: {names}; name the folder that"
            " the image ids start from with --images"
        )
        raise AnnotationError([Problem(str(file), 0, "", "", message)])


def _size_problem(
    file: Path, image_id: str, known: tuple[int, int], size: tuple[int, int]
) -> Problem:
    message = (
        f"the picture has {size[0]}x{size[1]} pixels; expected the same picture, as it was labelled"
    )
    return Problem(str(file), 0, image_id, f"{known[0]}x{known[1]}", message, cause="size")


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # names that no file can have
        return False
