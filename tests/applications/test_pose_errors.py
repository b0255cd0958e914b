"""The table of a model's errors: what it says, and that it is never another model's."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from fashionkp_mm.applications import EXACT, errors_of_model
from fashionkp_mm.applications.pose_errors import (
    PoseErrors,
    PoseErrorsError,
    Seen,
    errors_file,
    garment_size,
    read_pose_errors,
)
from fashionkp_mm.core.garments import KEYPOINT_NAMES, Visibility
from fashionkp_mm.core.lengths import LENGTHS, sideless
from fashionkp_mm.runtime import shipped_model

TABLE = PoseErrors(
    "test", "", (0.2, 0.6, 0.8), (0.16, 0.04, 0.02), 0.07, {"armpit/occluded": 2.0},
    {"chest": 3.0}, other_lengths=1.5,
)  # fmt: skip


def seen(name: str, score: float, visibility: Visibility = Visibility.VISIBLE) -> Seen:
    return Seen(name, visibility, score)


class TestUsualError:
    @pytest.mark.parametrize(
        ("score", "error"),
        [(0.0, 0.16), (0.2, 0.16), (0.4, 0.08), (0.6, 0.04), (0.8, 0.02), (1.3, 0.02)],
    )
    def test_falls_with_the_score(self, score: float, error: float) -> None:
        assert TABLE.usual_error(seen("crotch", score)) == pytest.approx(error)

    def test_hangs_on_the_keypoint_and_its_visibility(self) -> None:
        for side in ("left", "right"):
            hidden = seen(f"armpit_{side}", 0.8, Visibility.OCCLUDED)
            assert TABLE.usual_error(hidden) == pytest.approx(0.04)
        assert TABLE.usual_error(seen("armpit_left", 0.8)) == pytest.approx(0.02)

    def test_of_an_unknown_score(self) -> None:
        assert TABLE.usual_error(seen("crotch", math.nan)) == pytest.approx(0.07)


def test_half_an_interval() -> None:
    points = {name: seen(name, 0.8) for name in ("armpit_left", "armpit_right")}
    weights = {"armpit_left": -1.0, "armpit_right": 1.0}
    assert TABLE.half_width("chest", weights, points, 100.0) == pytest.approx(
        3 * 100 * 0.02 * math.sqrt(2)
    )
    assert TABLE.half_width("a new one_left", weights, points, 100.0) == pytest.approx(
        1.5 * 100 * 0.02 * math.sqrt(2)
    )


def test_the_size_of_a_garment() -> None:
    assert garment_size([(0, 0), (6, 8)]) == pytest.approx(5)
    assert garment_size([]) == 0


def test_comes_back_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(TABLE.to_json())
    assert read_pose_errors(path) == TABLE


def _changed(**changes: object) -> str:
    return json.dumps({**json.loads(TABLE.to_json()), **changes})


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "[]", "null", "[" * 100_000, "\x00", _changed(format=2), _changed(scores=[]),
        _changed(scores=[0.2, 0.6]), _changed(scores=[0.6, 0.2, 0.8]), _changed(scores=["a", 1, 2]),
        _changed(errors=[0.1, -0.1, 0.1]), _changed(unknown_score=None), _changed(more=1),
        _changed(keypoints=[]), _changed(lengths={"chest": "wide"}),
        TABLE.to_json().replace("0.07", "NaN"), TABLE.to_json()[:-20],
    ],
)  # fmt: skip
def test_a_damaged_table_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(PoseErrorsError, match=r"t\.json: "):
        read_pose_errors(path)


class TestOfAModel:
    def test_the_one_that_ships_has_its_table(self) -> None:
        """If not: python benchmarks/pose_errors.py."""
        table = errors_of_model(shipped_model())
        assert table is not None, f"{errors_file(shipped_model())} is of another model"
        assert set(table.lengths) == {sideless(length.name) for length in LENGTHS}
        assert {key.split("/")[0] for key in table.keypoints} == set(map(sideless, KEYPOINT_NAMES))
        assert list(table.errors) == sorted(table.errors, reverse=True)
        assert errors_file(shipped_model()).stat().st_size < 10_000

    def test_a_model_without_a_table_has_none(self, tmp_path: Path) -> None:
        model = tmp_path / "other.onnx"
        model.write_bytes(b"a model")
        assert errors_of_model(model) is None

    def test_another_models_table_does_not_count(self, tmp_path: Path) -> None:
        model = tmp_path / "other.onnx"
        model.write_bytes(b"a model")
        shutil.copy(errors_file(shipped_model()), errors_file(model))
        assert errors_of_model(model) is None


def test_exact_points_have_no_error() -> None:
    for score in (0.0, 0.5, 1.0, math.nan):
        assert EXACT.usual_error(seen("crotch", score)) == 0
