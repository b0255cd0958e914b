"""The predictor as an HTTP service: what it finds, measures and crops, and how it fares."""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from numpy.typing import NDArray
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from fashionkp_mm import __version__
from fashionkp_mm.applications import (
    CropOptions,
    GarmentError,
    KnownLength,
    PoseErrors,
    Scale,
    ScaleError,
    crop,
    measure,
)
from fashionkp_mm.applications.scale import UNITS
from fashionkp_mm.core.box_sources import BoxSource
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.core.parts import ATTRIBUTES, GROUPS
from fashionkp_mm.images import BrokenImageError, decode_image, encode_image, image_size
from fashionkp_mm.runtime import FashionPredictor, Prediction
from fashionkp_mm.studio.batching import Batcher, BusyError
from fashionkp_mm.studio.guard import App, Guard
from fashionkp_mm.studio.service_metrics import Metrics
from fashionkp_mm.studio.service_openapi import CROPS, DESCRIPTION, MEASURES, request_body

MAX_PICTURES = 64
"""Of one request."""
MAX_CROP = 1024
"""Pixels of a crop's side."""
_ALL_PARTS = [name for name in GROUPS if name not in ATTRIBUTES]
_OPEN = ("/health", "/ready")
_FACTS = ("category", "boxes", "known", "px_per_cm", "unit", "parts", "size")


class RequestError(ValueError):
    """A request that is not as it should be; the message says what was expected."""


@dataclass(frozen=True)
class Limits:
    """What a service takes.

    Attributes:
        timeout: Seconds after which a request is given up.
        max_megapixels: Size from which a picture is refused.
        max_bytes: Size of the largest request.
        most_waiting: Pictures that may wait at once.
        workers: Batches that are under way at once.
    """

    timeout: float
    max_megapixels: float
    max_bytes: int = 128 * 2**20
    most_waiting: int = 256
    workers: int = 1


@dataclass(frozen=True)
class _Asked:
    """A request, read."""

    pictures: list[tuple[str, bytes]]
    category: str | None
    boxes: BoxSource
    facts: dict[str, str]


class Service:
    """The requests that are answered.

    Args:
        predictor: Finds the garments.
        boxes: Where it looks unless a request says otherwise.
        limits: What is taken.
        errors: How far the model's points are off, for intervals of lengths.
    """

    def __init__(
        self,
        predictor: FashionPredictor,
        boxes: BoxSource,
        limits: Limits,
        errors: PoseErrors | None = None,
    ) -> None:
        self.limits, self._boxes, self._errors = limits, boxes, errors
        self._model = predictor.metadata
        self.metrics = Metrics()
        self.batcher = Batcher(
            predictor,
            workers=limits.workers,
            most_waiting=limits.most_waiting,
            on_batch=self.metrics.batches.observe,
        )
        self.metrics.watch(lambda: self.batcher.waiting)
        self._has_detector = boxes == "detector"

    async def predict(self, request: Request) -> dict[str, Any]:
        """The garments of each picture."""
        asked = await self._read(request)
        predictions = await self._predictions(asked)
        return {
            "model": self._model.name,
            "predictions": [
                {
                    "image": name,
                    "image_size": list(prediction.image_size or ()),
                    "garments": [
                        replace(garment, image_id=name, image_index=index).to_dict()
                        for garment in prediction
                    ],
                }
                for index, ((name, _), prediction) in enumerate(
                    zip(asked.pictures, predictions, strict=True)
                )
            ],
        }

    async def measure(self, request: Request) -> dict[str, Any]:
        """The lengths of each picture's garments."""
        asked = await self._read(request)
        scale, unit = _scale(asked.facts)
        predictions = await self._predictions(asked)
        return {
            "model": self._model.name,
            "pictures": [
                {"image": name, **self._measured(prediction, scale, unit)}
                for (name, _), prediction in zip(asked.pictures, predictions, strict=True)
            ],
        }

    async def crop(self, request: Request) -> dict[str, Any]:
        """The parts of each picture's garments, cut out."""
        asked = await self._read(request)
        options = _crop_options(asked.facts)
        found = await self._found(asked)
        cut = await asyncio.gather(
            *(asyncio.to_thread(_crops, image, prediction, options) for image, prediction in found)
        )
        return {
            "model": self._model.name,
            "pictures": [
                {"image": name, **crops}
                for (name, _), crops in zip(asked.pictures, cut, strict=True)
            ],
        }

    def health(self) -> dict[str, str]:
        """That the process is alive."""
        return {"status": "alive", "version": __version__, "model": self._model.name}

    def ready(self) -> Response:
        """Whether pictures are taken."""
        if self.batcher.is_open:
            return JSONResponse({"status": "ready", "waiting": self.batcher.waiting})
        return JSONResponse({"status": "stopping"}, 503)

    def metrics_text(self) -> Response:
        """Counts for Prometheus."""
        return Response(
            self.metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    def _measured(
        self, prediction: Prediction, scale: Scale | KnownLength | None, unit: Any
    ) -> dict[str, Any]:
        garments: list[dict[str, Any]] = []
        failures: list[str] = []
        for position, garment in enumerate(prediction):
            try:
                found = measure(garment, scale=scale, unit=unit, errors=self._errors)
            except GarmentError as error:
                failures.append(str(error))
            else:
                garments.append({"garment": position, **found.to_dict()})
        return {"garments": garments, "failures": failures}

    async def _predictions(self, asked: _Asked) -> list[Prediction]:
        return [prediction for _, prediction in await self._found(asked)]

    async def _found(self, asked: _Asked) -> list[tuple[NDArray[np.uint8], Prediction]]:
        """Each picture, decoded, and what was found on it."""
        sizes = [self._decoded_bytes(*picture) for picture in asked.pictures]
        self.batcher.reserve(sizes)
        try:
            async with asyncio.timeout(self.limits.timeout):
                return await asyncio.gather(
                    *(self._predicted(*picture, asked) for picture in asked.pictures)
                )
        finally:
            self.batcher.release(sizes)

    async def _predicted(
        self, name: str, data: bytes, asked: _Asked
    ) -> tuple[NDArray[np.uint8], Prediction]:
        image = await asyncio.to_thread(
            decode_image, data, name, max_megapixels=self.limits.max_megapixels
        )
        waiting = self.batcher.submit(image, asked.category, asked.boxes)
        return image, await asyncio.wrap_future(waiting)

    def _decoded_bytes(self, name: str, data: bytes) -> int:
        try:
            width, height = image_size(io.BytesIO(data), max_megapixels=self.limits.max_megapixels)
        except BrokenImageError as error:
            text = str(error).removeprefix("the image: ")
            raise BrokenImageError(f"{name}: {text}") from None
        return 3 * width * height

    async def _read(self, request: Request) -> _Asked:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            pictures, facts = await _of_form(request)
        elif kind == "application/json":
            pictures, facts = _of_json(await _json(request))
        else:
            raise RequestError(
                f"the content is {kind or 'of no type'}; expected multipart/form-data with fields"
                ' named images, or application/json with {"images": [BASE64, …]}'
            )
        if not 1 <= len(pictures) <= MAX_PICTURES:
            raise RequestError(
                f"{len(pictures)} pictures; expected 1 to {MAX_PICTURES} in 'images'"
            )
        unknown = set(facts) - set(_FACTS)
        if unknown:
            raise RequestError(
                f"unknown: {', '.join(sorted(unknown))}; expected {', '.join(_FACTS)}"
            )
        category = facts.get("category")
        if category is not None and category not in CATEGORY_NAMES:
            raise RequestError(
                f"there is no category {category!r}; expected one of {', '.join(CATEGORY_NAMES)}"
            )
        return _Asked(pictures, category, self._source(facts.get("boxes")), facts)

    def _source(self, name: str | None) -> BoxSource:
        for source in get_args(BoxSource):
            if name == source and (source != "detector" or self._has_detector):
                found: BoxSource = source
                return found
        if name is None:
            return self._boxes
        remedy = "; `fashionkp serve --boxes detector` loads one" if name == "detector" else ""
        raise RequestError(f"there are no boxes {name!r} here; expected refine or whole{remedy}")


def create_service(
    service: Service, *, token: str | None = None, names: tuple[str, ...] = ()
) -> App:
    """The application, behind its guard and counted.

    Args:
        service: What it answers.
        token: What everybody has to know; None on loopback.
        names: Names that the server goes by.
    """

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(service.batcher.close)

    app = FastAPI(
        title="fashionkp",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    predicting: tuple[tuple[str, Callable[..., Any], dict[str, Any]], ...] = (
        ("/v1/predict", service.predict, request_body({})),
        ("/v1/measure", service.measure, request_body(MEASURES)),
        ("/v1/crop", service.crop, request_body(CROPS)),
    )
    for path, endpoint, extra in predicting:
        app.add_api_route(
            path, endpoint, methods=["POST"], response_model=None, openapi_extra=extra
        )
    asked: tuple[tuple[str, Callable[..., Any]], ...] = (
        ("/health", service.health),
        ("/ready", service.ready),
        ("/metrics", service.metrics_text),
    )
    for path, endpoint in asked:
        app.add_api_route(path, endpoint, methods=["GET"], response_model=None)
    for error, status in ((RequestError, 400), (BrokenImageError, 422), (ScaleError, 400)):
        app.add_exception_handler(error, _explaining(status))
    app.add_exception_handler(BusyError, _busy)
    app.add_exception_handler(TimeoutError, _late)
    paths = frozenset([*(route[0] for route in predicting), *(route[0] for route in asked)])
    limits = service.limits
    guard = Guard(app, token=token, names=names, max_bytes=limits.max_bytes, open_paths=_OPEN)
    return service.metrics.counting(guard, paths)


async def _of_form(request: Request) -> tuple[list[tuple[str, bytes]], dict[str, str]]:
    try:
        form = await request.form(max_files=MAX_PICTURES, max_fields=16)
    except HTTPException as error:  # python-multipart could not make sense of it
        raise RequestError(f"not readable as multipart/form-data ({error.detail})") from None
    pictures: list[tuple[str, bytes]] = []
    facts: dict[str, str] = {}
    for field, value in form.multi_items():
        if isinstance(value, UploadFile):
            if field != "images":
                raise RequestError(f"a file in the field {field!r}; expected it in 'images'")
            name = Path(value.filename or "").name or f"image {len(pictures)}"
            pictures.append((name, await value.read()))
        elif field == "images":
            raise RequestError("the field 'images' holds text; expected a file")
        elif value:
            facts[field] = value
    await form.close()
    return pictures, facts


async def _json(request: Request) -> dict[str, Any]:
    try:
        content = await request.json()
    except (ValueError, RecursionError) as error:
        raise RequestError(f"not readable as JSON ({error})") from None
    if not isinstance(content, dict):
        raise RequestError('expected an object, {"images": [BASE64, …]}')
    return content


def _of_json(content: dict[str, Any]) -> tuple[list[tuple[str, bytes]], dict[str, str]]:
    images = content.pop("images", [])
    if not isinstance(images, list) or not all(isinstance(each, str) for each in images):
        raise RequestError("'images' is none; expected a list of base64 texts")
    pictures = []
    for index, text in enumerate(images):
        try:
            data = base64.b64decode(text.encode(), validate=True)
        except (binascii.Error, ValueError) as error:
            raise RequestError(f"image {index} is not base64 ({error})") from None
        pictures.append((f"image {index}", data))
    facts = {name: str(value) for name, value in content.items() if value is not None}
    return pictures, facts


def _scale(facts: dict[str, str]) -> tuple[Scale | KnownLength | None, Any]:
    """What gives the lengths their unit.

    Raises:
        RequestError, ScaleError: It is none.
    """
    unit = facts.get("unit", "cm")
    if unit not in UNITS:
        raise RequestError(f"there is no unit {unit!r}; expected one of {', '.join(UNITS)}")
    if "known" in facts and "px_per_cm" in facts:
        raise RequestError("'known' and 'px_per_cm' are two answers to one question")
    if "known" in facts:
        return KnownLength.parse(facts["known"]), unit
    if "px_per_cm" in facts:
        try:
            pixels = float(facts["px_per_cm"])
        except ValueError:
            raise RequestError(f"px_per_cm is {facts['px_per_cm']!r}, expected a number") from None
        return Scale.of_pixels(pixels), unit
    return None, unit


def _crop_options(facts: dict[str, str]) -> CropOptions:
    """Which parts are cut out, and how large.

    Raises:
        RequestError: They are none.
    """
    names = facts.get("parts")
    parts = [name.strip() for name in names.split(",")] if names else _ALL_PARTS
    size = facts.get("size", "224")
    if not size.isdecimal() or not 1 <= int(size) <= MAX_CROP:
        raise RequestError(f"size is {size!r}, expected 1 to {MAX_CROP} pixels")
    try:
        return CropOptions(tuple(parts), (int(size), int(size)))
    except ValueError as error:
        raise RequestError(str(error)) from None


def _crops(
    image: NDArray[np.uint8], prediction: Prediction, options: CropOptions
) -> dict[str, Any]:
    """The crops of a picture's garments as plain JSON, and why some have none."""
    crops: list[dict[str, Any]] = []
    failures: list[str] = []
    for position, garment in enumerate(prediction):
        try:
            cut = crop(image, garment, options)
        except GarmentError as error:
            failures.append(str(error))
            continue
        crops += [
            {
                "garment": position,
                "category": garment.category,
                "part": each.part.name,
                "quad": each.quad.round(2).tolist(),
                "source": each.source,
                "score": None if math.isnan(each.score) else round(each.score, 4),
                "image": base64.b64encode(encode_image(each.image, ".jpg")).decode(),
            }
            for each in cut
        ]
    return {"crops": crops, "failures": failures}


def _explaining(status: int) -> Callable[[Request, Exception], Response]:
    def answer(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, status)

    return answer


def _busy(_: Request, error: Exception) -> Response:
    assert isinstance(error, BusyError)
    return JSONResponse({"error": str(error)}, 503, {"Retry-After": str(error.retry_after)})


def _late(_: Request, __: Exception) -> Response:
    return JSONResponse({"error": "the pictures took too long; try again, or send fewer"}, 504)
