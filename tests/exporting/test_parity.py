"""When an exported file counts as doing what PyTorch does."""

from __future__ import annotations

import math

import cv2
import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.exporting.errors import ExportError
from fashionkp_mm.exporting.parity import MAX_PICTURES, Difference, Parity, pictures
from fashionkp_mm.exporting.pose import PoseExporter
from fashionkp_mm.exporting.provenance import Provenance
from fashionkp_mm.exporting.trained import load_trained_model
from fashionkp_mm.images import BrokenImageError


@pytest.fixture
def exporter(simcc):
    return PoseExporter(load_trained_model(simcc.config, simcc.checkpoint), Provenance("", ""))


def by_name(parity):
    return {difference.what: difference.value for difference in parity.differences}


def few():
    return list(pictures(None))[: len(CATEGORY_NAMES)]


@pytest.mark.parametrize("value", [0.05, 1, math.nan, math.inf])
def test_a_difference_that_reaches_its_limit_is_refused(value):
    parity = Parity("2 points", (Difference("points", value, 0.05, "px"),))
    with pytest.raises(ExportError, match=r"points .* px \(limit 0\.05\); compared: 2 points"):
        parity.require()


def test_a_small_difference_will_do():
    Parity("2 points", (Difference("points", 0.049, 0.05, "px"),)).require()


@pytest.mark.parametrize("kind", ["simcc_onnx", "heatmaps_onnx"])
def test_exported_files_agree_with_pytorch(kind, request):
    parity = request.getfixturevalue(kind).exported.parity
    differences = by_name(parity)
    assert parity.compared == "480 points in 20 crops"
    assert differences["points"] < 0.05
    assert differences["visibility scores"] < 1e-3
    assert differences["share of undecided points"] < 0.2


def test_what_is_compared_depends_on_the_picture(exporter, simcc_onnx):
    """Else agreeing would say little."""
    seen = []
    for picture in few():
        with torch.no_grad():
            crop = cv2.resize(picture.image, (64, 96))
            feats = exporter._trained.model.extract_feat(
                torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 64 - 2
            )
            (simcc_x, _), _, _ = exporter._trained.model.head(feats)
        seen.append(simcc_x.argmax(-1))
    assert torch.stack(seen).float().std(0).mean() > 2


def test_a_category_that_is_not_heeded_is_noticed(exporter, simcc_onnx, tmp_path):
    model = onnx.load(simcc_onnx.path)
    edit(model, "head.condition.modulation.weight", lambda weight: weight[::-1])
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    parity = exporter.parity(tmp_path / "m.onnx", few())
    assert by_name(parity)["vectors"] > 0.01
    with pytest.raises(ExportError):
        parity.require()


def test_another_normalisation_is_noticed(exporter, simcc_onnx, tmp_path):
    model = onnx.load(simcc_onnx.path)
    edit(model, "normalization.mean", lambda mean: mean[:, ::-1])
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ExportError):
        exporter.parity(tmp_path / "m.onnx", few()).require()


def test_equally_high_places_are_undecided_not_different(exporter, simcc_onnx, tmp_path):
    """Bins 10 and 90 get all but the same weights: up in one network, down in the other."""
    head = exporter._trained.model.head.pose_head
    twin = 10 * head.cls_x.weight[10]
    with torch.no_grad():
        head.cls_x.weight[10] = twin
        head.cls_x.weight[90] = twin * (1 - 1e-6)
    model = onnx.load(simcc_onnx.path)

    def other_way_round(weight):
        weight = weight.copy()
        weight[:, 10] = twin
        weight[:, 90] = twin * (1 + 1e-6)
        return weight

    edit_matrix(model, "simcc_x", other_way_round)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    differences = by_name(exporter.parity(tmp_path / "m.onnx", few()))
    assert differences["points"] < 0.05
    assert differences["vectors"] < 5e-4
    assert differences["share of undecided points"] > 0.1


def edit(model, name, change):
    (tensor,) = [t for t in model.graph.initializer if t.name.endswith(name)]
    weight = np.ascontiguousarray(change(numpy_helper.to_array(tensor)))
    tensor.CopyFrom(numpy_helper.from_array(weight, tensor.name))


def edit_matrix(model, output, change):
    """Change the matrix that the node multiplies with that gives an output."""
    (node,) = [node for node in model.graph.node if output in node.output]
    edit(model, node.input[1], change)


def test_a_folder_is_compared_on_evenly_and_whole(tmp_path):
    files = []
    for index in range(MAX_PICTURES + 10):
        files.append(tmp_path / f"{index}.png")
        cv2.imwrite(str(files[-1]), np.full((16, 20, 3), index, np.uint8))
    chosen = list(pictures(files))
    assert len(chosen) == MAX_PICTURES
    assert chosen[0].image[0, 0, 0] == 0
    assert chosen[-1].image[0, 0, 0] == len(files) - 1
    assert chosen[0].box.tolist() == [0, 0, 20, 16]


def test_a_broken_picture_is_named(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(BrokenImageError, match=r"broken\.jpg"):
        list(pictures([tmp_path / "broken.jpg"]))


def test_drawn_garments_are_of_all_categories():
    assert len(list(pictures(None))) == 2 * len(CATEGORY_NAMES)
