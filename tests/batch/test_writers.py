"""Each format, read back as its users read it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fashionkp_mm.batch.writers import content, fits, format_of, render
from fashionkp_mm.core.csv_format import read_predictions, read_test_list
from fashionkp_mm.core.garments import CATEGORY_NAMES, KEYPOINT_INDEX, KEYPOINT_NAMES
from fashionkp_mm.exchange import formats
from fashionkp_mm.exchange.formats import FORMATS, Format, FormatError
from fashionkp_mm.runtime import Garment

Make = Callable[..., Garment]


def written(form: Format, images: dict[str, list[Garment]]) -> bytes:
    """The file for some images, by way of the journal's JSON."""
    contents = (
        (image_id, json.loads(json.dumps(content(form, (64, 48), garments))))
        for image_id, garments in images.items()
    )
    return b"".join(render(form, contents))


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("p.csv", "fashionai"),
        ("P.CSV", "fashionai"),
        ("p.json", "json"),
        ("coco.json", "coco"),
        ("val.coco.json", "coco"),
        ("coco_val.json", "coco"),
        ("COCO-2017.JSON", "coco"),
        ("my_coco_2.json", "coco"),
        ("mycoco.json", "coco"),
        ("cocoa.json", "json"),
        ("coconut_trees.json", "json"),
        ("coco.csv", "fashionai"),
        ("coco.json.csv", "fashionai"),
    ],
)
def test_the_name_tells_the_format(name: str, form: str) -> None:
    assert format_of(Path("folder", name)) == form


def test_standard_output_is_csv() -> None:
    assert format_of(Path("-")) == "fashionai"


@pytest.mark.parametrize("name", ["p.txt", "p", "csv", "coco", "coco.txt"])
def test_an_unknown_name_is_an_error(name: str) -> None:
    with pytest.raises(FormatError, match=r"expected a name that ends in \.csv, .*coco\.json"):
        format_of(Path(name))


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_kept_fits(form: Format, garment: Make) -> None:
    states = np.random.default_rng(0).integers(-1, 2, (40, len(KEYPOINT_NAMES)), np.int8)
    of_all_outlines = [
        garment(visibility=visibility, keypoints=np.random.default_rng(n).normal(50, 20, (24, 2)))
        for n, visibility in enumerate([*states, np.full(len(KEYPOINT_NAMES), -1, np.int8)])
    ]
    for garments in ([], [garment(name) for name in CATEGORY_NAMES], of_all_outlines):
        assert fits(form, json.loads(json.dumps(content(form, (64, 48), garments))))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("value", [None, True, float("nan"), float("inf"), {"a": 1}, ["x"] * 3])
def test_what_is_of_another_type_anywhere_does_not_fit(
    form: Format, value: Any, garment: Make
) -> None:
    found = json.loads(json.dumps(content(form, (64, 48), [garment()])))
    assert not fits(form, value)

    for holder, key in _inner(found):
        before, holder[key] = holder[key], value
        assert not fits(form, found)
        holder[key] = before
    assert fits(form, found)


def _inner(value: Any) -> list[tuple[Any, Any]]:
    """Each place in plain JSON: what holds it, and its key or position there."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else range(len(value))
    return [*((value, key) for key in keys), *(p for key in keys for p in _inner(value[key]))]


def test_parquet_without_pyarrow_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda name: None)

    with pytest.raises(FormatError, match="pip install pyarrow"):
        format_of(Path("p.parquet"))


class TestCsv:
    def test_is_read_back(self, garment: Make, tmp_path: Path) -> None:
        path = tmp_path / "p.csv"
        visibility = np.full(24, -1, np.int8)
        visibility[KEYPOINT_INDEX["hemline_left"]] = 0
        skirt = garment("skirt", visibility=visibility)
        path.write_bytes(
            written("fashionai", {"Images/a.jpg": [skirt], "b.jpg": [garment("dress")]})
        )

        table = read_predictions(path)

        assert table.image_ids == ("Images/a.jpg", "b.jpg")
        assert [CATEGORY_NAMES[i] for i in table.category_indices] == ["skirt", "dress"]
        assert np.array_equal(table.visibility[0], visibility)
        # A point that is predicted absent keeps its place; one of other categories has none.
        defined = skirt.defined
        assert np.array_equal(table.keypoints[0, defined], skirt.keypoints[defined])
        assert (table.keypoints[0, ~defined] == -1).all()

    def test_holds_the_best_garment_of_each_image(self, garment: Make, tmp_path: Path) -> None:
        path = tmp_path / "p.csv"
        found = {"a.jpg": [garment("dress"), garment("skirt")], "b.jpg": []}
        path.write_bytes(written("fashionai", found))

        table = read_predictions(path)

        assert table.image_ids == ("a.jpg",)
        assert CATEGORY_NAMES[table.category_indices[0]] == "dress"

    @pytest.mark.parametrize(
        "name",
        ['a, "b".jpg', "a,b.jpg", "a\nb.jpg", "a\rb.jpg", "/abs/a.jpg", "../a.jpg", "a\\b.jpg"],
    )
    def test_any_name_of_a_picture_is_read_back(
        self, name: str, garment: Make, tmp_path: Path
    ) -> None:
        path = tmp_path / "p.csv"
        path.write_bytes(written("fashionai", {name: [garment()], "b.jpg": [garment()]}))

        assert read_predictions(path).image_ids == (name, "b.jpg")
        assert read_test_list(path).image_ids == (name, "b.jpg")
        text = io.StringIO(path.read_text(), newline="")
        assert [len(row) for row in csv.reader(text, strict=True)] == [26] * 3


class TestJson:
    def test_is_a_list_of_garments(self, garment: Make) -> None:
        images = {"a.jpg": [garment("dress"), garment("skirt")], "b.jpg": [], "c.jpg": [garment()]}

        found = json.loads(written("json", images))

        assert [(g["image_id"], g["image_index"], g["category"]) for g in found] == [
            ("a.jpg", 0, "dress"),
            ("a.jpg", 0, "skirt"),
            ("c.jpg", 2, "skirt"),
        ]
        expected = {**garment("dress").to_dict(), "image_id": "a.jpg"}
        assert found[0] == expected

    def test_of_nothing_is_an_empty_list(self) -> None:
        assert json.loads(written("json", {"a.jpg": []})) == []


class TestCoco:
    @pytest.fixture
    def dataset(self, garment: Make) -> dict[str, Any]:
        images = {"a.jpg": [garment("dress"), garment("skirt")], "b.jpg": [], "c.jpg": [garment()]}
        loaded: dict[str, Any] = json.loads(written("coco", images))
        return loaded

    def test_lists_every_image(self, dataset: dict[str, Any]) -> None:
        assert dataset["images"] == [
            {"id": number, "file_name": name, "width": 64, "height": 48}
            for number, name in enumerate(("a.jpg", "b.jpg", "c.jpg"), start=1)
        ]

    def test_annotations_point_to_images_and_categories(self, dataset: dict[str, Any]) -> None:
        names = {category["id"]: category["name"] for category in dataset["categories"]}
        found = [(a["id"], a["image_id"], names[a["category_id"]]) for a in dataset["annotations"]]

        assert found == [(1, 1, "dress"), (2, 1, "skirt"), (3, 3, "skirt")]

    def test_annotations_have_what_cocos_tools_read(self, dataset: dict[str, Any]) -> None:
        for annotation in dataset["annotations"]:
            _, _, width, height = annotation["bbox"]
            assert annotation["area"] == pytest.approx(width * height)
            assert annotation["iscrowd"] == 0
            points = np.reshape(annotation["keypoints"], (24, 3))
            assert annotation["num_keypoints"] == (points[:, 2] > 0).sum()
            assert 0 <= annotation["score"] <= 1

    def test_loads_in_pycocotools(self, dataset: dict[str, Any], tmp_path: Path) -> None:
        coco = pytest.importorskip("pycocotools.coco")
        path = tmp_path / "coco.json"
        path.write_text(json.dumps(dataset))

        loaded = coco.COCO(str(path))

        assert loaded.getImgIds() == [1, 2, 3]
        annotations = loaded.loadAnns(loaded.getAnnIds(imgIds=[1]))
        assert len(annotations) == 2
        assert loaded.annToMask(annotations[0]).any()
        results = loaded.loadRes(loaded.dataset["annotations"])
        assert results.getAnnIds() == [1, 2, 3]


class TestParquet:
    def test_is_read_back(self, garment: Make) -> None:
        pytest.importorskip("pyarrow")
        images = {"a.jpg": [garment("dress"), garment("skirt")], "b.jpg": []}

        frame = pd.read_parquet(io.BytesIO(written("parquet", images)))

        assert frame["image_id"].tolist() == ["a.jpg", "a.jpg"]
        assert frame["category"].tolist() == ["dress", "skirt"]
        assert frame["hemline_left_x"].tolist() == [garment().keypoints[17, 0]] * 2
        assert frame["armpit_left_x"].isna().tolist() == [False, True]
        assert frame["hemline_left_visibility"].tolist() == ["visible", "visible"]

    def test_has_all_columns_even_without_garments(self, garment: Make) -> None:
        pytest.importorskip("pyarrow")
        frame = pd.read_parquet(io.BytesIO(written("parquet", {"a.jpg": []})))

        full = pd.read_parquet(io.BytesIO(written("parquet", {"a.jpg": [garment()]})))
        assert len(frame) == 0
        assert frame.dtypes.equals(full.dtypes)
        assert {f"{name}_x" for name in KEYPOINT_NAMES} < set(frame.columns)
