"""Whatever a model file says of itself or answers: a garment that makes sense, or a clear refusal.

The graphs answer with constants; Hypothesis changes these, and what stands in the metadata.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from small_networks import (
    DETECTOR_SIZE,
    HEATMAP_SIZE,
    INPUT_SIZE,
    SPLIT_RATIO,
    detector_metadata,
    pose_metadata,
)

from fashionkp_mm.core.garments import CATEGORY_NAMES, NUM_KEYPOINTS
from fashionkp_mm.runtime import FashionPredictor, GarmentDetector, ModelFileError, Prediction
from fashionkp_mm.runtime.metadata import (
    METADATA_KEY,
    CentroidHeatmapDecoder,
    Decoder,
    SimCCDecoder,
    UDPHeatmapDecoder,
    read_metadata,
)

Arrays = dict[str, NDArray[np.float32]]

DECODERS: dict[str, Decoder] = {
    "simcc": SimCCDecoder(SPLIT_RATIO),
    "udp": UDPHeatmapDecoder(HEATMAP_SIZE),
    "centroid": CentroidHeatmapDecoder(HEATMAP_SIZE),
}
IMAGE = np.full((50, 40, 3), 90, np.uint8)
BOXES = 6

quick = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def write(path: Path, metadata: str, inputs: dict[str, Any], answers: Arrays) -> Path:
    """A graph that gives each picture the same answers, whatever it shows.

    Args:
        path: Where to.
        metadata: What it says of itself.
        inputs: Element type and shape, less the batch axis, by name.
        answers: Outputs ``(1, *)`` for any number of pictures, or of another length for just that.
    """
    # ONNX Runtime works out all lengths that it can; it does not know that this is 0.
    nodes = [
        helper.make_node("Shape", ["images"], ["count"], start=0, end=1),
        helper.make_node("Mul", ["count", "no"], ["zero"]),
    ]
    constants, values = [numpy_helper.from_array(np.array([0], np.int64), "no")], []
    for name, answer in answers.items():
        rows, *rest = answer.shape
        one = answer[:1] if rows else np.zeros((1, *rest), np.float32)
        constants.append(numpy_helper.from_array(one, f"{name}_one"))
        constants.append(numpy_helper.from_array(np.array(rest, np.int64), f"{name}_known_rest"))
        constants.append(numpy_helper.from_array(np.array([rows], np.int64), f"{name}_known_rows"))
        nodes += [
            helper.make_node("Add", [f"{name}_known_rest", "zero"], [f"{name}_rest"]),
            helper.make_node("Add", [f"{name}_known_rows", "zero"], [f"{name}_rows"]),
            helper.make_node(
                "Concat",
                ["count" if rows == 1 else f"{name}_rows", f"{name}_rest"],
                [f"{name}_shape"],
                axis=0,
            ),
            helper.make_node("Expand", [f"{name}_one", f"{name}_shape"], [name]),
        ]
        # All lengths are left open, so that nothing is known before it runs.
        axes = [f"{name}_{axis}" for axis in range(answer.ndim)]
        values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, axes))
    given_inputs = [
        helper.make_tensor_value_info(name, kind, ["batch", *shape])
        for name, (kind, shape) in inputs.items()
    ]
    graph = helper.make_graph(nodes, "constant", given_inputs, values, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    model.metadata_props.add(key=METADATA_KEY, value=metadata)
    onnx.save(model, str(path))
    return path


def pose_answers(kind: str) -> Arrays:
    """What a pose network answers for one crop, all of it as it should be."""
    rng = np.random.default_rng(0)
    shapes = DECODERS[kind].outputs(INPUT_SIZE)
    answers = {name: rng.random((1, *shape), np.float32) for name, shape in shapes.items()}
    answers["category_scores"] = np.full((1, len(CATEGORY_NAMES)), 0.2, np.float32)
    answers["visibility_scores"] = np.full((1, NUM_KEYPOINTS, 3), 1 / 3, np.float32)
    return answers


def write_pose(path: Path, answers: Arrays, metadata: str) -> Path:
    width, height = INPUT_SIZE
    inputs = {
        "images": (TensorProto.UINT8, (height, width, 3)),
        "categories": (TensorProto.INT64, ()),
    }
    return write(path, metadata, inputs, answers)


def detector_answers() -> Arrays:
    """Some boxes, all of them as they should be."""
    corners = np.arange(BOXES, dtype=np.float32)[:, None] * np.array([3, 2, 3, 2], np.float32)
    boxes = corners + np.array([0, 0, 30, 40], np.float32)
    scores = np.full((1, BOXES, len(CATEGORY_NAMES)), 0.5, np.float32)
    return {"boxes": boxes[None], "scores": scores}


def write_detector(path: Path, answers: Arrays, metadata: str) -> Path:
    width, height = DETECTOR_SIZE
    return write(path, metadata, {"images": (TensorProto.UINT8, (height, width, 3))}, answers)


def require_sense(predictions: Sequence[Prediction]) -> None:
    """All forms of a prediction can be written, and hold numbers only."""
    for garment in chain.from_iterable(predictions):
        json.dumps([garment.to_dict(), garment.to_coco()], allow_nan=False)
        assert not {"nan", "inf", "-inf"} & {
            part for cell in garment.to_csv_row() for part in cell.split("_")
        }
        assert 0 <= garment.category_score <= 1.01


def refused_or_sensible(
    path: Path, predict: Callable[[], Prediction | list[Prediction]]
) -> str | None:
    """Why a file is refused, or None if what it says makes sense."""
    try:
        found = predict()
    except ModelFileError as error:
        assert str(error).startswith(f"{path}: ")
        assert len(str(error)) < 3000
        return str(error)
    require_sense([found] if isinstance(found, Prediction) else found)
    return None


# --- what a file says of itself

_scalars: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**30), max_value=10**30)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([0, 1, -1, 2, 1e-300, 1e30, 10**400, 0.3, 32, "SimCCLabel", "pose"])
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def _paths(facts: Any, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Ways to all values of an object, and of the objects in it."""
    found = []
    for name, value in facts.items():
        found.append((*before, name))
        if isinstance(value, dict):
            found += _paths(value, (*before, name))
    return found


@st.composite
def changed_facts(draw: st.DrawFn, facts: Mapping[str, Any]) -> str:
    """Metadata with one or two values replaced or left out, or with its text damaged."""
    changed = json.loads(json.dumps(facts))
    for _ in range(draw(st.integers(1, 2))):
        *way, last = draw(st.sampled_from(_paths(changed)))
        inner = changed
        for name in way:
            inner = inner[name]
        if draw(st.booleans()) and draw(st.booleans()):
            del inner[last]
        else:
            inner[last] = draw(_values)
        if not changed:
            break
    text = json.dumps(changed)
    if draw(st.integers(0, 9)) == 0:
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(st.text(max_size=5)) + text[start + draw(st.integers(0, 5)) :]
    return text


_ALL_FACTS = [
    *(json.loads(pose_metadata(decoder=decoder).to_json()) for decoder in DECODERS.values()),
    json.loads(detector_metadata().to_json()),
]


@quick
@given(text=st.sampled_from(_ALL_FACTS).flatmap(changed_facts))
@example(text="[" * 100_000)
@example(text="1" * 5000)
def test_metadata_is_read_or_refused(text: str) -> None:
    try:
        read_metadata({METADATA_KEY: text}, "m.onnx")
    except ModelFileError as error:
        assert str(error).startswith("m.onnx: ")


@quick
@pytest.mark.parametrize("kind", DECODERS)
@given(data=st.data())
def test_a_pose_network_with_changed_metadata(
    kind: str, data: st.DataObject, tmp_path: Path
) -> None:
    facts = json.loads(pose_metadata(decoder=DECODERS[kind]).to_json())
    text = data.draw(changed_facts(facts))
    path = write_pose(tmp_path / "m.onnx", pose_answers(kind), text)

    refused_or_sensible(path, lambda: FashionPredictor(path, threads=1).predict(IMAGE))


@quick
@given(text=changed_facts(_ALL_FACTS[-1]))
def test_a_detector_with_changed_metadata(text: str, pose_file: Path, tmp_path: Path) -> None:
    path = write_detector(tmp_path / "m.onnx", detector_answers(), text)

    refused_or_sensible(
        path,
        lambda: FashionPredictor(pose_file, detector=path, threads=1).predict(
            IMAGE, boxes="detector"
        ),
    )


# --- what a graph answers

_bad_numbers = st.sampled_from(
    [math.nan, math.inf, -math.inf, 3e38, -3e38, 1e30, 1e6, -1e6, 1e-38, 1.0, 0.0, -1.0, 1e-3]
)


@st.composite
def changed_answers(draw: st.DrawFn, answers: Arrays) -> Arrays:
    """Some numbers of an output replaced, all of them, or its shape changed."""
    changed = {name: answer.copy() for name, answer in answers.items()}
    name = draw(st.sampled_from(sorted(changed)))
    answer = changed[name]
    way = draw(st.sampled_from(["some", "all", "rows", "batch", "axis"]))
    if way == "some":
        for place in draw(st.lists(st.integers(0, answer.size - 1), min_size=1, max_size=5)):
            answer.flat[place] = draw(_bad_numbers)
    elif way == "all":
        answer[:] = draw(_bad_numbers)
    elif way == "rows":
        changed[name] = answer[:, : draw(st.integers(0, answer.shape[1] - 1))]
    elif way == "batch":
        changed[name] = np.repeat(answer, draw(st.sampled_from([0, 2, 3])), axis=0)
    else:
        changed[name] = answer[..., None] if draw(st.booleans()) else answer[..., 0]
    return changed


@quick
@pytest.mark.parametrize("kind", DECODERS)
@given(data=st.data(), flip_test=st.booleans())
def test_a_pose_network_with_changed_answers(
    kind: str, data: st.DataObject, flip_test: bool, tmp_path: Path
) -> None:
    answers = data.draw(changed_answers(pose_answers(kind)))
    text = pose_metadata(decoder=DECODERS[kind]).to_json()
    path = write_pose(tmp_path / "m.onnx", answers, text)

    refused_or_sensible(
        path, lambda: FashionPredictor(path, flip_test=flip_test, threads=1).predict([IMAGE] * 2)
    )


@quick
@given(
    answers=changed_answers(detector_answers()),
    category=st.sampled_from([None, "dress"]),
)
def test_a_detector_with_changed_answers(
    answers: Arrays, category: str | None, pose_file: Path, tmp_path: Path
) -> None:
    path = write_detector(tmp_path / "m.onnx", answers, detector_metadata().to_json())

    refused_or_sensible(
        path,
        lambda: FashionPredictor(pose_file, detector=path, threads=1).predict(
            [IMAGE] * 2, category, boxes="detector"
        ),
    )


# --- the cases that were met


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("simcc", "simcc_x"),
        ("udp", "heatmaps"),
        ("centroid", "heatmaps"),
        ("simcc", "category_scores"),
        ("simcc", "visibility_scores"),
    ],
)
def test_numbers_that_are_not_finite(kind: str, name: str, value: float, tmp_path: Path) -> None:
    answers = pose_answers(kind)
    answers[name].flat[3] = value
    path = write_pose(tmp_path / "m.onnx", answers, pose_metadata(decoder=DECODERS[kind]).to_json())

    said = refused_or_sensible(path, lambda: FashionPredictor(path).predict(IMAGE))

    assert said is not None
    assert f"output '{name}' holds 1 numbers that are not finite; the file is damaged" in said


def test_scores_that_are_no_probabilities(tmp_path: Path) -> None:
    answers = pose_answers("simcc")
    answers["category_scores"] = answers["category_scores"] * 50
    path = write_pose(tmp_path / "m.onnx", answers, pose_metadata().to_json())

    said = refused_or_sensible(path, lambda: FashionPredictor(path).predict(IMAGE))

    assert said is not None
    assert "'category_scores' holds 10 to 10, expected -0.01 to 1.01" in said


def test_a_batch_axis_that_is_fixed(tmp_path: Path) -> None:
    answers = pose_answers("simcc")
    answers["simcc_y"] = np.repeat(answers["simcc_y"], 2, axis=0)
    path = write_pose(tmp_path / "m.onnx", answers, pose_metadata().to_json())

    said = refused_or_sensible(path, lambda: FashionPredictor(path).predict(IMAGE))

    assert said is not None
    assert "'simcc_y' has the shape [2, 24, 128] for 1 pictures, expected [1, 24, 128]" in said


def test_a_graph_that_fails(tmp_path: Path) -> None:
    path = write_pose(tmp_path / "m.onnx", pose_answers("simcc"), pose_metadata().to_json())
    model = onnx.load(path)
    for node in model.graph.node:  # a product of shapes that do not fit
        if node.output[0] == "simcc_x":
            node.op_type = "MatMul"
    onnx.save(model, path)

    said = refused_or_sensible(path, lambda: FashionPredictor(path).predict(IMAGE))

    assert said is not None
    assert "export it again" in said


@pytest.mark.parametrize("name", ["boxes", "scores"])
def test_a_detector_with_fewer_rows_of_one_kind(tmp_path: Path, name: str) -> None:
    answers = detector_answers()
    answers[name] = answers[name][:, :2]
    path = write_detector(tmp_path / "m.onnx", answers, detector_metadata().to_json())

    with pytest.raises(ModelFileError, match=r"gives \d boxes and scores of \d; export it again"):
        GarmentDetector(path).detect(IMAGE)
