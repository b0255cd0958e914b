"""Label Studio's ML backend: the shipped model labels a project's tasks.

    pip install 'fashionkp_mm[runtime,studio]'
    LABEL_STUDIO_URL=http://localhost:8080 LABEL_STUDIO_API_KEY=… \\
        uvicorn --factory fashionkp_mm.integrations.label_studio:create_app --port 9090

Then name ``http://localhost:9090`` in the project's settings, under Model. The project needs the
labeling configuration of ``fashionkp convert --labeling-config``; its tags may have other names.

Further environment variables: ``FASHIONKP_CATEGORY``, ``FASHIONKP_BOXES`` and ``FASHIONKP_MODEL``
are the options of ``fashionkp predict``; `label_studio_pictures.Pictures.of_environment` has those
of where pictures lie.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from xml.etree import ElementTree

import numpy as np
from fastapi import Body, FastAPI, Request
from fastapi.responses import JSONResponse

from fashionkp_mm import __version__
from fashionkp_mm.batch.options import Options
from fashionkp_mm.core.box_sources import BOX_SOURCES, BoxSource
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.exchange import label_studio as form
from fashionkp_mm.exchange.table import GarmentTable
from fashionkp_mm.integrations.label_studio_pictures import PictureError, Pictures
from fashionkp_mm.runtime import FashionPredictor, Prediction
from fashionkp_mm.runtime.file_garments import table_of

VERSION = f"fashionkp {__version__}"
_LOG = logging.getLogger("uvicorn.error")
_REMEDY = "take the one that `fashionkp convert --labeling-config` prints"


class ConfigError(ValueError):
    """A labeling configuration that garments do not fit in."""


@dataclass(frozen=True)
class Tags:
    """Names of a labeling configuration's tags, which the regions refer to.

    Attributes:
        key: The name of the picture's address in a task's data.
        names: A configuration's name of a tag by ours.
    """

    key: str
    names: Mapping[str, str]

    @classmethod
    def of(cls, labeling_config: str) -> Tags:
        """Find the tags of a configuration by what they are.

        Raises:
            ConfigError: One that garments need is missing, or it is no XML.
        """
        try:
            root = ElementTree.fromstring(labeling_config)
        except ElementTree.ParseError as error:
            raise ConfigError(f"the labeling configuration is no XML ({error})") from None
        names = {}
        for ours, kind, label in (
            (form.IMAGE, "Image", ""),
            (form.GARMENT, "RectangleLabels", CATEGORY_NAMES[0]),
            (form.POINTS, "KeyPointLabels", "crotch"),
            (form.SEEN, "Choices", "occluded"),
        ):
            tag = next((tag for tag in root.iter(kind) if _has(tag, label)), None)
            if tag is None or not tag.get("name"):
                with_label = f" with the label {label!r}" if label else ""
                raise ConfigError(
                    f"the labeling configuration has no {kind}{with_label}; {_REMEDY}"
                )
            names[ours] = str(tag.get("name"))
            if ours == form.IMAGE:
                key = str(tag.get("value", "")).removeprefix("$")
        return cls(key, names)

    def fitted(self, regions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Regions with the configuration's names for ours."""
        changed = ("from_name", "to_name")
        return [
            {**region, **{name: self.names[region[name]] for name in changed}} for region in regions
        ]


class Backend:
    """What answers Label Studio.

    Args:
        predictor: Finds the garments.
        pictures: Where the tasks' pictures are.
        category: Category of all garments; None leaves the choice to the model.
        boxes: Where to look.
    """

    def __init__(
        self,
        predictor: FashionPredictor,
        pictures: Pictures,
        category: str | None = None,
        boxes: BoxSource = "refine",
    ) -> None:
        self._predictor, self._pictures = predictor, pictures
        self._category, self._boxes = category, boxes

    def health(self) -> dict[str, str]:
        """That it is here."""
        return {"status": "UP", "model_class": "fashionkp_mm", "model_version": VERSION}

    def setup(
        self, label_config: Annotated[str, Body(embed=True, alias="schema")]
    ) -> dict[str, str]:
        """Whether a project's configuration fits."""
        Tags.of(label_config)
        return {"model_version": VERSION}

    def predict(
        self,
        tasks: Annotated[list[dict[str, Any]], Body()],
        label_config: Annotated[str, Body()],
    ) -> dict[str, Any]:
        """The garments of each task's picture, or what is wrong with it.

        Label Studio passes over an answer that has an ``error`` in the place of a ``result``, and
        would take no answer at all if the request failed.
        """
        tags = Tags.of(label_config)
        answers: dict[int, dict[str, Any]] = {}
        pictures: dict[int, Path | bytes] = {}
        for place, task in enumerate(tasks):
            try:
                pictures[place] = self._picture(task, tags.key)
            except PictureError as error:
                answers[place] = _failed(task, error)
        found = self._predictor.stream(pictures.values(), self._category, self._boxes)
        for place, prediction in zip(pictures, found, strict=True):
            failed = prediction.error
            answers[place] = (
                _answer(prediction, tags) if failed is None else _failed(tasks[place], failed)
            )
        return {"results": [answers[place] for place in range(len(tasks))]}

    def webhook(self, event: Annotated[dict[str, Any], Body()]) -> dict[str, str]:
        """What has happened in a project: nothing is made of it."""
        return {"status": "ignored", "action": str(event.get("action", ""))}

    def versions(self) -> dict[str, list[str]]:
        """Versions of the model: one."""
        return {"versions": [VERSION]}

    def _picture(self, task: Mapping[str, Any], key: str) -> Path | bytes:
        data = task.get("data")
        address = data.get(key) if isinstance(data, dict) else None
        if not isinstance(address, str) or not address:
            raise PictureError(f"its data has no picture under {key!r}")
        return self._pictures.fetch(address, task.get("id"))


def create_app(backend: Backend | None = None) -> FastAPI:
    """The application, for uvicorn; set up by environment variables unless a backend is given.

    Raises:
        ValueError: A variable says what cannot be.
        ModelFileError, NoModelError: See `FashionPredictor`.
    """
    backend = backend_of(os.environ) if backend is None else backend
    app = FastAPI(title="fashionkp_mm for Label Studio", docs_url=None, redoc_url=None)
    app.add_api_route("/", backend.health)
    app.add_api_route("/health", backend.health)
    app.add_api_route("/versions", backend.versions)
    app.add_api_route("/setup", backend.setup, methods=["POST"])
    app.add_api_route("/predict", backend.predict, methods=["POST"])
    app.add_api_route("/webhook", backend.webhook, methods=["POST"])
    app.add_exception_handler(ConfigError, _explained)
    return app


def backend_of(environment: Mapping[str, str]) -> Backend:
    """A backend as environment variables say."""
    category = environment.get("FASHIONKP_CATEGORY") or None
    boxes = environment.get("FASHIONKP_BOXES") or "refine"
    for name, value, allowed in (
        ("FASHIONKP_CATEGORY", category, CATEGORY_NAMES),
        ("FASHIONKP_BOXES", boxes, BOX_SOURCES),
    ):
        if value is not None and value not in allowed:
            raise ValueError(f"{name} is {value!r}, expected one of {', '.join(allowed)}")
    model = environment.get("FASHIONKP_MODEL")
    options = Options(Path(model) if model else None, None, boxes, flip_test=False)  # type: ignore[arg-type]
    pictures = Pictures.of_environment(environment)
    return Backend(options.predictor(), pictures, category, options.boxes)


def _answer(prediction: Prediction, tags: Tags) -> dict[str, Any]:
    """A prediction as Label Studio takes it."""
    if not len(prediction):
        return {"result": [], "score": 0.0, "model_version": VERSION}
    (task,) = json.loads(b"".join(form.write(_table(prediction))))
    (answer,) = task["predictions"]
    score = float(np.clip(answer["score"], 0, 1))
    return {"result": tags.fitted(answer["result"]), "score": score, "model_version": VERSION}


def _failed(task: Mapping[str, Any], error: Exception) -> dict[str, Any]:
    message = f"task {task.get('id')}: {error}"
    _LOG.error("%s", message)
    return {"error": message}


def _table(prediction: Prediction) -> GarmentTable:
    assert prediction.image_size is not None
    garments = list(prediction)
    return GarmentTable.of(
        table_of(("picture", garment) for garment in garments),
        sizes={"picture": prediction.image_size},
        boxes=np.array([each.box for each in garments]),
        scores=np.array([each.score for each in garments], np.float32),
        keypoint_scores=np.array([each.keypoint_scores for each in garments]),
    )


def _has(tag: ElementTree.Element, label: str) -> bool:
    return not label or any(child.get("value") == label for child in tag)


def _explained(_: Request, error: Exception) -> JSONResponse:
    _LOG.error("%s", error)
    return JSONResponse({"error": str(error), "detail": str(error)}, 422)
