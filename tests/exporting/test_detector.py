"""An exported detector finds what MMDetection finds."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch

from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.exporting import detector
from fashionkp_mm.exporting.detector import DetectorExporter, detector_parity
from fashionkp_mm.exporting.errors import ExportError
from fashionkp_mm.exporting.export import export
from fashionkp_mm.exporting.parity import pictures
from fashionkp_mm.exporting.provenance import Provenance
from fashionkp_mm.exporting.trained import load_trained_model
from fashionkp_mm.images import load_image
from fashionkp_mm.runtime.detector import GarmentDetector
from fashionkp_mm.runtime.metadata import METADATA_KEY, DetectorMetadata
from fashionkp_mm.runtime.session import open_session

PRIORS = 16 * 16 + 8 * 8 + 4 * 4


@pytest.fixture(scope="module")
def exported(small_detector, tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "detector.onnx"
    return path, export(*small_detector, path)


@pytest.fixture
def trained(small_detector):
    return load_trained_model(*small_detector)


def test_the_file_says_what_it_is(exported):
    path, result = exported
    _, metadata = open_session(path)
    assert metadata == result.metadata
    assert isinstance(metadata, DetectorMetadata)
    assert (metadata.name, metadata.input_size) == ("small_detector", (128, 128))
    assert (metadata.score_threshold, metadata.iou_threshold) == (0.3, 0.5)
    facts = json.loads(onnx.load(path).metadata_props[0].value)
    assert facts["categories"] == list(CATEGORY_NAMES)
    assert onnx.load(path).metadata_props[0].key == METADATA_KEY


@pytest.mark.parametrize("count", [1, 3])
def test_a_batch_may_have_any_size(exported, count):
    session, _ = open_session(exported[0])
    images = np.random.default_rng(0).integers(0, 256, (count, 128, 128, 3), dtype=np.uint8)
    boxes, scores = session.run(["boxes", "scores"], {"images": images})
    assert boxes.shape == (count, PRIORS, 4)
    assert scores.shape == (count, PRIORS, len(CATEGORY_NAMES))
    assert 0 <= scores.min() <= scores.max() <= 1
    assert 0 <= boxes.min() <= boxes.max() <= 128


def test_it_finds_what_mmdetection_finds(exported):
    parity = exported[1].parity
    named = {difference.what: difference for difference in parity.differences}
    assert named["letterboxed pixels"].value == 0
    assert named["boxes"].value < 0.05
    assert named["scores"].value < 1e-3
    assert named["garments that only one suppression keeps"].value == 0
    garments = int(parity.compared.split(" garments")[0].split()[-1])
    assert garments > 50, "there has to be something to compare"


def test_on_photographs_of_any_shape_as_well(exported, trained, drawn_root):
    files = sorted((drawn_root / "train/Images").rglob("*.jpg"))[:6]
    shapes = {load_image(file).shape for file in files}
    assert len(shapes) > 1
    parity = detector_parity(trained, exported[1].metadata, exported[0], pictures(files))
    parity.require()


def test_the_runtime_gives_boxes_in_the_pictures_pixels(exported, drawn_root):
    image = load_image(next((drawn_root / "val/Images").rglob("*.jpg")))
    height, width = image.shape[:2]
    found = GarmentDetector(exported[0]).detect(image)
    assert len(found.boxes) > 0
    assert found.boxes.min() >= 0
    assert (found.boxes <= (width, height, width, height)).all()
    assert found.boxes.max() > 128


@pytest.mark.parametrize("part", ["rtm_reg", "rtm_cls"])
def test_other_weights_in_the_file_are_noticed(part, exported, trained):
    with torch.no_grad():
        getattr(trained.model.bbox_head, part)[1].bias.add_(0.05)
    parity = detector_parity(trained, exported[1].metadata, exported[0], pictures(None))
    with pytest.raises(ExportError, match="does not do what PyTorch does"):
        parity.require()


def test_another_suppression_is_noticed(exported, trained):
    stricter = replace(exported[1].metadata, iou_threshold=0.2)
    parity = detector_parity(trained, stricter, exported[0], pictures(None))
    with pytest.raises(ExportError, match="garments that only one suppression keeps"):
        parity.require()


def test_pictures_without_a_garment_are_compared_as_well(exported, trained):
    blind = replace(exported[1].metadata, score_threshold=1.0)
    parity = detector_parity(trained, blind, exported[0], pictures(None))
    parity.require()
    assert " 0 garments " in parity.compared


def test_a_single_garment_is_compared_as_well(exported, trained):
    found = np.float32([[4, 4, 60, 90], [8, 8, 50, 50]])
    scores = np.zeros((2, len(CATEGORY_NAMES)), np.float32)
    scores[1, 3] = 0.9
    nms = trained.model.bbox_head.test_cfg.nms
    kept = detector._kept_by_mmdetection(found, scores, exported[1].metadata, nms)
    assert kept == {(1, 3)}


def test_rtmlib_takes_no_detector(small_detector, tmp_path):
    with pytest.raises(ExportError, match="is a detector, and rtmlib takes pose networks only"):
        export(*small_detector, tmp_path / "out.onnx", rtmlib=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", ["input_size", "score_threshold"])
def test_a_config_that_does_not_say_how_it_is_used_is_refused(key, trained):
    trained.config.pop(key)
    with pytest.raises(ExportError, match=f"there is no '{key}' in it"):
        DetectorExporter(trained, Provenance("drawn", "none"))


def test_a_detector_of_other_things_is_refused(trained):
    trained.model.bbox_head.num_classes = 80
    with pytest.raises(ExportError, match="RTMDetHead with 80 classes; expected an RTMDet head"):
        DetectorExporter(trained, Provenance("drawn", "none"))
