"""A model for `fashionkp predict`, and garments as it finds them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS, CATEGORY_NAMES, NUM_KEYPOINTS
from fashionkp_mm.runtime import Garment
from fashionkp_mm.runtime.metadata import METADATA_KEY, PoseMetadata, SimCCDecoder

_SIDE = 32
"""Width and height of the model's input."""


def write_model(path: Path, seed: int) -> Path:
    """A network that means nothing: random weights on the mean of each column of the crop."""
    rng = np.random.default_rng(seed)
    bins, points, categories = 2 * _SIDE, NUM_KEYPOINTS, len(CATEGORY_NAMES)
    heads = {
        "simcc_x": (points, bins),
        "simcc_y": (points, bins),
        "category_scores": (categories,),
        "visibility_scores": (points, 3),
    }
    weights = [numpy_helper.from_array(np.array([1, 3], np.int64), "axes")]
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats", "axes"], ["columns"], keepdims=0),
    ]
    for name, shape in heads.items():
        matrix = rng.normal(0, 0.01, (_SIDE, *shape)).reshape(_SIDE, -1).astype(np.float32)
        weights.append(numpy_helper.from_array(matrix, f"{name}_weights"))
        weights.append(numpy_helper.from_array(np.array([-1, *shape], np.int64), f"{name}_shape"))
        nodes.append(helper.make_node("MatMul", ["columns", f"{name}_weights"], [f"{name}_flat"]))
        raw = f"{name}_raw" if name.endswith("_scores") else name
        nodes.append(helper.make_node("Reshape", [f"{name}_flat", f"{name}_shape"], [raw]))
        if raw != name:
            nodes.append(helper.make_node("Softmax", [raw], [name], axis=-1))
    graph = helper.make_graph(
        nodes,
        "pose",
        [
            helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", _SIDE, _SIDE, 3]),
            helper.make_tensor_value_info("categories", TensorProto.INT64, ["N"]),
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape])
            for name, shape in heads.items()
        ],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    metadata = PoseMetadata(
        name="test",
        input_size=(_SIDE, _SIDE),
        decoder=SimCCDecoder(2.0),
        bbox_padding=1.25,
        training_data="none",
        licence="none",
    )
    helper.set_model_props(model, {METADATA_KEY: metadata.to_json()})
    onnx.save(model, str(path))
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file."""
    return write_model(tmp_path_factory.mktemp("model") / "pose.onnx", seed=0)


@pytest.fixture(scope="session")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file with other weights."""
    return write_model(tmp_path_factory.mktemp("model") / "other.onnx", seed=1)


@pytest.fixture
def garment() -> Callable[..., Garment]:
    """A function that makes a garment; its arguments change attributes."""

    def make(category: str = "skirt", **changes: object) -> Garment:
        index = CATEGORY_NAMES.index(category)
        defined = CATEGORY_KEYPOINTS[index]
        places = np.arange(2 * NUM_KEYPOINTS, dtype=np.float32).reshape(-1, 2) * 1.25
        facts: dict[str, object] = {
            "image_id": "given.jpg",
            "image_index": 0,
            "image_size": (64, 48),
            "category": category,
            "category_score": 0.75,
            "category_scores": np.eye(len(CATEGORY_NAMES), dtype=np.float32)[index],
            "box": np.array([1, 2, 31, 42], np.float32),
            "box_source": "refine",
            "box_score": 1.0,
            "keypoints": places,
            "keypoint_scores": np.where(defined, 0.5, 0).astype(np.float32),
            "visibility": np.where(defined, 1, -1).astype(np.int8),
        }
        return Garment(**{**facts, **changes})  # type: ignore[arg-type]

    return make
