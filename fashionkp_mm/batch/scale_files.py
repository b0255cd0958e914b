"""One scale a picture, from a CSV file."""

from __future__ import annotations

from pathlib import Path

from fashionkp_mm.applications.scale import Scale, ScaleError
from fashionkp_mm.core.csv_text import split
from fashionkp_mm.core.table import AnnotationError, Problem

_COLUMNS = ["image_id", "px_per_cm"]


def read_scales(csv: Path) -> dict[str, Scale]:
    """Scales by image id from a CSV with the columns ``image_id`` and ``px_per_cm``.

    Raises:
        AnnotationError: The file is no such CSV, a scale is no number above 0, or an image stands
            there twice.
        OSError: The file cannot be read.
    """
    file = str(csv)
    records = split(csv.read_bytes(), file)
    header = [name.strip() for name in records.fields(0)]
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise AnnotationError(
            [Problem(file, 1, missing[0], "", f"no such column; expected {','.join(_COLUMNS)}")]
        )
    image, scale = (header.index(name) for name in _COLUMNS)
    scales: dict[str, Scale] = {}
    problems = []
    for record in range(1, len(records)):
        row, fields = int(records.numbers[record]), records.fields(record)
        if fields == [""]:
            continue
        if len(fields) != len(header):
            said = f"{len(fields)} cells, expected {len(header)} as in row 1"
            problems.append(Problem(file, row, "", "", said))
            continue
        image_id, text = fields[image], fields[scale].strip()
        if image_id in scales:
            problems.append(Problem(file, row, "image_id", image_id, "stands there twice"))
            continue
        try:
            scales[image_id] = Scale.of_pixels(float(text), f"scale in {csv.name}")
        except (ScaleError, ValueError):
            said = "expected pixels per cm, a number above 0 such as 8.5"
            problems.append(Problem(file, row, "px_per_cm", text, said))
    if problems:
        raise AnnotationError(problems)
    return scales
