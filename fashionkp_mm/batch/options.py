"""How pictures are predicted."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from fashionkp_mm import __version__
from fashionkp_mm.core.box_sources import FROM_DETECTOR, BoxSource
from fashionkp_mm.core.digests import content_in_words
from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.runtime import FashionPredictor
from fashionkp_mm.runtime.shipped import shipped_model


class NoRuntimeError(ImportError):
    """ONNX Runtime is not installed."""


@dataclass(frozen=True)
class Options:
    """How to predict.

    Attributes:
        model: ONNX file of the pose network; by default the one that comes with the package.
        detector: ONNX file of the detector, where ``boxes`` is ``detector``; by default likewise.
        boxes: Where the boxes of the first pass come from; see `FashionPredictor.predict`.
        flip_test: Whether to average with the mirrored picture.
        max_megapixels: Size from which an image is refused.
        device: What the networks run on; see `FashionPredictor`.
    """

    model: Path | None
    detector: Path | None
    boxes: BoxSource
    flip_test: bool
    max_megapixels: float = MAX_MEGAPIXELS
    device: str = "cpu"

    def predictor(self, threads: int | None = None) -> FashionPredictor:
        """The predictor that these options describe.

        Args:
            threads: As in `FashionPredictor`.

        Raises:
            NoModelError: A model was not named, and none of its kind comes with the package.
            NoRuntimeError: ONNX Runtime is not installed.
            ModelFileError: A file is not a model that this version can run.
            DeviceError: There is no such device.
        """
        if find_spec("onnxruntime") is None:
            raise NoRuntimeError(
                "ONNX Runtime is not installed; it comes with pip install 'fashionkp_mm[runtime]'"
            )
        model, detector = self._models()
        return FashionPredictor(
            model,
            detector=detector,
            flip_test=self.flip_test,
            threads=threads,
            max_megapixels=self.max_megapixels,
            device=self.device,
        )

    def made_by(self) -> dict[str, str]:
        """All that the predictions depend on, in words by name."""
        model, detector = self._models()
        return {
            "fashionkp_mm": __version__,
            "model": content_in_words(model),
            "detector": content_in_words(detector),
            "boxes": self.boxes,
            "flip test": "yes" if self.flip_test else "no",
        }

    def model_files(self) -> list[Path]:
        """The files of the models."""
        return [model for model in self._models() if model is not None]

    def _models(self) -> tuple[Path, Path | None]:
        """The pose network's file and, where one is needed, the detector's."""
        detector = self.detector
        if detector is None and self.boxes in FROM_DETECTOR:
            detector = shipped_model("detector")
        return self.model or shipped_model(), detector
