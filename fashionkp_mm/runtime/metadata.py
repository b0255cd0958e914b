"""What an exported ONNX file says of itself, and whether this package can use it.

The facts travel as JSON in the file's metadata, under the one key ``fashionkp_mm``. Export writes
them with `to_json`, the runtime reads them with `read_metadata`; everything that decoding needs is
among them, so a file is all that a prediction takes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from reprlib import Repr
from typing import Any, Literal

from fashionkp_mm import __version__
from fashionkp_mm.core.garments import CATEGORIES, CATEGORY_NAMES, KEYPOINT_NAMES
from fashionkp_mm.core.words import listed

METADATA_KEY = "fashionkp_mm"
"""The key in ``metadata_props`` that makes an ONNX file one of ours."""
FORMAT_VERSION = 1
"""Goes up when the graph's inputs or outputs, or the meaning of a fact, change."""

_EXPORT = "`fashionkp export CONFIG CHECKPOINT OUT.onnx`"

_MAX_CHARACTERS = 100_000
"""Of the JSON; what `to_json` writes has some 3,000."""
_MAX_SIDE = 2048
"""Pixels of an input and cells of a heatmap; a batch of inputs of this size takes 400 MB."""
_short = Repr()
"""Writes values for messages, however long or deep they are."""
_short.maxstring = _short.maxother = 80
_MAX_NAMES, _MAX_NAME = 24, 40
"""Names that a message lists, and their characters."""


class ModelFileError(ValueError):
    """A model file that is missing, damaged, not ours, or of another version or kind."""


@dataclass(frozen=True)
class SimCCDecoder:
    """Outputs ``simcc_x`` and ``simcc_y``, as MMPose's codec ``SimCCLabel``.

    Attributes:
        simcc_split_ratio: Bins per pixel of the input.
    """

    simcc_split_ratio: float
    type: Literal["SimCCLabel"] = "SimCCLabel"

    def outputs(self, input_size: tuple[int, int]) -> dict[str, tuple[int, ...]]:
        """Names of the graph's outputs for the points, and their shapes but for the batch."""
        width, height = (round(side * self.simcc_split_ratio) for side in input_size)
        points = len(KEYPOINT_NAMES)
        return {"simcc_x": (points, width), "simcc_y": (points, height)}


@dataclass(frozen=True)
class HeatmapDecoder:
    """Output ``heatmaps``, aligned with the crop as UDP has it.

    Attributes:
        heatmap_size: Width and height.
    """

    heatmap_size: tuple[int, int]

    def outputs(self, input_size: tuple[int, int]) -> dict[str, tuple[int, ...]]:
        """Names of the graph's outputs for the points, and their shapes but for the batch."""
        width, height = self.heatmap_size
        return {"heatmaps": (len(KEYPOINT_NAMES), height, width)}


@dataclass(frozen=True)
class UDPHeatmapDecoder(HeatmapDecoder):
    """Read as by MMPose's codec ``UDPHeatmap`` with Gaussian heatmaps.

    Attributes:
        sigma: Of the trained Gaussians, pixels of the heatmap.
        blur_kernel_size: Of the blur before the refinement of the maximum; odd.
    """

    sigma: float = 2.0
    blur_kernel_size: int = 11
    type: Literal["UDPHeatmap"] = "UDPHeatmap"


@dataclass(frozen=True)
class CentroidHeatmapDecoder(HeatmapDecoder):
    """Read as by this package's codec ``CentroidHeatmap``.

    Attributes:
        power, floor: As in `core.heatmaps.centroids`.
    """

    power: float = 4.0
    floor: float = 0.2
    type: Literal["CentroidHeatmap"] = "CentroidHeatmap"


Decoder = SimCCDecoder | UDPHeatmapDecoder | CentroidHeatmapDecoder


@dataclass(frozen=True)
class PoseMetadata:
    """Facts about a pose network.

    Attributes:
        name: The config's name.
        input_size: Width and height of the crops.
        decoder: How to read the outputs.
        bbox_padding: Size of a crop in terms of its box.
        training_data: What it was trained on, in words.
        licence: Under which terms its weights stand, in words.
        kind: ``pose`` for this runtime, ``pose-rtmlib`` for rtmlib's ``RTMPose``.
        version: Version of this package that wrote the file.
    """

    name: str
    input_size: tuple[int, int]
    decoder: Decoder
    bbox_padding: float
    training_data: str
    licence: str
    kind: Literal["pose", "pose-rtmlib"] = "pose"
    version: str = __version__

    def to_json(self) -> str:
        """Text for the file's metadata."""
        categories = {name: list(category.keypoints) for name, category in CATEGORIES.items()}
        return _to_json(self, keypoint_names=list(KEYPOINT_NAMES), categories=categories)


@dataclass(frozen=True)
class DetectorMetadata:
    """Facts about a detector of garments.

    Attributes:
        name: The config's name.
        input_size: Width and height that pictures are letterboxed to.
        score_threshold: Detections below are dropped.
        iou_threshold: Of two boxes of a category that overlap by more, the better is kept.
        training_data: What it was trained on, in words.
        licence: Under which terms its weights stand, in words.
        kind: Always ``detector``.
        version: Version of this package that wrote the file.
    """

    name: str
    input_size: tuple[int, int]
    score_threshold: float
    iou_threshold: float
    training_data: str
    licence: str
    kind: Literal["detector"] = "detector"
    version: str = __version__

    def to_json(self) -> str:
        """Text for the file's metadata."""
        return _to_json(self, categories=list(CATEGORY_NAMES))


Metadata = PoseMetadata | DetectorMetadata


def read_metadata(properties: Mapping[str, str], file: str) -> Metadata:
    """Read and check what a file says of itself.

    Args:
        properties: The file's ``metadata_props``.
        file: Its path, for the messages.

    Raises:
        ModelFileError: The file is not ours, of another format version, of an unknown kind, knows
            other keypoints or categories than this package, or a fact is missing or makes no sense.
    """
    if METADATA_KEY not in properties:
        raise ModelFileError(
            f"{file}: the ONNX file was not written by fashionkp_mm, or its end is missing"
            f" (no metadata '{METADATA_KEY}'); write one with {_EXPORT}"
        )
    text = properties[METADATA_KEY]
    if len(text) > _MAX_CHARACTERS:
        raise _broken(file, f"has {len(text):,} characters, expected {_MAX_CHARACTERS:,} at most")
    try:
        facts = json.loads(text)
    except RecursionError:
        raise _broken(file, "is nested too deeply") from None
    except ValueError as error:
        raise _broken(file, f"is not JSON ({error})") from None
    if not isinstance(facts, dict):
        raise _broken(file, f"is {_short.repr(facts)}, expected an object")
    _require_our_format(facts, file)
    read = _Facts(facts, file)
    readers: dict[str, Callable[[_Facts], Metadata]] = {
        "pose": partial(_pose, kind="pose"),
        "pose-rtmlib": partial(_pose, kind="pose-rtmlib"),
        "detector": _detector,
    }
    kind = read.text("kind")
    if kind not in readers:
        raise read.wrong("kind", f"one of {', '.join(readers)}")
    return readers[kind](read)


def _to_json(metadata: Metadata, **more: object) -> str:
    facts = {"format_version": FORMAT_VERSION, **asdict(metadata), **more}
    return json.dumps(facts, ensure_ascii=False)


def _broken(file: str, what: str) -> ModelFileError:
    return ModelFileError(f"{file}: its metadata '{METADATA_KEY}' {what}; write it anew: {_EXPORT}")


def _require_our_format(facts: Mapping[str, object], file: str) -> None:
    found = facts.get("format_version")
    if type(found) is int and found == FORMAT_VERSION:
        return
    writer = facts.get("version")
    version = _short.repr(writer).strip("'") if isinstance(writer, str) else "of an unknown version"
    raise ModelFileError(
        f"{file}: written by fashionkp_mm {version} in format version {_short.repr(found)};"
        f" this is fashionkp_mm {__version__}, which reads format version {FORMAT_VERSION}."
        f" Export the checkpoint again with this version ({_EXPORT}), or use the version that"
        " wrote the file"
    )


class _Facts:
    """Facts taken from JSON one at a time, each checked."""

    def __init__(self, facts: Mapping[str, Any], file: str, where: str = "") -> None:
        self._facts, self.file, self._where = facts, file, where

    def get(self, key: str) -> Any:
        if key not in self._facts:
            raise _broken(self.file, f"lacks '{self._where}{key}'")
        return self._facts[key]

    def wrong(self, key: str, expected: str) -> ModelFileError:
        found = self._facts[key]
        return _broken(
            self.file, f"has {self._where}{key} = {_short.repr(found)}, expected {expected}"
        )

    def text(self, key: str) -> str:
        value = self.get(key)
        if not isinstance(value, str):
            raise self.wrong(key, "a text")
        return value

    def number(self, key: str, lowest: float, highest: float) -> float:
        value = self.get(key)
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        # In this order, NaN and integers beyond any float compare as they should.
        if not (plain and lowest <= value <= highest):
            raise self.wrong(key, f"a number from {lowest:g} to {highest:g}")
        return float(value)

    def whole(self, key: str, lowest: int, highest: int) -> int:
        value = self.number(key, lowest, highest)
        if value != int(value):
            raise self.wrong(key, f"a whole number from {lowest} to {highest}")
        return int(value)

    def size(self, key: str) -> tuple[int, int]:
        value = self.get(key)
        if (
            not isinstance(value, list)
            or len(value) != 2
            or not all(type(side) is int and 1 < side <= _MAX_SIDE for side in value)
        ):
            raise self.wrong(key, f"width and height, each from 2 to {_MAX_SIDE}")
        return value[0], value[1]

    def part(self, key: str) -> _Facts:
        value = self.get(key)
        if not isinstance(value, dict):
            raise self.wrong(key, "an object")
        return _Facts(value, self.file, f"{self._where}{key}.")

    def require_ours(self, key: str, ours: list[str] | dict[str, list[str]], what: str) -> None:
        found = self.get(key)
        # Objects are equal in any order, but the order of the categories is their index.
        if found != ours or list(found) != list(ours):
            raise ModelFileError(
                f"{self.file}: the network knows other {what} than this package:"
                f" {_difference(found, ours)}. Use the fashionkp_mm that it was trained"
                " with, or train and export it anew"
            )


def _difference(found: object, ours: list[str] | dict[str, list[str]]) -> str:
    if not isinstance(found, list | dict):
        return _short.repr(found)
    if isinstance(found, dict) and isinstance(ours, dict) and list(found) == list(ours):
        changed = [name for name, points in ours.items() if found[name] != points]
        return f"other keypoints for {', '.join(changed)}"
    theirs = [name if isinstance(name, str) else _short.repr(name) for name in found]
    lacks = [name for name in ours if name not in theirs]
    adds = [name for name in theirs if name not in ours]
    parts = [("it lacks", lacks), ("it adds", adds)]
    said = [f"{verb} {_listed(names)}" for verb, names in parts if names]
    return "; ".join(said) or f"in another order, {_listed(theirs)}"


def _listed(names: list[str]) -> str:
    return listed([name[:_MAX_NAME] for name in names], _MAX_NAMES)


def _pose(read: _Facts, kind: Literal["pose", "pose-rtmlib"]) -> PoseMetadata:
    read.require_ours("keypoint_names", list(KEYPOINT_NAMES), "keypoints")
    categories = {name: list(category.keypoints) for name, category in CATEGORIES.items()}
    read.require_ours("categories", categories, "categories")
    return PoseMetadata(
        name=read.text("name"),
        input_size=read.size("input_size"),
        decoder=_decoder(read.part("decoder")),
        bbox_padding=read.number("bbox_padding", 0.1, 10),
        training_data=read.text("training_data"),
        licence=read.text("licence"),
        kind=kind,
        version=read.text("version"),
    )


def _decoder(read: _Facts) -> Decoder:
    name = read.text("type")
    if name == "SimCCLabel":
        return SimCCDecoder(read.number("simcc_split_ratio", 0.1, 10))
    if name == "UDPHeatmap":
        kernel = read.whole("blur_kernel_size", 1, 99)
        if kernel % 2 != 1:
            raise read.wrong("blur_kernel_size", "an odd number")
        return UDPHeatmapDecoder(read.size("heatmap_size"), read.number("sigma", 0.1, 100), kernel)
    if name == "CentroidHeatmap":
        # Single precision holds the peak's own weight, (1 - floor) ** power.
        power, floor = read.number("power", 0.1, 16), read.number("floor", 0, 0.9)
        return CentroidHeatmapDecoder(read.size("heatmap_size"), power, floor)
    raise read.wrong("type", "SimCCLabel, UDPHeatmap or CentroidHeatmap")


def _detector(read: _Facts) -> DetectorMetadata:
    read.require_ours("categories", list(CATEGORY_NAMES), "categories")
    return DetectorMetadata(
        name=read.text("name"),
        input_size=read.size("input_size"),
        score_threshold=read.number("score_threshold", 0.001, 1),
        iou_threshold=read.number("iou_threshold", 0.01, 1),
        training_data=read.text("training_data"),
        licence=read.text("licence"),
        version=read.text("version"),
    )
