"""Tests of ``fashionkp convert``, and of other commands on what it writes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from fashionkp_mm.cli import app
from fashionkp_mm.core.garments import CATEGORY_NAMES, KEYPOINT_NAMES
from fashionkp_mm.exchange.formats import FORMATS
from fashionkp_mm.exchange.formats import Format as FormatName
from fashionkp_mm.exchange.tables import read_predictions_file


def call(*arguments: object) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, list(map(str, arguments)))


def said(result: Result) -> str:
    return " ".join(result.output.split())


@pytest.fixture
def labels(drawn_root: Path) -> Path:
    return drawn_root / "val" / "Annotations" / "val.csv"


NAMES: dict[FormatName, str] = {
    "json": "labels.json",
    "coco": "coco.json",
    "yolo-pose": "yolo",
    "cvat": "annotations.xml",
    "label-studio": "label-studio.json",
    "labelme": "labelme",
}


@pytest.mark.parametrize("form", NAMES)
def test_there_and_back_is_the_same_file(form: FormatName, labels: Path, tmp_path: Path) -> None:
    out = tmp_path / NAMES[form]
    result = call("convert", labels, out)
    assert result.exit_code == 0, result.output
    count = len(labels.read_text().splitlines()) - 1
    assert f"{count} garments of {count} pictures: {out}" in said(result)
    back = call("convert", out, tmp_path / "back.csv")
    assert back.exit_code == 0, back.output
    assert "lost, as" not in back.output
    lines = (tmp_path / "back.csv").read_text().splitlines()
    if form == "labelme":  # in the order of its files' names
        assert sorted(lines) == sorted(labels.read_text().splitlines())
    else:
        assert lines == labels.read_text().splitlines()


@pytest.mark.parametrize("form", NAMES)
def test_labels_of_every_format_score_zero_against_themselves(
    form: FormatName, labels: Path, tmp_path: Path
) -> None:
    out = tmp_path / NAMES[form]
    assert call("convert", labels, out).exit_code == 0
    result = call("evaluate", out, labels, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["NE"] == 0
    assert call("evaluate", labels, out).exit_code == 0


def test_what_is_lost_is_said(tmp_path: Path) -> None:
    point = {"x": 30, "y": 40, "visibility": "visible", "score": 0.5}
    garment = {
        "image_id": "a.jpg", "image_size": [90, 90], "category": "skirt", "box": [1, 2, 80, 80],
        "box_score": 0.5, "category_score": 0.9, "keypoints": {"hemline_left": point},
    }  # fmt: skip
    absent = {"waistband_left": {"x": 3, "y": 4, "visibility": "absent"}, "crotch": point}
    predictions = tmp_path / "p.json"
    predictions.write_text(json.dumps([garment, {**garment, "keypoints": absent}]))
    result = call("convert", predictions, tmp_path / "labels.csv")
    assert result.exit_code == 0
    for what in ("1 garment beyond the first of their picture", "2 boxes", "2 scores of points"):
        assert what in said(result)
    result = call("convert", predictions, tmp_path / "a.xml")
    assert "1 point that their garment's category lacks" in said(result)
    assert "2 scores of points" in said(result)
    result = call("convert", predictions, tmp_path / "coco.json")
    assert "1 place of absent points" in said(result)
    assert "2 garments with further facts" in said(result)
    result = call("convert", predictions, tmp_path / "again.json")
    assert "lost, as" not in result.output
    assert json.loads((tmp_path / "again.json").read_text())[0]["category_score"] == 0.9


def test_sizes_come_from_the_pictures(labels: Path, tmp_path: Path) -> None:
    alone = tmp_path / "labels.csv"
    alone.write_bytes(labels.read_bytes())
    result = call("convert", alone, tmp_path / "a.xml")
    assert result.exit_code == 1
    assert "needs the sizes of the pictures" in said(result)
    assert "with --images" in said(result)
    assert not (tmp_path / "a.xml").exists()
    result = call("convert", alone, tmp_path / "a.xml", "--images", labels.parents[1])
    assert result.exit_code == 0, result.output
    sizes = {image.get("width") for image in ET.parse(tmp_path / "a.xml").iter("image")}
    assert all(int(size or 0) > 16 for size in sizes)


def test_a_size_that_is_not_the_pictures(labels: Path, tmp_path: Path) -> None:
    coco = tmp_path / "coco.json"
    assert call("convert", labels, coco).exit_code == 0
    content = json.loads(coco.read_text())
    content["images"][0]["width"] += 1
    coco.write_text(json.dumps(content))
    out = tmp_path / "p.json"
    result = call("convert", coco, out, "--images", labels.parents[1])
    assert result.exit_code == 1
    assert content["images"][0]["file_name"] in said(result)
    assert "expected the same picture, as it was labelled" in said(result)
    assert not out.exists()


def test_an_input_is_not_overwritten(labels: Path, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(labels.read_bytes())
    result = call("convert", path, path)
    assert result.exit_code == 1
    assert "would overwrite the input" in said(result)
    assert path.read_bytes() == labels.read_bytes()


@pytest.mark.parametrize("out", ["coco.json", "yolo", "x.csv"])
def test_nothing_is_written_of_a_broken_file(out: str, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<annotations><image name='a' width='9' height='9'>")
    result = call("convert", path, tmp_path / out)
    assert result.exit_code == 1
    assert f"{path}, row 1: not readable as XML" in said(result)
    assert [path.name for path in tmp_path.iterdir()] == ["a.xml"]


@pytest.mark.parametrize("name", ["p.txt", "p"])
def test_a_name_that_tells_no_format(name: str, labels: Path, tmp_path: Path) -> None:
    result = call("convert", labels, tmp_path / name)
    assert result.exit_code == 1
    assert "unknown format" in said(result)
    result = call("convert", labels, tmp_path / name, "--to", "coco")
    assert result.exit_code == 0
    assert "images" in json.loads((tmp_path / name).read_text())
    back = call("convert", tmp_path / name, tmp_path / "back.csv", "--from", "coco")
    assert back.exit_code == 0
    assert (tmp_path / "back.csv").read_bytes() == labels.read_bytes()


def test_both_files_are_needed(labels: Path) -> None:
    assert call("convert", labels).exit_code == 2
    assert call("convert").exit_code == 2


def test_the_labeling_config_has_every_name() -> None:
    result = call("convert", "--labeling-config")
    assert result.exit_code == 0
    root = ET.fromstring(result.stdout)
    labels = {tag.get("value") for tag in root.iter("Label")}
    assert labels == {*CATEGORY_NAMES, *KEYPOINT_NAMES}
    assert {tag.get("value") for tag in root.iter("Choice")} == {"visible", "occluded"}


def test_the_command_line_has_every_format() -> None:
    help_text = said(call("convert", "--help"))
    assert all(form in help_text for form in FORMATS)


@pytest.mark.parametrize("name", ["coco.json", "annotations.xml"])
def test_several_garments_of_a_picture_are_drawn_on_it(
    name: str, labels: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "labels.json"
    assert call("convert", labels, listed).exit_code == 0
    garments = json.loads(listed.read_text())[:2]
    garments[1]["image_id"] = garments[0]["image_id"]
    listed.write_text(json.dumps(garments))
    images = labels.parents[1]
    assert call("convert", listed, tmp_path / name, "--images", images).exit_code == 0
    out = tmp_path / "drawn"
    result = call("draw", tmp_path / name, out, "--images", images, "--predictions", listed)
    assert result.exit_code == 0, result.output
    assert "1 of 1 images drawn" in said(result)
    result = call(
        "report", tmp_path / name, listed, "--images", images, "--out", tmp_path / "r.html"
    )
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("form", NAMES)
def test_check_reads_every_format(form: FormatName, labels: Path, tmp_path: Path) -> None:
    out = tmp_path / NAMES[form]
    assert call("convert", labels, out).exit_code == 0
    result = call("check", out, "--images", labels.parents[1], "--json")
    assert result.exit_code == 0, result.output
    expected = json.loads(call("check", labels, "--json").stdout)
    found = json.loads(result.stdout)
    assert found["kind"] == "labels"
    assert found["errors"] == 0
    assert found["categories"] == expected["categories"]


def test_check_tells_what_labels_may_not_be(labels: Path, tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    assert call("convert", labels, path).exit_code == 0
    garments = json.loads(path.read_text())
    garments[0]["category"] = "trousers" if garments[0]["category"] != "trousers" else "skirt"
    garments[1]["image_id"] = "../away.jpg"
    garments[2]["image_size"] = [5000, 5000]
    path.write_text(json.dumps(garments))
    result = call("check", path, "--images", labels.parents[1])
    assert result.exit_code == 1
    assert "has no such point; take it out" in said(result)
    assert "the image id leaves the data root" in said(result)
    assert "value '5000x5000': the picture has" in said(result)
    result = call("check", path, "--kind", "list")
    assert result.exit_code == 1
    assert "only a CSV can be a test list" in said(result)


def test_check_of_a_broken_file(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<annotations>")
    result = call("check", path)
    assert result.exit_code == 1
    assert "row 1: not readable as XML" in said(result)


@pytest.mark.parametrize("form", NAMES)
def test_predict_writes_every_format(
    form: FormatName, labels: Path, pose_file: Path, tmp_path: Path
) -> None:
    expected = tmp_path / "expected.json"
    options = ("--model", pose_file, "--out")
    assert call("predict", labels, *options, expected).exit_code == 0
    out = tmp_path / NAMES[form]
    result = call("predict", labels, *options, out)
    assert result.exit_code == 0, result.output
    wanted, found = read_predictions_file(expected), read_predictions_file(out)
    order = [found.image_ids.index(image_id) for image_id in wanted.image_ids]
    found = found.select(np.array(order))
    assert (found.category_indices == wanted.category_indices).all()
    assert (found.visibility == wanted.visibility).all()
    inside = (wanted.keypoints >= 0).all(axis=2) & (wanted.visibility >= 0)
    if form in ("yolo-pose", "label-studio"):  # they move what lies outside to the edge
        inside &= (wanted.keypoints < 512).all(axis=2)
    if form == "yolo-pose":
        assert (tmp_path / "yolo" / "images" / wanted.image_ids[0]).is_file()
    assert inside.any()
    np.testing.assert_allclose(found.keypoints[inside], wanted.keypoints[inside], atol=0.006)
