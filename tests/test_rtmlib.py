"""The exported network in the real rtmlib: what `fashionkp export --rtmlib` promises."""

from __future__ import annotations

import numpy as np
import pytest

from fashionkp_mm.exporting.export import export
from fashionkp_mm.runtime import FashionPredictor
from fashionkp_mm.runtime.session import open_session
from fashionkp_mm.synthetic.dataset import draw_image

rtmlib = pytest.importorskip("rtmlib")

SIZE = (96, 64)
CONFIG = """
_base_ = ['{configs}/rtmpose_t_fashion.py']
from fashionkp_mm.plugin.config_helpers import with_codec
codec = {{**_base_.codec, 'input_size': (96, 64)}}
model = dict(
    head=dict(
        pose_head=dict(
            input_size=codec['input_size'], in_featuremap_size=(3, 2), decoder=codec)))
test_dataloader = dict(dataset=dict(pipeline=with_codec(_base_.val_pipeline, codec)))
"""


@pytest.fixture(scope="module")
def files(small_model, tmp_path_factory):
    """A small model with random weights, exported for this package and for rtmlib."""
    config, checkpoint = small_model(CONFIG)
    folder = tmp_path_factory.mktemp("rtmlib")
    export(config, checkpoint, folder / "own.onnx")
    export(config, checkpoint, folder / "rtmlib.onnx", rtmlib=True)
    return folder


@pytest.fixture(scope="module")
def rtmpose(files):
    return rtmlib.RTMPose(
        str(files / "rtmlib.onnx"),
        model_input_size=SIZE,
        mean=None,
        std=None,
        backend="onnxruntime",
        device="cpu",
    )


def test_the_file_has_what_rtmlib_reads_and_nothing_else(files):
    session, metadata = open_session(files / "rtmlib.onnx")
    assert [(value.name, value.type, value.shape) for value in session.get_inputs()] == [
        ("input", "tensor(float)", ["batch", 3, SIZE[1], SIZE[0]])
    ]
    assert [value.name for value in session.get_outputs()] == ["simcc_x", "simcc_y"]
    assert (metadata.kind, metadata.input_size) == ("pose-rtmlib", SIZE)


def test_rtmlib_finds_the_same_points(files, rtmpose):
    predictor = FashionPredictor(files / "own.onnx")
    compared, places = 0, []
    for index in range(6):
        image = draw_image(index, seed=3).image
        height, width = image.shape[:2]
        boxes = np.array(
            [[0, 0, width, height], [0.1 * width, 0.2 * height, 0.7 * width, 0.9 * height]],
            np.float32,
        )
        garments = predictor.predict(image, boxes=boxes)
        ours = np.stack([garment.keypoints for garment in garments])
        theirs, scores = rtmpose(image, bboxes=boxes)
        # rtmlib takes the mean of both vectors' maxima for a score, MMPose and this package the
        # lower one; where that is not above 0 there is no point.
        found = (scores > 0) & (ours.min(axis=-1) > -1)
        # rtmlib multiplies in double precision where MMPose, and so this package, rounds to single.
        np.testing.assert_allclose(theirs[found], ours[found], atol=1e-3 * max(width, height) / 96)
        compared += int(found.sum())
        places.append(predictor.metadata.input_size * theirs / [width, height])
    assert compared > 200
    assert np.std(places, axis=0).mean() > 1  # not the same points on every picture


def test_what_rtmlib_normalises_by_default_would_be_normalised_twice(files, rtmpose):
    twice = rtmlib.RTMPose(
        str(files / "rtmlib.onnx"), model_input_size=SIZE, backend="onnxruntime", device="cpu"
    )
    image = draw_image(0, seed=3).image
    once, _ = rtmpose(image)
    other, _ = twice(image)
    assert np.abs(once - other).max() > 1
