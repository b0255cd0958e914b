"""One export, from the files that are given to the file that is wanted."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mmdet.models.detectors import RTMDet
from mmpose.models.pose_estimators import TopdownPoseEstimator

from fashionkp_mm.core.files import require_apart, write_atomically
from fashionkp_mm.exporting.detector import DetectorExporter
from fashionkp_mm.exporting.errors import ExportError
from fashionkp_mm.exporting.half import halved, rounding_parity
from fashionkp_mm.exporting.parity import BoxedPicture, Parity, pictures
from fashionkp_mm.exporting.pose import PoseExporter, RtmlibExporter
from fashionkp_mm.exporting.provenance import Provenance, provenance
from fashionkp_mm.exporting.trained import TrainedModel, load_trained_model
from fashionkp_mm.runtime.metadata import Metadata


class Exporter(Protocol):
    """What is needed of one kind of model; made of a `TrainedModel` and its `Provenance`."""

    @property
    def metadata(self) -> Metadata:
        """What the file says of itself."""

    def onnx(self) -> bytes:
        """The file's content."""

    def parity(self, file: Path, pictures: Iterable[BoxedPicture]) -> Parity:
        """Compare the exported file with PyTorch."""


@dataclass(frozen=True)
class Exported:
    """What came of an export.

    Attributes:
        metadata: What the file says of itself.
        parity: How its comparison with PyTorch came out, before any rounding of the weights.
        rounding: What rounding the weights to float16 changed; None where they were not.
        size: Of the file, in bytes.
    """

    metadata: Metadata
    parity: Parity
    rounding: Parity | None
    size: int


def export(
    config: Path,
    checkpoint: Path,
    out: Path,
    *,
    rtmlib: bool = False,
    half: bool = False,
    images: Sequence[Path] | None = None,
    training_data: str | None = None,
    licence: str | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Exported:
    """Export a trained model, compare the file with PyTorch, and only then write it.

    Args:
        config: The model's config.
        checkpoint: Its weights.
        out: Where the ONNX file goes; it appears as a whole or not at all.
        rtmlib: Whether to export a pose network for rtmlib instead of this package's runtime.
        half: Whether to round the weights to float16, which halves the file; see `half`.
        images: Image files to compare on; drawn garments by default.
        training_data: What the file says it was trained on; by default what the checkpoint says.
        licence: Under which terms the file says its weights stand; by default likewise.
        progress: Called with what is done next.

    Raises:
        ExportError: The model cannot be exported, or the file does not do what PyTorch does.
        CheckpointError: The checkpoint is damaged or holds more than data.
        BrokenImageError: An image to compare on is not usable.
        FileExistsError: ``out`` is one of the files that are read.
        OSError: A file cannot be read, or ``out`` cannot be written.
    """
    _require_packages()
    require_apart([out], [config, checkpoint, *(images or ())])
    _require_writable(out)
    progress("loading the checkpoint")
    trained = load_trained_model(config, checkpoint)
    texts = provenance(trained, training_data, licence)
    exporter = _exporter(trained, texts, rtmlib=rtmlib)
    progress("making the graph")
    content = exporter.onnx()
    progress("comparing with PyTorch")
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder, "draft.onnx")
        draft.write_bytes(content)
        parity = exporter.parity(draft, pictures(images))
        parity.require()
        rounding = None
        if half:
            progress("rounding the weights")
            content = halved(content)
            rounded = Path(folder, "rounded.onnx")
            rounded.write_bytes(content)
            rounding = rounding_parity(exporter.metadata, draft, rounded, pictures(images))
            rounding.require("float16 is too coarse for this network, export it without --half")
    write_atomically(out, content)
    return Exported(exporter.metadata, parity, rounding, len(content))


def _exporter(trained: TrainedModel, texts: Provenance, *, rtmlib: bool) -> Exporter:
    if isinstance(trained.model, TopdownPoseEstimator):
        return (RtmlibExporter if rtmlib else PoseExporter)(trained, texts)
    if isinstance(trained.model, RTMDet):
        if rtmlib:
            raise ExportError(
                f"{trained.config_path}: the model is a detector, and rtmlib takes pose networks"
                " only; export it without --rtmlib"
            )
        return DetectorExporter(trained, texts)
    raise ExportError(
        f"{trained.config_path}: the model is a {type(trained.model).__name__}, and only top-down"
        " pose estimators (type='TopdownPoseEstimator') and RTMDet can be exported"
    )


def _require_packages() -> None:
    missing = [
        name
        for name in ("onnx", "onnxscript", "onnxruntime")
        if importlib.util.find_spec(name) is None
    ]
    if missing:
        raise ExportError(
            f"exporting needs {', '.join(missing)}: pip install 'fashionkp_mm[train]'"
        )


def _require_writable(out: Path) -> None:
    """Find out before the long work, not after."""
    if out.suffix.lower() != ".onnx":
        raise ExportError(f"{out}: the name does not end in .onnx; name the file {out}.onnx")
    if out.is_dir():
        raise IsADirectoryError(f"{out} is a folder; name a file in it")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}."):
        pass
