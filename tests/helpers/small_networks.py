"""ONNX networks small enough to know what they must find: the brightest pixel of a colour.

A picture has three colours, BGR. For a garment of category ``c`` keypoint ``k`` lies where colour
``(k + c) % 3`` is brightest. Left to itself the network takes the category of the brightest colour:
blue is a blouse, green an outwear, red a dress.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fashionkp_mm.core.garments import CATEGORY_NAMES, NUM_KEYPOINTS, Visibility
from fashionkp_mm.runtime.metadata import (
    METADATA_KEY,
    DetectorMetadata,
    PoseMetadata,
    SimCCDecoder,
    UDPHeatmapDecoder,
)

INPUT_SIZE = (48, 64)
DETECTOR_SIZE = (96, 96)
SPLIT_RATIO = 2
HEATMAP_SIZE = (12, 16)
COLOURS = 3
SATURATED = 200
"""Brightness from which on the detector takes a pixel for part of a garment."""


def colour_of(category: int, keypoint: int) -> int:
    """The channel in which a category's keypoint is the brightest pixel."""
    return (keypoint + category) % COLOURS


def pose_metadata(**changes: Any) -> PoseMetadata:
    """What the SimCC network says of itself."""
    facts: dict[str, Any] = dict(
        name="brightest",
        input_size=INPUT_SIZE,
        decoder=SimCCDecoder(SPLIT_RATIO),
        bbox_padding=1.25,
        training_data="none",
        licence="Apache-2.0",
    )
    return PoseMetadata(**{**facts, **changes})


def detector_metadata(**changes: Any) -> DetectorMetadata:
    """What the detector says of itself."""
    facts: dict[str, Any] = dict(
        name="saturated",
        input_size=DETECTOR_SIZE,
        score_threshold=0.3,
        iou_threshold=0.6,
        training_data="none",
        licence="Apache-2.0",
    )
    return DetectorMetadata(**{**facts, **changes})


class _Graph:
    """Collects nodes; each method returns the name of what it computes."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def __call__(self, operator: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        name = out or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def file(
        self, path: Path, inputs: dict[str, Any], outputs: dict[str, Any], metadata: str | None
    ) -> Path:
        """Write the graph; inputs and outputs are names with element type and shape."""
        values = [
            [helper.make_tensor_value_info(name, *value) for name, value in group.items()]
            for group in (inputs, outputs)
        ]
        graph = helper.make_graph(self.nodes, "small", *values, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        if metadata is not None:
            model.metadata_props.add(key=METADATA_KEY, value=metadata)
        onnx.checker.check_model(model, full_check=True)
        path.write_bytes(model.SerializeToString())
        return path


def write_pose_network(
    path: Path,
    *,
    metadata: str | None = None,
    absent: tuple[int, ...] = (),
    occluded: tuple[int, ...] = (),
    heatmaps: bool = False,
) -> Path:
    """Write the network of the module's docstring.

    Args:
        path: Where to.
        metadata: JSON to put in; that of `pose_metadata` by default, none if empty.
        absent: Keypoints that it calls absent.
        occluded: Keypoints that it calls occluded; the others are visible.
        heatmaps: Whether it answers with heatmaps, not SimCC vectors.
    """
    width, height = INPUT_SIZE
    categories = len(CATEGORY_NAMES)
    graph = _Graph()
    pixels = graph("Cast", "images", to=TensorProto.FLOAT)
    pixels = graph("Div", pixels, graph.constant(255))
    pixels = graph("Transpose", pixels, perm=[0, 3, 1, 2])  # (N, 3, H, W)

    brightest = graph("ReduceMax", pixels, graph.constant([2, 3], np.int64), keepdims=0)
    others = graph.constant(np.zeros((COLOURS, categories - COLOURS)))
    others = graph("MatMul", brightest, others)
    logits = graph("Concat", brightest, others, axis=1)
    logits = graph("Mul", logits, graph.constant(10))
    graph("Softmax", logits, axis=1, out="category_scores")
    own = graph("ArgMax", logits, axis=1, keepdims=0)
    unknown = graph("Less", "categories", graph.constant(0, np.int64))
    chosen = graph("Where", unknown, own, "categories")

    table = np.zeros((categories, NUM_KEYPOINTS, COLOURS))
    for category, keypoint in np.ndindex(categories, NUM_KEYPOINTS):
        table[category, keypoint, colour_of(category, keypoint)] = 1
    colours = graph("Gather", graph.constant(table), chosen, axis=0)  # (N, K, 3)

    def of_keypoints(values: str, out: str, shape: list[int]) -> None:
        """Pick for each keypoint its colour's values, ``(N, 3, *)``."""
        flat = graph("Reshape", values, graph.constant([0, COLOURS, -1], np.int64))
        picked = graph("MatMul", colours, flat)
        graph("Reshape", picked, graph.constant([0, NUM_KEYPOINTS, *shape], np.int64), out=out)

    if heatmaps:
        stride = width // HEATMAP_SIZE[0]
        pooled = graph("AveragePool", pixels, kernel_shape=[stride] * 2, strides=[stride] * 2)
        of_keypoints(pooled, "heatmaps", list(HEATMAP_SIZE[::-1]))
        points = {"heatmaps": ("batch", NUM_KEYPOINTS, *HEATMAP_SIZE[::-1])}
    else:
        for name, axis, length in (("simcc_x", 2, width), ("simcc_y", 3, height)):
            profile = graph("ReduceMax", pixels, graph.constant([axis], np.int64), keepdims=0)
            profile = graph("Unsqueeze", profile, graph.constant([3], np.int64))
            bins = graph("Mul", profile, graph.constant([1, 0.5]))  # SPLIT_RATIO to a pixel
            of_keypoints(bins, name, [SPLIT_RATIO * length])
        points = {
            "simcc_x": ("batch", NUM_KEYPOINTS, SPLIT_RATIO * width),
            "simcc_y": ("batch", NUM_KEYPOINTS, SPLIT_RATIO * height),
        }

    states = np.full(NUM_KEYPOINTS, Visibility.VISIBLE)
    states[list(absent)] = Visibility.ABSENT
    states[list(occluded)] = Visibility.OCCLUDED
    seen = 4 * np.eye(len(Visibility))[states - Visibility.ABSENT]
    # Added to something of the batch's length, so that the output has it too.
    seen_of_all = graph("Mul", colours, graph.constant(0))
    seen_of_all = graph("Add", seen_of_all, graph.constant(seen[None]))
    graph("Softmax", seen_of_all, axis=2, out="visibility_scores")

    decoder = UDPHeatmapDecoder(HEATMAP_SIZE) if heatmaps else SimCCDecoder(SPLIT_RATIO)
    if metadata is None:
        metadata = pose_metadata(decoder=decoder).to_json()
    outputs = {
        **points,
        "category_scores": ("batch", categories),
        "visibility_scores": ("batch", NUM_KEYPOINTS, len(Visibility)),
    }
    return graph.file(
        path,
        {
            "images": (TensorProto.UINT8, ("batch", height, width, 3)),
            "categories": (TensorProto.INT64, ("batch",)),
        },
        {name: (TensorProto.FLOAT, shape) for name, shape in outputs.items()},
        metadata or None,
    )


def write_detector(path: Path, *, metadata: str | None = None) -> Path:
    """Write a detector: a box around each colour's saturated pixels, and a worse copy of each.

    The category is the colour's, the score its greatest brightness. A colour without saturated
    pixels has score 0.
    """
    width, height = DETECTOR_SIZE
    graph = _Graph()
    pixels = graph("Cast", "images", to=TensorProto.FLOAT)
    edges = {}
    for axis, low, high in ((1, "x1", "x2"), (2, "y1", "y2")):
        profile = graph("ReduceMax", pixels, graph.constant([axis], np.int64), keepdims=0)
        inside = graph("Greater", profile, graph.constant(SATURATED))  # (N, W or H, 3)
        inside = graph("Cast", inside, to=TensorProto.INT32)
        first = graph("ArgMax", inside, axis=1, keepdims=0)
        last = graph("ArgMax", inside, axis=1, keepdims=0, select_last_index=1)
        edges[low] = graph("Cast", first, to=TensorProto.FLOAT)
        beyond = graph("Cast", last, to=TensorProto.FLOAT)
        edges[high] = graph("Add", beyond, graph.constant(1))
    boxes = graph(
        "Concat",
        *(
            graph("Unsqueeze", edges[name], graph.constant([2], np.int64))
            for name in ("x1", "y1", "x2", "y2")
        ),
        axis=2,
    )  # (N, 3, 4)
    copies = graph("Add", boxes, graph.constant(1))
    graph("Concat", boxes, copies, axis=1, out="boxes")

    brightest = graph("ReduceMax", pixels, graph.constant([1, 2], np.int64), keepdims=0)
    saturated = graph("Greater", brightest, graph.constant(SATURATED))
    score = graph("Where", saturated, brightest, graph.constant(0))
    score = graph("Div", score, graph.constant(255))
    score = graph("Unsqueeze", score, graph.constant([2], np.int64))
    score = graph("Mul", score, graph.constant(np.eye(COLOURS, len(CATEGORY_NAMES))))
    worse = graph("Mul", score, graph.constant(0.9))
    graph("Concat", score, worse, axis=1, out="scores")
    return graph.file(
        path,
        {"images": (TensorProto.UINT8, ("batch", height, width, 3))},
        {
            "boxes": (TensorProto.FLOAT, ("batch", 2 * COLOURS, 4)),
            "scores": (TensorProto.FLOAT, ("batch", 2 * COLOURS, len(CATEGORY_NAMES))),
        },
        detector_metadata().to_json() if metadata is None else metadata or None,
    )


def picture(
    points: dict[int, tuple[int, int]], size: tuple[int, int] = (300, 400), radius: int = 30
) -> np.ndarray:
    """A black picture with a cone of light in each colour, its tip at the point ``x, y``."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    image = np.zeros((height, width, 3), np.uint8)
    for colour, (px, py) in points.items():
        distance = np.hypot(x - px, y - py)
        image[..., colour] = np.clip(255 * (1 - distance / radius), 0, 255).round()
    return image
