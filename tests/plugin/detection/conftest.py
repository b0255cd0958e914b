"""What the detectors' tests share."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope, init_default_scope

from fashionkp_mm.plugin.detection import FashionAIDetDataset
from fashionkp_mm.plugin.detection.recipes import with_input_size

CONFIGS = Path(__file__).parents[3] / "configs"
SIZE = (128, 128)


@pytest.fixture(autouse=True)
def _mmdet_scope(_mmpose_scope: None) -> Iterator[None]:
    init_default_scope("mmdet")
    yield
    init_default_scope("mmpose")


@pytest.fixture(scope="session")
def detector_config() -> Config:
    """RTMDet-tiny, for small pictures and without pretrained weights."""
    config = Config.fromfile(CONFIGS / "rtmdet_fashion.py")
    config.model.backbone.init_cfg = None
    for split in ("train", "val", "test"):
        dataset = config[f"{split}_dataloader"].dataset
        dataset.pipeline = with_input_size(dataset.pipeline, SIZE)
    return config


@pytest.fixture
def detector(detector_config: Config) -> Any:
    """An untrained detector."""
    assert DefaultScope.get_current_instance().scope_name == "mmdet"
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(detector_config.model))
    model.init_weights()
    return model


@pytest.fixture
def drawn_boxes(drawn_root: Path, detector_config: Config) -> Callable[..., FashionAIDetDataset]:
    """Makes the training or validation set of drawn garments, with any settings changed."""

    def make(split: str = "train", **changes: Any) -> FashionAIDetDataset:
        loader = copy.deepcopy(detector_config[f"{split}_dataloader"])
        settings = {**loader.dataset, "data_root": str(drawn_root), **changes}
        settings.pop("type")
        return FashionAIDetDataset(**settings)

    return make


@pytest.fixture
def eager(small_detector: tuple[Path, Path], detector: Any) -> Any:
    """A detector that finds something everywhere, by what the picture shows there."""
    weights = torch.load(small_detector[1], weights_only=True)["state_dict"]
    detector.load_state_dict(weights)
    return detector.eval()
