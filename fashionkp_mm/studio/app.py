"""The studio's HTTP application: the page, and what the page asks for."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from fashionkp_mm import __version__
from fashionkp_mm.applications import GarmentError
from fashionkp_mm.core.garments import CATEGORIES, mirrored_name
from fashionkp_mm.images import BrokenImageError
from fashionkp_mm.studio.answers import explaining, no_such_request
from fashionkp_mm.studio.export import ExportError
from fashionkp_mm.studio.garments import MAX_GARMENTS, Box, GarmentModel, in_category
from fashionkp_mm.studio.guard import App, Guard
from fashionkp_mm.studio.session import Session
from fashionkp_mm.studio.store import ConflictError, NoPictureError, StoreError

PAGE = Path(str(files("fashionkp_mm.studio"))) / "page"
MAX_REQUEST_BYTES = 2 * 2**20

_Text = Annotated[str, Field(min_length=1, max_length=80)]


_SUFFIXES = {"fashionai": "csv", "json": "json", "coco": "coco.json"}
"""How names of downloads end, by format."""


class ChangeRequest(BaseModel):
    """What a person made of a picture's labels, on top of the revision that they have seen."""

    model_config = ConfigDict(extra="forbid")
    revision: int
    garments: Annotated[list[GarmentModel], Field(max_length=MAX_GARMENTS)]
    state: Literal["open", "accepted"]
    author: _Text
    key: _Text


class BoxRequest(BaseModel):
    """A box to look into."""

    model_config = ConfigDict(extra="forbid")
    box: Box
    category: str | None = None


class CategoryRequest(BaseModel):
    """A garment that is to be of another category."""

    model_config = ConfigDict(extra="forbid")
    garment: GarmentModel
    category: str


class StudioRoutes:
    """The requests that the page makes.

    Args:
        session: What they are about.
        author: Who works here unless the page says otherwise.
    """

    def __init__(self, session: Session, author: str) -> None:
        self.session, self.author = session, author

    def add_to(self, app: FastAPI) -> None:
        """Register every route."""
        routes: tuple[tuple[str, str, Callable[..., Any]], ...] = (
            ("GET", "/", self.page),
            ("GET", "/api/session", self.about),
            ("GET", "/api/queue", self.session.queue),
            ("GET", "/api/pictures/{number}", self.session.picture),
            ("GET", "/api/pictures/{number}/image", self.image),
            ("GET", "/api/pictures/{number}/history", self.session.history),
            ("POST", "/api/pictures/{number}", self.change),
            ("POST", "/api/pictures/{number}/predict", self.predict),
            ("POST", "/api/pictures/{number}/applied", self.applied),
            ("POST", "/api/category", self.category),
            ("GET", "/api/export", self.export),
            ("POST", "/api/write-back", self.write_back),
        )
        for method, path, endpoint in routes:
            app.add_api_route(path, endpoint, methods=[method], response_model=None)
        app.mount("/page", StaticFiles(directory=PAGE), name="page")

    def page(self) -> Response:
        """The page itself."""
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    def about(self) -> dict[str, Any]:
        """What the page needs to know once: categories, author, what can be done."""
        return {
            "version": __version__,
            "source": self.session.album.source.name,
            "author": self.author,
            "predicts": self.session.predicts,
            "writes_back": self.session.can_write_back,
            "categories": {
                name: {
                    "color": category.html_color,
                    "keypoints": category.keypoints,
                    "outline": category.outline,
                    "seams": category.seams,
                    "mirrored": {point: mirrored_name(point) for point in category.keypoints},
                }
                for name, category in CATEGORIES.items()
            },
        }

    def image(
        self,
        number: int,
        content: str | None = None,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """A picture, as JPEG; what is asked for by its content may be kept for good."""
        encoded, present = self.session.image(number)
        tag = f'"{present}"'
        kept = "max-age=31536000, immutable" if content == present else "no-cache"
        headers = {"ETag": tag, "Cache-Control": f"private, {kept}"}
        if if_none_match == tag:
            return Response(status_code=304, headers=headers)
        return Response(encoded(), media_type="image/jpeg", headers=headers)

    def change(self, number: int, request: ChangeRequest) -> dict[str, Any]:
        """Write a picture's labels; 409 with the present ones if they are not what was seen."""
        return self.session.change(
            number,
            request.revision,
            [garment.as_kept() for garment in request.garments],
            author=request.author,
            state=request.state,
            key=request.key,
        )

    def predict(self, number: int, request: BoxRequest) -> dict[str, Any]:
        """The garment in a box; nothing is written."""
        return self.session.garment_in_box(number, request.box, request.category)

    def applied(self, number: int, garment: GarmentModel) -> dict[str, Any]:
        """Lengths and crops of a garment as it is on the page."""
        return self.session.applied(number, garment.as_kept())

    def category(self, request: CategoryRequest) -> dict[str, Any]:
        """A garment as one of another category; nothing is written."""
        if request.category not in CATEGORIES:
            raise ValueError(
                f"unknown category {request.category!r}; expected one of {', '.join(CATEGORIES)}"
            )
        return in_category(request.garment.as_kept(), request.category)

    def export(self, form: Literal["fashionai", "json", "coco"]) -> Response:
        """All labels as a file."""
        content, notes = self.session.export(form)
        name = f"{quote(self.session.album.source.stem)}.{_SUFFIXES[form]}"
        return Response(
            content,
            media_type="text/csv" if form == "fashionai" else "application/json",
            headers={
                "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
                "X-Notes": "; ".join(notes),
                "Cache-Control": "no-store",
            },
        )

    def write_back(self) -> dict[str, list[str]]:
        """Write the file that the studio was opened with."""
        return {"notes": self.session.write_back()}


def create_app(
    session: Session, *, author: str, token: str | None = None, names: tuple[str, ...] = ()
) -> App:
    """The application behind its guard.

    Args:
        session: What it shows.
        author: Who works here unless the page says otherwise.
        token: What everybody has to know; None on loopback.
        names: Names that the server goes by, beside those of the machine.
    """
    stopped = threading.Event()

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        labeller = threading.Thread(target=session.predict_all, args=(stopped,), daemon=True)
        labeller.start()
        try:
            yield
        finally:
            stopped.set()
            labeller.join()

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=life)
    StudioRoutes(session, author).add_to(app)
    for error, status in (
        (NoPictureError, 404),
        (BrokenImageError, 422),
        (ExportError, 409),
        (GarmentError, 422),
        (ValueError, 422),
        (StoreError, 507),
        (OSError, 507),
    ):
        app.add_exception_handler(error, explaining(status))
    app.add_exception_handler(ConflictError, _conflict)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, no_such_request)
    return Guard(app, token=token, names=names, max_bytes=MAX_REQUEST_BYTES)


def _conflict(_: Request, error: Exception) -> Response:
    assert isinstance(error, ConflictError)
    return JSONResponse({"error": str(error), "current": error.current.__dict__}, 409)


def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return JSONResponse({"error": f"{place}: {first['msg']}"}, 422)
