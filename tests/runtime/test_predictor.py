"""From pictures to garments: places, categories, batches, threads, and what is wrong with input."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from small_networks import (
    INPUT_SIZE,
    SPLIT_RATIO,
    colour_of,
    picture,
    write_pose_network,
)

from fashionkp_mm.core.boxes import refined_boxes, without_margin
from fashionkp_mm.core.garments import (
    CATEGORY_INDEX,
    CATEGORY_KEYPOINTS,
    FLIP_INDICES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.runtime import (
    BrokenImageError,
    FashionPredictor,
    Garment,
    GarmentDetector,
    Prediction,
)
from fashionkp_mm.runtime.crop import crop_geometry, cut_out

POINTS = {0: (100, 150), 1: (200, 90), 2: (180, 300)}
"""Where a picture's colours are brightest."""
SIZE = (300, 400)


@pytest.fixture(scope="module")
def predictor(pose_file: Path, detector_file: Path) -> FashionPredictor:
    return FashionPredictor(pose_file, detector=detector_file, threads=1, batch_size=4)


def random_picture(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Cones of light at random places, of random brightness."""
    rng = np.random.default_rng(seed)
    image = picture({c: tuple(rng.integers(60, min(size) - 60, 2)) for c in range(3)}, size)
    return (image * rng.uniform(0.5, 1, 3)).astype(np.uint8)


def one_pass(
    image: np.ndarray, box: np.ndarray, category: int, *, mirrored: bool = False
) -> np.ndarray:
    """The points ``(K, 2)`` that the network must find, worked out anew."""
    geometry = crop_geometry(np.array(box, np.float32)[None], INPUT_SIZE, 1.25, udp=False)
    (crop,) = cut_out([image], geometry)
    points = [
        (crop[..., colour].max(axis=0).argmax(), crop[..., colour].max(axis=1).argmax())
        for colour in (colour_of(category, k) for k in range(NUM_KEYPOINTS))
    ]
    if mirrored:
        # The first of the bins takes the last one's place, as in MMPose's flip test.
        shift = 1 - 1 / SPLIT_RATIO
        points = [(points[k][0] + shift, points[k][1]) for k in FLIP_INDICES]
    return geometry.to_image(np.array(points, np.float32)[None])[0]


def garments_of(found: Prediction | Iterable[Prediction | Garment]) -> list[Garment]:
    """The garments of one prediction, or of several, one after the other."""
    each = [found] if isinstance(found, Prediction) else found
    return [garment for one in each for garment in (one if isinstance(one, Prediction) else [one])]


def same(
    found: Prediction | Iterable[Prediction | Garment],
    expected: Prediction | Iterable[Prediction | Garment],
) -> bool:
    """Whether garments are alike, as far as float32 goes in batches of another size."""
    found, expected = garments_of(found), garments_of(expected)
    return len(found) == len(expected) and all(
        a.category == b.category
        and a.box_source == b.box_source
        and np.allclose(a.box, b.box, atol=1e-3)
        and np.allclose(a.keypoints, b.keypoints, atol=1e-3)
        and np.allclose(a.keypoint_scores, b.keypoint_scores, atol=1e-5)
        and np.array_equal(a.visibility, b.visibility)
        for a, b in zip(found, expected, strict=True)
    )


def assert_both_looks_vote(garment: Garment, image: np.ndarray) -> None:
    """Each point lies between those of the garment's crop as it is and mirrored.

    This network's points of the mirrored crop are others: it knows no left and right.
    """
    category = garment.category_index
    plain, other = (
        one_pass(image, garment.box, category, mirrored=mirrored) for mirrored in (False, True)
    )
    defined = CATEGORY_KEYPOINTS[category]
    low, high = np.minimum(plain, other) - 1e-3, np.maximum(plain, other) + 1e-3
    assert ((garment.keypoints >= low) & (garment.keypoints <= high))[defined].all()
    for one in (plain, other):
        assert not np.allclose(garment.keypoints[defined], one[defined], atol=0.1)


# --- which boxes it takes


def test_the_whole_picture(predictor: FashionPredictor) -> None:
    image = picture(POINTS)
    (garment,) = predictor.predict(image, "blouse", boxes="whole")
    assert garment.box.tolist() == [0, 0, *SIZE]
    assert (garment.box_source, garment.box_score) == ("whole", 1)
    assert garment.image_size == SIZE
    expected = one_pass(image, garment.box, CATEGORY_INDEX["blouse"])
    assert np.allclose(garment.keypoints, expected, atol=1e-3)
    pixel = 1.25 * SIZE[1] / INPUT_SIZE[1]
    for k, point in enumerate(garment.keypoints):
        assert np.abs(point - POINTS[colour_of(0, k)]).max() <= pixel


def test_refine_looks_again_around_what_it_found(predictor: FashionPredictor) -> None:
    for seed in range(5):
        image = random_picture(seed)
        (garment,) = predictor.predict(image, "dress")
        category = CATEGORY_INDEX["dress"]
        defined = CATEGORY_KEYPOINTS[[category]]
        box = np.array([0, 0, *SIZE])
        whole = one_pass(image, box, category)
        (box,) = refined_boxes(whole[None], defined, np.array([SIZE]))
        assert garment.box_source == "refine"
        assert np.allclose(garment.box, box, atol=1e-3)
        assert_both_looks_vote(garment, image)


def test_refine_leaves_out_what_is_absent(tmp_path: Path) -> None:
    # Keypoints 2, 5, 8 and so on are the red ones of a blouse.
    absent = tuple(range(2, NUM_KEYPOINTS, 3))
    network = write_pose_network(tmp_path / "absent.onnx", absent=absent)
    image = picture(POINTS)
    (garment,) = FashionPredictor(network).predict(image, "blouse")
    pixel = 1.25 * SIZE[1] / INPUT_SIZE[1]
    blue_and_green = [100, 90, 200, 150]
    assert np.abs(garment.box - blue_and_green).max() <= 2 * pixel


def test_boxes_that_are_given(predictor: FashionPredictor) -> None:
    image = picture(POINTS)
    boxes = np.array([[80, 70, 220, 320], [-10, 60, 150, 500.5]])
    garments = predictor.predict(image, "blouse", boxes)
    assert [garment.box.tolist() for garment in garments] == boxes.tolist()
    assert {garment.box_source for garment in garments} == {"given"}
    for garment, box in zip(garments, boxes, strict=True):
        assert np.allclose(garment.keypoints, one_pass(image, box, 0), atol=1e-3)


def test_boxes_for_each_of_several_pictures(predictor: FashionPredictor) -> None:
    images = [picture(POINTS), random_picture(1), random_picture(2)]
    boxes = [[[80, 70, 220, 320], [0, 0, 300, 400]], np.empty((0, 4)), [[10, 10, 200, 390]]]
    predictions = predictor.predict(images, None, boxes)
    garments = garments_of(predictions)
    assert [len(prediction) for prediction in predictions] == [2, 0, 1]
    assert [garment.image_index for garment in garments] == [0, 0, 2]
    assert [garment.box.tolist() for garment in garments] == [*boxes[0], *boxes[2]]


def test_what_is_given_is_not_kept(predictor: FashionPredictor) -> None:
    boxes = np.array([[80, 70, 220, 320]], np.float32)
    (garment,) = predictor.predict(picture(POINTS), "blouse", boxes)
    boxes[:] = 0
    assert garment.box.tolist() == [80, 70, 220, 320]


def test_a_picture_that_is_a_view_of_another(predictor: FashionPredictor) -> None:
    image = random_picture(3)
    mirrored = predictor.predict(image[:, ::-1], "blouse")
    assert same(mirrored, predictor.predict(image[:, ::-1].copy(), "blouse"))


# --- the detector


def garments_scene() -> np.ndarray:
    """A blue and a green rectangle: a blouse and an outwear."""
    image = np.zeros((400, 300, 3), np.uint8)
    image[100:260, 60:200, 0] = 255
    image[30:200, 240:290, 1] = 230
    return image


def test_the_detector_says_where_and_what(predictor: FashionPredictor, detector_file: Path) -> None:
    # A little light from all over, so that each colour is somewhere brightest in any crop.
    image = np.maximum(garments_scene(), (0.7 * picture(POINTS, SIZE, 500)).astype(np.uint8))
    found = GarmentDetector(detector_file).detect(image)
    garments = predictor.predict(image, boxes="detector")
    assert [garment.category for garment in garments] == ["blouse", "outwear"]
    assert [garment.box_score for garment in garments] == pytest.approx(found.scores.tolist())
    assert {garment.box_source for garment in garments} == {"detector"}
    tight = np.rint(without_margin(found.boxes, found.category_indices))
    for garment, detected in zip(garments, tight, strict=True):
        assert np.allclose(garment.box, detected, atol=1e-3)
        assert_both_looks_vote(garment, image)


def test_with_a_category_only_its_garments_count(predictor: FashionPredictor) -> None:
    (garment,) = predictor.predict(garments_scene(), "outwear", "detector")
    assert (garment.category, garment.box_source) == ("outwear", "detector")


def test_a_category_that_the_detector_misses_is_looked_for_without_it(
    predictor: FashionPredictor,
) -> None:
    image = garments_scene()
    found = predictor.predict(image, "skirt", "detector")
    assert found[0].box_source == "refine"
    assert same(found, predictor.predict(image, "skirt", "refine"))


def test_without_a_garment_there_is_none(predictor: FashionPredictor) -> None:
    black = np.zeros((50, 60, 3), np.uint8)
    assert predictor.predict(black, boxes="detector").garments == ()
    predictions = predictor.predict([black, garments_scene(), black], boxes="detector")
    assert [len(prediction) for prediction in predictions] == [0, 2, 0]
    assert [prediction.image_size for prediction in predictions] == [(60, 50), SIZE, (60, 50)]


# --- what it says


def test_the_category_is_the_networks_own(predictor: FashionPredictor) -> None:
    image = picture(POINTS)
    image[..., :2] = image[..., :2] * 0.6
    (garment,) = predictor.predict(image, boxes="whole")
    assert garment.category == "dress"
    assert garment.category_score == pytest.approx(float(garment.category_scores[2]))
    assert garment.category_score == garment.category_scores.max()
    expected = one_pass(image, garment.box, CATEGORY_INDEX["dress"])
    assert np.allclose(garment.keypoints, expected, atol=1e-3)


def test_a_given_category_is_looked_for(predictor: FashionPredictor) -> None:
    image = picture(POINTS)
    image[..., :2] = image[..., :2] * 0.6
    (garment,) = predictor.predict(image, "trousers", boxes="whole")
    assert garment.category == "trousers"
    assert garment.category_score == pytest.approx(float(garment.category_scores[4]))
    assert garment.category_scores.argmax() == CATEGORY_INDEX["dress"]
    expected = one_pass(image, garment.box, CATEGORY_INDEX["trousers"])
    assert np.allclose(garment.keypoints, expected, atol=1e-3)


def test_each_picture_may_have_its_category(predictor: FashionPredictor) -> None:
    images = [random_picture(seed) for seed in range(3)]
    predictions = predictor.predict(images, ["skirt", None, "blouse"])
    assert [prediction[0].category for prediction in predictions][::2] == ["skirt", "blouse"]
    assert same(predictions[1], predictor.predict(images[1]))


def test_points_that_the_category_lacks_are_absent_with_score_0(
    predictor: FashionPredictor,
) -> None:
    (garment,) = predictor.predict(picture(POINTS), "skirt", "whole")
    defined = CATEGORY_KEYPOINTS[CATEGORY_INDEX["skirt"]]
    assert np.array_equal(garment.keypoint_scores > 0, defined)
    assert (garment.visibility[~defined] == Visibility.ABSENT).all()


def test_visibility_has_three_states(tmp_path: Path) -> None:
    network = write_pose_network(tmp_path / "states.onnx", absent=(0,), occluded=(1,))
    (garment,) = FashionPredictor(network).predict(picture(POINTS), "blouse", "whole")
    assert garment.visibility.dtype == np.int8
    assert garment.visibility[:3].tolist() == [-1, 0, 1]


def test_the_score_counts_how_surely_a_point_is_there(tmp_path: Path) -> None:
    network = write_pose_network(tmp_path / "states.onnx", absent=(0,))
    image = picture(dict.fromkeys(range(3), (150, 200)))
    (garment,) = FashionPredictor(network).predict(image, "blouse", "whole")
    visible = np.exp(4) / (np.exp(4) + 2)
    unsure = (1 - visible) / 2
    ratio = garment.keypoint_scores[0] / garment.keypoint_scores[1]
    assert ratio == pytest.approx((1 - visible) / (1 - unsure), rel=1e-4)


# --- the mirrored pass


def test_flip_test_averages_both_looks(pose_file: Path) -> None:
    image = random_picture(7)
    (garment,) = FashionPredictor(pose_file, flip_test=True).predict(image, "blouse", "whole")
    geometry = crop_geometry(garment.box[None], INPUT_SIZE, 1.25, udp=False)
    (crop,) = cut_out([image], geometry) / np.float32(255)
    for k in range(NUM_KEYPOINTS):
        own = crop[..., colour_of(0, k)]
        # The mirrored pass sees the other side's colour; mirrored back, with the vectors' bins.
        other = crop[..., colour_of(0, FLIP_INDICES[k])]
        bins = np.repeat(own.max(axis=0), SPLIT_RATIO) * np.tile([1, 0.5], INPUT_SIZE[0])
        back = np.repeat(other.max(axis=0)[::-1], SPLIT_RATIO) * np.tile([1, 0.5], INPUT_SIZE[0])
        x = (bins + back[::-1]).argmax() / SPLIT_RATIO
        y = (own.max(axis=1) + other.max(axis=1)).argmax()
        expected = geometry.to_image(np.array([[[x, y]]], np.float32))[0, 0]
        assert np.allclose(garment.keypoints[k], expected, atol=1e-3)


def test_both_looks_are_for_one_category(pose_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Left to themselves, the plain pass chooses a blouse and the mirrored one an outwear.
    predictor = FashionPredictor(pose_file, flip_test=True)
    network = predictor._network
    run = network._run
    asked = []

    def biased(crops: np.ndarray, categories: np.ndarray) -> Any:
        asked.append(categories.tolist())
        outputs = run(crops, categories)
        if len(asked) == 1:
            outputs["category_scores"] = np.array(
                [[0.6, 0.4, 0, 0, 0], [0.1, 0.9, 0, 0, 0]], np.float32
            )
        return outputs

    monkeypatch.setattr(network, "_run", biased)
    (garment,) = predictor.predict(picture(POINTS), boxes="whole")
    assert asked == [[-1, -1], [CATEGORY_INDEX["outwear"]]]
    assert garment.category == "outwear"


# --- files and batches


def save(image: np.ndarray, path: Path) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def test_all_kinds_of_pictures_give_the_same(predictor: FashionPredictor, tmp_path: Path) -> None:
    image = random_picture(1)
    path = save(image, tmp_path / "a.png")
    expected = predictor.predict(image)
    pillow = Image.fromarray(image[..., ::-1].copy())
    kinds = (path, str(path), path.read_bytes(), pillow, pillow.convert("RGBA"), Image.open(path))
    for given in kinds:
        assert same(predictor.predict(given), expected)
        (prediction,) = predictor.predict([given])
        assert same(prediction, expected)
    assert same(predictor.predict(image[..., ::-1], channel_order="rgb"), expected)
    assert not same(predictor.predict(image[..., ::-1]), expected)


@pytest.mark.parametrize("suffix", ["png", "tiff", "jpg"])
def test_a_pillow_image_and_bytes_are_turned_as_they_are_shown(
    predictor: FashionPredictor, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"turned.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    Image.fromarray(picture(POINTS)[..., ::-1].copy()).save(path, exif=exif)
    expected = predictor.predict(path, "blouse", "whole")
    assert expected.image_size == SIZE[::-1]
    with Image.open(path) as pillow:
        assert same(predictor.predict(path.read_bytes(), "blouse", "whole"), expected)
        if suffix != "jpg":  # which Pillow's decoder and ours round in two ways
            assert same(predictor.predict(pillow, "blouse", "whole"), expected)
        assert predictor.predict(pillow, "blouse", "whole").image_size == SIZE[::-1]


def test_an_order_of_channels_that_does_not_exist(predictor: FashionPredictor) -> None:
    with pytest.raises(ValueError, match="channel_order is 'RGB', expected 'bgr' or 'rgb'"):
        predictor.predict(random_picture(1), channel_order="RGB")


def test_a_garment_knows_its_picture(predictor: FashionPredictor, tmp_path: Path) -> None:
    image = random_picture(1, (200, 350))
    path = save(image, tmp_path / "a.png")
    garments = garments_of(predictor.predict([image, path]))
    assert [garment.image_id for garment in garments] == [None, str(path)]
    assert [garment.image_index for garment in garments] == [0, 1]
    assert [garment.image_size for garment in garments] == [(200, 350)] * 2


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_a_picture_is_taken_as_it_is_shown(
    predictor: FashionPredictor, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"turned.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    stored = Image.fromarray(picture(POINTS)[..., ::-1].copy())
    stored.save(path, exif=exif, **({} if suffix == "png" else {"quality": 95}))
    (garment,) = predictor.predict(path, "blouse", "whole")
    width, height = SIZE
    assert garment.image_size == (height, width)
    x, y = POINTS[0]
    pixel = 1.25 * height / INPUT_SIZE[0]
    assert np.abs(garment.keypoints[0] - (height - 1 - y, x)).max() <= pixel


@pytest.mark.parametrize("boxes", ["whole", "refine", "detector"])
@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_batches_change_nothing(
    pose_file: Path, detector_file: Path, batch_size: int, boxes: Any
) -> None:
    images = [random_picture(seed, (200 + 20 * seed, 300)) for seed in range(7)]
    images.insert(2, garments_scene())
    batched = FashionPredictor(pose_file, detector=detector_file, batch_size=batch_size)
    expected = [batched.predict(image, boxes=boxes) for image in images]
    assert same(batched.predict(images, boxes=boxes), expected)


def test_more_boxes_than_a_batch_holds(predictor: FashionPredictor) -> None:
    image = random_picture(2)
    boxes = np.random.default_rng(0).uniform((0, 0, 150, 200), (100, 150, 300, 400), (11, 4))
    together = predictor.predict(image, "dress", boxes)
    assert same(together, [predictor.predict(image, "dress", box[None])[0] for box in boxes])


def test_nothing_to_predict(predictor: FashionPredictor) -> None:
    assert predictor.predict([]) == []
    assert predictor.predict(picture(POINTS), boxes=np.empty((0, 4))).garments == ()


def test_many_threads_share_a_predictor(pose_file: Path, tmp_path: Path) -> None:
    predictor = FashionPredictor(pose_file, batch_size=3)
    images = [random_picture(seed) for seed in range(6)]
    jobs = [
        [save(image, tmp_path / f"{seed}.png"), image, images] for seed, image in enumerate(images)
    ]
    given = [picture for job in jobs for picture in job] * 4
    expected = [predictor.predict(one) for one in given]
    with ThreadPoolExecutor(8) as pool:
        for found, alone in zip(pool.map(predictor.predict, given), expected, strict=True):
            assert same(found, alone)


def test_predicting_changes_neither_predictor_nor_picture(predictor: FashionPredictor) -> None:
    image = random_picture(4)
    before, state = image.copy(), dict(vars(predictor))
    first = predictor.predict(image)
    assert np.array_equal(image, before)
    assert vars(predictor) == state
    predictor.predict([random_picture(5)] * 9, "skirt", "whole")
    assert same(predictor.predict(image), first)


# --- streams


def test_a_stream_goes_on_after_a_broken_picture(
    predictor: FashionPredictor, tmp_path: Path
) -> None:
    paths = [save(random_picture(seed), tmp_path / f"{seed}.png") for seed in range(11)]
    paths[3].write_bytes(paths[3].read_bytes()[:200])
    paths[8].unlink()
    found = list(predictor.stream(iter(paths), boxes="whole"))
    assert [prediction.image_id for prediction in found] == [str(path) for path in paths]
    assert [prediction.index for prediction in found] == list(range(11))
    for index, (path, prediction) in enumerate(zip(paths, found, strict=True)):
        if index in (3, 8):
            assert isinstance(prediction.error, BrokenImageError)
            assert str(path) in str(prediction.error)
            assert (prediction.garments, prediction.image_size) == ((), None)
        else:
            assert prediction.error is None
            assert same(prediction, predictor.predict(path, boxes="whole"))


def test_a_stream_takes_categories_and_boxes_in_turn(predictor: FashionPredictor) -> None:
    images = [random_picture(seed) for seed in range(6)]
    names = ["skirt", "blouse"] * 3
    boxes = ([[10 * index, 0, 300, 400]] for index in range(6))
    found = list(predictor.stream(iter(images), iter(names), boxes))
    assert [prediction[0].category for prediction in found] == names
    assert [prediction[0].box[0] for prediction in found] == [0, 10, 20, 30, 40, 50]


def test_a_stream_that_runs_short_of_categories(predictor: FashionPredictor) -> None:
    stream = predictor.stream([random_picture(0)] * 3, iter(["skirt"]))
    with pytest.raises(ValueError, match="no category or no boxes for image 1"):
        list(stream)


def test_a_stream_without_end_is_pulled_as_it_is_used(predictor: FashionPredictor) -> None:
    pulled = 0

    def endless() -> Any:
        nonlocal pulled
        while True:
            pulled += 1
            yield random_picture(0)

    stream = predictor.stream(endless(), boxes="whole")
    next(stream)
    stream.close()
    assert pulled <= 8  # two batches of four


# --- what is wrong with input


def test_a_category_that_does_not_exist(predictor: FashionPredictor) -> None:
    with pytest.raises(ValueError, match=r"no category 'hat' \(image 0\); expected one of blouse"):
        predictor.predict(picture(POINTS), "hat")
    with pytest.raises(ValueError, match=r"no category 'Skirt' \(image 1\)"):
        predictor.predict([picture(POINTS)] * 2, ["skirt", "Skirt"])
    with pytest.raises(ValueError, match="no category 3"):
        predictor.predict(picture(POINTS), 3)


def test_as_many_categories_and_boxes_as_pictures(predictor: FashionPredictor) -> None:
    images = [picture(POINTS)] * 3
    with pytest.raises(ValueError, match="2 categories for 3 images"):
        predictor.predict(images, ["skirt", "dress"])
    with pytest.raises(ValueError, match="1 arrays of boxes for 3 images"):
        predictor.predict(images, None, np.array([[1, 2, 3, 4]]))


def test_boxes_of_an_unknown_kind(predictor: FashionPredictor, pose_file: Path) -> None:
    with pytest.raises(ValueError, match="no boxes 'label'; expected one of whole, refine"):
        predictor.predict(picture(POINTS), boxes="label")
    with pytest.raises(ValueError, match="boxes is 'detector', but this predictor has none"):
        FashionPredictor(pose_file).predict(picture(POINTS), boxes="detector")


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ([50, 50, 50, 90], "is empty or inverted"),
        ([50, 50, 90, 50], "is empty or inverted"),
        ([90, 50, 50, 90], "is empty or inverted"),
        ([np.nan, 5, 50, 90], "is not finite"),
        ([0, 5, np.inf, 90], "is not finite"),
        ([300, 5, 350, 90], "lies outside"),
        ([-50, 5, 0, 90], "lies outside"),
        ([5, 400, 50, 490], "lies outside"),
        ([5, -40, 50, -1], "lies outside"),
    ],
)
def test_a_box_that_is_none(predictor: FashionPredictor, box: list[float], said: str) -> None:
    boxes = np.array([[1, 1, 50, 50], box])
    with pytest.raises(ValueError) as caught:
        predictor.predict([picture(POINTS), picture(POINTS)], None, [boxes[:1], boxes])
    assert "box 1 of image 1" in str(caught.value)
    assert said in str(caught.value)
    assert "picture of 300x400 pixels" in str(caught.value)


@pytest.mark.parametrize("boxes", [[1, 2, 3, 4], np.zeros((2, 5)), [[1, 2], [3]], [["a"] * 4], 7])
def test_boxes_of_another_shape(predictor: FashionPredictor, boxes: Any) -> None:
    with pytest.raises(ValueError, match=r"the boxes of image 0 are .*expected an array \(M, 4\)"):
        predictor.predict(picture(POINTS), None, boxes)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((20, 30), np.uint8),
        np.zeros((20, 30, 4), np.uint8),
        np.zeros((20, 30, 3), np.float32),
        np.zeros((0, 30, 3), np.uint8),
        np.zeros((2, 20, 30, 3), np.uint8),
    ],
)
def test_an_array_that_is_no_picture(predictor: FashionPredictor, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"image 1 is an array \(.*expected \(height, width, 3\)"):
        predictor.predict([picture(POINTS), image])


def test_something_that_is_no_picture(predictor: FashionPredictor) -> None:
    for thing in (None, 7, {"a.jpg"}):
        with pytest.raises(ValueError, match=r"image 0 is .*expected an array"):
            predictor.predict(thing)


def test_a_broken_file(predictor: FashionPredictor, tmp_path: Path) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"no picture")
    for given in (path, path.read_bytes()):
        with pytest.raises(BrokenImageError, match="not an image"):
            predictor.predict([random_picture(0), given])


def test_a_decompression_bomb(predictor: FashionPredictor, tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (20000, 20000)).save(path)
    for given in (path, path.read_bytes()):
        (prediction,) = predictor.stream([given])
        assert isinstance(prediction.error, BrokenImageError)
        assert "too large" in str(prediction.error)


def test_a_batch_holds_something(pose_file: Path) -> None:
    with pytest.raises(ValueError, match="batch_size is 0"):
        FashionPredictor(pose_file, batch_size=0)


# --- what it takes


def test_importing_the_runtime_imports_nothing_heavy() -> None:
    heavy = ["torch", "torchvision", "mmpose", "mmcv", "mmengine", "pandas", "matplotlib", "onnx"]
    code = (
        "import sys, fashionkp_mm.runtime;"
        f"print(*[name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_predicting_imports_nothing_heavy(pose_file: Path, tmp_path: Path) -> None:
    path = save(random_picture(0), tmp_path / "a.png")
    code = (
        "import sys; from fashionkp_mm.runtime import FashionPredictor;"
        f"FashionPredictor({str(pose_file)!r}).predict({str(path)!r});"
        "print(*[name for name in ('torch', 'mmpose', 'mmcv', 'mmengine') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []
