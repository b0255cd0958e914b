"""What a prediction is for hands: it iterates, draws itself, and turns into what others read."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import supervision
from small_networks import picture

from fashionkp_mm.core.garments import CATEGORIES, CATEGORY_INDEX, KEYPOINT_INDEX, Visibility
from fashionkp_mm.runtime import BrokenImageError, FashionPredictor, Prediction
from fashionkp_mm.runtime.prediction import FRAME_COLUMNS
from fashionkp_mm.visualization.keypoints import draw_garments

POINTS = {0: (120, 150), 1: (200, 230), 2: (90, 300)}
BOXES = [[80, 70, 260, 340], [0, 0, 300, 400]]


@pytest.fixture(scope="module")
def predictor(pose_file: Path) -> FashionPredictor:
    return FashionPredictor(pose_file)


@pytest.fixture
def image() -> np.ndarray:
    return picture(POINTS)


@pytest.fixture
def prediction(predictor: FashionPredictor, image: np.ndarray) -> Prediction:
    return predictor.predict(image, "blouse", BOXES)


@pytest.fixture
def nothing(predictor: FashionPredictor, image: np.ndarray) -> Prediction:
    return predictor.predict(image, boxes=np.empty((0, 4)))


@pytest.fixture
def broken(predictor: FashionPredictor) -> Prediction:
    (prediction,) = predictor.stream(["no/such.jpg"])
    return prediction


def test_it_is_a_sequence_of_garments(prediction: Prediction, nothing: Prediction) -> None:
    assert [garment.box.tolist() for garment in prediction] == BOXES
    assert prediction[1] is prediction.garments[1]
    assert (len(prediction), len(nothing)) == (2, 0)


def test_its_repr_is_one_line(
    prediction: Prediction, nothing: Prediction, broken: Prediction
) -> None:
    scores = [f"blouse {garment.category_score:.2f}" for garment in prediction]
    assert repr(prediction) == f"<Prediction of image 0: {', '.join(scores)}>"
    assert repr(nothing) == "<Prediction of image 0: no garment>"
    assert repr(broken).startswith(
        "<Prediction of no/such.jpg: not read, no/such.jpg: the image is"
    )


def test_drawn(prediction: Prediction, image: np.ndarray, tmp_path: Path) -> None:
    labels = [garment.label for garment in prediction]
    expected = draw_garments(image, prediction.garments, labels=labels)
    assert np.array_equal(prediction.draw(), expected)
    assert np.array_equal(prediction.draw(tmp_path / "new/a.png"), expected)
    assert np.array_equal(cv2.imread(str(tmp_path / "new/a.png")), expected)
    named = prediction.draw(tmp_path / "b.jpg", names=True)
    assert not np.array_equal(named, expected)
    assert (tmp_path / "b.jpg").read_bytes().startswith(b"\xff\xd8\xff")


def test_nothing_is_drawn_over_the_picture_itself(
    predictor: FashionPredictor, image: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), image)
    before = path.read_bytes()
    (tmp_path / "link.png").symlink_to(path)
    prediction = predictor.predict(path, "blouse", "whole")
    for out in (path, tmp_path / "link.png"):
        with pytest.raises(FileExistsError, match="would overwrite the input"):
            prediction.draw(out)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["a.webp", "a", "a.tiff"])
def test_other_files_are_not_drawn(prediction: Prediction, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"expected a name in \.jpg, \.jpeg, \.png"):
        prediction.draw(tmp_path / name)
    assert not (tmp_path / name).exists()


def test_what_was_not_read_is_not_drawn(broken: Prediction) -> None:
    with pytest.raises(BrokenImageError, match="missing"):
        broken.draw()


def test_as_plain_json(prediction: Prediction, broken: Prediction) -> None:
    content = json.loads(json.dumps(prediction.to_dict()))
    assert content["garments"] == [garment.to_dict() for garment in prediction]
    assert (content["image_size"], content["error"]) == ([300, 400], None)
    failed = json.loads(json.dumps(broken.to_dict()))
    assert (failed["image_id"], failed["image_size"], failed["garments"]) == (
        *("no/such.jpg", None),
        [],
    )
    assert "missing" in failed["error"]


def test_as_coco(prediction: Prediction) -> None:
    assert prediction.to_coco() == [garment.to_coco() for garment in prediction]


def test_as_a_frame(prediction: Prediction, nothing: Prediction) -> None:
    frame = prediction.to_frame()
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == FRAME_COLUMNS
    assert len(frame) == 2 * len(CATEGORIES["blouse"].keypoints)
    point = frame.set_index(["garment", "keypoint"]).loc[(1, "armpit_left")]
    expected = prediction[1]["armpit_left"]
    assert (point.x, point.y, point.score) == expected[:3]
    assert point.visibility == expected.visibility.name.lower()
    assert point.category == "blouse"
    assert pd.isna(point.image_id)
    assert list(nothing.to_frame().columns) == list(FRAME_COLUMNS)
    assert nothing.to_frame().empty


def test_as_supervisions_keypoints(prediction: Prediction, nothing: Prediction) -> None:
    points = prediction.to_supervision()
    assert isinstance(points, supervision.KeyPoints)
    assert points.xy.shape == (2, 24, 2)
    assert points.class_id.tolist() == [CATEGORY_INDEX["blouse"]] * 2
    for row, garment in enumerate(prediction):
        present = garment.visibility != Visibility.ABSENT
        assert np.array_equal(points.xy[row, present], garment.keypoints[present])
        assert np.array_equal(points.visible[row], present)
        assert (points.xy[row, KEYPOINT_INDEX["crotch"]] == 0).all()
    assert points.data["class_name"].tolist() == ["blouse", "blouse"]
    assert len(nothing.to_supervision()) == 0
    # Its own annotator takes them.
    drawn = supervision.VertexAnnotator().annotate(np.zeros((400, 300, 3), np.uint8), points)
    assert drawn.any()


def test_without_supervision_it_says_what_to_install(
    prediction: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(ImportError, match="pip install supervision"):
        prediction.to_supervision()


def test_a_stream_keeps_no_decoded_file(
    predictor: FashionPredictor, image: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), image)
    (prediction,) = predictor.stream([path], "blouse", "whole")
    held: list[Any] = [prediction._request.picture, *vars(prediction._request).values()]
    assert not any(isinstance(value, np.ndarray) for value in held)
    path.unlink()
    with pytest.raises(BrokenImageError, match="missing"):
        prediction.draw()
