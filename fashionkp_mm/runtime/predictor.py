"""Pictures in, garments out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.core.box_sources import (
    FROM_DETECTOR,
    PASSES,
    BoxSource,
    StartBoxes,
    further_passes,
)
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.images import BrokenImageError
from fashionkp_mm.runtime.crop import CropGeometry, cut_out
from fashionkp_mm.runtime.detector import GarmentDetector
from fashionkp_mm.runtime.garment import Garment
from fashionkp_mm.runtime.metadata import PoseMetadata
from fashionkp_mm.runtime.pose import Found, PoseNetwork
from fashionkp_mm.runtime.prediction import Prediction
from fashionkp_mm.runtime.prefetch import in_batches
from fashionkp_mm.runtime.request import Boxes, ChannelOrder, Picture, Request, make_requests
from fashionkp_mm.runtime.shipped import shipped_model

_Scalar = TypeVar("_Scalar", bound=np.generic)


class FashionPredictor:
    """Finds garments, their category and their points with an exported model.

    Predicting changes nothing in a predictor, and any number of threads may use one at once.

    Args:
        model: ONNX file that ``fashionkp export`` wrote; by default the one that comes with the
            package.
        detector: ONNX file of a detector, for ``boxes='detector'`` and ``'fast'``, such as
            ``shipped_model('detector')``.
        flip_test: Whether to average with the mirrored picture, as ``tools/test.py`` does; it takes
            twice as long.
        threads: Threads that share the work of one batch; all cores by default.
        batch_size: Most garments that go through the network at once.
        max_megapixels: Millions of pixels above which an image file is refused.
        device: What the networks run on: ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        DeviceError: There is no such device, or ONNX Runtime cannot use it.
        ModelFileError: A file is missing, damaged, not ours, or of another version or kind.
        NoModelError: No model was named, and none comes with this version.
        ValueError: ``threads`` or ``batch_size`` is less than 1.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        detector: str | os.PathLike[str] | None = None,
        flip_test: bool = False,
        threads: int | None = None,
        batch_size: int = 32,
        max_megapixels: float = MAX_MEGAPIXELS,
        device: str = "cpu",
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}, expected 1 or more")
        self._network = PoseNetwork(
            shipped_model() if model is None else model,
            flip_test=flip_test,
            threads=threads,
            device=device,
            batch_size=batch_size,
        )
        self._detector = (
            None if detector is None else GarmentDetector(detector, threads=threads, device=device)
        )
        self._batch_size = batch_size
        self._max_megapixels = max_megapixels

    @property
    def metadata(self) -> PoseMetadata:
        """What the model's file says of itself."""
        return self._network.metadata

    @overload
    def predict(
        self,
        images: Picture,
        category: str | None = None,
        boxes: BoxSource | Boxes = "refine",
        *,
        channel_order: ChannelOrder = "bgr",
    ) -> Prediction: ...

    @overload
    def predict(
        self,
        images: list[Any] | tuple[Any, ...],
        category: str | Sequence[str | None] | None = None,
        boxes: BoxSource | Sequence[Boxes] = "refine",
        *,
        channel_order: ChannelOrder = "bgr",
    ) -> list[Prediction]: ...

    def predict(
        self,
        images: Picture | list[Any] | tuple[Any, ...],
        category: str | Sequence[str | None] | None = None,
        boxes: BoxSource | Boxes | Sequence[Boxes] = "refine",
        *,
        channel_order: ChannelOrder = "bgr",
    ) -> Prediction | list[Prediction]:
        """Find the garments of one picture, or of each picture of a list.

        Args:
            images: The path of an image file, its content as ``bytes``, a Pillow image, an array
                ``(H, W, 3)`` uint8, or a list of those.
            category: Which garment to look for, by name: one for all pictures, or a list with one
                or None for each. By default the network says what it sees.
            boxes: Where to look. ``whole``: the whole picture. ``refine``: the whole picture, and
                then twice more around the points that were found, as it is and mirrored; the points
                of these two passes are fused. ``detector``: around what the detector finds, several
                garments or none, as it is and mirrored, both passes fused; with a category, around
                those of this category, or around the best unsure one, or as ``refine`` where there
                is none at all. ``fast``: as ``detector``, without the mirrored look. Or boxes
                ``(M, 4)`` ``x1, y1, x2, y2`` in pixels, tight around the garments' points; for a
                list of pictures a list of such arrays. See `core.box_sources`.
            channel_order: How the channels of arrays stand. Files and Pillow images say it
                themselves.

        Returns:
            One `Prediction` for one picture, a list of them for a list. Their garments are in the
            order of the boxes, best first with a detector.

        Raises:
            BrokenImageError: An image file is missing, truncated, too large, or no image.
            ValueError: A category does not exist, an array is no picture, a box is empty, inverted,
                not finite or outside its picture; the message says which.
        """
        if not isinstance(images, list | tuple):
            one_each: Any = boxes if isinstance(boxes, str) else [boxes]
            (prediction,) = self._read(self.stream([images], [category], one_each, channel_order))  # type: ignore[list-item]
            return prediction
        _require_one_each("categories", category, len(images))
        _require_one_each("arrays of boxes", boxes, len(images))
        each: Any = boxes
        return list(self._read(self.stream(images, category, each, channel_order)))

    def stream(
        self,
        images: Iterable[Picture],
        category: str | Iterable[str | None] | None = None,
        boxes: BoxSource | Iterable[Boxes] = "refine",
        channel_order: ChannelOrder = "bgr",
    ) -> Iterator[Prediction]:
        """Find the garments of any number of pictures, in bounded memory.

        Files are decoded in worker threads while the network is at work on those before.

        Args:
            images: As in `predict`; pulled from one or two batches ahead.
            category: As in `predict`: one for all, or one for each picture in turn.
            boxes: As in `predict`: a source for all, or an array for each picture in turn.
            channel_order: As in `predict`.

        Yields:
            The prediction of each picture, in order. What is wrong with a file is its ``error``.

        Raises:
            ValueError: As in `predict`.
        """
        if isinstance(boxes, str) and boxes in FROM_DETECTOR and self._detector is None:
            raise ValueError(
                f"boxes is {boxes!r}, but this predictor has none; FashionPredictor(detector=FILE),"
                " and shipped_model('detector') is the file that comes with the package"
            )
        requests = make_requests(images, category, boxes, self._max_megapixels, channel_order)
        for batch in in_batches(
            requests,
            self._prepare,
            self._batch_size,
            Request.decoded_bytes,
            lambda request: request.is_remote,
        ):
            usable = [item for item in batch if not isinstance(item, _Broken)]
            garments = iter(self._predict_batch(usable))
            for item in batch:
                if isinstance(item, _Broken):
                    yield Prediction(item.request, None, (), item.error)
                else:
                    yield Prediction(item.request, _size(item.image), tuple(next(garments)), None)

    @staticmethod
    def _read(predictions: Iterable[Prediction]) -> Iterator[Prediction]:
        """The same predictions.

        Raises:
            BrokenImageError: A picture could not be read.
        """
        for prediction in predictions:
            if prediction.error is not None:
                raise prediction.error
            yield prediction

    def _prepare(self, request: Request) -> _Broken | _Letterboxed | _Framed:
        """Decode a picture and cut out the crops of the first pass; runs in worker threads."""
        try:
            image = request.image()
        except BrokenImageError as error:
            return _Broken(request, error)
        if request.source in FROM_DETECTOR and self._detector is not None:
            return _Letterboxed(request, image, self._detector.letterbox(image))
        size = _size(image)
        if request.boxes is not None:
            start = StartBoxes.of(request.checked_boxes(size), request.wanted, "given")
        else:
            start = StartBoxes.whole(size, request.wanted, request.source)
        return self._framed(request, image, start)

    def _framed(self, request: Request, image: NDArray[np.uint8], start: StartBoxes) -> _Framed:
        geometry = self._network.geometry(start.boxes)
        crops = cut_out([image] * len(start.boxes), geometry)
        return _Framed(request, image, start, geometry, crops)

    def _predict_batch(self, prepared: list[_Letterboxed | _Framed]) -> list[list[Garment]]:
        """Garments of each picture."""
        pictures = self._detected(prepared)
        counts = [len(picture.start.boxes) for picture in pictures]
        if not any(counts):
            return [[] for _ in counts]
        boxes = _joined([picture.start.boxes for picture in pictures])
        wanted = _joined([picture.start.category_indices for picture in pictures])
        crops = _joined([picture.crops for picture in pictures])
        geometry = CropGeometry.joined([picture.geometry for picture in pictures])
        found = self._network.find(crops, geometry, wanted)

        owners = np.repeat(np.arange(len(pictures)), counts)
        sources = [pictures[owner].start.source for owner in owners]
        spreads = np.full(found.keypoint_scores.shape, np.nan, np.float32)
        for source in dict.fromkeys(sources):
            if PASSES[source].total == 1:
                continue
            rows = np.flatnonzero([each == source for each in sources])
            images = [pictures[owner].image for owner in owners[rows]]
            fused = further_passes(
                source,
                boxes[rows],
                found.select(rows),
                np.array([_size(image) for image in images]),
                partial(self._look, images, wanted[rows]),
                mirror=not self._network.flip_test,
            )
            boxes[rows], spreads[rows] = fused.boxes, fused.spreads
            found = found.replaced(rows, replace(fused.last, keypoints=fused.keypoints))

        garments: list[list[Garment]] = [[] for _ in pictures]
        for row, owner in enumerate(owners.tolist()):
            of_picture = garments[owner]
            garment = _garment(pictures[owner], len(of_picture), boxes[row], found, row)
            of_picture.append(replace(garment, keypoint_spreads=spreads[row]))
        return garments

    def _look(
        self,
        images: list[NDArray[np.uint8]],
        wanted: NDArray[np.int64],
        boxes: NDArray[np.float32],
        mirrored: bool,
    ) -> Found:
        """What is found in one box ``(N, 4)`` of each of ``N`` images."""
        geometry = self._network.geometry(boxes)
        crops = cut_out(images, geometry)
        return self._network.find(crops, geometry, wanted, mirrored=mirrored)

    def _detected(self, prepared: list[_Letterboxed | _Framed]) -> list[_Framed]:
        """Let the detector say where to look, where that is not known yet."""
        waiting = [picture for picture in prepared if isinstance(picture, _Letterboxed)]
        if not waiting or self._detector is None:
            return [picture for picture in prepared if isinstance(picture, _Framed)]
        detections = self._detector.detect_letterboxed(
            np.stack([picture.letterboxed for picture in waiting]),
            [_size(picture.image) for picture in waiting],
            [picture.request.wanted for picture in waiting],
        )
        return [
            self._framed(
                picture.request,
                picture.image,
                StartBoxes.detected(
                    detected,
                    _size(picture.image),
                    picture.request.wanted,
                    picture.request.source,
                ),
            )
            for picture, detected in zip(waiting, detections, strict=True)
        ]


@dataclass(frozen=True)
class _Broken:
    """A picture that cannot be used."""

    request: Request
    error: BrokenImageError


@dataclass(frozen=True)
class _Letterboxed:
    """A picture that goes to the detector first, and the letterboxed input made of it."""

    request: Request
    image: NDArray[np.uint8]
    letterboxed: NDArray[np.uint8]


@dataclass(frozen=True)
class _Framed:
    """A picture, where to look in it, and the crops ``(M, height, width, 3)`` that show that."""

    request: Request
    image: NDArray[np.uint8]
    start: StartBoxes
    geometry: CropGeometry
    crops: NDArray[np.uint8]


def _size(image: NDArray[np.uint8]) -> tuple[int, int]:
    height, width = image.shape[:2]
    return width, height


def _joined(parts: list[NDArray[_Scalar]]) -> NDArray[_Scalar]:
    # Most often it is one picture, of which no copy is needed.
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _garment(
    picture: _Framed, rank: int, box: NDArray[np.float32], found: Found, row: int
) -> Garment:
    """A picture's garment of this rank, from a row of what was found."""
    category_index = int(found.category_indices[row])
    return Garment(
        image_id=picture.request.image_id,
        image_index=picture.request.index,
        image_size=_size(picture.image),
        category=CATEGORY_NAMES[category_index],
        category_score=float(found.category_scores[row, category_index]),
        category_scores=found.category_scores[row],
        box=box,
        box_source=picture.start.source,
        box_score=float(picture.start.scores[rank]),
        keypoints=found.keypoints[row],
        keypoint_scores=found.keypoint_scores[row],
        visibility=found.visibility[row],
    )


def _require_one_each(what: str, values: object, count: int) -> None:
    if values is None or isinstance(values, str):
        return
    given = len(values) if isinstance(values, Sized) else 1
    if given != count:
        raise ValueError(
            f"there are {given} {what} for {count} images; expected one for each image, or one"
            " name for all"
        )
