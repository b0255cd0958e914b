"""Files of boxes, one or more an image, as any detector may write them."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fashionkp_mm.core.image_ids import difference_in_words

BOX_COLUMNS = ("image_id", "x1", "y1", "x2", "y2")


class BoxFileError(ValueError):
    """A file of boxes that cannot be used as it is."""


def read_boxes(path: str | os.PathLike[str], image_ids: Sequence[str]) -> NDArray[np.float32]:
    """Read one box for each image from a CSV with the columns ``image_id,x1,y1,x2,y2[,score]``.

    Of several boxes for an image the one with the highest score is taken.

    Returns:
        ``(N, 4)`` in the order of ``image_ids``, pixels of the image.

    Raises:
        BoxFileError: The file is no CSV, a column is missing, a box is empty, inverted or not
            finite, an image has no box, or it has several and the file has no ``score``.
        OSError: The file cannot be read.
    """
    file = os.fspath(path)
    try:
        # An image may be called NA or null; a number that is missing is found out below.
        frame = pd.read_csv(file, dtype={"image_id": str}, keep_default_na=False)
    except ValueError as error:
        # Empty, ragged or not UTF-8: pandas' errors for these are ValueErrors all.
        raise BoxFileError(
            f"{file}: not a readable CSV ({error}); expected {','.join(BOX_COLUMNS)}"
        ) from error
    missing = [name for name in BOX_COLUMNS if name not in frame.columns]
    if missing:
        raise BoxFileError(
            f"{file}, row 1: no column {', '.join(missing)}; expected {','.join(BOX_COLUMNS)}"
        )
    corners = frame[list(BOX_COLUMNS[1:])].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    usable = np.isfinite(corners).all(axis=1) & (corners[:, 2:] > corners[:, :2]).all(axis=1)
    if not usable.all():
        row = int(np.flatnonzero(~usable)[0])
        found = frame[list(BOX_COLUMNS[1:])].iloc[row].tolist()
        raise BoxFileError(
            f"{file}, row {row + 2}, image {frame['image_id'][row]}: the box {found}"
            " is empty, inverted or not a number; expected x1 < x2 and y1 < y2 in pixels"
        )
    frame[list(BOX_COLUMNS[1:])] = corners
    if "score" in frame.columns:
        frame["score"] = pd.to_numeric(frame["score"], errors="coerce")
        frame = frame.sort_values("score", ascending=False, kind="stable")
    elif (twice := frame["image_id"].duplicated()).any():
        raise BoxFileError(
            f"{file}: several boxes for {frame['image_id'][twice].iloc[0]}, and no column score"
            " to choose by"
        )
    boxes = frame.drop_duplicates("image_id").set_index("image_id")[list(BOX_COLUMNS[1:])]
    known = set(boxes.index)
    absent = [image_id for image_id in image_ids if image_id not in known]
    if absent:
        wanted = set(image_ids)
        alike = difference_in_words(absent, [name for name in boxes.index if name not in wanted])
        raise BoxFileError(
            f"{file}: no box for {len(absent)} images, the first is {absent[0]};"
            f" {alike or 'detect them too'}"
        )
    return boxes.loc[list(image_ids)].to_numpy(np.float32)
