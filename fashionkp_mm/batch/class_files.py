"""Which class each picture's crops are of, from a CSV file."""

from __future__ import annotations

from pathlib import Path

from fashionkp_mm.batch.picture_lists import read_cells, require_no
from fashionkp_mm.core.parts import GROUPS
from fashionkp_mm.core.table import Problem

Classes = dict[tuple[str, str | None], str]
"""Class by image id and part; by None for all parts."""
_COLUMNS = ("image_id", "class")
_PART = "part"


def read_classes(csv: Path) -> Classes:
    """Read a CSV with the columns ``image_id`` and ``class``, and perhaps ``part``.

    Raises:
        AnnotationError: The file is no such CSV, a class cannot be the name of a folder, a part is
            unknown, or an image stands there twice.
        OSError: The file cannot be read.
    """
    file = str(csv)
    rows, problems = read_cells(csv, _COLUMNS, [_PART])
    classes: Classes = {}
    for row, fields in rows:
        cells = {name: field.strip() for name, field in fields.items()}
        part, name = cells.get(_PART) or None, cells["class"]
        if part is not None and part not in GROUPS:
            said = f"no such part; expected one of {', '.join(GROUPS)}"
            problems.append(Problem(file, row, _PART, part, said, cause="part"))
        elif not name or name.startswith(".") or set(name) & set('/\\:*?"<>|\0'):
            said = "expected a class that can be the name of a folder"
            problems.append(Problem(file, row, "class", name, said))
        elif (cells["image_id"], part) in classes:
            said = "stands there twice; a picture has one class a part"
            problems.append(Problem(file, row, "image_id", cells["image_id"], said))
        else:
            classes[cells["image_id"], part] = name
    require_no(problems)
    return classes
