"""The predictor as an HTTP service: what it finds and makes of it, and how it fares."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from numpy.typing import NDArray
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from fashionkp_mm import __version__
from fashionkp_mm.applications import KnownLength, PoseErrors, Scale, ScaleError
from fashionkp_mm.core.box_sources import BOX_SOURCES, FROM_DETECTOR, BoxSource
from fashionkp_mm.images import BrokenImageError, decode_image, image_size
from fashionkp_mm.runtime import FashionPredictor, Prediction
from fashionkp_mm.studio.answers import explaining, no_such_request
from fashionkp_mm.studio.batching import Batcher, BusyError
from fashionkp_mm.studio.guard import App, Guard
from fashionkp_mm.studio.service_answers import aligned, cropped, measured, presented
from fashionkp_mm.studio.service_metrics import Metrics
from fashionkp_mm.studio.service_openapi import (
    ALIGNMENTS,
    CROPS,
    DESCRIPTION,
    MEASURES,
    PRESENTATIONS,
    request_body,
)
from fashionkp_mm.studio.service_requests import (
    Asked,
    RequestError,
    align_options,
    crop_options,
    present_options,
    read_request,
    scale_of,
)

_OPEN = ("/health", "/ready")
_Image = NDArray[np.uint8]
_Measuring = tuple[Scale | KnownLength | None, Any]
_Options = TypeVar("_Options")


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


class SlowError(Exception):
    """A request that was longer on its way than requests may be."""


class LateError(Exception):
    """Pictures whose answer took longer than answers may."""


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
        self._has_detector = boxes in FROM_DETECTOR

    async def predict(self, request: Request) -> dict[str, Any]:
        """The garments of each picture."""
        asked, boxes = await self._read(request)
        async with self._found(asked, boxes) as found:
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
                    for index, ((name, _), (_, prediction)) in enumerate(
                        zip(asked.pictures, found, strict=True)
                    )
                ],
            }

    async def measure(self, request: Request) -> dict[str, Any]:
        """The lengths of each picture's garments."""

        def answer(_: _Image, prediction: Prediction, options: _Measuring) -> dict[str, Any]:
            return measured(prediction, *options, self._errors)

        return await self._answered(request, scale_of, answer)

    async def crop(self, request: Request) -> dict[str, Any]:
        """The parts of each picture's garments, cut out."""
        return await self._answered(request, crop_options, cropped)

    async def align(self, request: Request) -> dict[str, Any]:
        """Each picture's garments, laid onto their categories' shapes."""
        return await self._answered(request, align_options, aligned)

    async def present(self, request: Request) -> dict[str, Any]:
        """A catalogue picture of each picture's garments."""
        return await self._answered(request, present_options, presented)

    async def _answered(
        self,
        request: Request,
        options_of: Callable[[dict[str, str]], _Options],
        answer: Callable[[_Image, Prediction, _Options], dict[str, Any]],
    ) -> dict[str, Any]:
        """What an application makes of each picture; wrong options are said before it predicts."""
        asked, boxes = await self._read(request)
        options = options_of(asked.facts)
        async with self._found(asked, boxes) as found:
            answers = await asyncio.gather(
                *(asyncio.to_thread(answer, *picture, options) for picture in found)
            )
        return {
            "model": self._model.name,
            "pictures": [
                {"image": name, **each}
                for (name, _), each in zip(asked.pictures, answers, strict=True)
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

    @asynccontextmanager
    async def _found(
        self, asked: Asked, boxes: BoxSource
    ) -> AsyncIterator[list[tuple[_Image, Prediction]]]:
        """Each picture, decoded, and what was found on it, for as long as the answer may take."""
        sizes = [self._decoded_bytes(*picture) for picture in asked.pictures]
        self.batcher.reserve(sizes)
        try:
            async with asyncio.timeout(self.limits.timeout):
                yield await asyncio.gather(
                    *(
                        self._predicted(*picture, asked.category, boxes)
                        for picture in asked.pictures
                    )
                )
        except TimeoutError:
            raise LateError(
                f"the pictures took longer than {self.limits.timeout:g} s; try again, or send"
                " fewer; the server's --timeout sets the limit"
            ) from None
        finally:
            self.batcher.release(sizes)

    async def _predicted(
        self, name: str, data: bytes, category: str | None, boxes: BoxSource
    ) -> tuple[_Image, Prediction]:
        image = await asyncio.to_thread(
            decode_image, data, name, max_megapixels=self.limits.max_megapixels
        )
        waiting = self.batcher.submit(image, category, boxes)
        return image, await asyncio.wrap_future(waiting)

    def _decoded_bytes(self, name: str, data: bytes) -> int:
        try:
            width, height = image_size(io.BytesIO(data), max_megapixels=self.limits.max_megapixels)
        except BrokenImageError as error:
            text = str(error).removeprefix("the image: ")
            raise BrokenImageError(f"{name}: {text}") from None
        return 3 * width * height

    async def _read(self, request: Request) -> tuple[Asked, BoxSource]:
        try:
            async with asyncio.timeout(self.limits.timeout):
                asked = await read_request(request)
        except TimeoutError:
            raise SlowError(
                f"the request did not arrive within {self.limits.timeout:g} s; the server's"
                " --timeout sets the limit"
            ) from None
        return asked, self._source(asked.facts.get("boxes"))

    def _source(self, name: str | None) -> BoxSource:
        for source in BOX_SOURCES:
            if name == source and (source not in FROM_DETECTOR or self._has_detector):
                return source
        if name is None:
            return self._boxes
        remedy = (
            f"; `fashionkp serve --boxes {name}` loads a detector" if name in FROM_DETECTOR else ""
        )
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
        ("/v1/align", service.align, request_body(ALIGNMENTS)),
        ("/v1/present", service.present, request_body(PRESENTATIONS)),
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
    for error, status in (
        (RequestError, 400),
        (ScaleError, 400),
        (SlowError, 408),
        (BrokenImageError, 422),
        (ClientDisconnect, 499),  # nobody reads it, and the metrics count it
        (LateError, 504),
    ):
        app.add_exception_handler(error, explaining(status))
    app.add_exception_handler(HTTPException, no_such_request)
    app.add_exception_handler(BusyError, _busy)
    paths = frozenset([*(route[0] for route in predicting), *(route[0] for route in asked)])
    limits = service.limits
    guard = Guard(app, token=token, names=names, max_bytes=limits.max_bytes, open_paths=_OPEN)
    return service.metrics.counting(guard, paths)


def _busy(_: Request, error: Exception) -> Response:
    assert isinstance(error, BusyError)
    return JSONResponse({"error": str(error)}, 503, {"Retry-After": str(error.retry_after)})
