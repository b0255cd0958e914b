"""Parts on Ray's workers: none lost and none twice, whoever dies."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scale_runs import begun, rows, run, stub_worker
from stub_predictors import StubPredictor

from fashionkp_mm.batch.options import Options
from fashionkp_mm.batch.scale.plan import plan_of, rows_of
from fashionkp_mm.batch.scale.ray_engine import Cluster, Listener, predict_parts
from fashionkp_mm.batch.scale.storage import ScaleError
from fashionkp_mm.batch.scale.worker import Worker

pytest.importorskip("ray")


def test_every_picture_once(one_node: None, tmp_path: Path, catalogue: Callable[..., str]) -> None:
    names = [f"{n}.jpg" for n in range(1500)] + ["broken.jpg", "empty.jpg"]
    found = begun(tmp_path / "out", catalogue(names))
    counts, said = run(found, Cluster(actors=3))
    assert not said
    assert counts == {"pictures": 1502, "garments": 1500, "errors": 1, "workers": 3}
    there = rows(tmp_path / "out")
    assert [row["image_id"] for row in there] == names  # in the order of the parts, and theirs
    (broken,) = [row for row in there if row["error"] is not None]
    assert broken == {
        "image_id": "broken.jpg",
        "category": None,
        "error": "broken.jpg: the image is missing; replace the file",
        "neckline_left_x": None,
    }
    (empty,) = [row for row in there if row["category"] is None and row["error"] is None]
    assert empty["image_id"] == "empty.jpg"


def test_a_picture_that_kills_its_worker(
    one_node: None, tmp_path: Path, catalogue: Callable[..., str]
) -> None:
    names = [f"{n}.jpg" for n in range(200)]
    names[3] = names[130] = "kill.jpg"
    names[130] = "kill too.jpg"
    found = begun(tmp_path / "out", catalogue(names))
    counts, said = run(found, Cluster(actors=2))
    assert counts["lost"] == 2
    assert said == [
        f"a worker died on part-000000{n}.parquet; another one takes it, carefully" for n in (0, 2)
    ] or said == [
        f"a worker died on part-000000{n}.parquet; another one takes it, carefully" for n in (2, 0)
    ]
    there = rows(tmp_path / "out")
    assert [row["image_id"] for row in there] == names
    assert {row["image_id"]: row["error"] for row in there if row["error"]} == {
        name: f"{name}: decoding it kills the process (signal 9)"
        for name in ("kill.jpg", "kill too.jpg")
    }


def test_a_part_that_nobody_survives_is_given_up(
    one_node: None, tmp_path: Path, catalogue: Callable[..., str]
) -> None:
    names = [f"{n}.jpg" for n in range(128)] + ["kill.jpg"]
    found = begun(tmp_path / "out", catalogue(names))
    worker = stub_worker(found)
    worker._load = None  # the network dies of it, not what decodes
    counts = predict_parts(
        found.missing, worker, Cluster(actors=2), Listener(lambda done: None, lambda said: None)
    )
    assert counts["lost"] == 4
    assert counts["errors"] == 1
    there = rows(tmp_path / "out")
    assert [row["image_id"] for row in there] == names
    assert there[-1]["error"] == ("kill.jpg: given up: 4 workers died on it or its neighbours")


def test_a_slow_part_is_repeated_elsewhere(
    one_node: None, tmp_path: Path, catalogue: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fashionkp_mm.batch.scale.ray_engine._SLOW_SECONDS", 1.0)
    names = [f"{n}.jpg" for n in range(64 * 5)]
    found = begun(tmp_path / "out", catalogue(names))
    marker = tmp_path / "met"
    worker = stub_worker(found)

    class SlowOnce(StubPredictor):
        def stream(self, images: Any, category: Any = None, boxes: Any = "refine") -> Any:
            pictures = list(images)
            if pictures[0] == "0.jpg" and not marker.exists():
                marker.touch()
                time.sleep(60)
            return super().stream(pictures, category, boxes)

    worker._make = SlowOnce
    start = time.monotonic()
    counts = predict_parts(
        found.missing, worker, Cluster(actors=2), Listener(lambda done: None, lambda said: None)
    )
    assert time.monotonic() - start < 50
    assert counts["repeated"] == 1
    assert counts["pictures"] == len(names)
    assert [row["image_id"] for row in rows(tmp_path / "out")] == names


def test_a_disk_that_cannot_be_written_ends_the_run(
    one_node: None, tmp_path: Path, catalogue: Callable[..., str]
) -> None:
    found = begun(tmp_path / "out", catalogue(["0.jpg"]))
    (tmp_path / "out" / "part-0000000.parquet").mkdir()
    with pytest.raises(IsADirectoryError):
        run(found, Cluster(actors=1))


def test_more_than_the_cluster_has(
    one_node: None, tmp_path: Path, catalogue: Callable[..., str]
) -> None:
    found = begun(tmp_path / "out", catalogue(["0.jpg"]))
    with pytest.raises(ScaleError, match=r"each wants 64 CPUs, and the cluster has 4 CPUs and 0"):
        run(found, Cluster(cpus=64))
    with pytest.raises(ScaleError, match=r"each wants 1 CPU and 1 GPUs, and the cluster has"):
        run(found, Cluster(gpus=1))


def test_another_version_on_a_worker(
    one_node: None, tmp_path: Path, catalogue: Callable[..., str]
) -> None:
    found = begun(tmp_path / "out", catalogue(["0.jpg"]))
    options = Options(None, None, "refine", flip_test=False)
    worker = Worker(
        options,
        threads=1,
        out=found.folder,
        category=None,
        made_by={**options.made_by(), "fashionkp_mm": "0.0.1"},
    )
    with pytest.raises(ScaleError, match=r"has fashionkp_mm .*, and the run began with 0\.0\.1"):
        predict_parts(
            found.missing, worker, Cluster(), Listener(lambda done: None, lambda said: None)
        )


def test_a_plan_is_always_the_same(tmp_path: Path, catalogue: Callable[..., str]) -> None:
    file = catalogue([f"{n}.jpg" for n in range(70_001)])
    plan = plan_of([file])
    assert plan == plan_of([file])
    assert max(part.count for part in plan.parts) == 300  # the row groups'
    assert [row.image_id for part in plan.parts for row in rows_of(part)] == [
        f"{n}.jpg" for n in range(70_001)
    ]
