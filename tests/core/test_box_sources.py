"""Which boxes a pass takes, which detections count, how many passes there are, which vote."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from fashionkp_mm.core.box_sources import (
    BOX_SOURCES,
    MAX_GARMENTS,
    MIN_GIVEN_SCORE,
    PASSES,
    Detections,
    StartBoxes,
    further_passes,
    select_detections,
)
from fashionkp_mm.core.boxes import without_margin
from fashionkp_mm.core.garments import (
    CATEGORY_KEYPOINTS,
    NUM_KEYPOINTS,
    UNKNOWN_CATEGORY,
    Visibility,
)

SIZE = (300, 400)
BLOUSE, OUTWEAR, DRESS = 0, 1, 2
NOTHING = Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.intp))


def select(*candidates: tuple, wanted: int | None = None) -> list[tuple[int, float]]:
    """Categories and scores of what is chosen from ``(box, score, category)``."""
    boxes, scores, categories = zip(*candidates, strict=True) if candidates else ((), (), ())
    found = select_detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        np.array(categories, np.intp),
        SIZE,
        wanted=wanted,
        score_threshold=0.3,
        iou_threshold=0.5,
    )
    return [
        (int(category), round(float(score), 3))
        for category, score in zip(found.category_indices, found.scores, strict=True)
    ]


# --- which detections count


def test_no_more_garments_than_a_picture_can_show() -> None:
    corners = [(x, y) for y in range(0, 390, 10) for x in range(0, 290, 10)]
    boxes = [((x, y, x + 9, y + 9), 0.4 + 1e-4 * n, DRESS) for n, (x, y) in enumerate(corners)]

    found = select(*boxes)

    assert len(boxes) > 1000
    best = [score for _, score, _ in boxes[: -MAX_GARMENTS - 1 : -1]]
    assert [score for _, score in found] == pytest.approx(best, abs=1e-3)


def test_all_sure_garments_count_best_first() -> None:
    found = select(
        ((10, 10, 100, 100), 0.4, BLOUSE),
        ((150, 10, 250, 100), 0.9, OUTWEAR),
        ((150, 210, 250, 300), 0.3, DRESS),
    )
    assert found == [(OUTWEAR, 0.9), (BLOUSE, 0.4)]


def test_a_worse_box_of_the_same_garment_does_not_count() -> None:
    found = select(((10, 10, 100, 100), 0.4, BLOUSE), ((12, 10, 100, 100), 0.5, BLOUSE))
    assert found == [(BLOUSE, 0.5)]


def test_of_a_wanted_category_its_sure_garments_count() -> None:
    found = select(
        ((10, 10, 100, 100), 0.4, BLOUSE),
        ((150, 10, 250, 100), 0.9, OUTWEAR),
        ((150, 210, 250, 300), 0.7, BLOUSE),
        ((20, 210, 90, 300), 0.2, BLOUSE),
        wanted=BLOUSE,
    )
    assert found == [(BLOUSE, 0.7), (BLOUSE, 0.4)]


def test_of_a_wanted_category_the_best_unsure_one_counts() -> None:
    candidates = [
        ((10, 10, 100, 100), 0.1, BLOUSE),
        ((150, 210, 250, 300), 0.2, BLOUSE),
        ((150, 10, 250, 100), 0.9, OUTWEAR),
    ]
    assert select(*candidates, wanted=BLOUSE) == [(BLOUSE, 0.2)]
    assert select(((10, 10, 100, 100), MIN_GIVEN_SCORE, BLOUSE), wanted=BLOUSE) == []
    assert select(*candidates, wanted=DRESS) == []


def test_a_box_counts_as_far_as_it_lies_in_the_picture() -> None:
    found = select_detections(
        np.array([[-50, 200, 500, 900]], np.float64),
        np.array([0.9], np.float32),
        np.array([BLOUSE]),
        SIZE,
        wanted=None,
        score_threshold=0.3,
        iou_threshold=0.5,
    )
    assert found.boxes.tolist() == [[0, 200, 300, 400]]
    assert found.boxes.dtype == np.float32


def test_a_box_too_small_for_a_crop_does_not_count() -> None:
    assert select(((10, 10, 13, 100), 0.9, BLOUSE), ((298, 10, 900, 100), 0.9, BLOUSE)) == []
    # The garment is wider than its points.
    assert select(((10, 10, 14, 100), 0.9, BLOUSE)) == []


# --- the boxes of the first pass


def test_detected_boxes_lie_around_the_points_on_whole_pixels() -> None:
    detections = Detections(
        np.array([[10.2, 20.3, 210.4, 330.1]], np.float32), np.float32([0.8]), np.array([DRESS])
    )
    start = StartBoxes.detected(detections, SIZE, None)
    assert (start.source, start.category_indices.tolist()) == ("detector", [DRESS])
    assert start.scores.tolist() == pytest.approx([0.8])
    tight = without_margin(detections.boxes, detections.category_indices)
    assert np.abs(start.boxes - tight).max() <= 0.5
    assert (start.boxes == np.rint(start.boxes)).all()


def test_a_garment_that_is_known_to_be_there_is_looked_for_all_over() -> None:
    start = StartBoxes.detected(NOTHING, SIZE, DRESS)
    assert start.source == "refine"
    assert start.boxes.tolist() == [[0, 0, *SIZE]]
    assert start.category_indices.tolist() == [DRESS]


def test_where_nobody_says_that_there_is_a_garment_there_is_none() -> None:
    start = StartBoxes.detected(NOTHING, SIZE, None)
    assert (start.source, len(start.boxes), len(start.scores)) == ("detector", 0, 0)


def test_without_a_category_the_network_chooses() -> None:
    assert StartBoxes.whole(SIZE, None).category_indices.tolist() == [UNKNOWN_CATEGORY]


# --- how often, and which passes vote


@dataclass(frozen=True)
class Found:
    keypoints: np.ndarray
    keypoint_scores: np.ndarray
    visibility: np.ndarray
    category_indices: np.ndarray


def found(x: float, category: int = BLOUSE) -> Found:
    """Points on the diagonal, 10 pixels apart, from ``x, x`` on."""
    steps = x + np.arange(NUM_KEYPOINTS, dtype=np.float32)[None, :, None] * 10
    return Found(
        np.repeat(steps, 2, axis=2),
        np.ones((1, NUM_KEYPOINTS), np.float32),
        np.full((1, NUM_KEYPOINTS), Visibility.VISIBLE, np.int8),
        np.array([category]),
    )


def passes(
    source: str, first: Found, *later: Found, mirror: bool = True
) -> tuple[list, np.ndarray, Found, np.ndarray]:
    """The boxes that the later passes were given, mirrored or not, and what comes of it all."""
    asked: list[tuple[list[list[float]], bool]] = []
    answers = iter(later)

    def run_pass(boxes: np.ndarray, mirrored: bool) -> Found:
        asked.append((boxes.tolist(), mirrored))
        return next(answers)

    fused = further_passes(
        source,
        np.array([[0, 0, *SIZE]], np.float32),
        first,
        np.array([SIZE]),
        run_pass,
        mirror=mirror,
    )
    assert next(answers, None) is None, "fewer passes than answers"
    return asked, fused.boxes, fused.last, fused.keypoints


def enclosed(result: Found, category: int) -> list[float]:
    points = result.keypoints[0][CATEGORY_KEYPOINTS[category]]
    return [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]


@pytest.mark.parametrize("source", ["whole", "given"])
def test_one_pass_is_all(source: str) -> None:
    asked, boxes, last, keypoints = passes(source, found(10))
    assert asked == []
    assert boxes.tolist() == [[0, 0, *SIZE]]
    assert keypoints is last.keypoints


def test_refine_looks_twice_around_the_points_and_these_looks_vote() -> None:
    first, second, third = found(10), found(20), found(40)
    asked, boxes, last, keypoints = passes("refine", first, second, third)
    around = [enclosed(first, 0)]
    assert asked == [(around, False), (around, True)]
    assert boxes.tolist() == around
    assert last is third
    assert keypoints[0, 0].tolist() == [30, 30]


def test_where_passes_are_averaged_with_their_mirror_each_looks_around_the_last_points() -> None:
    first, second, third = found(10), found(20), found(40)
    asked, boxes, last, keypoints = passes("refine", first, second, third, mirror=False)
    assert asked == [([enclosed(first, 0)], False), ([enclosed(second, 0)], False)]
    assert boxes.tolist() == [enclosed(second, 0)]
    assert last is third
    assert keypoints[0, 0].tolist() == [30, 30]


def test_a_fast_look_is_the_only_one() -> None:
    first = found(20, DRESS)
    asked, _, last, keypoints = passes("fast", first)
    assert asked == []
    assert last is first
    np.testing.assert_array_equal(keypoints, first.keypoints)


def test_a_detectors_box_is_looked_at_twice_and_both_looks_vote() -> None:
    first, second = found(20), found(40)
    asked, boxes, last, keypoints = passes("detector", first, second)
    assert asked == [([[0, 0, *SIZE]], True)]
    assert boxes.tolist() == [[0, 0, *SIZE]]
    assert last is second
    assert keypoints[0, 0].tolist() == [30, 30]
    asked, *_ = passes("detector", first, second, mirror=False)
    assert asked == [([enclosed(first, 0)], False)]


def test_a_pass_for_another_category_has_no_vote() -> None:
    keypoints = passes("detector", found(20, DRESS), found(40, BLOUSE))[-1]
    assert keypoints[0, 0].tolist() == [40, 40]


def test_absent_points_are_not_enclosed() -> None:
    first = found(20)
    (present,) = np.nonzero(CATEGORY_KEYPOINTS[BLOUSE])
    visibility = np.full((1, NUM_KEYPOINTS), Visibility.ABSENT, np.int8)
    visibility[0, present[2:6]] = Visibility.OCCLUDED
    asked = passes("refine", replace(first, visibility=visibility), found(40), found(40))[0]
    points = first.keypoints[0, present[2:6]]
    assert asked[0][0] == [[*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]]


def test_a_network_that_knows_no_categories_has_all_points_enclosed() -> None:
    first = found(20, UNKNOWN_CATEGORY)
    later = found(40, UNKNOWN_CATEGORY)
    asked = passes("refine", first, later, later)[0]
    furthest = 20 + 10 * (NUM_KEYPOINTS - 1)
    assert asked[0][0] == [[20, 20, furthest, furthest]]


def test_every_source_says_how_often_it_looks() -> None:
    assert {*BOX_SOURCES, "given"} == set(PASSES)
