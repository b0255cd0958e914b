"""An ONNX file of half the size: weights rounded to float16, arithmetic in float32 as before.

Each large weight is stored as float16 with a ``Cast`` to float32 behind it. ONNX Runtime computes
the casts once, when it opens the file, so a session is as fast as with float32 weights, and finds
to the last bit what it would find with float32 weights of the same rounded values.

Rounding changes the network a little. So the file before rounding is compared with PyTorch as
strictly as any, and then the rounded file with the one before: a point moves by some hundredths of
a pixel, but where two places are almost equally likely it may jump from one to the other, so the
largest distance is printed and not limited; how many points move visibly is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.garments import CATEGORY_KEYPOINTS, CATEGORY_NAMES, NUM_KEYPOINTS
from fashionkp_mm.exporting.errors import ExportError
from fashionkp_mm.exporting.parity import BoxedPicture, Difference, Floats, Parity
from fashionkp_mm.exporting.rounding import MIN_ROUNDED
from fashionkp_mm.runtime.crop import crop_geometry, cut_out
from fashionkp_mm.runtime.decode import decode_outputs
from fashionkp_mm.runtime.detector import GarmentDetector
from fashionkp_mm.runtime.metadata import (
    DetectorMetadata,
    HeatmapDecoder,
    Metadata,
    PoseMetadata,
)
from fashionkp_mm.runtime.session import open_session

if TYPE_CHECKING:
    from onnx import ModelProto

VISIBLE_MOVE = 0.5
"""Pixels of the crop from which on a point counts as moved."""
MAX_MOVED = 0.03
"""Share of points that may move visibly."""
MAX_SCORE_CHANGE = 0.05
"""Of a probability."""
MAX_BOX_CHANGE = 2.0
"""Pixels of the detector's input, for boxes that it is sure of."""

_WEIGHTED = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
"""Operators whose weights are stored as float16; all other constants stay as they are."""


def halved(content: bytes) -> bytes:
    """Round an ONNX file's weights to float16.

    Args:
        content: Of the file.

    Returns:
        Content of a file that takes and gives the same types.

    Raises:
        ExportError: A weight is too large for float16.
    """
    # Training goes without it.
    import onnx  # noqa: PLC0415
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    model: ModelProto = onnx.load_from_string(content)
    graph = model.graph
    casts = []
    for tensor in _large_weights(model):
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            rounded = values.astype(np.float16)
        if not np.isfinite(rounded).all():
            raise ExportError(
                f"the weight {tensor.name} holds {np.abs(values).max():g}, which float16 cannot;"
                " export it without --half"
            )
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(rounded, f"{name}.half"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    rounded_content: bytes = model.SerializeToString(deterministic=True)
    return rounded_content


def rounding_parity(
    metadata: Metadata, full: Path, half: Path, pictures: Iterable[BoxedPicture]
) -> Parity:
    """Compare a file whose weights were rounded with the file before.

    Args:
        metadata: Of both.
        full: File with float32 weights.
        half: File that `halved` made of it.
        pictures: To compare on.
    """
    if isinstance(metadata, DetectorMetadata):
        return _detectors(metadata, full, half, pictures)
    return _pose_networks(metadata, full, half, pictures)


def _large_weights(model: ModelProto) -> list[Any]:
    """Float32 initialisers that are nothing but weights of convolutions and linear layers."""
    from onnx import TensorProto  # noqa: PLC0415

    users: dict[str, set[str]] = {}
    for node in model.graph.node:
        for name in node.input:
            users.setdefault(name, set()).add(node.op_type)
    return [
        tensor
        for tensor in model.graph.initializer
        if tensor.data_type == TensorProto.FLOAT
        and len(tensor.dims) > 1
        and np.prod(tensor.dims) >= MIN_ROUNDED
        and users.get(tensor.name, {""}) <= _WEIGHTED
    ]


def _pose_networks(
    metadata: PoseMetadata, full: Path, half: Path, pictures: Iterable[BoxedPicture]
) -> Parity:
    runs = [_pose_run(metadata, path) for path in (full, half)]
    udp = isinstance(metadata.decoder, HeatmapDecoder)
    moves: list[Floats] = []
    scores: list[float] = []
    for picture, category in zip(pictures, cycle(range(-1, len(CATEGORY_NAMES))), strict=False):
        geometry = crop_geometry(
            picture.box[None], metadata.input_size, metadata.bbox_padding, udp=udp
        )
        crops = cut_out([picture.image], geometry)
        (points, outputs), (rounded_points, rounded) = (run(crops, category) for run in runs)
        moves.append(np.linalg.norm(points - rounded_points, axis=-1)[_shown(outputs, category)])
        scores += [
            float(np.abs(outputs[name] - rounded[name]).max())
            for name in outputs
            if name.endswith("_scores")
        ]
    moved = np.concatenate(moves)
    differences = [
        Difference("points, half of them less than", float(np.median(moved)), VISIBLE_MOVE, "px"),
        Difference("points, all of them less than", float(moved.max()), np.inf, "px"),
        Difference(
            f"share of points that move by {VISIBLE_MOVE:g} px or more",
            float((moved >= VISIBLE_MOVE).mean()),
            MAX_MOVED,
        ),
    ]
    if scores:
        differences.append(
            Difference("category and visibility scores", max(scores), MAX_SCORE_CHANGE)
        )
    return Parity(f"{moved.size} points in {len(moves)} crops", tuple(differences))


def _shown(outputs: dict[str, Floats], category: int) -> NDArray[np.bool_]:
    """``(1, K)``: the points that the category defines; where the others lie means nothing."""
    if "category_scores" not in outputs:
        return np.ones((1, NUM_KEYPOINTS), np.bool_)
    own = outputs["category_scores"].argmax(axis=-1)
    return CATEGORY_KEYPOINTS[own if category < 0 else [category]]


def _pose_run(
    metadata: PoseMetadata, file: Path
) -> Callable[[NDArray[np.uint8], int], tuple[Floats, dict[str, Floats]]]:
    """A function from crops and a category to the points and to all outputs by name."""
    session, _ = open_session(file)
    names = [value.name for value in session.get_outputs()]

    def run(crops: NDArray[np.uint8], category: int) -> tuple[Floats, dict[str, Floats]]:
        if metadata.kind == "pose-rtmlib":
            feed: dict[str, Any] = {"input": crops.transpose(0, 3, 1, 2).astype(np.float32)}
        else:
            feed = {"images": crops, "categories": np.array([category])}
        outputs = dict(zip(names, session.run(names, feed), strict=True))
        points, _ = decode_outputs(outputs, metadata.decoder, metadata.input_size)
        return points, outputs

    return run


def _detectors(
    metadata: DetectorMetadata, full: Path, half: Path, pictures: Iterable[BoxedPicture]
) -> Parity:
    letterbox = GarmentDetector(full).letterbox
    sessions = [open_session(path)[0] for path in (full, half)]
    boxes, scores = [0.0], [0.0]
    count = 0
    for picture in pictures:
        feed = {"images": letterbox(picture.image)[None]}
        (full_boxes, sure), (rounded_boxes, rounded_sure) = (
            session.run(["boxes", "scores"], feed) for session in sessions
        )
        above = (sure >= metadata.score_threshold).any(axis=-1)
        boxes.append(float(np.abs(full_boxes - rounded_boxes)[above].max(initial=0)))
        scores.append(float(np.abs(sure - rounded_sure).max()))
        count += int(above.sum())
    return Parity(
        f"{count} boxes above the threshold in {len(boxes) - 1} pictures",
        (
            Difference("boxes", max(boxes), MAX_BOX_CHANGE, "px"),
            Difference("scores", max(scores), MAX_SCORE_CHANGE),
        ),
    )
