"""Export as a whole: the file, what it says of itself, and what keeps it from being written."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from fashionkp_mm.compat.checkpoints import UnsafeCheckpointError
from fashionkp_mm.core.garments import CATEGORY_NAMES, KEYPOINT_NAMES
from fashionkp_mm.exporting.errors import ExportError
from fashionkp_mm.exporting.export import export
from fashionkp_mm.exporting.pose import PoseExporter
from fashionkp_mm.runtime.metadata import METADATA_KEY, PoseMetadata, SimCCDecoder
from fashionkp_mm.runtime.session import open_session


def run(session, outputs, count=3, category=-1):
    _, height, width, _ = session.get_inputs()[0].shape
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    return session.run(outputs, {"images": images, "categories": np.full(count, category)})


def test_the_file_says_what_it_is(simcc_onnx):
    _, metadata = open_session(simcc_onnx.path)
    assert metadata == PoseMetadata(
        name="small_fashion",
        input_size=(64, 96),
        decoder=SimCCDecoder(2.0),
        bbox_padding=1.25,
        training_data="unknown: not stated in the checkpoint",
        licence="unknown: not stated in the checkpoint",
    )
    assert metadata == simcc_onnx.exported.metadata
    model = onnx.load(simcc_onnx.path)
    assert [entry.key for entry in model.metadata_props] == [METADATA_KEY]
    facts = json.loads(model.metadata_props[0].value)
    assert facts["keypoint_names"] == list(KEYPOINT_NAMES)
    assert list(facts["categories"]) == list(CATEGORY_NAMES)


@pytest.mark.parametrize("count", [1, 5])
def test_a_batch_may_have_any_size(simcc_onnx, count):
    session, _ = open_session(simcc_onnx.path)
    simcc_x, simcc_y, categories, visibility = run(
        session, ["simcc_x", "simcc_y", "category_scores", "visibility_scores"], count
    )
    assert simcc_x.shape == (count, 24, 128)
    assert simcc_y.shape == (count, 24, 192)
    assert categories.shape == (count, 5)
    assert visibility.shape == (count, 24, 3)


def test_scores_are_probabilities(simcc_onnx):
    session, _ = open_session(simcc_onnx.path)
    for scores in run(session, ["category_scores", "visibility_scores"]):
        np.testing.assert_allclose(scores.sum(axis=-1), 1, atol=1e-6)


def test_heatmaps_come_out_as_they_are(heatmaps_onnx):
    session, metadata = open_session(heatmaps_onnx.path)
    (heatmaps,) = run(session, ["heatmaps"], 2)
    assert heatmaps.shape == (2, 24, 24, 16)
    assert metadata.decoder.heatmap_size == (16, 24)


def test_a_category_given_is_looked_for(simcc_onnx):
    session, _ = open_session(simcc_onnx.path)
    own, scores = run(session, ["simcc_x", "category_scores"])
    by_category = np.stack(
        [run(session, ["simcc_x"], category=index)[0] for index in range(len(CATEGORY_NAMES))]
    )
    chosen = scores.argmax(axis=1)
    np.testing.assert_allclose(own, by_category[chosen, np.arange(len(own))], atol=1e-5)
    assert np.abs(by_category[0] - by_category[1]).max() > 1e-3


def test_the_graph_is_for_inference_alone(simcc_onnx, heatmaps_onnx):
    for result in (simcc_onnx, heatmaps_onnx):
        counts = Counter(node.op_type for node in onnx.load(result.path).graph.node)
        assert not counts.keys() & {"BatchNormalization", "Dropout", "Identity", "Constant"}
        assert counts["Cast"] == 1


def test_the_graph_begins_with_layout_and_normalisation(simcc_onnx):
    nodes = onnx.load(simcc_onnx.path).graph.node
    first = [node.op_type for node in nodes[:5]]
    assert first == ["Transpose", "Gather", "Cast", "Sub", "Div"]


def test_no_weight_is_stored_twice(simcc_onnx):
    weights = [
        numpy_helper.to_array(tensor) for tensor in onnx.load(simcc_onnx.path).graph.initializer
    ]
    large = [weight.tobytes() for weight in weights if weight.size > 1000]
    assert len(set(large)) == len(large)
    stored = sum(weight.nbytes for weight in weights)
    assert simcc_onnx.path.stat().st_size < 1.05 * stored


def test_onnx_runtime_1_18_reads_the_file(simcc_onnx):
    model = onnx.load(simcc_onnx.path)
    assert model.ir_version <= 10
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 18)]


def test_nothing_of_this_machine_is_in_the_file(simcc_onnx):
    model = onnx.load(simcc_onnx.path)
    for weights in model.graph.initializer:  # any three bytes may be among some million
        weights.ClearField("raw_data")
    content = model.SerializeToString()
    assert b"site-packages" not in content
    assert b".py" not in content


def test_texts_given_are_in_the_file(simcc, simcc_onnx, tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(PoseExporter, "onnx", lambda self: written.append(self.metadata) or b"")
    monkeypatch.setattr(PoseExporter, "parity", lambda *_: simcc_onnx.exported.parity)
    texts = {"training_data": "drawn garments", "licence": "CC0"}
    export(simcc.config, simcc.checkpoint, tmp_path / "m.onnx", **texts)
    assert (written[0].training_data, written[0].licence) == ("drawn garments", "CC0")


def test_a_file_that_does_something_else_is_not_written(simcc, simcc_onnx, tmp_path, monkeypatch):
    def onnx_of_another_model(self):
        with torch.no_grad():
            weight = self._trained.model.head.pose_head.cls_x.weight
            weight.copy_(weight.roll(2, dims=0))
        return simcc_onnx.path.read_bytes()

    monkeypatch.setattr(PoseExporter, "onnx", onnx_of_another_model)
    with pytest.raises(ExportError, match=r"nothing was written: .* of points .* px"):
        export(simcc.config, simcc.checkpoint, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_there_stays_when_export_fails(simcc, heatmaps, tmp_path):
    out = tmp_path / "m.onnx"
    out.write_bytes(b"before")
    with pytest.raises(ExportError):
        export(simcc.config, heatmaps.checkpoint, out)
    assert out.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [out]


def test_a_checkpoint_that_runs_code_is_refused(simcc, tmp_path):
    checkpoint = tmp_path / "evil.pth"
    torch.save({"state_dict": {"a": torch.zeros(1)}, "meta": importlib.util.find_spec}, checkpoint)
    with pytest.raises(UnsafeCheckpointError, match="importlib"):
        export(simcc.config, checkpoint, tmp_path / "m.onnx")


@pytest.mark.parametrize("name", ["model", "model.pth"])
def test_a_name_that_is_no_onnx_file_is_refused(simcc, tmp_path, name):
    with pytest.raises(ExportError, match=rf"{name}: the name does not end in \.onnx"):
        export(simcc.config, simcc.checkpoint, tmp_path / name)


def test_a_target_that_cannot_be_written_is_named_at_once(simcc, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        export(tmp_path / "unread.py", simcc.checkpoint, tmp_path / "file" / "m.onnx")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(IsADirectoryError, match=r"folder\.onnx is a folder"):
        export(tmp_path / "unread.py", simcc.checkpoint, tmp_path / "folder.onnx")


def test_a_missing_package_is_named_with_the_extra(simcc, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxscript" else found(name)
    )
    with pytest.raises(ExportError, match=r"needs onnxscript: pip install 'fashionkp_mm\[train\]'"):
        export(simcc.config, simcc.checkpoint, tmp_path / "m.onnx")


NO_GARMENT_HEAD = """
_base_ = ['{configs}/rtmpose_t_fashion.py']
model = dict(head=dict(_delete_=True, **_base_.model.head.pose_head))
"""
OTHER_CODEC = """
_base_ = ['{configs}/hrnet_fashion.py']
model = dict(
    backbone=dict(
        _delete_=True, type='ResNet', depth=18, num_stages=1, strides=(1,), dilations=(1,),
        out_indices=(0,)),
    head=dict(pose_head=dict(
        in_channels=64,
        decoder=dict(
            _delete_=True, type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(16, 16),
            sigma=2))))
"""
NO_ESTIMATOR = """
custom_imports = dict(imports=['fashionkp_mm.plugin'])
default_scope = 'mmpose'
model = dict(type='ResNet', depth=18)
"""


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (NO_GARMENT_HEAD, "head is RTMCCHead, .* put it into a GarmentHead"),
        (OTHER_CODEC, "does not decode the codec MSRAHeatmap .* it knows SimCCLabel"),
        (NO_ESTIMATOR, "the model is a ResNet, and only top-down pose estimators"),
    ],
)
def test_a_model_that_cannot_be_exported_is_named(make_files, tmp_path, config, message):
    files = make_files(config)
    with pytest.raises(ExportError, match=f"{files.config}: .*{message}"):
        export(files.config, files.checkpoint, tmp_path / "m.onnx")


def test_rtmlib_does_not_decode_heatmaps(heatmaps, tmp_path):
    with pytest.raises(ExportError, match=r"rtmlib decodes SimCC .* export it without --rtmlib"):
        export(heatmaps.config, heatmaps.checkpoint, tmp_path / "m.onnx", rtmlib=True)


def test_nothing_that_is_read_is_written_over(simcc, tmp_path):
    image = tmp_path / "image.jpg"
    image.write_bytes(b"image")
    out = tmp_path / "m.onnx"
    for precious in (simcc.config, simcc.checkpoint, image):
        out.unlink(missing_ok=True)
        out.symlink_to(precious)
        before = precious.read_bytes()
        with pytest.raises(FileExistsError, match="would overwrite the input"):
            export(simcc.config, simcc.checkpoint, out, images=[image])
        assert precious.read_bytes() == before
