"""Drawn garments to open the studio with."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fashionkp_mm.core.csv_format import read_labels, write_labels


@pytest.fixture
def labels(tmp_path: Path, drawn_root: Path) -> Callable[[int], Path]:
    """Makes a CSV of the first so many drawn garments in a folder of its own, pictures beside."""

    def make(count: int) -> Path:
        folder = drawn_root / "train"
        table = read_labels(folder / "Annotations" / "train.csv")
        table = table.select(range(count))
        for image_id in table.image_ids:
            target = tmp_path / "data" / image_id
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / image_id, target)
        path = tmp_path / "data" / "labels.csv"
        write_labels(path, table)
        return path

    return make
