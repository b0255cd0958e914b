"""Model files: garments with finite numbers, or `ModelFileError`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from small_networks import (
    picture,
    pose_metadata,
    write_detector,
    write_pose_network,
)

from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.runtime import FashionPredictor, Garment
from fashionkp_mm.runtime.metadata import METADATA_KEY, CentroidHeatmapDecoder, ModelFileError
from fuzzing import Fault
from fuzzing.child import Limits
from fuzzing.mutations import BYTE_MUTATIONS

LIMITS = Limits(seconds=4, mebibytes=512)

Network = Literal["simcc", "heatmaps", "centroids", "detector"]
_NETWORKS: tuple[Network, ...] = ("simcc", "heatmaps", "centroids", "detector")
_PICTURES = (
    picture({0: (100, 120), 1: (200, 220), 2: (60, 300)}),
    picture({0: (40, 40), 1: (30, 60)}, (120, 90)),
)
_STRAY_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, 2, 3, -1, -7, 0.5, 1.0, 11, 11.5, 1e-300, 5e-324, 1e30, 1e300,
    float("inf"), float("-inf"), float("nan"), 2**31, 2**63, 10**30, 10**400, "", "text", "11",
    "pose", "detector", "pose-rtmlib", "UDPHeatmap", "SimCCLabel", "CentroidHeatmap", [], {}, [48],
    [48, 64], [64, 48], [48, 64, 3], [0, 0], [-48, -64], [48.0, 64.0], [2**40, 2**40], ["48", "64"],
    [True, True], [[48, 64]], {"type": "SimCCLabel"}, {"type": []}, list(CATEGORY_NAMES), "\ud800",
    "é" * 1000, 1.25, 100001, 999_999_999,
)  # fmt: skip
_STRAY_TEXTS = (
    "", " ", "null", "0", "[]", "{}", '"pose"', "NaN", "{", "[" * 100_000, '{"a":' * 100_000,
    '{"format_version": 1}', '{"format_version": 1, "kind": "pose"}', "9" * 5000, "\x00",
    "\ufeff{}", '{"format_version": 1e0, "kind": "detector"}', '{"format_version": true}',
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A predictor's files.

    Attributes:
        pose: The pose network's file.
        detector: The detector's file.
        boxes: Where to look.
        network: Which network it is, as they are answered alike where nothing is damaged.
        whole: Whether nothing is damaged.
        truncated: Whether the end of a file is missing.
    """

    pose: bytes
    detector: bytes
    boxes: Literal["whole", "refine", "detector"]
    network: Network
    whole: bool = False
    truncated: bool = False


def make(random: Random) -> Case:
    """One of the small networks, with damage to its metadata, its outputs or its file."""
    network = random.choice(_NETWORKS)
    boxes: Any = "detector" if network == "detector" else random.choice(("whole", "refine"))
    kinds = (*("metadata",) * 3, *("outputs",) * 2, "cut short", "bytes", "whole")
    kind = random.choice(kinds)
    content, truncated = _whole(network), False
    if kind == "metadata":
        content = _with_metadata(content, _damaged_metadata(content, random))
    elif kind == "outputs":
        content = _with_damaged_output(content, random)
    elif kind == "cut short":
        content, truncated = content[: random.randrange(len(content))], True
    elif kind == "bytes":
        content = random.choice(BYTE_MUTATIONS)(content, random)
    pose = _whole("simcc") if network == "detector" else content
    detector = content if network == "detector" else _whole("detector")
    return Case(pose, detector, boxes, network, kind == "whole", truncated)


def prepare(folder: Path) -> None:
    """Load ONNX Runtime, and keep what whole files give."""
    for network in _NETWORKS:
        detector = network == "detector"
        pose, boxes = ("simcc", "detector") if detector else (network, "refine")
        check(Case(_whole(pose), _whole("detector"), boxes, network), folder)
        check(Case(_whole(pose), _whole("detector"), "whole", network), folder)


def check(case: Case, folder: Path) -> Literal["accepted", "refused"]:
    """The files are refused, or the garments found with them can be used and written."""
    pose, detector = folder / "pose.onnx", folder / "detector.onnx"
    pose.write_bytes(case.pose)
    detector.write_bytes(case.detector)
    try:
        predictor = FashionPredictor(pose, detector=detector, threads=1)
        predictions = predictor.predict(list(_PICTURES), boxes=case.boxes)
        garments = [garment for prediction in predictions for garment in prediction]
    except ModelFileError:
        if case.whole:
            raise
        return "refused"
    if case.truncated:
        raise Fault("a truncated file is accepted")
    for garment in garments:
        _require_usable(garment)
    rows = [garment.to_csv_row() for garment in garments]
    if _FOUND.setdefault((case.network, case.boxes), rows) != rows and case.whole:
        raise Fault("a whole file finds something else than before")
    return "accepted"


_FOUND: dict[tuple[Network, str], list[Any]] = {}
"""What whole files give, by network and boxes."""


def _require_usable(garment: Garment) -> None:
    for name in ("keypoints", "keypoint_scores", "box", "category_scores", "box_score"):
        if not np.isfinite(getattr(garment, name)).all():
            raise Fault(f"{name} of a garment are not finite")
    largest = 100 * max(garment.image_size)
    if np.abs(garment.keypoints).max() > largest or np.abs(garment.box).max() > largest:
        raise Fault(f"a point or box beyond any picture: {np.abs(garment.keypoints).max():g}")
    try:
        json.dumps([garment.to_dict(), garment.to_coco()], allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Fault(f"a garment that cannot be written: {error}") from None


@cache
def _whole(network: Network) -> bytes:
    """A file as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        if network == "detector":
            write_detector(path)
        elif network == "centroids":
            decoder = CentroidHeatmapDecoder((12, 16))
            write_pose_network(
                path, heatmaps=True, metadata=pose_metadata(decoder=decoder).to_json()
            )
        else:
            write_pose_network(path, heatmaps=network == "heatmaps")
        return path.read_bytes()


def _facts(content: bytes) -> dict[str, Any]:
    (prop,) = onnx.load_from_string(content).metadata_props
    facts: dict[str, Any] = json.loads(prop.value)
    return facts


def _with_metadata(content: bytes, text: str) -> bytes:
    model = onnx.load_from_string(content)
    del model.metadata_props[:]
    model.metadata_props.add(key=METADATA_KEY, value=text)
    return model.SerializeToString()


def _damaged_metadata(content: bytes, random: Random) -> str:
    facts = _facts(content)
    if random.random() < 0.1:
        return random.choice(_STRAY_TEXTS)
    for _ in range(random.choice((1, 1, 2))):
        _damage_value(facts, random)
    text = json.dumps(facts)
    if random.random() < 0.1:
        damaged = random.choice(BYTE_MUTATIONS)(text.encode(), random)
        text = damaged.decode(errors="replace")
    return text


def _damage_value(facts: dict[str, Any], random: Random) -> None:
    """Another value somewhere, or one fewer or more."""
    holder: Any = facts
    # What is read as a number or a size is where more can go wrong than in names.
    keys = [key for key in facts if key not in ("keypoint_names", "categories")]
    key = random.choice(keys if random.random() < 0.9 else list(facts))
    while isinstance(holder[key], dict | list) and holder[key] and random.random() < 0.8:
        holder = holder[key]
        key = random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    kind = random.randrange(8)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[random.choice(("extra", "type", "kind", "version"))] = random.choice(_STRAY_VALUES)
    else:
        holder[key] = random.choice(_STRAY_VALUES)


# --- outputs


def _with_damaged_output(content: bytes, random: Random) -> bytes:
    """The same graph with one more node behind one of its outputs."""
    model = onnx.load_from_string(content)
    output = random.choice(model.graph.output)
    (producer,) = [node for node in model.graph.node if output.name in node.output]
    producer.output[0] = "undamaged"
    damage = random.choice(_OUTPUT_DAMAGES)
    damage(model.graph, output, random)
    if random.random() < 0.1:
        output.type.tensor_type.shape.dim[0].dim_value = random.choice((1, 2))
    return model.SerializeToString()


def _constant(graph: onnx.GraphProto, value: Any, dtype: Any = np.float32) -> str:
    name = f"damage_{len(graph.initializer)}"
    graph.initializer.append(numpy_helper.from_array(np.array(value, dtype), name))
    return name


def _other_values(graph: onnx.GraphProto, output: onnx.ValueInfoProto, random: Random) -> None:
    """Everything scaled, shifted or not a number."""
    operator = random.choice(("Mul", "Add"))
    value = random.choice((np.nan, np.inf, -np.inf, 1e38, -1e38, -1, 0, 1e-38, 1e4))
    inputs = ["undamaged", _constant(graph, value)]
    graph.node.append(helper.make_node(operator, inputs, [output.name]))


def _some_values(graph: onnx.GraphProto, output: onnx.ValueInfoProto, random: Random) -> None:
    """One column of the last axis is not a number, or is out of all bounds."""
    length = output.type.tensor_type.shape.dim[-1].dim_value
    column = np.zeros(length)
    column[random.randrange(length)] = random.choice((np.nan, np.inf, -np.inf, 1e30, -1e30))
    inputs = ["undamaged", _constant(graph, column)]
    graph.node.append(helper.make_node("Add", inputs, [output.name]))


def _other_rows(graph: onnx.GraphProto, output: onnx.ValueInfoProto, random: Random) -> None:
    """Rows are missing, or stand twice."""
    if random.random() < 0.3:
        node = helper.make_node("Concat", ["undamaged"] * 2, [output.name], axis=0)
    else:
        axis = random.choice((0, 0, 1))
        bounds = random.choice(((0, -1), (0, 0), (0, 1), (1, 2**31)))
        inputs = ["undamaged", *(_constant(graph, [bound], np.int64) for bound in (*bounds, axis))]
        node = helper.make_node("Slice", inputs, [output.name])
        output.type.tensor_type.shape.dim[axis].Clear()
        output.type.tensor_type.shape.dim[axis].dim_param = "some"
    graph.node.append(node)


def _other_type(graph: onnx.GraphProto, output: onnx.ValueInfoProto, random: Random) -> None:
    """Numbers of another kind."""
    kind = random.choice((TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.INT64))
    graph.node.append(helper.make_node("Cast", ["undamaged"], [output.name], to=kind))
    output.type.tensor_type.elem_type = kind


def _other_name(graph: onnx.GraphProto, output: onnx.ValueInfoProto, random: Random) -> None:
    """An output that nobody knows in place of the one that is wanted."""
    output.name = random.choice(("simcc_z", "output", ""))
    graph.node.append(helper.make_node("Identity", ["undamaged"], [output.name]))


_OUTPUT_DAMAGES: tuple[Callable[[onnx.GraphProto, onnx.ValueInfoProto, Random], None], ...] = (
    _other_values, _other_values, _some_values, _some_values, _other_rows, _other_rows, _other_type,
    _other_name,
)  # fmt: skip
