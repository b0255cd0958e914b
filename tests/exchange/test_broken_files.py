"""Files that break a rule of their format: the message names the place, the value, the remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fashionkp_mm.core.table import AnnotationError, AnnotationWarning
from fashionkp_mm.exchange.formats import read_table, write_table
from fashionkp_mm.exchange.names import read_names
from fashionkp_mm.exchange.table import GarmentTable, TableBuilder

SIZE = (400, 300)


@pytest.fixture
def table() -> GarmentTable:
    """A skirt and trousers in one picture."""
    builder = TableBuilder("memory")
    builder.picture("a.png", SIZE)
    for category, points in ((3, (15, 16, 17, 18)), (4, (15, 16, 19, 20, 21, 22, 23))):
        row = builder.garment("a.png", category, "")
        for k in points:
            builder.point(row, k, (10.25 * k, 120.5 + 5 * k), k % 2)
    return builder.build()


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(AnnotationError) as caught:
        read_table(path, **options)
    assert str(path) in str(caught.value) or str(path.parent) in str(caught.value)
    return str(caught.value)


def written(table: GarmentTable, path: Path, form: Any) -> str:
    write_table(path, table, form)
    return path.read_text()


class TestCvat:
    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ('<skeleton label="skirt"', '<skeleton label="kilt"', "column category: unknown: kilt"),
            ('label="waistband_left"', 'label="belt"', "column keypoint: unknown: belt"),
            ("</annotations>", "", "row 42: not readable as XML (no element found)"),
            ('points="153.75,195.50"', 'points="a"', "value 'a': expected one point, 'x,y'"),
            ('points="153.75,195.50"', 'points="nan,1"', "value 'nan, 1.0': expected x and y in"),
            ('width="400"', 'width="wide"', "value 'wide x 300': expected width and height"),
            (' name="a.png"', "", "column image: the element has no name"),
            ("</image>", "</image><image name='a.png'/>", "'a.png': the picture stands twice"),
            ("</image>", "</image><track id='0'/>", "export the task as 'CVAT for images 1.1'"),
            ('label="waistband_right"', 'label="waistband_left"', "has this point twice"),
            ("annotations>", "svg>", "value 'svg': expected CVAT for images 1.1"),
        ],
    )
    def test_what_is_refused(
        self, old: str, new: str, message: str, table: GarmentTable, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.xml"
        text = written(table, path, "cvat")
        assert old in text
        path.write_text(
            text.replace(old, new) if old == "annotations>" else text.replace(old, new, 1)
        )
        if old == "</annotations>":
            message = message.replace("42", str(text.count("\n") + 1))
        assert message in refused(path)

    def test_a_skeleton_with_a_missing_point(self, table: GarmentTable, tmp_path: Path) -> None:
        path = tmp_path / "a.xml"
        lines = written(table, path, "cvat").splitlines()
        at = next(i for i, line in enumerate(lines) if 'points label="hemline_left"' in line)
        path.write_text("\n".join([*lines[:at], *lines[at + 2 :]]))
        with pytest.warns(AnnotationWarning, match="'skirt': the skeleton lacks 1 point of its"):
            back = read_table(path)
        assert back.garments.visibility[0, 17] == -1

    def test_other_shapes_are_counted(self, table: GarmentTable, tmp_path: Path) -> None:
        path = tmp_path / "a.xml"
        box = '<box label="x" xtl="1" ytl="1" xbr="2" ybr="2"/><points label="y" points="1,2"/>'
        text = written(table, path, "cvat").replace("</image>", f"{box}</image>")
        path.write_text(text)
        with pytest.warns(AnnotationWarning, match="2 shapes that are no skeletons"):
            assert len(read_table(path)) == 2


class TestLabelStudio:
    @pytest.mark.parametrize(
        ("steps", "value", "message"),
        [
            ((1, "parentID"), "gone", "value 'gone': the point belongs to none of the 2 garments"),
            ((1, "value", "x"), 250.5, "value '250.5': expected percent of the picture"),
            ((1, "value", "x"), "5", "value '5': expected a number"),
            ((1, "value", "keypointlabels"), ["a", "b"], "expected one label a region"),
            ((1, "value", "keypointlabels"), ["belt"], "column keypoint: unknown: belt"),
            ((2, "value", "choices"), ["hidden"], "value 'hidden': expected the choice visible"),
            ((1, "original_width"), 40, "value '40x300': the size of a.png is 400x300 in another"),
            ((0, "value", "rectanglelabels"), ["kilt"], "column category: unknown: kilt"),
            ((1, "image_rotation"), 90, "value '90': the picture was turned"),
        ],
    )
    def test_what_is_refused(
        self, steps: tuple[Any, ...], value: object, message: str, table: GarmentTable,
        tmp_path: Path,
    ) -> None:  # fmt: skip
        path = tmp_path / "label-studio.json"
        tasks = json.loads(written(table, path, "label-studio"))
        part = tasks[0]["annotations"][0]["result"]
        for step in steps[:-1]:
            part = part[step]
        part[steps[-1]] = value
        path.write_text(json.dumps(tasks))
        assert message in refused(path)

    def test_the_newest_annotation_counts(self, table: GarmentTable, tmp_path: Path) -> None:
        path = tmp_path / "label-studio.json"
        (task,) = json.loads(written(table, path, "label-studio"))
        task["annotations"][0]["updated_at"] = "2026-03-01"
        task["annotations"].append({"result": [], "updated_at": "2026-02-01"})
        task["annotations"].append(
            {"result": [], "updated_at": "2026-04-01", "was_cancelled": True}
        )
        task["predictions"] = [{"result": []}]
        path.write_text(json.dumps([task]))
        assert len(read_table(path)) == 2

    @pytest.mark.parametrize(
        ("address", "image_id"),
        [
            ("/data/local-files/?d=Images/dress/a%20b.jpg", "Images/dress/a b.jpg"),
            ("/data/upload/3/0123abcd-photo.jpg", "photo.jpg"),
            ("https://shop.example/pictures/1.jpg?size=9", "1.jpg"),
            ("photos/1.jpg", "photos/1.jpg"),
        ],
    )
    def test_the_picture_by_its_address(self, address: str, image_id: str, tmp_path: Path) -> None:
        path = tmp_path / "label-studio.json"
        path.write_text(json.dumps([{"data": {"image": address}, "annotations": []}]))
        assert read_table(path).pictures == (image_id,)

    def test_a_point_without_a_parent_is_the_only_garments(self, tmp_path: Path) -> None:
        size = {"original_width": 200, "original_height": 100, "image_rotation": 0}
        box = {"x": 0, "y": 0, "width": 50, "height": 50, "rectanglelabels": ["skirt"]}
        point = {"x": 10, "y": 10, "width": 1, "keypointlabels": ["hemline_left"]}
        result = [
            {"id": "1", "type": "keypointlabels", "value": point, **size},
            {"id": "2", "type": "rectanglelabels", "value": box, **size},
        ]
        path = tmp_path / "label-studio.json"
        tasks = [{"data": {"image": "a.jpg"}, "annotations": [{"result": result}]}]
        path.write_text(json.dumps(tasks))
        assert read_table(path).garments.keypoints[0, 17].tolist() == [20, 10]


class TestLabelme:
    @pytest.mark.parametrize(
        ("steps", "value", "message"),
        [
            ((1, "label"), "belt", "column keypoint: unknown: belt"),
            ((0, "label"), "kilt", "column category: unknown: kilt"),
            ((0, "shape_type"), "line", "0 outlines; expected one rectangle labelled"),
            ((0, "group_id"), 2, "2 outlines; expected one rectangle"),
            ((1, "points"), [[1]], "value '[1]': expected [x, y] in pixels"),
            ((1, "points"), [], "expected one [x, y]"),
            ((2, "label"), "waistband_left", "has this point twice"),
        ],
    )
    def test_what_is_refused(
        self, steps: tuple[Any, ...], value: object, message: str, table: GarmentTable,
        tmp_path: Path,
    ) -> None:  # fmt: skip
        write_table(tmp_path / "labelme", table, "labelme")
        path = tmp_path / "labelme" / "a.json"
        content = json.loads(path.read_text())
        part = content["shapes"]
        part[steps[0]][steps[1]] = value
        path.write_text(json.dumps(content))
        with pytest.raises(AnnotationError) as caught:
            read_table(path)
        assert message in str(caught.value)

    def test_a_foreign_file_in_the_folder(self, table: GarmentTable, tmp_path: Path) -> None:
        write_table(tmp_path / "labelme", table, "labelme")
        (tmp_path / "labelme" / "b.json").write_text("{}")
        assert "b.json: no file of labelme" in refused(tmp_path / "labelme")

    def test_pictures_by_their_paths(self, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        path = tmp_path / "in" / "x.json"
        path.write_text(json.dumps({"shapes": [], "imagePath": "..\\photos\\x.jpg"}))
        assert read_table(tmp_path).pictures == ("photos/x.jpg",)
        assert read_table(path).pictures == ("x.jpg",)


class TestYolo:
    @pytest.fixture
    def folder(self, table: GarmentTable, tmp_path: Path) -> Path:
        picture = tmp_path / "a.png"
        picture.write_bytes(cv2.imencode(".png", np.zeros(SIZE[::-1], np.uint8))[1].tobytes())
        write_table(tmp_path / "yolo", table, "yolo-pose", {"a.png": picture})
        return tmp_path / "yolo"

    @pytest.mark.parametrize(
        ("place", "value", "message"),
        [
            (0, "7", "a.txt, row 1, value '7': no category has this number; expected one of [0, 1"),
            (1, "200", "row 1, value '3 200 "),
            (1, "200", "expected shares of the picture, from 0 to 1; pixels were given?"),
            (1, "nan", "expected shares of the picture"),
            (1, "x", "expected numbers with spaces between"),
            (7, "3", "expected v = 0, 1 or 2"),
            (1, "0.1 0.1", "78 numbers; expected 77: class, box and keypoints"),
        ],
    )
    def test_a_broken_line(self, place: int, value: str, message: str, folder: Path) -> None:
        label = folder / "labels" / "a.txt"
        lines = [line.split() for line in label.read_text().splitlines()]
        lines[0][place] = value
        label.write_text("\n".join(map(" ".join, lines)))
        assert message in refused(folder)

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("kpt_shape: [24, 3]", "kpt_shape: 24", "expected [number of keypoints, 2 or 3]"),
            ("kpt_shape: [24, 3]", "kpt_shape: [23, 3]", "expected the names of the 23 keypoints"),
            ("blouse", "skirt", "a category stands twice"),
            ("outwear", "coat", "column category: unknown: coat"),
            ("train: pictures.txt", "train: gone", "expected a folder of pictures, or a .txt"),
            ("names:", "names: [", "not readable as YAML"),
        ],
    )
    def test_a_broken_config(self, old: str, new: str, message: str, folder: Path) -> None:
        config = folder / "data.yaml"
        assert old in config.read_text()
        config.write_text(config.read_text().replace(old, new))
        assert message in refused(folder)

    def test_a_picture_that_is_gone(self, folder: Path) -> None:
        (folder / "images" / "a.png").unlink()
        assert "name the folder of the pictures with --images" in refused(folder)
        assert read_table(folder, images=folder.parent).size_of == {"a.png": SIZE}

    def test_a_folder_of_pictures_instead_of_a_list(self, folder: Path) -> None:
        config = folder / "data.yaml"
        config.write_text(config.read_text().replace("pictures.txt", "images"))
        assert read_table(config).pictures == ("a.png",)

    def test_points_without_flags(self, folder: Path) -> None:
        config, label = folder / "data.yaml", folder / "labels" / "a.txt"
        config.write_text(config.read_text().replace("[24, 3]", "[24, 2]"))
        lines = [line.split() for line in label.read_text().splitlines()]
        kept = [[*line[:5], *(v for i, v in enumerate(line[5:]) if i % 3 != 2)] for line in lines]
        label.write_text("\n".join(map(" ".join, kept)))
        states = read_table(folder).garments.visibility
        assert set(states[0, 15:19].tolist()) == {1}
        assert (states[0] == 1).sum() == 4


class TestCoco:
    @pytest.mark.parametrize(
        ("steps", "value", "message"),
        [
            (("categories", 4, "name"), "skirt", "value 'skirt': the category stands twice"),
            (("categories", 4, "id"), 1, "value 'trousers': the category stands twice"),
            (("categories", 0, "keypoints", 1), "neckline_left", "has a keypoint twice"),
            (("images", 0, "width"), -4, "value '-4 x 300': expected width and height"),
            (("annotations", 0, "bbox"), [1, 2], "expected [x, y, width, height] in pixels"),
            (("annotations", 0, "keypoints", 45), True, "value 'True': expected x and y in pixels"),
        ],
    )
    def test_what_is_refused(
        self, steps: tuple[Any, ...], value: object, message: str, table: GarmentTable,
        tmp_path: Path,
    ) -> None:  # fmt: skip
        path = tmp_path / "coco.json"
        content = json.loads(written(table, path, "coco"))
        part = content
        for step in steps[:-1]:
            part = part[step]
        part[steps[-1]] = value
        path.write_text(json.dumps(content))
        assert message in refused(path)

    def test_crowds_are_passed_over(self, table: GarmentTable, tmp_path: Path) -> None:
        path = tmp_path / "coco.json"
        content = json.loads(written(table, path, "coco"))
        content["annotations"].append({"iscrowd": 1, "image_id": 1, "category_id": 1})
        path.write_text(json.dumps(content))
        assert len(read_table(path)) == 2


class TestNames:
    def test_a_file_of_names_brings_them_in(self, table: GarmentTable, tmp_path: Path) -> None:
        path, names = tmp_path / "coco.json", tmp_path / "names.yml"
        text = written(table, path, "coco").replace("waistband_left", "belt_l")
        text = text.replace("skirt", "Kilt").replace("crotch", "zip").replace("blouse", "Cap")
        path.write_text(text)
        message = refused(path)
        assert "unknown: Cap, Kilt; expected blouse" in message
        assert "unknown: zip, belt_l; expected" in message or "belt_l, zip" in message
        names.write_text("Kilt: skirt\nbelt_l: waistband_left\nCap: null\nzip: null\n")
        back = read_table(path, names=read_names(names))
        expected = table.garments.visibility.copy()
        expected[:, 19] = -1
        assert (back.garments.visibility == expected).all()

    def test_a_category_that_is_left_out(self, table: GarmentTable, tmp_path: Path) -> None:
        for form, name in (("coco", "coco.json"), ("json", "a.json"), ("cvat", "a.xml")):
            write_table(tmp_path / name, table, form)
            back = read_table(tmp_path / name, names={"skirt": None})
            assert back.garments.category_indices.tolist() == [4]
            assert (back.garments.visibility == table.garments.visibility[1:]).all()

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("a: [", "not readable as YAML"),
            ("- a", "expected lines such as"),
            ("left: neckline\n", "value 'left: neckline': nothing is called that here"),
            ("categories: {shirt: blouse}\n", "nothing is called that here"),
        ],
    )
    def test_what_is_no_file_of_names(self, content: str, message: str, tmp_path: Path) -> None:
        path = tmp_path / "names.yml"
        path.write_text(content)
        with pytest.raises(AnnotationError, match=message.replace("[", r"\[")):
            read_names(path)
