"""A machine of the cluster is lost in the middle of a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scale_runs import begun, rows, run

from fashionkp_mm.batch.scale.ray_engine import Cluster

pytest.importorskip("ray")


def test_a_node_is_taken_away(cluster: Any, tmp_path: Path, catalogue: Callable[..., str]) -> None:
    names = [f"{n}.jpg" for n in range(1600)]
    found = begun(tmp_path / "out", catalogue(names))
    assert len(found.plan.parts) == 27
    node = max(cluster.list_all_nodes(), key=lambda each: not each.is_head())

    def take_away() -> None:
        while len(list((tmp_path / "out").glob("part-*"))) < 5:
            time.sleep(0.05)
        cluster.remove_node(node, allow_graceful=False)

    thread = threading.Thread(target=take_away)
    thread.start()
    counts, said = run(found, Cluster(actors=4), seconds=0.01)
    thread.join()
    assert counts["lost"] >= 1
    assert len(said) == counts["lost"]
    assert counts["pictures"] == 1600
    assert [row["image_id"] for row in rows(tmp_path / "out")] == names
