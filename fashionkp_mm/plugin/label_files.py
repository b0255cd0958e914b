"""What the data sets of keypoints and of boxes read alike: labels, and where their images are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fashionkp_mm.core.csv_columns import has_keypoints
from fashionkp_mm.core.csv_format import read_test_list
from fashionkp_mm.core.garments import CATEGORY_INDEX, CATEGORY_NAMES
from fashionkp_mm.core.image_ids import id_problem
from fashionkp_mm.core.image_paths import locate_images
from fashionkp_mm.core.table import AnnotationError, KeypointTable, Problem
from fashionkp_mm.core.uris import is_uri
from fashionkp_mm.exchange.formats import format_to_read
from fashionkp_mm.exchange.tables import read_labels_file


class DataNotFoundError(FileNotFoundError):
    """The data set is not where the config looks for it."""


def known_categories(categories: Sequence[str] | None) -> tuple[str, ...]:
    """The categories asked for, all by default.

    Raises:
        ValueError: One of them does not exist.
    """
    unknown = sorted(set(categories or ()) - set(CATEGORY_NAMES))
    if unknown:
        raise ValueError(
            f"unknown categories {unknown}; expected some of {', '.join(CATEGORY_NAMES)}"
        )
    return tuple(categories or CATEGORY_NAMES)


def require_labels(ann_file: str | Path) -> None:
    """Refuse labels that do not exist.

    Raises:
        DataNotFoundError: There is no such file or folder.
    """
    if not Path(ann_file).exists():
        raise DataNotFoundError(
            f"{ann_file} does not exist: get the FashionAI keypoint data from Alibaba Tianchi and"
            " set FASHIONAI_ROOT to its folder, or try without it: `fashionkp synth"
            " data/fashionai` draws a stand-in"
        )


def is_test_list(ann_file: str) -> bool:
    """Whether it is a CSV of ids and categories only.

    Raises:
        DataNotFoundError: There is no such file.
        FormatError: The file's format is not recognised.
    """
    require_labels(ann_file)
    return format_to_read(Path(ann_file)) == "fashionai" and not has_keypoints(ann_file)


def read_table(
    ann_file: str, *, test_list: bool = False, categories: Sequence[str] = CATEGORY_NAMES
) -> KeypointTable:
    """Read labels of any format, or a list of ids and categories; keep some categories' rows.

    Raises:
        AnnotationError: The file breaks a rule of its format, or an id leaves the data root.
        FormatError: The file's format is not recognised.
    """
    table = read_test_list(ann_file) if test_list else read_labels_file(Path(ann_file))
    # Ids of a test list may be any path, unless they start from a data root, as here.
    unsafe = [
        Problem(ann_file, int(row), "image_id", image_id, problem)
        for row, image_id in zip(table.rows, table.image_ids, strict=True)
        if (problem := id_problem(image_id))
    ]
    if unsafe:
        raise AnnotationError(unsafe)
    if len(categories) < len(CATEGORY_NAMES):
        kept = [CATEGORY_INDEX[name] for name in categories]
        table = table.select(np.isin(table.category_indices, kept))
    return table


class RemotePrefix:
    """Of a data set of MMEngine: ``data_prefix`` may be a URI, of which nothing is joined."""

    data_prefix: dict[str, str]

    def _join_prefix(self) -> None:
        remote = {name: where for name, where in self.data_prefix.items() if is_uri(where)}
        super()._join_prefix()  # type: ignore[misc]
        self.data_prefix = {**self.data_prefix, **remote}


def image_paths(image_ids: Sequence[str], root: str) -> list[str]:
    """Where each image is, in any of the folder layouts; where it should be if it is missing.

    Below a URI, an image lies at its id, and nobody looks whether it is there.
    """
    if is_uri(root):
        return [f"{root.rstrip('/')}/{image_id}" for image_id in image_ids]
    found = locate_images(image_ids, root)
    return [
        os.fspath(found.get(image_id, os.path.join(root, image_id)))  # noqa: PTH118
        for image_id in image_ids
    ]
