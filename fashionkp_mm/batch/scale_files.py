"""One scale a picture, from a CSV file."""

from __future__ import annotations

from pathlib import Path

from fashionkp_mm.applications.scale import Scale, ScaleError
from fashionkp_mm.batch.picture_lists import read_cells, require_no
from fashionkp_mm.core.table import Problem

_COLUMNS = ("image_id", "px_per_cm")


def read_scales(csv: Path) -> dict[str, Scale]:
    """Scales by image id from a CSV with the columns ``image_id`` and ``px_per_cm``.

    Raises:
        AnnotationError: The file is no such CSV, a scale is no number above 0, or an image stands
            there twice.
        OSError: The file cannot be read.
    """
    file = str(csv)
    rows, problems = read_cells(csv, _COLUMNS)
    scales: dict[str, Scale] = {}
    for row, cells in rows:
        image_id, text = cells["image_id"], cells["px_per_cm"].strip()
        if image_id in scales:
            problems.append(Problem(file, row, "image_id", image_id, "stands there twice"))
            continue
        try:
            scales[image_id] = Scale.of_pixels(float(text), f"scale in {csv.name}")
        except (ScaleError, ValueError):
            said = "expected pixels per cm, a number above 0 such as 8.5"
            problems.append(Problem(file, row, "px_per_cm", text, said))
    require_no(problems)
    return scales
