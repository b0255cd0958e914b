"""Labels and predictions as `core`'s tables, from every format."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.core.table import AnnotationError, AnnotationWarning, KeypointTable, in_lines
from fashionkp_mm.exchange.checks import label_problems
from fashionkp_mm.exchange.formats import format_to_read, inspect_table, read_table
from fashionkp_mm.exchange.table import GarmentTable


def read_predictions_file(path: Path) -> KeypointTable:
    """Read predictions of any format, the best of a picture first.

    Raises:
        AnnotationError: The file breaks a rule of its format.
        FormatError: Its format is not recognised.
        OSError: The file cannot be read.
    """
    return read_table(path).garments


def read_labels_file(path: Path) -> KeypointTable:
    """Read ground truth of any format: a row a garment, several of them a picture.

    Absent points have no place, whatever the file says.

    Raises:
        AnnotationError: The file breaks a rule of its format or of labels: an id leaves the data
            root, or a garment has a point that its category lacks.
        FormatError: Its format is not recognised.
        OSError: The file cannot be read.
    """
    return read_labels_table(path).garments


def read_labels_table(path: Path) -> GarmentTable:
    """`read_labels_file`, with the boxes and sizes that the file tells."""
    form = format_to_read(path)
    if form == "fashionai":
        return GarmentTable.of(read_labels(path))
    table = inspect_table(path, form)
    problems = [*table.warnings, *label_problems(table, str(path))]
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise AnnotationError(errors)
    for _, line in in_lines(problems):
        warnings.warn(line, AnnotationWarning, stacklevel=2)
    return replace(table, garments=without_absent_places(table.garments))


def without_absent_places(table: KeypointTable) -> KeypointTable:
    """The table with (-1, -1) for every absent point, as labels have it."""
    absent = (table.visibility == Visibility.ABSENT)[..., None]
    return replace(table, keypoints=np.where(absent, np.float32(-1), table.keypoints))
