"""The detector's boxes come out in the picture's pixels, one a garment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_networks import DETECTOR_SIZE, detector_metadata, write_detector

from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.runtime import GarmentDetector

BOXES = {0: (60, 100, 200, 260), 1: (240, 30, 290, 200)}


def scene(size: tuple[int, int] = (300, 400), boxes: dict | None = None) -> np.ndarray:
    """A picture with a rectangle in one colour for each category."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for colour, (x1, y1, x2, y2) in (BOXES if boxes is None else boxes).items():
        image[y1:y2, x1:x2, colour] = 255 - 20 * colour
    return image


@pytest.fixture
def detector(detector_file: Path) -> GarmentDetector:
    return GarmentDetector(detector_file, threads=1)


def test_each_garment_is_found_once_best_first(detector: GarmentDetector) -> None:
    found = detector.detect(scene())
    assert [CATEGORY_NAMES[index] for index in found.category_indices] == ["blouse", "outwear"]
    assert found.scores.tolist() == pytest.approx([1, 235 / 255])
    pixel = 400 / 96  # of the network's input
    assert np.abs(found.boxes - list(BOXES.values())).max() < pixel


@pytest.mark.parametrize("size", [(400, 400), (900, 400), (301, 977), (50, 40)])
def test_a_picture_of_any_shape(detector: GarmentDetector, size: tuple[int, int]) -> None:
    width, height = size
    box = (width // 4, height // 4, width // 2, height // 2)
    found = detector.detect(scene(size, {0: box}))
    assert np.abs(found.boxes - [box]).max() < 1.01 * max(size) / 96


def test_boxes_stay_inside_the_picture(detector: GarmentDetector) -> None:
    found = detector.detect(scene((300, 400), {0: (200, 300, 300, 400)}))
    assert found.boxes[0, 2:].tolist() == [300, 400]


def test_nothing_there(detector: GarmentDetector) -> None:
    found = detector.detect(scene(boxes={}))
    assert (found.boxes.shape, found.scores.shape, found.category_indices.shape) == (
        (0, 4),
        (0,),
        (0,),
    )


def test_what_scores_too_little_is_left_out(tmp_path: Path) -> None:
    metadata = detector_metadata(score_threshold=0.95).to_json()
    detector = GarmentDetector(write_detector(tmp_path / "strict.onnx", metadata=metadata))
    assert detector.detect(scene()).category_indices.tolist() == [0]


def test_a_category_that_is_known_to_be_there_is_found_with_a_low_score(tmp_path: Path) -> None:
    metadata = detector_metadata(score_threshold=0.95).to_json()
    detector = GarmentDetector(write_detector(tmp_path / "strict.onnx", metadata=metadata))
    found = detector.detect(scene(), "outwear")
    assert found.category_indices.tolist() == [1]
    assert found.scores.tolist() == pytest.approx([235 / 255])  # its best box, not the copies
    assert len(detector.detect(scene(), "skirt").boxes) == 0


def test_of_a_known_category_all_sure_ones_are_found(detector: GarmentDetector) -> None:
    assert detector.detect(scene(), "blouse").category_indices.tolist() == [0]
    assert detector.detect(scene(), "outwear").category_indices.tolist() == [1]


def test_a_box_too_small_for_a_crop_is_none(detector: GarmentDetector) -> None:
    small = scene((90, 90), {0: (20, 20, 23, 60)})
    assert len(detector.detect(small).boxes) == 0
    assert len(detector.detect(scene((90, 90), {0: (20, 20, 40, 60)})).boxes) == 1


def test_a_letterboxed_picture_keeps_its_shape_and_is_padded_with_gray(
    detector: GarmentDetector,
) -> None:
    shown = detector.letterbox(np.full((100, 50, 3), 7, np.uint8))
    width, height = DETECTOR_SIZE
    assert shown.shape == (height, width, 3)
    assert (shown[:, :48] == 7).all()
    assert (shown[:, 48:] == 114).all()


def test_a_thread_of_a_picture_is_letterboxed_too(detector: GarmentDetector) -> None:
    assert detector.letterbox(np.zeros((2, 2000, 3), np.uint8)).shape == (96, 96, 3)


def test_pictures_together_give_what_each_gives_alone(detector: GarmentDetector) -> None:
    pictures = [scene(), scene(boxes={}), scene((640, 320), {2: (20, 30, 300, 280)})]
    letterboxed = np.stack([detector.letterbox(image) for image in pictures])
    sizes = [(image.shape[1], image.shape[0]) for image in pictures]
    together = detector.detect_letterboxed(letterboxed, sizes, [None] * 3)
    for image, found in zip(pictures, together, strict=True):
        alone = detector.detect(image)
        assert np.array_equal(found.boxes, alone.boxes)
        assert np.array_equal(found.scores, alone.scores)
        assert np.array_equal(found.category_indices, alone.category_indices)
