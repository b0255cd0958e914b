"""FashionAI's own CSV: one garment a picture; see `core.csv_format`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fashionkp_mm.core.csv_format import format_table, read_predictions
from fashionkp_mm.exchange.names import Names
from fashionkp_mm.exchange.table import GarmentTable


def read(path: Path, names: Names) -> GarmentTable:
    """Labels or predictions; the format has names of its own alone."""
    return GarmentTable.of(read_predictions(path))


def write(table: GarmentTable) -> Iterator[bytes]:
    """The best garment of each picture; points that are absent keep the place they may have."""
    best = [rows[0] for rows in table.rows_of.values() if rows]
    yield format_table(table.garments.select(np.array(best, np.intp))).encode()
