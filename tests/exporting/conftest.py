"""Small models with random weights, and what exporting makes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from fashionkp_mm.core.garments import FLIP_INDICES
from fashionkp_mm.exporting.export import Exported, export

SIMCC = """
_base_ = ['{configs}/rtmpose_t_fashion.py']
from fashionkp_mm.plugin.config_helpers import with_codec
codec = {{**_base_.codec, 'input_size': (64, 96)}}
model = dict(
    head=dict(
        pose_head=dict(
            input_size=codec['input_size'], in_featuremap_size=(2, 3), decoder=codec)))
test_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.val_pipeline, codec)))
"""
HEATMAPS = """
_base_ = ['{configs}/hrnet_fashion.py']
from fashionkp_mm.plugin.config_helpers import with_codec
codec = {{**_base_.codec, 'input_size': (64, 96), 'heatmap_size': (16, 24)}}
model = dict(
    backbone=dict(
        _delete_=True, type='ResNet', depth=18, num_stages=1, strides=(1,), dilations=(1,),
        out_indices=(0,)),
    head=dict(pose_head=dict(in_channels=64, decoder=codec)))
test_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.val_pipeline, codec)))
"""


@dataclass(frozen=True)
class Files:
    """A config and its checkpoint."""

    config: Path
    checkpoint: Path


@pytest.fixture(scope="session")
def make_files(small_model: Callable[..., tuple[Path, Path]]) -> Callable[..., Files]:
    """Makes the files of a model from its config's text; ``extra`` goes into the checkpoint."""
    return lambda text, **extra: Files(*small_model(text, **extra))


@pytest.fixture(scope="session")
def simcc(make_files: Callable[..., Files]) -> Files:
    """RTMPose-t at 64x96."""
    return make_files(SIMCC)


@pytest.fixture(scope="session")
def heatmaps(make_files: Callable[..., Files]) -> Files:
    """UDP heatmaps on a few convolutions."""
    return make_files(HEATMAPS)


@pytest.fixture(scope="session")
def trained_heatmaps(make_files: Callable[..., Files]) -> Files:
    """The same with all that training leaves in a checkpoint."""
    meta = {
        "epoch": 12,
        "iter": 1056,
        "cfg": "data_root = '/home/somebody/data'",
        "experiment_name": "secret",
        "dataset_meta": {"dataset_name": "fashionai", "flip_indices": list(FLIP_INDICES)},
    }
    return make_files(HEATMAPS, meta=meta, optimizer={"lr": 0.1}, message_hub={"log": [1.0]})


@dataclass(frozen=True)
class Result:
    """An exported file, and what exporting said."""

    path: Path
    exported: Exported


@pytest.fixture(scope="session")
def simcc_onnx(simcc: Files, tmp_path_factory: pytest.TempPathFactory) -> Result:
    path = tmp_path_factory.mktemp("onnx") / "simcc.onnx"
    return Result(path, export(simcc.config, simcc.checkpoint, path))


@pytest.fixture(scope="session")
def heatmaps_onnx(heatmaps: Files, tmp_path_factory: pytest.TempPathFactory) -> Result:
    path = tmp_path_factory.mktemp("onnx") / "heatmaps.onnx"
    return Result(path, export(heatmaps.config, heatmaps.checkpoint, path))
