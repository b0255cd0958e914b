"""Other people's code on what is written here, and ours on what they write.

pycocotools comes with `make setup`. Datumaro, Label Studio's SDK and labelme bring a great deal;
``.ci/other-tools`` installs them into an environment of their own and runs this room's tests there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from garment_tables import write_pictures

from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_INDEX,
    CATEGORY_NAMES,
    KEYPOINT_INDEX,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
)
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.exchange.formats import read_table, write_table
from fashionkp_mm.exchange.label_studio import labeling_config
from fashionkp_mm.exchange.table import GarmentTable

SIZE = (640, 480)

Described = list[tuple[str, str, dict[str, tuple[float, float, int]]]]


@pytest.fixture
def table() -> GarmentTable:
    """A garment of each category, the last two in one picture; all three visibilities."""
    rng = np.random.default_rng(7)
    ids = ("a.png", "sub/b.png", "c.png", "d.png", "d.png")
    keypoints = np.full((len(ids), NUM_KEYPOINTS, 2), -1, np.float32)
    visibility = np.full((len(ids), NUM_KEYPOINTS), -1, np.int8)
    for row, category in enumerate(CATEGORIES.values()):
        for place, name in enumerate(category.keypoints):
            k = KEYPOINT_INDEX[name]
            visibility[row, k] = (1, 0, -1, 1)[place % 4]
            if visibility[row, k] >= 0:
                keypoints[row, k] = rng.integers(0, (64000, 48000)) / 100
    indices = np.arange(len(ids), dtype=np.int8)
    rows = np.arange(1, len(ids) + 1)
    garments = KeypointTable(ids, indices, keypoints, visibility, rows)
    return GarmentTable.of(garments, sizes=dict.fromkeys(ids, SIZE))


def described(table: GarmentTable) -> Described:
    """Picture, category, and the points that are not absent, of each garment."""
    garments = table.garments
    return [
        (
            image_id,
            CATEGORY_NAMES[garments.category_indices[row]],
            {
                KEYPOINT_NAMES[k]: (
                    *garments.keypoints[row, k].astype(float).round(2).tolist(),
                    int(garments.visibility[row, k]),
                )
                for k in np.flatnonzero(garments.visibility[row] >= 0)
            },
        )
        for row, image_id in enumerate(garments.image_ids)
    ]


def test_pycocotools_reads_coco(table: GarmentTable, tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    write_table(tmp_path / "coco.json", table, "coco")
    loaded = coco.COCO(tmp_path / "coco.json")
    found: Described = []
    for annotation in loaded.loadAnns(loaded.getAnnIds()):
        (image,) = loaded.loadImgs(annotation["image_id"])
        (category,) = loaded.loadCats(annotation["category_id"])
        assert (image["width"], image["height"]) == SIZE
        assert loaded.annToMask(annotation).shape == SIZE[::-1]
        points = np.array(annotation["keypoints"]).reshape(-1, 3)
        assert annotation["num_keypoints"] == (points[:, 2] > 0).sum()
        seen = {
            name: (float(x), float(y), int(v) - 1)
            for name, (x, y, v) in zip(category["keypoints"], points.tolist(), strict=True)
            if v
        }
        found.append((image["file_name"], category["name"], seen))
    assert found == described(table)


def test_pycocotools_scores_labels_as_predictions(table: GarmentTable, tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    write_table(tmp_path / "coco.json", table, "coco")
    labels = coco.COCO(tmp_path / "coco.json")
    content = json.loads((tmp_path / "coco.json").read_text())
    results = labels.loadRes([{**one, "score": 0.9} for one in content["annotations"]])
    judge = evaluation.COCOeval(labels, results, "keypoints")
    judge.params.kpt_oks_sigmas = np.full(NUM_KEYPOINTS, 0.05)
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    assert judge.stats[0] == pytest.approx(1)


class TestDatumaro:
    @staticmethod
    def points_of(dataset: Any) -> list[tuple[str, Any]]:
        """Picture and annotation of all points."""
        return [
            (f"{item.id}.png", annotation)
            for item in dataset
            for annotation in item.annotations
            if annotation.type.name == "points"
        ]

    def test_reads_our_coco(self, table: GarmentTable, tmp_path: Path) -> None:
        datumaro = pytest.importorskip("datumaro")
        # Its layout: annotations/person_keypoints_SUBSET.json beside images/SUBSET.
        path = tmp_path / "annotations" / "person_keypoints_default.json"
        path.parent.mkdir()
        write_table(path, table, "coco")
        write_pictures(tmp_path / "images" / "default", table)
        dataset = datumaro.Dataset.import_from(tmp_path, "coco_person_keypoints")
        names = [label.name for label in dataset.categories()[datumaro.AnnotationType.label]]
        found: Described = []
        for image_id, annotation in self.points_of(dataset):
            places = np.array(annotation.points, float).reshape(-1, 2).round(2).tolist()
            seen = {
                name: (x, y, int(state.value) - 1)
                for name, (x, y), state in zip(
                    KEYPOINT_NAMES, places, annotation.visibility, strict=True
                )
                if state.value
            }
            found.append((image_id, names[annotation.label], seen))
        assert sorted(found, key=str) == sorted(described(table), key=str)

    def test_writes_coco_that_we_read(self, table: GarmentTable, tmp_path: Path) -> None:
        datumaro = pytest.importorskip("datumaro")
        path = tmp_path / "in" / "annotations" / "person_keypoints_default.json"
        path.parent.mkdir(parents=True)
        write_table(path, table, "coco")
        write_pictures(tmp_path / "in" / "images" / "default", table)
        dataset = datumaro.Dataset.import_from(tmp_path / "in", "coco_person_keypoints")
        dataset.export(tmp_path / "out", "coco_person_keypoints", save_media=True)
        (written,) = (tmp_path / "out" / "annotations").glob("*.json")
        back = read_table(written)
        assert sorted(described(back), key=str) == sorted(described(table), key=str)

    def test_reads_the_points_of_our_cvat_file(self, table: GarmentTable, tmp_path: Path) -> None:
        """It knows no skeletons, but their points: name, place, and whether they are occluded."""
        datumaro = pytest.importorskip("datumaro")
        write_table(tmp_path / "annotations.xml", table, "cvat")
        write_pictures(tmp_path / "images", table)
        dataset = datumaro.Dataset.import_from(tmp_path, "cvat")
        names = [label.name for label in dataset.categories()[datumaro.AnnotationType.label]]
        found = {
            (
                image_id,
                names[one.label],
                *np.round(one.points, 2).tolist(),
                one.attributes["occluded"],
            )
            for image_id, one in self.points_of(dataset)
        }
        for image_id, _, points in described(table):
            for name, (x, y, state) in points.items():
                assert (image_id, name, x, y, state == 0) in found


class TestLabelStudio:
    def test_its_sdk_takes_the_config(self) -> None:
        interface = pytest.importorskip("label_studio_sdk.label_interface")
        config = interface.LabelInterface(labeling_config())
        config.validate()
        assert set(config.get_control("garment").labels) == set(CATEGORY_INDEX)
        assert list(config.get_control("keypoints").labels) == list(KEYPOINT_NAMES)

    @pytest.mark.parametrize("scored", [False, True])
    def test_its_sdk_validates_the_tasks(
        self, scored: bool, table: GarmentTable, tmp_path: Path
    ) -> None:
        interface = pytest.importorskip("label_studio_sdk.label_interface")
        config = interface.LabelInterface(labeling_config())
        if scored:
            table.scores[:] = 0.75
            table.keypoint_scores[:] = 0.5
        write_table(tmp_path / "tasks.json", table, "label-studio")
        tasks = json.loads((tmp_path / "tasks.json").read_text())
        assert len(tasks) == 4
        for task in tasks:
            (answer,) = task["predictions" if scored else "annotations"]
            assert config.validate_prediction(answer, return_errors=True) == []
            assert task["data"]["image"].startswith("/data/local-files/?d=")

    def test_its_converter_finds_our_points(self, table: GarmentTable, tmp_path: Path) -> None:
        """Its COCO has whole pixels and 2 for occluded points too; that is its converter's loss."""
        converter = pytest.importorskip("label_studio_sdk.converter")
        alone = table.garments.select(np.arange(3))
        single = GarmentTable.of(alone, sizes=dict.fromkeys(alone.image_ids, SIZE))
        write_table(tmp_path / "tasks.json", single, "label-studio")
        tasks = json.loads((tmp_path / "tasks.json").read_text())
        exported = [{"id": number, **task} for number, task in enumerate(tasks)]
        (tmp_path / "tasks.json").write_text(json.dumps(exported))
        made = converter.Converter(labeling_config(), str(tmp_path), download_resources=False)
        made.convert_to_coco(str(tmp_path / "tasks.json"), str(tmp_path / "out"), is_dir=False)
        (path,) = (tmp_path / "out").glob("*.json")
        content = json.loads(path.read_text())
        found = [one["keypoints"] for one in content["annotations"] if "keypoints" in one]
        expected = []
        for _, _, points in described(single):
            flat = [0] * 3 * NUM_KEYPOINTS
            for name, (x, y, _) in points.items():
                k = KEYPOINT_INDEX[name]
                flat[3 * k : 3 * k + 3] = round(x), round(y), 2
            expected.append(flat)
        assert found == expected
        boxes = [one["bbox"] for one in content["annotations"] if "keypoints" not in one]
        names = {one["id"]: one["name"] for one in content["categories"]}
        kinds = [
            names[one["category_id"]] for one in content["annotations"] if "keypoints" not in one
        ]
        assert kinds == ["blouse", "outwear", "dress"]
        tight = single.drawn_boxes
        tight[:, 2:] -= tight[:, :2]
        np.testing.assert_allclose(boxes, tight, atol=0.02)


def test_labelme_opens_and_saves_our_files(table: GarmentTable, tmp_path: Path) -> None:
    labelme = pytest.importorskip("labelme._label_file")
    pictures = write_pictures(tmp_path / "pictures", table)
    write_table(tmp_path / "labelme", table, "labelme", pictures)
    for path in (tmp_path / "labelme").rglob("*.json"):
        opened = labelme.LabelFile(str(path))
        assert len(opened.shapes) > 4
        shapes = [
            {name: value for name, value in shape.items() if name != "other_data"}
            for shape in opened.shapes
        ]
        opened.save(
            filename=str(path), shapes=shapes, image_path=opened.image_path,
            image_height=SIZE[1], image_width=SIZE[0], other_data=opened.other_data,
        )  # fmt: skip
    back = read_table(tmp_path / "labelme")
    assert sorted(described(back), key=str) == sorted(described(table), key=str)
