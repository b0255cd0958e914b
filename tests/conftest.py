"""What the tests share."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from fashionkp_mm.synthetic import write_dataset

_BESIDE = Path(__file__).parents[2] / "shared" / "fashionai"


@pytest.fixture(scope="session")
def fashionai_root() -> Path:
    """Folder of the real FashionAI data; tests that ask for it are skipped without it."""
    root = Path(os.environ.get("FASHIONAI_ROOT") or _BESIDE)
    if not root.is_dir():
        pytest.skip(f"no FashionAI data in {root}; FASHIONAI_ROOT names its folder")
    return root


@pytest.fixture(scope="session")
def drawn_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of 40 drawn garments in FashionAI's layout, for tests that need pictures."""
    root = tmp_path_factory.mktemp("drawn") / "data"
    write_dataset(root, images=40, seed=5)
    return root


@pytest.fixture
def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
