"""CVAT's function: by the SDK's own types and checks, and through the CLI's own loader."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_NAMES,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
    Visibility,
)
from fashionkp_mm.runtime import FashionPredictor, Garment

cvataa = pytest.importorskip("cvat_sdk.auto_annotation", reason="cvat-sdk is not installed")

from cvat_sdk import models  # noqa: E402
from cvat_sdk.auto_annotation import driver  # noqa: E402

from fashionkp_mm.integrations import cvat  # noqa: E402

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8))


class Prediction(list[Any]):
    error = None


class Predictor:
    """Finds what it is told to find."""

    def __init__(self, *garments: Garment) -> None:
        self.garments = garments
        self.asked: list[tuple[Any, ...]] = []

    def predict(self, *asked: Any) -> Prediction:
        self.asked.append(asked)
        return Prediction(self.garments)


def context(**changes: Any) -> Any:
    return driver._DetectionFunctionContextImpl(frame_name="a.jpg", **changes)


def task_labels(spec: Any) -> list[Any]:
    """The labels of a task that has those of a function, with ids of CVAT's own."""
    labels = []
    for number, label in enumerate(spec.labels):
        points = [
            SimpleNamespace(id=1000 + 100 * number + place, name=point.name, attributes=[])
            for place, point in enumerate(label.sublabels)
        ]
        labels.append(
            SimpleNamespace(
                id=500 + number, name=label.name, type="skeleton", sublabels=points, attributes=[]
            )
        )
    return labels


def annotated(function: Any, monkeypatch: pytest.MonkeyPatch, **options: Any) -> list[Any]:
    """The shapes that CVAT's driver sends to its server for a task of two pictures."""
    media = SimpleNamespace(load_image=lambda: PICTURE)
    samples = [
        SimpleNamespace(frame_name=f"{number}.jpg", frame_index=number, media=media)
        for number in (4, 9)
    ]
    dataset = SimpleNamespace(labels=task_labels(function.spec), samples=samples)
    monkeypatch.setattr(driver, "TaskDataset", lambda *args, **kwargs: dataset)
    sent: list[Any] = []

    def create(
        action: str, task: int, patched_labeled_data_request: models.PatchedLabeledDataRequest
    ) -> None:
        sent.append(patched_labeled_data_request)

    api = SimpleNamespace(partial_update_annotations=create)
    client = SimpleNamespace(logger=logging.getLogger("cvat"), tasks=SimpleNamespace(api=api))
    cvataa.annotate_task(client, 1, function, **options)
    (request,) = sent
    assert not request.tags
    return list(request.shapes)


def test_the_labels_are_those_of_convert() -> None:
    assert [label.name for label in cvat.SPEC.labels] == list(CATEGORY_NAMES)
    for label, category in zip(cvat.SPEC.labels, CATEGORIES.values(), strict=True):
        assert label.type == "skeleton"
        assert [point.name for point in label.sublabels] == list(category.keypoints)


def test_each_point_comes_with_its_place_and_state(garment: Callable[..., Garment]) -> None:
    states = np.full(NUM_KEYPOINTS, Visibility.ABSENT, np.int8)
    found = garment("skirt", visibility=states)
    named = dict(zip(found.points, (1, 0, -1, 1), strict=True))
    for name, state in named.items():
        states[KEYPOINT_NAMES.index(name)] = state
    (shape,) = cvat.GarmentFunction(Predictor(found), "skirt", "refine").detect(context(), PICTURE)
    assert isinstance(shape, models.LabeledShapeRequest)
    assert CATEGORY_NAMES[shape.label_id] == "skirt"
    assert [KEYPOINT_NAMES[point.label_id] for point in shape.elements] == list(named)
    for point in shape.elements:
        name = KEYPOINT_NAMES[point.label_id]
        assert point.points == [found[name].x, found[name].y]
        assert point.occluded == (named[name] == 0)
        assert point.outside == (named[name] == -1)


@pytest.mark.parametrize("category", CATEGORY_NAMES)
def test_the_driver_takes_every_category(
    category: str, garment: Callable[..., Garment], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = garment(category)
    predictor = Predictor(found, garment("skirt"))
    shapes = annotated(cvat.GarmentFunction(predictor, None, "refine"), monkeypatch)
    assert [shape.frame for shape in shapes] == [4, 4, 9, 9]
    number = CATEGORY_NAMES.index(category)
    assert shapes[0].label_id == 500 + number
    expected = [1000 + 100 * number + place for place in range(len(found.points))]
    assert [point.label_id for point in shapes[0].elements] == expected
    assert predictor.asked == [(PICTURE, None, "refine")] * 2


def test_the_threshold_is_of_the_garments_score(
    garment: Callable[..., Garment], monkeypatch: pytest.MonkeyPatch
) -> None:
    sure, unsure = garment("dress"), garment("skirt", box_score=0.5)
    function = cvat.GarmentFunction(Predictor(sure, unsure), None, "refine")
    least = (sure.score + unsure.score) / 2
    shapes = annotated(function, monkeypatch, conf_threshold=least)
    assert {shape.label_id for shape in shapes} == {500 + CATEGORY_NAMES.index("dress")}


def test_the_cli_loads_the_module_with_its_parameters(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    common = pytest.importorskip("cvat_cli._internal.common", reason="cvat-cli is not installed")
    parameters = {"category": "trousers", "model": str(model), "boxes": "whole"}
    module = "fashionkp_mm.integrations.cvat"
    function = common.FunctionLoader(module, None, parameters).load()
    shapes = annotated(function, monkeypatch)
    assert [shape.frame for shape in shapes] == [4, 9]
    (expected,) = FashionPredictor(model).predict(PICTURE, "trousers", "whole")
    places = [[point.x, point.y] for point in expected.points.values()]
    assert [point.points for point in shapes[0].elements] == places


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"category": "sock"}, "there is no category 'sock'; expected one of blouse"),
        ({"boxes": "all"}, "boxes is 'all', expected one of refine, whole, detector"),
        ({"detector": "x.onnx"}, "a detector is of no use with boxes refine"),
    ],
)
def test_parameters_that_cannot_be(parameters: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cvat.create(**parameters)  # type: ignore[arg-type]


def test_a_picture_that_cannot_be_used_is_said(model: Path) -> None:
    broken = Image.new("F", (8, 8))
    with pytest.raises(OSError, match="32 bits"):
        cvat.create(model=str(model)).detect(context(), broken)
