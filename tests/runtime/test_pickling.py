"""A predictor reaches other processes: it is opened again from its files there."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from small_networks import picture, pose_metadata, write_pose_network

from fashionkp_mm.runtime import FashionPredictor, GarmentDetector, ModelFileError, Prediction

IMAGE = picture({0: (100, 150), 1: (210, 250)})


@pytest.fixture
def predictor(pose_file: Path, detector_file: Path) -> FashionPredictor:
    return FashionPredictor(pose_file, detector=detector_file, flip_test=True, batch_size=3)


def require_same(found: Prediction, expected: Prediction) -> None:
    assert found.to_dict() == expected.to_dict()
    assert len(expected)


@pytest.mark.parametrize("boxes", ["refine", "detector"])
def test_a_copy_finds_the_same(predictor: FashionPredictor, boxes: str) -> None:
    expected = predictor.predict(IMAGE, boxes=boxes)

    for other in (pickle.loads(pickle.dumps(predictor)), copy.deepcopy(predictor)):
        require_same(other.predict(IMAGE, boxes=boxes), expected)
        assert other.metadata == predictor.metadata


def test_in_processes_that_are_spawned(predictor: FashionPredictor) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        (found,) = pool.map(predictor.predict, [IMAGE])

    require_same(found, predictor.predict(IMAGE))


def test_a_detector_alone(detector_file: Path) -> None:
    detector = GarmentDetector(detector_file)

    found = pickle.loads(pickle.dumps(detector)).detect(IMAGE)

    assert np.array_equal(found.boxes, detector.detect(IMAGE).boxes)
    assert len(found.boxes)


def test_a_relative_path_means_the_same_file_in_another_folder(
    pose_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pose_file.parent)
    pickled = pickle.dumps(FashionPredictor(pose_file.name))
    monkeypatch.chdir(tmp_path)

    assert len(pickle.loads(pickled).predict(IMAGE))


def test_a_file_that_is_gone_is_named(pose_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "pose.onnx"
    shutil.copy(pose_file, path)
    pickled = pickle.dumps(FashionPredictor(path))
    path.unlink()

    with pytest.raises(ModelFileError, match=rf"{path}: there is no such file"):
        pickle.loads(pickled)


def test_a_file_that_was_replaced_is_noticed(pose_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "pose.onnx"
    shutil.copy(pose_file, path)
    pickled = pickle.dumps(FashionPredictor(path))
    write_pose_network(path, metadata=pose_metadata(name="other").to_json())

    with pytest.raises(ModelFileError, match=r"was brightest when .* another model, other"):
        pickle.loads(pickled)
