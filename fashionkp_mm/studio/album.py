"""What the studio is opened with: pictures, and the labels that a file gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fashionkp_mm.batch.pictures import locate
from fashionkp_mm.batch.sources import InputError, collect, read_categories
from fashionkp_mm.core.csv_columns import has_keypoints
from fashionkp_mm.core.digests import file_digest
from fashionkp_mm.core.image_ids import match_ids
from fashionkp_mm.exchange.formats import read_table
from fashionkp_mm.studio.garments import from_table

Labels = dict[str, list[dict[str, Any]]]
"""Garments by image id."""


@dataclass(frozen=True)
class Album:
    """Pictures to look at, and what is known of them.

    Attributes:
        source: The file or folder that was named.
        labels: What the file says, in its order; no garments where it says nothing.
        paths: Where the pictures lie, by id; those that are missing are left out.
        missing: Why pictures are not there, by id.
        categories: Category by id where a list gives it without points.
        unlabelled: Whether the source has pictures only, so that a model may label them.
        notes: What was passed over, in sentences.
        digest: What the file held when it was read; empty for a folder.
    """

    source: Path
    labels: Labels
    paths: Mapping[str, Path]
    missing: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)
    unlabelled: bool = False
    notes: tuple[str, ...] = ()
    digest: str = ""

    @property
    def store_path(self) -> Path:
        """Where the labels are kept by default: beside the source."""
        source = self.source.resolve()
        return source.with_name(f"{source.name}.studio.sqlite")


def open_album(source: Path, images: Path | None = None) -> Album:
    """Find the pictures and read the labels of a folder, a CSV file or a file of predictions.

    Args:
        source: A folder of pictures, or a file of labels or predictions in any format of
            `exchange`; a CSV may hold ids and categories only.
        images: Folder that the file's image ids start from; found around the file by default.

    Raises:
        InputError: There is no picture in the folder, or ``images`` was given for a folder.
        AnnotationError: The file breaks a rule of its format.
        FormatError: Its format is not recognised.
        OSError: It cannot be read, or none of its pictures is there.
    """
    if source.is_dir():
        if images is not None:
            raise InputError("--images is for files of labels, and a folder was named")
        found = collect([str(source)], ())
        return Album(
            source,
            labels={one.image_id: [] for one in found.found},
            paths={one.image_id: Path(one.path) for one in found.found},
            unlabelled=True,
            notes=(*found.notes, *found.failures),
        )
    before = file_digest(source)
    categories: dict[str, str] = {}
    if source.suffix.lower() == ".csv" and not has_keypoints(source):
        categories = read_categories(source)
        labels: Labels = {image_id: [] for image_id in categories}
    else:
        labels = read_garments(source)
    paths, missing = locate(list(labels), source, images)
    return Album(
        source, labels, paths, missing, categories, unlabelled=bool(categories), digest=before
    )


def read_garments(path: Path) -> Labels:
    """The garments of a file of labels or predictions, of any format.

    Raises:
        AnnotationError: The file breaks a rule of its format.
        FormatError: Its format is not recognised.
        OSError: It cannot be read.
    """
    return from_table(read_table(path))


def read_others(path: Path, image_ids: list[str]) -> Labels:
    """What another file says of the same pictures, by their ids in this album.

    Raises:
        InputError: It says nothing of any of them.
        AnnotationError: The file breaks a rule of its format.
        OSError: It cannot be read.
    """
    others = read_garments(path)
    pairs = match_ids(image_ids, list(others))
    if not pairs:
        raise InputError(f"{path}: no prediction is of a picture that is open here")
    return {image_id: others[known] for image_id, known in pairs.items()}
