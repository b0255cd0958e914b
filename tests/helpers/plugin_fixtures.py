"""What the plugin's tests share."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.visualization import Visualizer

from fashionkp_mm.plugin import FashionAIDataset

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(autouse=True)
def _mmpose_scope() -> None:
    init_default_scope("mmpose")
    # Hooks draw with the one made last under a new name, which may be another test's.
    Visualizer._instance_dict.clear()


@pytest.fixture(scope="session")
def demo_config() -> Config:
    """The smallest model's config."""
    return Config.fromfile(CONFIGS / "demo_fashion.py")


@pytest.fixture
def drawn_dataset(drawn_root: Path, demo_config: Config) -> Callable[..., FashionAIDataset]:
    """Makes the training or validation set of drawn garments, with any settings changed."""

    def make(split: str = "train", **changes: Any) -> FashionAIDataset:
        loader = copy.deepcopy(demo_config[f"{split}_dataloader"])
        settings = {**loader.dataset, "data_root": str(drawn_root), **changes}
        settings.pop("type")
        return FashionAIDataset(**settings)

    return make


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Messages that MMEngine's logger receives."""
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)
