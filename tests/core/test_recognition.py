"""How categories and visibilities are counted."""

import numpy as np
import pytest

from fashionkp_mm.core.garments import (
    CATEGORY_INDEX,
    CATEGORY_KEYPOINTS,
    KEYPOINT_INDEX,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.core.recognition import (
    VISIBILITY_NAMES,
    category_confusion,
    confusion_frame,
    expected_calibration_error,
    recognition,
    visibility_confusion,
)
from fashionkp_mm.core.table import KeypointTable

BLOUSE, SKIRT, TROUSERS = (CATEGORY_INDEX[name] for name in ("blouse", "skirt", "trousers"))


def skirts(*states):
    """Visibilities of skirts, each with the four states of its points in order."""
    visibility = np.full((len(states), NUM_KEYPOINTS), Visibility.ABSENT, np.int8)
    visibility[:, CATEGORY_KEYPOINTS[SKIRT]] = states
    return visibility


def test_categories_are_counted_by_label_and_prediction():
    predicted = np.array([SKIRT, SKIRT, BLOUSE, TROUSERS])
    labelled = np.array([SKIRT, SKIRT, SKIRT, BLOUSE])
    confusion = category_confusion(predicted, labelled)
    assert confusion.counts[SKIRT, SKIRT] == 2
    assert confusion.counts[SKIRT, BLOUSE] == 1
    assert confusion.counts[BLOUSE, TROUSERS] == 1
    assert confusion.total == 4
    assert confusion.accuracy == 50
    assert confusion.per_class == {"blouse": 0, "skirt": pytest.approx(200 / 3)}


def test_balanced_accuracy_gives_each_labelled_class_one_vote():
    labelled = np.array([SKIRT] * 9 + [BLOUSE])
    confusion = category_confusion(np.full(10, SKIRT), labelled)
    assert confusion.accuracy == 90
    assert confusion.balanced_accuracy == 50


def test_visibility_classes_are_named_in_the_order_of_their_index():
    assert VISIBILITY_NAMES == ("absent", "occluded", "visible")


def test_visibilities_are_counted_by_label_and_prediction():
    labelled = skirts([1, 1, 0, -1])
    predicted = skirts([1, 0, 0, 1])
    confusion = visibility_confusion(predicted, labelled, np.array([SKIRT]))
    assert confusion.counts.tolist() == [[0, 0, 1], [0, 1, 0], [0, 1, 1]]
    assert confusion.per_class == {"absent": 0, "occluded": 100, "visible": 50}


def test_points_of_other_categories_are_not_counted():
    labelled, predicted = skirts([1, 1, 1, 1]), skirts([1, 1, 1, 1])
    predicted[0, KEYPOINT_INDEX["crotch"]] = Visibility.VISIBLE
    confusion = visibility_confusion(predicted, labelled, np.array([SKIRT]))
    assert (confusion.total, confusion.accuracy) == (4, 100)


def test_an_image_without_labelled_points_is_not_counted():
    labelled = skirts([1, 1, 1, 1], [-1, -1, -1, -1])
    predicted = skirts([1, 1, 1, 1], [1, 1, 1, 1])
    confusion = visibility_confusion(predicted, labelled, np.array([SKIRT, SKIRT]))
    assert confusion.total == 4


def test_nothing_at_all_has_no_accuracy():
    confusion = category_confusion(np.empty(0, int), np.empty(0, int))
    assert np.isnan(confusion.accuracy)
    assert np.isnan(confusion.balanced_accuracy)
    assert confusion.per_class == {}
    assert confusion.to_dict()["accuracy"] is None


def test_plain_numbers_name_every_count():
    plain = category_confusion(np.array([BLOUSE, SKIRT]), np.array([SKIRT, SKIRT])).to_dict()
    assert plain["counts"]["skirt"] == {
        "blouse": 1, "outwear": 0, "dress": 0, "skirt": 1, "trousers": 0,
    }  # fmt: skip
    assert plain["accuracy"] == 50


def test_table_has_a_row_each_labelled_class():
    frame = confusion_frame(category_confusion(np.array([BLOUSE]), np.array([SKIRT])))
    assert frame.loc["skirt", "blouse"] == 1
    assert frame.loc["skirt", "found %"] == 0
    assert np.isnan(frame.loc["blouse", "found %"])


@pytest.mark.parametrize("index", [-1, 5])
def test_a_class_that_does_not_exist_is_named(index):
    with pytest.raises(ValueError, match=f"predicted category has class index {index}; .*blouse"):
        category_confusion(np.array([index]), np.array([SKIRT]))


def test_shapes_must_fit():
    with pytest.raises(ValueError, match="2 predicted and 1 labelled"):
        category_confusion(np.array([0, 1]), np.array([0]))
    with pytest.raises(ValueError, match=r"predicted visibility has shape \(1, 4\)"):
        visibility_confusion(np.ones((1, 4), int), skirts([1, 1, 1, 1]), np.array([SKIRT]))


def table(categories, visibility):
    """Predictions or labels of images called 0, 1, …, with every point somewhere."""
    count = len(categories)
    return KeypointTable(
        image_ids=tuple(map(str, range(count))),
        category_indices=np.array(categories, np.int8),
        keypoints=np.full((count, NUM_KEYPOINTS, 2), 7, np.float32),
        visibility=visibility,
        rows=np.arange(count),
    )


def test_tables_are_matched_by_image():
    answers = table([SKIRT, TROUSERS], skirts([1, 0, 1, 1], [1, 1, -1, -1]))
    predictions = table([TROUSERS, SKIRT], answers.visibility[::-1]).select(np.array([1]))
    result = recognition(answers, predictions)
    assert result.category.counts[TROUSERS, SKIRT] == result.category.total == 1
    assert result.visibility.total == 7, "the points of the labelled category"


def test_a_contest_entry_says_nothing():
    visible = np.ones((1, NUM_KEYPOINTS), np.int8)
    result = recognition(table([SKIRT], skirts([1, 0, 1, 1])), table([SKIRT], visible))
    assert (result.category, result.visibility) == (None, None)


def test_a_predicted_category_is_told_by_its_errors():
    visible = np.ones((1, NUM_KEYPOINTS), np.int8)
    result = recognition(table([SKIRT], skirts([1, 0, 1, 1])), table([BLOUSE], visible))
    assert result.category.accuracy == 0
    assert result.visibility is None


def test_scores_that_are_as_often_right_as_they_say_have_no_calibration_error() -> None:
    scores = np.repeat([0.25, 0.75], 4)
    right = np.array([1, 0, 0, 0, 1, 1, 1, 0], bool)
    assert expected_calibration_error(scores, right) == pytest.approx(0)


def test_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    # 0.95 where half is right, 0.55 where all is: gaps of 0.45 and 0.45 in bins of 2 and 1.
    scores, right = np.array([0.95, 0.95, 0.55]), np.array([True, False, True])
    assert expected_calibration_error(scores, right) == pytest.approx((0.9 + 0.45) / 3)
    # In one bin the gaps meet.
    assert expected_calibration_error(scores, right, bins=1) == pytest.approx(0.45 / 3)
    assert np.isnan(expected_calibration_error(scores[:0], right[:0]))


def test_a_score_of_one_belongs_to_the_last_bin() -> None:
    assert expected_calibration_error(np.array([1.0, 0.9]), np.array([True, True])) == (
        pytest.approx(0.05)
    )
