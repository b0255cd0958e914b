"""Tests of the normalized error, against the contest's example and a plain implementation."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fashionkp_mm.core.csv_format import read_labels, read_predictions
from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_INDEX,
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    FLIP_INDICES,
    KEYPOINT_INDEX,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
)
from fashionkp_mm.core.normalized_error import (
    MissingPredictionsError,
    evaluate,
    image_errors,
    missing_predictions,
    normalized_error,
    normalizers,
    point_errors,
    score_frame,
)
from fashionkp_mm.core.table import KeypointTable

TROUSERS = CATEGORIES["trousers"].keypoints
EXAMPLE_ANSWERS = (
    "430_284_0,713_303_0,560_537_1,560_626_1,361_588_1,573_622_1,-1_-1_-1",
    "359_301_1,464_297_1,417_403_1,340_669_1,308_658_1,456_713_1,491_714_1",
)
EXAMPLE_PREDICTIONS = (
    "430_294_0,713_323_0,560_567_1,560_666_1,361_638_1,573_682_1,123_345_1",
    "359_311_1,464_317_1,417_433_1,340_709_1,308_708_1,456_773_1,491_784_1",
)


def trousers(rows: tuple[str, ...]) -> KeypointTable:
    """A table of trousers from cells in the order of their keypoints."""
    keypoints = np.full((len(rows), NUM_KEYPOINTS, 2), -1, np.float32)
    visibility = np.full((len(rows), NUM_KEYPOINTS), -1, np.int8)
    for i, row in enumerate(rows):
        for name, cell in zip(TROUSERS, row.split(","), strict=True):
            x, y, v = map(int, cell.split("_"))
            keypoints[i, KEYPOINT_INDEX[name]] = x, y
            visibility[i, KEYPOINT_INDEX[name]] = v
    return KeypointTable(
        image_ids=tuple(f"Images/trousers/{i}.jpg" for i in range(len(rows))),
        category_indices=np.full(len(rows), CATEGORY_INDEX["trousers"], np.int8),
        keypoints=keypoints,
        visibility=visibility,
        rows=np.arange(len(rows)),
    )


def random_labels(seed: int, count: int = 40) -> tuple[KeypointTable, NDArray[np.float64]]:
    """Labels of all categories, with absent normalisers among them, and predictions."""
    rng = np.random.default_rng(seed)
    categories = rng.integers(0, len(CATEGORY_NAMES), count).astype(np.int8)
    visibility = rng.choice(
        np.array([-1, 0, 1], np.int8), (count, NUM_KEYPOINTS), p=[0.2, 0.2, 0.6]
    )
    visibility[~CATEGORY_KEYPOINTS[categories]] = -1
    keypoints = rng.integers(0, 512, (count, NUM_KEYPOINTS, 2)).astype(np.float32)
    keypoints[visibility == -1] = -1
    table = KeypointTable(
        tuple(str(i) for i in range(count)), categories, keypoints, visibility, np.arange(count)
    )
    return table, keypoints + rng.normal(0, 20, keypoints.shape)


def plain_normalized_error(
    table: KeypointTable, predictions: NDArray[np.float64], rule: str, scored: str
) -> tuple[dict[str, tuple[float, int]], int]:
    """NE in plain Python: sums and counts by 'all', category and keypoint; skipped images."""
    errors: dict[str, list[float]] = {}
    skipped = 0
    for i, category in enumerate(table.category_indices):
        name = CATEGORY_NAMES[category]
        first, second = (KEYPOINT_INDEX[point] for point in CATEGORIES[name].normalizer)
        unit = math.dist(table.keypoints[i, first], table.keypoints[i, second])
        absent = -1 in (table.visibility[i, first], table.visibility[i, second])
        if unit < 10 if rule == "server" else absent or unit == 0:
            skipped += 1
            continue
        for k, point in enumerate(KEYPOINT_NAMES):
            v = table.visibility[i, k]
            if v == 1 or (v == 0 and scored == "labelled"):
                error = math.dist(predictions[i, k], table.keypoints[i, k]) / unit
                for group in ("all", name, point):
                    errors.setdefault(group, []).append(error)
    return {key: (100 * sum(e) / len(e), len(e)) for key, e in errors.items()}, skipped


def score(table: KeypointTable, predictions: Any, **options: Any) -> Any:
    return normalized_error(
        predictions, table.keypoints, table.visibility, table.category_indices, **options
    )


class TestWorkedExample:
    def test_of_the_contest(self) -> None:
        result = evaluate(trousers(EXAMPLE_ANSWERS), trousers(EXAMPLE_PREDICTIONS))
        assert round(result.value, 3) == 29.994
        assert (result.points, result.images, result.skipped_images) == (11, 2, 0)

    def test_its_normalisers(self) -> None:
        table = trousers(EXAMPLE_ANSWERS)
        units = normalizers(table.keypoints, table.visibility, table.category_indices)
        assert units.round(2).tolist() == [283.64, 105.08]

    def test_by_hand(self) -> None:
        # Vertical offsets of the visible points: answers 1, then answers 2.
        first = sum([30, 40, 50, 60]) / math.hypot(283, 19)
        second = sum([10, 20, 30, 40, 50, 60, 70]) / math.hypot(105, 4)
        result = evaluate(trousers(EXAMPLE_ANSWERS), trousers(EXAMPLE_PREDICTIONS))
        assert result.value == pytest.approx(100 * (first + second) / 11, rel=1e-12)

    def test_occluded_points_on_demand(self) -> None:
        result = evaluate(
            trousers(EXAMPLE_ANSWERS), trousers(EXAMPLE_PREDICTIONS), scored_points="labelled"
        )
        first = sum([10, 20, 30, 40, 50, 60]) / math.hypot(283, 19)
        second = sum([10, 20, 30, 40, 50, 60, 70]) / math.hypot(105, 4)
        assert result.points == 13
        assert result.value == pytest.approx(100 * (first + second) / 13, rel=1e-12)


@pytest.mark.parametrize("rule", ["skip", "server"])
@pytest.mark.parametrize("scored", ["visible", "labelled"])
@pytest.mark.parametrize("seed", range(4))
def test_plain_python_gets_the_same(seed: int, scored: str, rule: str) -> None:
    table, predictions = random_labels(seed)
    expected, skipped = plain_normalized_error(table, predictions, rule, scored)
    result = score(table, predictions, missing_normalizer=rule, scored_points=scored)
    assert result.skipped_images == skipped
    found = {
        "all": (result.value, result.points),
        **{name: (s.value, s.points) for name, s in result.per_category.items() if s.points},
        **{name: (s.value, s.points) for name, s in result.per_keypoint.items()},
    }
    assert found.keys() == expected.keys()
    for key, (value, points) in expected.items():
        assert found[key][0] == pytest.approx(value, rel=1e-9)
        assert found[key][1] == points


def test_groups_pool_to_the_whole() -> None:
    table, predictions = random_labels(7)
    result = score(table, predictions)
    for groups in (result.per_category, result.per_keypoint):
        assert sum(group.points for group in groups.values()) == result.points
        total = sum(group.value * group.points for group in groups.values() if group.points)
        assert total / result.points == pytest.approx(result.value, rel=1e-12)


class TestNormalisers:
    def labels(self, cell: str) -> KeypointTable:
        rest = ",".join(["50_50_1"] * 5)
        return trousers((f"{cell},100_0_1,{rest}",))

    def units(self, table: KeypointTable, rule: Any) -> float:
        arrays = table.keypoints, table.visibility, table.category_indices
        return float(normalizers(*arrays, rule)[0])

    def test_an_occluded_point_serves(self) -> None:
        assert self.units(self.labels("0_0_0"), "skip") == 100

    def test_skip_leaves_out_what_is_absent(self) -> None:
        assert math.isnan(self.units(self.labels("-1_-1_-1"), "skip"))

    def test_server_takes_the_raw_distance(self) -> None:
        table = self.labels("-1_-1_-1")
        assert self.units(table, "server") == pytest.approx(math.hypot(101, 1))

    @pytest.mark.parametrize(("x", "scored"), [(89, True), (90, True), (91, False), (100, False)])
    def test_server_leaves_out_what_is_below_ten_pixels(self, x: int, scored: bool) -> None:
        assert math.isnan(self.units(self.labels(f"{x}_0_1"), "server")) != scored

    def test_skip_keeps_small_ones_but_not_zero(self) -> None:
        assert self.units(self.labels("99_0_1"), "skip") == 1
        assert math.isnan(self.units(self.labels("100_0_1"), "skip"))

    def test_given_ones_are_used(self) -> None:
        table, predictions = random_labels(3)
        units = normalizers(table.keypoints, table.visibility, table.category_indices)
        halved = score(table, predictions, normalizer=units / 2)
        assert halved.value == pytest.approx(2 * score(table, predictions).value)


class TestMissingPredictions:
    def test_are_an_error_that_names_the_images(self) -> None:
        answers = trousers(EXAMPLE_ANSWERS * 4)
        predictions = trousers(EXAMPLE_PREDICTIONS)
        with pytest.raises(MissingPredictionsError) as caught:
            evaluate(answers, predictions)
        assert caught.value.missing.image_ids == answers.image_ids[2:]
        assert "no prediction for 6 labelled images: Images/trousers/2.jpg" in str(caught.value)
        assert "and 1 more" in str(caught.value)
        assert missing_predictions(answers, predictions) == caught.value.missing
        assert caught.value.missing.points == {}

    def test_count_as_an_error_of_1_per_scored_point(self) -> None:
        answers = trousers(EXAMPLE_ANSWERS)
        predictions = trousers(EXAMPLE_PREDICTIONS).select(np.array([1]))
        result = evaluate(answers, predictions, missing_predictions="count")
        second = sum([10, 20, 30, 40, 50, 60, 70]) / math.hypot(105, 4)
        assert (result.points, result.images) == (11, 2)
        assert result.value == pytest.approx(100 * (4 + second) / 11)

    def test_or_are_skipped(self) -> None:
        answers = trousers(EXAMPLE_ANSWERS)
        predictions = trousers(EXAMPLE_PREDICTIONS).select(np.array([1]))
        result = evaluate(answers, predictions, missing_predictions="skip")
        second = sum([10, 20, 30, 40, 50, 60, 70]) / math.hypot(105, 4)
        assert (result.points, result.images) == (7, 1)
        assert result.value == pytest.approx(100 * second / 7)

    def without_crotch(self) -> KeypointTable:
        """Predictions whose first image has no place for the crotch."""
        predictions = trousers(EXAMPLE_PREDICTIONS)
        crotch = KEYPOINT_INDEX["crotch"]
        predictions.keypoints[0, crotch] = predictions.visibility[0, crotch] = -1
        return predictions

    def test_a_point_without_a_place_is_an_error_that_names_it(self) -> None:
        with pytest.raises(MissingPredictionsError) as caught:
            evaluate(trousers(EXAMPLE_ANSWERS), self.without_crotch())
        assert caught.value.missing.image_ids == ()
        assert caught.value.missing.points == {"Images/trousers/0.jpg": ("crotch",)}
        assert "1 points of 1 images: Images/trousers/0.jpg (crotch)" in str(caught.value)

    def test_a_point_without_a_place_counts_as_an_error_of_1(self) -> None:
        answers = trousers(EXAMPLE_ANSWERS)
        result = evaluate(answers, self.without_crotch(), missing_predictions="count")
        assert result.points == 11
        crotch = 100 * (1 + 30 / math.hypot(105, 4)) / 2
        assert result.per_keypoint["crotch"].value == pytest.approx(crotch)

    def test_a_point_without_a_place_is_skipped(self) -> None:
        answers = trousers(EXAMPLE_ANSWERS)
        result = evaluate(answers, self.without_crotch(), missing_predictions="skip")
        assert (result.points, result.images) == (10, 2)
        assert result.per_keypoint["crotch"].value == pytest.approx(3000 / math.hypot(105, 4))

    @pytest.mark.parametrize("rule", ["error", "count"])
    def test_a_point_that_the_predicted_category_lacks_counts(self, rule: Any) -> None:
        answers, predictions = trousers(EXAMPLE_ANSWERS), self.without_crotch()
        expected = evaluate(answers, predictions, missing_predictions="count")
        predictions.category_indices[0] = CATEGORY_INDEX["skirt"]
        assert evaluate(answers, predictions, missing_predictions=rule) == expected
        missing = missing_predictions(answers, predictions)
        assert not missing
        assert missing.lacked == {"Images/trousers/0.jpg": ("crotch",)}

    def test_a_point_that_the_predicted_category_lacks_is_skipped(self) -> None:
        answers, predictions = trousers(EXAMPLE_ANSWERS), self.without_crotch()
        expected = evaluate(answers, predictions, missing_predictions="skip")
        predictions.category_indices[0] = CATEGORY_INDEX["skirt"]
        assert evaluate(answers, predictions, missing_predictions="skip") == expected

    def test_a_skipped_normaliser_point_still_normalises(self) -> None:
        answers, predictions = trousers(EXAMPLE_ANSWERS), trousers(EXAMPLE_PREDICTIONS)
        left = KEYPOINT_INDEX["waistband_left"]
        predictions.keypoints[1, left] = predictions.visibility[1, left] = -1
        result = evaluate(answers, predictions, missing_predictions="skip")
        assert (result.points, result.skipped_images) == (10, 0)

    def test_a_point_that_is_called_absent_in_its_place_is_scored(self) -> None:
        answers, predictions = trousers(EXAMPLE_ANSWERS), trousers(EXAMPLE_PREDICTIONS)
        expected = evaluate(answers, predictions)
        predictions.visibility[:] = -1
        assert evaluate(answers, predictions) == expected

    def test_only_points_that_are_scored_can_be_missing(self) -> None:
        answers, predictions = trousers(EXAMPLE_ANSWERS), trousers(EXAMPLE_PREDICTIONS)
        occluded = KEYPOINT_INDEX["waistband_left"]
        predictions.keypoints[0, occluded] = predictions.visibility[0, occluded] = -1
        assert evaluate(answers, predictions).points == 11
        with pytest.raises(MissingPredictionsError, match="waistband_left"):
            evaluate(answers, predictions, scored_points="labelled")

    def test_predictions_match_by_id_in_any_order(self) -> None:
        answers, predictions = trousers(EXAMPLE_ANSWERS), trousers(EXAMPLE_PREDICTIONS)
        turned = predictions.select(np.array([1, 0]))
        assert evaluate(answers, turned) == evaluate(answers, predictions)

    def test_predictions_without_an_answer_are_passed_over(self) -> None:
        answers, predictions = trousers(EXAMPLE_ANSWERS), trousers(EXAMPLE_PREDICTIONS)
        expected = evaluate(answers.select(np.array([0])), predictions)
        assert expected.images == 1
        assert expected.points == 4


class TestPredictions:
    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_not_finite_where_scored_is_an_error(self, value: float) -> None:
        table = trousers(EXAMPLE_ANSWERS)
        predictions = table.keypoints.copy()
        predictions[1, KEYPOINT_INDEX["crotch"], 1] = value
        with pytest.raises(ValueError, match=r"crotch of image number 1 is not finite"):
            score(table, predictions)

    def test_not_finite_where_not_scored_costs_nothing(self) -> None:
        table = trousers(EXAMPLE_ANSWERS)
        predictions = np.where((table.visibility == 1)[..., None], table.keypoints, np.nan)
        assert score(table, predictions).value == 0

    @pytest.mark.parametrize("shape", [(2, 24), (2, 24, 3), (2, 7, 2), (1, 24, 2), (48, 2)])
    def test_of_another_shape_are_an_error(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match=r"predictions has shape .* expected \(2, 24, 2\)"):
            score(trousers(EXAMPLE_ANSWERS), np.zeros(shape))

    def test_other_arrays_of_another_shape_are_an_error(self) -> None:
        table = trousers(EXAMPLE_ANSWERS)
        points, one = table.keypoints, table.category_indices[:1]
        with pytest.raises(ValueError, match="visibility has shape"):
            normalized_error(points, points, table.visibility[:1], table.category_indices)
        with pytest.raises(ValueError, match="category_indices has shape"):
            normalized_error(points, points, table.visibility, one)

    def test_are_not_changed(self) -> None:
        table, predictions = random_labels(2)
        before = predictions.copy(), table.keypoints.copy()
        score(table, predictions)
        assert (predictions == before[0]).all()
        assert (table.keypoints == before[1]).all()


class TestImageErrors:
    def test_are_each_images_own_score(self) -> None:
        table, predicted = trousers(EXAMPLE_ANSWERS), trousers(EXAMPLE_PREDICTIONS)

        errors = image_errors(table, predicted)

        for row, error in enumerate(errors):
            alone = evaluate(table.select(np.array([row])), predicted)
            assert error == pytest.approx(alone.value)

    def test_match_by_id(self) -> None:
        table, predicted = trousers(EXAMPLE_ANSWERS), trousers(EXAMPLE_PREDICTIONS)

        swapped = image_errors(table, predicted.select(np.array([1, 0])))

        assert np.array_equal(swapped, image_errors(table, predicted))

    def test_are_nan_without_a_prediction_a_normaliser_or_a_visible_point(self) -> None:
        table = trousers(
            (
                EXAMPLE_ANSWERS[0],
                EXAMPLE_ANSWERS[0].replace("430_284_0", "-1_-1_-1"),
                EXAMPLE_ANSWERS[0].replace("_1,", "_0,"),
            )
        )
        predicted = trousers(EXAMPLE_PREDICTIONS[:1] * 3)

        assert np.isnan(image_errors(table, predicted)).tolist() == [False, True, True]
        assert np.isnan(image_errors(table, predicted.select(np.array([1])))).all()
        assert np.isnan(image_errors(table, predicted.select(np.array([], int)))).all()


class TestPointErrors:
    def test_their_mean_is_the_score(self) -> None:
        table, predicted = trousers(EXAMPLE_ANSWERS), trousers(EXAMPLE_PREDICTIONS)
        errors = point_errors(table, predicted)
        assert np.nanmean(errors) == pytest.approx(evaluate(table, predicted).value)
        assert (~np.isnan(errors) == (table.visibility == 1)).all()

    def test_are_nan_where_nothing_was_predicted(self) -> None:
        table, predicted = trousers(EXAMPLE_ANSWERS), trousers(EXAMPLE_PREDICTIONS)
        crotch = KEYPOINT_INDEX["crotch"]
        predicted.keypoints[0, crotch] = predicted.visibility[0, crotch] = -1
        assert np.isnan(point_errors(table, predicted)[0, crotch])
        assert np.isnan(point_errors(table, predicted.select(np.array([0])))[1]).all()

    def test_what_was_not_predicted_counts_on_demand(self) -> None:
        table = trousers((*EXAMPLE_ANSWERS, "-1_-1_-1" + ",5_5_1" * 6))
        predicted = trousers(EXAMPLE_PREDICTIONS).select(np.array([1]))
        errors = point_errors(table, predicted, count_missing=True)
        expected = evaluate(table, predicted, missing_predictions="count")
        assert np.nanmean(errors) == pytest.approx(expected.value)
        assert np.isnan(errors[2]).all(), "it has no normaliser"

    def test_occluded_points_on_demand(self) -> None:
        table, predicted = trousers(EXAMPLE_ANSWERS), trousers(EXAMPLE_PREDICTIONS)
        errors = point_errors(table, predicted, scored_points="labelled")
        assert errors[0, KEYPOINT_INDEX["waistband_left"]] == pytest.approx(
            1000 / math.hypot(283, 19)
        )


class TestResult:
    def test_without_images(self) -> None:
        result = score(
            trousers(EXAMPLE_ANSWERS).select(np.zeros(2, np.bool_)), np.zeros((0, 24, 2))
        )
        assert math.isnan(result.value)
        assert (result.points, result.images, result.per_category) == (0, 0, {})
        assert result.to_dict()["NE"] is None

    def test_a_category_whose_images_are_all_skipped_is_there_without_a_value(self) -> None:
        table = trousers(("-1_-1_-1,100_0_1" + ",50_50_1" * 5,))
        result = score(table, table.keypoints)
        assert result.skipped_images == 1
        assert result.to_dict()["per_category"] == {"trousers": {"NE": None, "points": 0}}

    def test_as_json(self) -> None:
        result = evaluate(trousers(EXAMPLE_ANSWERS), trousers(EXAMPLE_PREDICTIONS))
        plain = json.loads(json.dumps(result.to_dict(), allow_nan=False))
        assert plain["NE"] == result.value
        assert (plain["points"], plain["images"], plain["skipped_images"]) == (11, 2, 0)
        assert plain["per_category"] == {"trousers": {"NE": result.value, "points": 11}}
        assert [*plain["per_keypoint"]] == [*TROUSERS]
        assert plain["per_keypoint"]["bottom_right_out"]["points"] == 1

    def test_as_a_table(self) -> None:
        result = evaluate(trousers(EXAMPLE_ANSWERS), trousers(EXAMPLE_PREDICTIONS))
        frame = score_frame(result)
        assert frame.loc[("all", ""), "NE %"] == result.value
        assert frame.loc[("category", "trousers"), "points"] == 11
        crotch = 100 * (30 / math.hypot(283, 19) + 30 / math.hypot(105, 4)) / 2
        assert frame.loc[("keypoint", "crotch"), "NE %"] == pytest.approx(crotch)
        assert len(frame) == 2 + len(TROUSERS)


def test_random_labels_have_images_without_normaliser() -> None:
    """The comparison above is worth something: both rules leave images out, and not the same."""
    skipped = [
        [score(*random_labels(seed), missing_normalizer=rule).skipped_images for seed in range(4)]
        for rule in ("skip", "server")
    ]
    assert min(skipped[0]) > 0
    assert 0 < sum(skipped[1]) < sum(skipped[0])


seeds = st.integers(0, 2**32 - 1)
shifts = st.floats(-1000, 1000)


class TestInvariance:
    @settings(max_examples=40, deadline=None)
    @given(seed=seeds, dx=shifts, dy=shifts)
    def test_translation(self, seed: int, dx: float, dy: float) -> None:
        table, predictions = random_labels(seed)
        shift = np.array([dx, dy])
        self.assert_same(table, predictions, table.keypoints + shift, predictions + shift)

    @settings(max_examples=40, deadline=None)
    @given(seed=seeds, factor=st.floats(0.01, 100))
    def test_scale(self, seed: int, factor: float) -> None:
        table, predictions = random_labels(seed)
        scaled = table.keypoints.astype(np.float64) * factor
        self.assert_same(table, predictions, scaled, predictions * factor)

    @settings(max_examples=40, deadline=None)
    @given(seed=seeds, width=st.integers(1, 2000))
    def test_mirror_with_names_swapped(self, seed: int, width: int) -> None:
        table, predictions = random_labels(seed)
        flip = list(FLIP_INDICES)

        def mirrored(points: NDArray[Any]) -> NDArray[np.float64]:
            return (points.astype(np.float64) * (-1, 1) + (width - 1, 0))[:, flip]

        self.assert_same(
            table, predictions, mirrored(table.keypoints), mirrored(predictions),
            table.visibility[:, flip],
        )  # fmt: skip

    def test_mirror_without_swapping_names_is_another_score(self) -> None:
        table, predictions = random_labels(1)
        flip = list(FLIP_INDICES)
        assert score(table, predictions[:, flip]).value > 2 * score(table, predictions).value

    @staticmethod
    def assert_same(
        table: KeypointTable,
        predictions: NDArray[np.float64],
        changed: NDArray[np.float64],
        changed_predictions: NDArray[np.float64],
        visibility: NDArray[np.int8] | None = None,
    ) -> None:
        before = score(table, predictions)
        after = normalized_error(
            changed_predictions,
            changed,
            table.visibility if visibility is None else visibility,
            table.category_indices,
        )
        assert after.value == pytest.approx(before.value, rel=1e-6)
        assert (after.points, after.skipped_images) == (before.points, before.skipped_images)


@pytest.fixture(scope="module")
def pair(fashionai_root: Path) -> tuple[KeypointTable, KeypointTable]:
    """Answers of the contest's test A, and a real entry for it."""
    folder = fashionai_root / "metric"
    return (
        read_labels(folder / "test_a_answers.csv"),
        read_predictions(folder / "test_a_predictions.csv"),
    )


class TestRealEntry:
    def test_skipping(self, pair: tuple[KeypointTable, KeypointTable]) -> None:
        result = evaluate(*pair, missing_predictions="skip")
        assert round(result.value, 4) == 4.3149
        assert (result.points, result.skipped_images) == (82_273, 53)
        assert {name: round(s.value, 3) for name, s in result.per_category.items()} == {
            "blouse": 4.186, "outwear": 4.507, "dress": 4.432, "skirt": 3.844, "trousers": 4.270,
        }  # fmt: skip

    def test_the_servers_rule(self, pair: tuple[KeypointTable, KeypointTable]) -> None:
        result = evaluate(*pair, missing_normalizer="server", missing_predictions="skip")
        assert round(result.value, 4) == 4.3142
        assert (result.points, result.skipped_images) == (82_408, 34)

    def test_occluded_points_too(self, pair: tuple[KeypointTable, KeypointTable]) -> None:
        result = evaluate(*pair, scored_points="labelled", missing_predictions="skip")
        assert round(result.value, 4) == 5.0279

    def test_one_image_has_no_prediction(self, pair: tuple[KeypointTable, KeypointTable]) -> None:
        with pytest.raises(MissingPredictionsError, match=r"^no prediction for 1 labelled images"):
            evaluate(*pair)
