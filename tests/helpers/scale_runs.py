"""Runs over many machines with predictors that are stubs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from stub_predictors import StubPredictor, load

from fashionkp_mm.batch.options import Options
from fashionkp_mm.batch.scale import results
from fashionkp_mm.batch.scale.plan import parquet_files
from fashionkp_mm.batch.scale.ray_engine import Cluster, Listener, predict_parts
from fashionkp_mm.batch.scale.results import Results
from fashionkp_mm.batch.scale.storage import Folder
from fashionkp_mm.batch.scale.worker import Worker

MADE_BY = {"model": "stub"}


def begun(out: Path, catalogue: str) -> Results:
    return results.begin(Folder(str(out)), MADE_BY, lambda: (parquet_files(catalogue), []))


def stub_worker(found: Results, seconds: float = 0.0) -> Worker:
    return Worker(
        Options(None, None, "refine", flip_test=False),
        threads=1,
        out=found.folder,
        category=None,
        made_by=MADE_BY,
        predictor=lambda: StubPredictor(seconds),
        load=load,
    )


def run(found: Results, cluster: Cluster, seconds: float = 0.0) -> tuple[Counter[str], list[str]]:
    said: list[str] = []
    counts = predict_parts(
        found.missing,
        stub_worker(found, seconds),
        cluster,
        Listener(lambda done: None, said.append),
    )
    return counts, said


def rows(out: Path) -> list[dict[str, Any]]:
    pq = pytest.importorskip("pyarrow.parquet")
    table = pq.read_table(out, columns=["image_id", "category", "error", "neckline_left_x"])
    found: list[dict[str, Any]] = table.to_pylist()
    return found
