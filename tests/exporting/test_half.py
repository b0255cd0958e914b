"""Weights rounded to float16: what is stored, what is computed, and what is refused."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from fashionkp_mm.exporting import half as half_module
from fashionkp_mm.exporting.errors import ExportError
from fashionkp_mm.exporting.export import export
from fashionkp_mm.exporting.half import halved
from fashionkp_mm.runtime.session import open_session


@pytest.fixture(scope="module", params=["simcc", "heatmaps"])
def result(request):
    """An export with float32 weights."""
    return request.getfixturevalue(f"{request.param}_onnx")


@pytest.fixture(scope="module")
def content(result):
    return halved(result.path.read_bytes())


@pytest.fixture
def half_file(content, tmp_path):
    path = tmp_path / "half.onnx"
    path.write_bytes(content)
    return path


def outputs(path):
    session, _ = open_session(path)
    _, height, width, _ = session.get_inputs()[0].shape
    images = np.random.default_rng(0).integers(0, 256, (3, height, width, 3), dtype=np.uint8)
    return session.run(None, {"images": images, "categories": np.array([-1, 0, 4])})


def with_rounded_weights(content, path):
    """The same network in float32 throughout, its weights those of the half file."""
    model = onnx.load_from_string(content)
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        tensor = stored.get(node.input[0])
        if node.op_type == "Cast" and tensor is not None:
            weights = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(weights, node.output[0]))
        else:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, path)
    return path


def test_large_weights_take_half_the_room(result, content):
    stored = onnx.load_from_string(content).graph.initializer
    rounded = sum(np.prod(t.dims) for t in stored if t.data_type == TensorProto.FLOAT16)
    saved = result.path.stat().st_size - len(content)
    assert rounded > 50_000
    assert 0 <= 2 * rounded - saved < 30_000  # what the casts take


def test_small_weights_stay_as_they_are(result, content):
    before = onnx.load_from_string(result.path.read_bytes()).graph.initializer
    small = {t.name: t for t in before if len(t.dims) > 1 and np.prod(t.dims) < 16_384}
    after = {tensor.name: tensor for tensor in onnx.load_from_string(content).graph.initializer}
    assert small
    for name, tensor in small.items():
        assert after[name] == tensor


def test_it_computes_in_float32_with_the_rounded_weights(content, half_file, tmp_path):
    expected = outputs(with_rounded_weights(content, tmp_path / "rounded.onnx"))
    for ours, theirs in zip(outputs(half_file), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_rounding_changes_what_is_found_a_little(result, half_file):
    before, after = (outputs(path)[0] for path in (result.path, half_file))
    assert 0 < np.abs(before - after).max() < 0.05 * np.ptp(before)


def test_onnx_runtime_computes_no_cast_of_a_weight(half_file, tmp_path):
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(half_file, options, providers=["CPUExecutionProvider"])
    casts = [
        node for node in onnx.load(tmp_path / "optimised.onnx").graph.node if node.op_type == "Cast"
    ]
    assert len(casts) == 1  # of the pictures


def test_only_weights_are_rounded(content):
    model = onnx.load_from_string(content)
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    rounded = {name for name, tensor in stored.items() if tensor.data_type == TensorProto.FLOAT16}
    assert rounded
    for node in model.graph.node:
        assert node.op_type == "Cast" or not rounded & set(node.input)
    assert all(len(stored[name].dims) > 1 for name in rounded)


def test_the_same_file_gives_the_same_bytes(result, content):
    assert halved(result.path.read_bytes()) == content


def test_a_weight_too_large_for_float16_is_refused(result):
    model = onnx.load_from_string(result.path.read_bytes())
    convolved = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    weights_of = [t for t in model.graph.initializer if t.name in convolved]
    tensor = max(weights_of, key=lambda t: np.prod(t.dims))
    weights = numpy_helper.to_array(tensor).copy()
    weights.flat[0] = 1e6
    tensor.CopyFrom(numpy_helper.from_array(weights, tensor.name))
    with pytest.raises(ExportError, match=r"1e\+06.*without --half"):
        halved(model.SerializeToString())


def test_exporting_writes_it_and_says_what_rounding_changed(heatmaps, tmp_path, monkeypatch):
    # Random weights prefer no place to another, so their points jump where trained ones do not.
    monkeypatch.setattr(half_module, "MAX_MOVED", 1.1)
    out = tmp_path / "half.onnx"
    exported = export(heatmaps.config, heatmaps.checkpoint, out, half=True)
    assert exported.size == out.stat().st_size
    assert exported.rounding is not None
    median, largest, *_ = exported.rounding.differences
    assert 0 < median.value <= largest.value
    assert "limit" not in str(largest)


def test_rounding_that_moves_points_is_refused(heatmaps, tmp_path, monkeypatch):
    monkeypatch.setattr(half_module, "VISIBLE_MOVE", 1e-6)
    out = tmp_path / "half.onnx"
    with pytest.raises(ExportError, match=r"too coarse.*share of points that move"):
        export(heatmaps.config, heatmaps.checkpoint, out, half=True)
    assert not out.exists()


def test_a_detector_is_rounded_too(small_detector, tmp_path, monkeypatch):
    # Random weights find thousands of boxes, and are sure of none.
    monkeypatch.setattr(half_module, "MAX_BOX_CHANGE", 128)
    monkeypatch.setattr(half_module, "MAX_SCORE_CHANGE", 1)
    full, half = tmp_path / "full.onnx", tmp_path / "half.onnx"
    before = export(*small_detector, full)
    after = export(*small_detector, half, half=True)
    assert after.size < 0.6 * before.size
    assert after.rounding is not None
    boxes, scores = after.rounding.differences
    assert 0 < scores.value < scores.limit
    assert boxes.value < boxes.limit
