"""Where the commands find images, and where they put the pictures they draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.image_ids import id_problem
from fashionkp_mm.core.image_paths import folders_around, in_other_case, locate_images
from fashionkp_mm.core.words import plural
from fashionkp_mm.images import DRAWN_SUFFIXES, encode_image
from fashionkp_mm.images.formats import image_suffixes

_ABOVE = "_"
"""Stands for ``..`` in the path of a picture."""
NAME_ROOT = "name the folder that the image ids start from with --images"


def locate(
    image_ids: Sequence[str], csv: Path, images: Path | None, *, remedy: str = NAME_ROOT
) -> tuple[dict[str, Path], dict[str, str]]:
    """Find images; without a folder given, around the CSV.

    Args:
        image_ids: Ids as they stand in the CSV.
        csv: Its path.
        images: Folder that the ids start from.
        remedy: What to do if none is found, for the message.

    Returns:
        Paths by image id, and a message by image id for each image that is missing.

    Raises:
        FileNotFoundError: Not one of the images is there.
        OSError: The folder that was given may not be read.
    """
    around = folders_around(csv) if images is None else [images]
    others: dict[str, str] = {}
    for root in around:
        try:
            found = locate_images(image_ids, root)
            missing = [image_id for image_id in image_ids if image_id not in found]
            others |= in_other_case(missing, root)
        except PermissionError:
            if images is not None:
                raise
            continue
        if found:
            return found, {image_id: _why_missing(image_id, others) for image_id in missing}
    for image_id in image_ids:
        if problem := id_problem(image_id):
            raise FileNotFoundError(f"{csv}, value '{image_id}': {problem}")
    folders = " or ".join(str(root.resolve()) for root in around)
    raise FileNotFoundError(
        f"none of the {plural(len(image_ids), 'image')} of {csv} is in {folders}; expected"
        f" for instance {around[0] / image_ids[0]}{_case_in_words(others)}; {remedy}"
    )


def _why_missing(image_id: str, others: Mapping[str, str]) -> str:
    if image_id not in others:
        return "the image is missing"
    return f"the image is missing; there is {others[image_id]}, and upper and lower case differ"


def _case_in_words(others: Mapping[str, str]) -> str:
    if not others:
        return ""
    image_id, other = next(iter(others.items()))
    are = "1 differs" if len(others) == 1 else f"{len(others):,} differ"
    return f"; {are} in upper and lower case only, such as {image_id} from {other}"


def targets(image_ids: Sequence[str], out: Path, suffix: str = "") -> dict[str, Path]:
    """Where below ``out`` each image's picture goes, whatever path its id is.

    Args:
        image_ids: Ids of different images.
        out: The folder.
        suffix: How all names are to end, as in ``.png``; by default as the ids do, if they can be
            written so, else in ``.jpg``.

    Raises:
        FileExistsError: Two images would have the same picture.
    """
    paths: dict[str, Path] = {}
    owners: dict[Path, str] = {}
    for image_id in image_ids:
        path = PurePosixPath(image_id)
        parts = [_ABOVE if part == ".." else part for part in path.parts if part != path.anchor]
        target = out.joinpath(*parts)
        if suffix:
            known = target.suffix.lower() in image_suffixes()
            target = target.with_name((target.stem if known else target.name) + suffix)
        elif target.suffix.lower() not in DRAWN_SUFFIXES:
            target = target.with_name(f"{target.name}.jpg")
        if target in owners:
            raise FileExistsError(
                f"the pictures of {owners[target]} and {image_id} would both be {target}; draw them"
                " in two runs, to two folders"
            )
        owners[target] = image_id
        paths[image_id] = target
    return paths


def write_picture(path: Path, image: NDArray[np.uint8]) -> None:
    """Write a picture as PNG or JPEG, by the name, atomically.

    Raises:
        OSError: The place cannot be written to.
    """
    write_atomically(path, encode_image(image, path.suffix))
