"""A cluster of Ray on this machine; where Ray is not installed, its tests are skipped by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HELPERS = Path(__file__).parents[1] / "helpers"


@pytest.fixture(scope="session", autouse=True)
def _helpers_everywhere() -> Iterator[None]:
    """Workers import what the tests send them."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(HELPERS), before)))
    yield
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Two nodes of two CPUs each on this machine."""
    ray = pytest.importorskip("ray")
    both = pytest.importorskip("ray.cluster_utils").Cluster(
        initialize_head=True, head_node_args={"num_cpus": 2}
    )
    both.add_node(num_cpus=2)
    ray.init(address=both.address, log_to_driver=False, logging_level="ERROR")
    yield both
    ray.shutdown()
    both.shutdown()


@pytest.fixture(scope="module")
def one_node() -> Iterator[None]:
    """One node of four CPUs, as far as Ray knows."""
    ray = pytest.importorskip("ray")
    ray.init(
        address="local",
        num_cpus=4,
        include_dashboard=False,
        object_store_memory=10**8,
        log_to_driver=False,
        logging_level="ERROR",
    )
    yield
    ray.shutdown()


@pytest.fixture
def catalogue(tmp_path: Path) -> Callable[..., str]:
    """Writes a Parquet file of names of pictures that no one opens, and tells its path."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")

    def write(names: list[str], **columns: list[Any]) -> str:
        path = tmp_path / f"catalogue{len(list(tmp_path.glob('catalogue*')))}.parquet"
        pq.write_table(pa.table({"uri": names, **columns}), path, row_group_size=300)
        return str(path)

    return write
