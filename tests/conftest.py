"""What the tests share."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_networks import write_detector, write_pose_network

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


@pytest.fixture(scope="session")
def pose_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported pose network that finds the brightest pixels; see `small_networks`."""
    return write_pose_network(tmp_path_factory.mktemp("pose") / "pose.onnx")


@pytest.fixture(scope="session")
def detector_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported detector that finds saturated pixels; see `small_networks`."""
    return write_detector(tmp_path_factory.mktemp("detector") / "detector.onnx")


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Path, Path]]:
    """Makes a config and a checkpoint from a config's text, ``{configs}`` being our own configs.

    The weights are random, and such that what the network finds depends on the picture. ``extra``
    goes into the checkpoint.
    """
    # For those tests alone that ask for a model.
    import torch  # noqa: PLC0415
    from mmengine.config import Config  # noqa: PLC0415
    from mmengine.registry import MODELS, init_default_scope  # noqa: PLC0415
    from torch.nn.modules.batchnorm import _BatchNorm  # noqa: PLC0415

    def make(text: str, **extra: Any) -> tuple[Path, Path]:
        folder = tmp_path_factory.mktemp("model")
        config, checkpoint = folder / "small_fashion.py", folder / "small.pth"
        config.write_text(text.format(configs=Path(__file__).parents[1] / "configs"))
        init_default_scope("mmpose")
        torch.manual_seed(0)
        model = MODELS.build(Config.fromfile(config).model)
        for name, weight in model.named_parameters():
            # MMPose and the conditioning start with next to nothing.
            if name.endswith(("final_layer.weight", "condition.restore.weight")):
                torch.nn.init.normal_(weight, std=0.1)
        for module in model.modules():
            if isinstance(module, _BatchNorm):
                module.momentum = None  # the mean of all batches, of which there will be one
        if hasattr(model, "extract_feat"):
            model.train()
            width, height = model.head.decoder.input_size
            with torch.no_grad():
                features = model.extract_feat(torch.randn(8, 3, height, width))
                if hasattr(model.head, "category"):
                    model.head(features, torch.arange(8) % 5)
        torch.save({"state_dict": model.state_dict(), **extra}, checkpoint)
        return config, checkpoint

    return make


_SMALL_DETECTOR = """
_base_ = ['{configs}/rtmdet_fashion.py']
from fashionkp_mm.plugin.detection.recipes import with_input_size
input_size = (128, 128)
model = dict(backbone=dict(init_cfg=None))
test_dataloader = dict(
    dataset=dict(data_root='{root}', pipeline=with_input_size(_base_.val_pipeline, input_size)))
"""


@pytest.fixture(scope="session")
def small_detector(tmp_path_factory: pytest.TempPathFactory, drawn_root: Path) -> tuple[Path, Path]:
    """Config and checkpoint of an RTMDet that finds something everywhere in drawn pictures.

    The weights are random, and such that what it finds depends on the picture.
    """
    import torch  # noqa: PLC0415
    from mmengine.config import Config  # noqa: PLC0415
    from mmengine.dataset import pseudo_collate  # noqa: PLC0415
    from mmengine.registry import DATASETS, MODELS, DefaultScope  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("detector")
    config, checkpoint = folder / "small_detector.py", folder / "small.pth"
    configs = Path(__file__).parents[1] / "configs"
    config.write_text(_SMALL_DETECTOR.format(configs=configs, root=drawn_root))
    cfg = Config.fromfile(config)
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmdet"):
        model = MODELS.build(cfg.model)
        dataset = DATASETS.build(cfg.test_dataloader.dataset)
        batch = pseudo_collate([dataset[index] for index in range(8)])
    model.init_weights()
    head = model.bbox_head
    for classes, distances in zip(head.rtm_cls, head.rtm_reg, strict=True):
        torch.nn.init.normal_(classes.weight, std=0.1)
        torch.nn.init.zeros_(classes.bias)
        torch.nn.init.normal_(distances.weight, std=0.03)
    # Without statistics of their own, the features fade from layer to layer.
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # the mean of all batches, of which there will be one
    with torch.no_grad():
        head(model.train().extract_feat(model.data_preprocessor(batch)["inputs"]))
    torch.save({"state_dict": model.state_dict()}, checkpoint)
    return config, checkpoint
