"""What the tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).parents[2] / "shared" / "fashionai"


@pytest.fixture(scope="session")
def fashionai_root() -> Path:
    """Folder of the real FashionAI data; tests that ask for it are skipped without it."""
    root = Path(os.environ.get("FASHIONAI_ROOT", _BESIDE))
    if not root.is_dir():
        pytest.skip(f"no FashionAI data in {root}; FASHIONAI_ROOT names its folder")
    return root
