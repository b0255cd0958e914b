"""Tests of reading predictions back from every format that they are written in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fashionkp_mm.batch.writers import content, render, table_of
from fashionkp_mm.commands.compared import read_for, read_predictions_file
from fashionkp_mm.core.csv_format import read_labels
from fashionkp_mm.core.garments import CATEGORY_NAMES, KEYPOINT_INDEX, Visibility
from fashionkp_mm.core.image_ids import UnmatchedIdsError
from fashionkp_mm.core.table import AnnotationError, KeypointTable
from fashionkp_mm.exchange import parquet
from fashionkp_mm.exchange.formats import Format
from fashionkp_mm.runtime import Garment
from fashionkp_mm.runtime.file_garments import (
    read_garments,
    read_labelled_garments,
    table_of_predictions,
)

Make = Callable[..., Garment]


@pytest.fixture
def found(garment: Make) -> dict[str, list[Garment]]:
    """Three images: two garments, none, and one with an occluded and an absent point."""
    visibility = np.full(24, -1, np.int8)
    visibility[KEYPOINT_INDEX["hemline_left"]] = 0
    visibility[KEYPOINT_INDEX["waistband_left"]] = 1
    return {
        "Images/a, 1.jpg": [garment("dress"), garment("skirt")],
        "b.jpg": [],
        "/c.jpg": [garment("skirt", visibility=visibility)],
    }


def write(path: Path, form: Format, found: dict[str, list[Garment]]) -> Path:
    contents = ((name, content(form, (64, 48), garments)) for name, garments in found.items())
    path.write_bytes(b"".join(render(form, contents)))
    return path


def test_predictions_become_the_same_parquet_with_and_without_json(
    found: dict[str, list[Garment]],
) -> None:
    pytest.importorskip("pyarrow")
    by_json = table_of((name, content("parquet", (64, 48), own)) for name, own in found.items())
    at_once = table_of_predictions({name: ((64, 48), own) for name, own in found.items()})
    assert at_once.pictures == by_json.pictures
    assert b"".join(parquet.write(at_once)) == b"".join(parquet.write(by_json))
    facts = {"seconds": "1"}
    assert parquet.write_part(at_once, {}, facts) == parquet.write_part(by_json, {}, facts)


@pytest.mark.parametrize(
    ("name", "form"), [("p.json", "json"), ("p", "json"), ("p.parquet", "parquet")]
)
def test_a_file_gives_the_table_of_the_csv(
    name: str, form: Format, found: dict[str, list[Garment]], tmp_path: Path
) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    expected = read_predictions_file(write(tmp_path / "p.csv", "fashionai", found))
    table = read_predictions_file(write(tmp_path / name, form, found))
    assert table.image_ids == ("Images/a, 1.jpg", "Images/a, 1.jpg", "/c.jpg")
    table = best(table)
    assert table.image_ids == expected.image_ids == ("Images/a, 1.jpg", "/c.jpg")
    assert [CATEGORY_NAMES[c] for c in table.category_indices] == ["dress", "skirt"]
    assert (table.category_indices == expected.category_indices).all()
    assert (table.keypoints == expected.keypoints).all()
    assert (table.visibility == expected.visibility).all()


@pytest.mark.parametrize("name", ["coco.json", "val.json"])
def test_coco_has_no_place_for_an_absent_point(
    name: str, found: dict[str, list[Garment]], tmp_path: Path
) -> None:
    expected = read_predictions_file(write(tmp_path / "p.csv", "fashionai", found))
    table = best(read_predictions_file(write(tmp_path / name, "coco", found)))
    assert table.image_ids == expected.image_ids
    assert (table.category_indices == expected.category_indices).all()
    assert (table.visibility == expected.visibility).all()
    present = expected.visibility >= 0
    assert (table.keypoints[present] == expected.keypoints[present]).all()
    assert (table.keypoints[~present] == -1).all()


def test_a_csv_is_read_as_csv_whatever_it_begins_with(garment: Make, tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", "fashionai", {"[a.jpg": [garment()]})
    path.write_bytes(path.read_bytes().partition(b"\n")[2])
    assert read_predictions_file(path).image_ids == ("[a.jpg",)


_POINT = {"x": 1, "y": 2, "visibility": "visible"}


def best(table: KeypointTable) -> KeypointTable:
    """The first garment of each image, which is all that a CSV holds."""
    _, first = np.unique(np.array(table.image_ids, object).astype(str), return_index=True)
    return table.select(np.sort(first))


def _change(part: Any, steps: list[Any], value: Any) -> None:
    for step in steps[:-1]:
        part = part[step]
    part[steps[-1]] = value


@pytest.mark.parametrize(
    ("steps", "value", "message"),
    [
        ([0], 7, "column [0].keypoints: missing; expected an object"),
        ([0, "image_id"], None, "column [0].image_id: missing; expected text"),
        ([0, "category"], "hat", "column category: unknown: hat; expected blouse"),
        ([0, "keypoints"], [1, 2, 2], "column [0].keypoints, value '[1, 2, 2]'"),
        (
            [0, "keypoints", "tail"],
            _POINT,
            "column keypoint: unknown: tail; expected neckline_left",
        ),
        (
            [0, "keypoints", "hemline_left", "x"],
            float("nan"),
            "keypoints.hemline_left, value 'nan, 43.75': expected x",
        ),
        (
            [0, "keypoints", "hemline_left", "y"],
            1e30,
            "value '42.5, 1e+30': expected x",
        ),
        ([0, "keypoints", "hemline_left", "y"], "5", "hemline_left, value '42.5, 5': expected"),
        ([0, "keypoints", "hemline_left", "visibility"], "seen", "value 'seen': expected one of"),
    ],
)
def test_broken_json_is_named(
    steps: list[Any], value: Any, message: str, garment: Make, tmp_path: Path
) -> None:
    path = write(tmp_path / "p.json", "json", {"a.jpg": [garment()]})
    entries = json.loads(path.read_text())
    _change(entries, steps, value)
    path.write_text(json.dumps(entries))
    with pytest.raises(AnnotationError) as caught:
        read_predictions_file(path)
    assert f"{path}, {message}" in str(caught.value) or message in str(caught.value)


@pytest.mark.parametrize(
    ("steps", "value", "message"),
    [
        (["images"], None, "column images: missing; expected a list"),
        (["images", 0, "file_name"], 5, "images[0].file_name, value '5'"),
        (["annotations", 0, "image_id"], 9, "annotations[0], value '9, 4': an image or category"),
        (
            ["annotations", 0, "keypoints"],
            [1, 2, 2],
            "annotations[0].keypoints: 3 numbers; expected x, y and v of each of the 24",
        ),
        (["annotations", 0, "keypoints", 2], 3, "annotations[0].neckline_left, value '3'"),
        (["categories", 3, "name"], "hat", "column category: unknown: hat; expected"),
        (["categories", 3, "keypoints"], ["tail"], "column keypoint: unknown: tail; expected"),
    ],
)
def test_broken_coco_is_named(
    steps: list[Any], value: Any, message: str, garment: Make, tmp_path: Path
) -> None:
    path = write(tmp_path / "coco.json", "coco", {"a.jpg": [garment()]})
    dataset = json.loads(path.read_text())
    _change(dataset, steps, value)
    path.write_text(json.dumps(dataset))
    with pytest.raises(AnnotationError) as caught:
        read_predictions_file(path)
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [b"[{", b'{"a": 1} x', b"[\xff]", b"[" * 100_000])
def test_what_is_no_json(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(content)
    with pytest.raises(AnnotationError, match="not readable as JSON"):
        read_predictions_file(path)


def test_damaged_parquet(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(AnnotationError, match=r"not readable as Parquet|Parquet needs pyarrow"):
        read_predictions_file(path)


class TestReadFor:
    @pytest.fixture
    def answers(self, garment: Make, tmp_path: Path) -> KeypointTable:
        images = {f"Images/skirt/{name}.jpg": [garment()] for name in "abc"}
        return read_predictions_file(write(tmp_path / "answers.csv", "fashionai", images))

    def test_ids_that_differ_by_a_prefix(
        self, answers: KeypointTable, garment: Make, tmp_path: Path
    ) -> None:
        path = write(tmp_path / "p.csv", "fashionai", {"skirt/a.jpg": [garment()]})
        with pytest.raises(UnmatchedIdsError) as caught:
            read_for(answers, path)
        assert str(caught.value) == (
            f"{path}: no prediction is of a labelled image: 1 of 3 differ only in the folders"
            " before the name, such as 'Images/skirt/a.jpg' and 'skirt/a.jpg'; give both the same"
            " image ids"
        )

    def test_predictions_that_are_not_used_are_counted(
        self,
        answers: KeypointTable,
        garment: Make,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        ids = ["Images/skirt/a.jpg", "skirt/b.jpg", "other.jpg"]
        path = write(tmp_path / "p.csv", "fashionai", {name: [garment()] for name in ids})
        assert len(read_for(answers, path)) == 3
        assert " ".join(capsys.readouterr().err.split()) == (
            f"note: {path}: 2 predictions of images that the labels lack, such as 'skirt/b.jpg',"
            " not used; 1 of 2 differ only in the folders before the name, such as"
            " 'Images/skirt/b.jpg' and 'skirt/b.jpg'"
        )

    def test_nothing_is_said_where_all_fits(
        self,
        answers: KeypointTable,
        garment: Make,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        read_for(
            answers, write(tmp_path / "p.csv", "fashionai", {"Images/skirt/a.jpg": [garment()]})
        )
        assert capsys.readouterr().err == ""


class TestGarments:
    """`read_garments`: all that a file tells, and nothing that it does not."""

    @pytest.mark.parametrize(("name", "form"), [("p.json", "json"), ("p.parquet", "parquet")])
    def test_come_back_whole(
        self, name: str, form: Format, found: dict[str, list[Garment]], tmp_path: Path
    ) -> None:
        if form == "parquet":
            pytest.importorskip("pyarrow")
        garments = read_garments(write(tmp_path / name, form, found))

        assert list(garments) == ["Images/a, 1.jpg", "/c.jpg"]
        for image_id, read in garments.items():
            for got, written in zip(read, found[image_id], strict=True):
                expected, back = written.to_dict(), got.to_dict()
                if form == "parquet":  # it does not hold those
                    del expected["category_scores"], back["category_scores"]
                assert back == {**expected, "image_id": image_id}

    def test_may_have_scores_above_1(self, garment: Make, tmp_path: Path) -> None:
        """As the peaks of heatmaps do."""
        skirt = garment(keypoint_scores=np.full(24, 1.25, np.float32))
        path = write(tmp_path / "p.json", "json", {"a.jpg": [skirt]})
        (read,) = read_garments(path)["a.jpg"]
        assert read["hemline_left"].score == 1.25

    def test_of_coco_have_boxes_and_sizes_but_no_scores(
        self, found: dict[str, list[Garment]], tmp_path: Path
    ) -> None:
        garments = read_garments(write(tmp_path / "coco.json", "coco", found))

        dress, skirt = garments["Images/a, 1.jpg"]
        assert (dress.category, skirt.category) == ("dress", "skirt")
        assert dress.image_size == (64, 48)
        assert dress.box.tolist() == [1, 2, 31, 42]
        assert np.isnan([dress.category_score, dress.box_score, dress["armpit_left"].score]).all()
        assert dress.label == "dress"

    def test_of_a_csv_have_the_tight_box_of_their_points(
        self, found: dict[str, list[Garment]], tmp_path: Path
    ) -> None:
        (dress,) = read_garments(write(tmp_path / "p.csv", "fashionai", found))["Images/a, 1.jpg"]

        points = found["Images/a, 1.jpg"][0].keypoints[dress.defined]
        assert dress.box.tolist() == [*points.min(axis=0), *points.max(axis=0)]
        assert np.array_equal(dress.keypoints[dress.defined], points)
        assert dress.image_size == (0, 0)
        assert np.isnan(dress.category_score)

    def test_of_labels_are_sure(self, drawn_root: Path) -> None:
        csv = drawn_root / "train" / "Annotations" / "train.csv"
        table = read_labels(csv)

        garments = read_labelled_garments(csv)

        for row, image_id in enumerate(table.image_ids):
            (garment,) = garments[image_id]
            assert np.array_equal(garment.visibility, table.visibility[row])
            present = garment.visibility != Visibility.ABSENT
            assert np.array_equal(garment.keypoints[present], table.keypoints[row, present])
            assert (garment.keypoint_scores[present] == 1).all()
            assert garment.category_score == 1

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"category_score": "high"}, "category_score, value 'high': expected a number"),
            ({"image_size": [1]}, "image_size, value '[1]': expected [width, height]"),
            ({"box": [1, 2, 3, "x"]}, "expected [x1, y1, x2, y2] in pixels"),
        ],
    )
    def test_of_wrong_facts_are_refused(
        self, change: dict[str, Any], message: str, garment: Make, tmp_path: Path
    ) -> None:
        path = tmp_path / "p.json"
        path.write_text(json.dumps([{**garment().to_dict(), **change}]))
        with pytest.raises(AnnotationError, match=re.escape(message)):
            read_garments(path)
