"""Every format: what is written is read again, and what is recognised is what it is."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from garment_tables import garment_tables, write_pictures
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fashionkp_mm.core.table import AnnotationWarning
from fashionkp_mm.exchange.checks import outside
from fashionkp_mm.exchange.formats import (
    FORMATS,
    Format,
    FormatError,
    format_to_read,
    format_to_write,
    read_table,
    write_table,
)
from fashionkp_mm.exchange.losses import losses, lost
from fashionkp_mm.exchange.table import GarmentTable

NAMES = {
    "fashionai": "p.csv",
    "json": "p.json",
    "parquet": "p.parquet",
    "coco": "coco.json",
    "yolo-pose": "yolo",
    "cvat": "annotations.xml",
    "label-studio": "label-studio.json",
    "labelme": "labelme",
}
pytestmark = pytest.mark.filterwarnings("ignore::fashionkp_mm.core.table.AnnotationWarning")


def there_and_back(table: GarmentTable, form: str) -> GarmentTable:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, NAMES[form])
        assert format_to_write(path) == form
        pictures = write_pictures(Path(folder, "pictures"), table)
        write_table(path, table, form, pictures)
        assert format_to_read(path) == form
        return read_table(path)


def described(table: GarmentTable) -> dict[str, list[object]]:
    """Each picture's garments: category, visibility, and places to a hundredth of a pixel."""
    garments = table.garments
    places = garments.keypoints.astype(np.float64).round(2)
    return {
        image_id: [
            (
                int(garments.category_indices[row]),
                garments.visibility[row].tolist(),
                places[row].tolist(),
            )
            for row in rows
        ]
        for image_id, rows in table.rows_of.items()
    }


@pytest.fixture(params=FORMATS)
def form(request: pytest.FixtureRequest) -> str:
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    return request.param


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_labels_come_back_cell_by_cell(form: str, data: st.DataObject) -> None:
    several, empty = "several" not in lost(form), "empty" not in lost(form)
    table = data.draw(garment_tables(several=several, empty=empty))
    assert losses(table, form) == []
    back = there_and_back(table, form)
    assert described(back) == described(table)
    if form not in ("fashionai", "labelme"):
        assert back.pictures == table.pictures
    if form != "fashionai":
        kept = {name for name, rows in table.rows_of.items() if rows or form != "label-studio"}
        assert {name: back.size_of[name] for name in kept} == {
            name: table.size_of[name] for name in kept
        }


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_boxes_and_scores_of_predictions(form: str, data: st.DataObject) -> None:
    table = data.draw(garment_tables(several=form != "fashionai", empty=False, scored=True))
    back = there_and_back(table, form)
    order = [row for name in table.pictures for row in back.rows_of[name]]
    for aspect, of in (
        ("boxes", "boxes"),
        ("scores", "scores"),
        ("point scores", "keypoint_scores"),
    ):
        found, expected = getattr(back, of)[order], getattr(table, of)
        if aspect in lost(form):
            assert np.isnan(found).all() or aspect == "boxes"
        else:
            np.testing.assert_allclose(found, expected, atol=0.006)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.csv", "fashionai"), ("a.XML", "cvat"), ("my_yolo", "yolo-pose"),
        ("yolo11", "yolo-pose"),
        ("out-labelme", "labelme"), ("label_studio.json", "label-studio"),
        ("tasks-labelstudio-1.json", "label-studio"), ("coco_val.json", "coco"),
        ("cocoa.json", "json"),
    ],
)  # fmt: skip
def test_the_format_that_a_name_asks_for(name: str, form: str) -> None:
    assert format_to_write(Path(name)) == form


@pytest.mark.parametrize("name", ["p.txt", "out", "coco"])
def test_a_name_that_asks_for_none(name: str) -> None:
    with pytest.raises(FormatError, match=r"a name that ends in .*convert --to` fashionai"):
        format_to_write(Path(name))


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b'\xef\xbb\xbf [{"image_id": "data"}]', "json"),
        (b'[{"id": 3, "annotations": []}]', "label-studio"),
        (b'{"info": {}, "images": []}', "coco"),
        (b'{"info": {"a": "' + b"x" * 9000 + b'"}, "categories": []}', "coco"),
        (b'{"version": "5", "shapes": []}', "labelme"),
        (b'<?xml version="1.0"?><annotations/>', "cvat"),
        (b"image_id,image_category\n", "fashionai"),
        (b"PAR1", "parquet"),
    ],
)  # fmt: skip
def test_the_format_that_a_content_shows(content: bytes, form: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert format_to_read(path) == form


@pytest.mark.parametrize("content", [b"", b"hello", b'{"a": 1}', b"\x00\x01"])
def test_a_content_that_shows_none(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="no format is recognised; expected"):
        format_to_read(path)


def test_an_empty_folder_is_no_format(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"data\.yaml"):
        format_to_read(tmp_path)


def _with_places(factor: float) -> bytes:
    points = {
        name: {"x": factor * x, "y": factor * 0.5, "visibility": "visible"}
        for name, x in (("crotch", 0.2), ("waistband_left", 0.9))
    }
    size = [400, 400]
    garment = {"image_id": "a", "image_size": size, "category": "trousers", "keypoints": points}
    return json.dumps([garment]).encode()


def test_shares_where_pixels_were_meant(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(_with_places(1))
    with pytest.raises(ValueError, match="shares of the picture, where pixels were meant"):
        read_table(path)


def test_percent_where_pixels_were_meant(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(_with_places(100))
    with pytest.warns(AnnotationWarning, match="percent of the picture, where pixels were meant"):
        read_table(path)


def test_points_outside_their_picture(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(_with_places(600))
    with pytest.warns(AnnotationWarning, match=r"value '540, 300'.*outside a of 400x400 pixels"):
        table = read_table(path)
    moved = "1 point outside their picture, moved to its edge"
    assert losses(table, "yolo-pose") == losses(table, "label-studio") == [moved]
    out = tmp_path / "label-studio.json"
    write_table(out, table, "label-studio")
    for region in json.loads(out.read_text())[0]["annotations"][0]["result"]:
        for side in ("x", "y", "width", "height"):
            assert 0 <= region["value"].get(side, 0) <= 100, region
    assert not outside(read_table(out)).any()


@pytest.mark.parametrize("form", ["yolo-pose", "labelme"])
def test_nothing_is_left_of_a_folder_that_fails(form: Format, tmp_path: Path) -> None:
    sizes = {"a.jpg": (9, 9), "a.png": (9, 9)}
    none = read_table(_file(tmp_path / "p.json", b"[]")).garments
    with pytest.raises(FileExistsError, match="differ in their suffix alone"):
        write_table(tmp_path / "out", GarmentTable.of(none, sizes=sizes), form)
    assert [path.name for path in tmp_path.iterdir()] == ["p.json"]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    table = read_table(_file(tmp_path / "p.json", b"[]"))
    with pytest.raises(FileExistsError, match="not an empty folder"):
        write_table(tmp_path, table, "labelme")
    assert [path.name for path in tmp_path.iterdir()] == ["p.json"]


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
