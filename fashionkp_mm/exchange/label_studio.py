"""Label Studio's JSON: a task a picture, regions in percent of it.

A garment is a rectangle labelled with its category. Its points are keypoint regions whose
``parentID`` is the rectangle; an occluded one has a choice of its own. Absent points have no
region. Garments with a score become predictions, those without annotations.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import quoteattr

import numpy as np

from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_NAMES,
    KEYPOINT_NAMES,
    Visibility,
)
from fashionkp_mm.exchange.entries import NUMBER, get, load_list, size_in
from fashionkp_mm.exchange.names import Names
from fashionkp_mm.exchange.table import GarmentTable, TableBuilder, wrong

IMAGE, GARMENT, POINTS, SEEN = "image", "garment", "keypoints", "visibility"
"""Names of the labeling configuration's tags."""
_POINT_WIDTH = 0.75
"""Percent of the picture's width that a point is drawn with."""
_LOCAL_FILES = "/data/local-files/?d="
_UPLOADED = re.compile(r"^[0-9a-f]{8}-")


def labeling_config() -> str:
    """The labeling configuration of a project that takes what is written here."""

    def tags(tag: str, names: Mapping[str, str]) -> str:
        return "".join(
            f"    <{tag} value={quoteattr(name)}{more}/>\n" for name, more in names.items()
        )

    categories = {
        name: f' background="{category.html_color}"' for name, category in CATEGORIES.items()
    }
    # Its converter orders the points by these numbers.
    points = {name: f' model_index="{k}"' for k, name in enumerate(KEYPOINT_NAMES)}
    return (
        f'<View>\n  <Image name="{IMAGE}" value="$image" zoom="true" zoomControl="true"/>\n'
        f'  <RectangleLabels name="{GARMENT}" toName="{IMAGE}">\n{tags("Label", categories)}'
        f'  </RectangleLabels>\n  <KeyPointLabels name="{POINTS}" toName="{IMAGE}">\n'
        f"{tags('Label', points)}  </KeyPointLabels>\n"
        f'  <Choices name="{SEEN}" toName="{IMAGE}" choice="single-radio" perRegion="true"'
        f' visibleWhen="region-selected" whenTagName="{POINTS}">\n'
        f"{tags('Choice', dict.fromkeys(('visible', 'occluded'), ''))}  </Choices>\n</View>\n"
    )


def write(table: GarmentTable) -> Iterator[bytes]:
    """The tasks, one a line; needs the pictures' sizes.

    What lies outside its picture is moved to the edge: Label Studio refuses a whole prediction in
    which one number is not a percentage.
    """
    before = b"[\n"
    sizes, boxes = table.size_of, table.drawn_boxes
    for image_id, rows in table.rows_of.items():
        result = [
            region for row in rows for region in _regions(table, row, boxes[row], sizes[image_id])
        ]
        scores = table.scores[rows]
        task: dict[str, Any] = {
            "data": {IMAGE: _LOCAL_FILES + quote(image_id), "image_id": image_id}
        }
        if len(rows) and not np.isnan(scores).any():
            best = round(float(scores.max()), 4)
            task["predictions"] = [{"result": result, "score": best, "model_version": "fashionkp"}]
        else:
            task["annotations"] = [{"result": result}]
        yield before + json.dumps(task, allow_nan=False).encode()
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def read(path: Path, names: Names) -> GarmentTable:
    """The garments of tasks: of each the newest annotation, else the newest prediction.

    Raises:
        AnnotationError: It breaks a rule of the format.
        OSError: The file cannot be read.
    """
    file = str(path)
    builder = TableBuilder(file)
    for index, task in enumerate(load_list(path)):
        place = f"[{index}]"
        image_id = _image_id(get(task, "data", dict, file, place), file, place)
        if image_id in builder.sizes:
            raise wrong(file, place, image_id, "the picture has two tasks; expected one")
        builder.picture(image_id)
        answer, kind = _answer(task, file, place)
        result = get(answer, "result", list, file, f"{place}.{kind}") if answer else []
        _TaskReader(builder, names, image_id, f"{place}.{kind}.result").read(result)
    names.require_known(file)
    return builder.build()


class _TaskReader:
    """Puts the regions of a task together again."""

    def __init__(self, builder: TableBuilder, names: Names, image_id: str, place: str) -> None:
        self.builder, self.names, self.image_id, self.place = builder, names, image_id, place
        self.file = builder.file

    def read(self, result: list[Any]) -> None:
        garments: dict[str, int] = {}
        points: list[tuple[int, dict[str, Any]]] = []
        occluded: dict[str, bool] = {}
        for number, region in enumerate(result):
            place = f"{self.place}[{number}]"
            kind = get(region, "type", str, self.file, place)
            if kind == "rectanglelabels":
                garments[get(region, "id", str, self.file, place)] = self._garment(region, place)
            elif kind == "keypointlabels":
                points.append((number, region))
            elif kind == "choices":
                choices = get(region.get("value"), "choices", list, self.file, f"{place}.value")
                state = choices[0] if len(choices) == 1 else choices
                if state not in ("visible", "occluded"):
                    message = "expected the choice visible or occluded"
                    raise wrong(self.file, place, state, message)
                occluded[str(region.get("id"))] = state == "occluded"
        for number, region in points:
            self._point(region, f"{self.place}[{number}]", garments, occluded)

    def _garment(self, region: dict[str, Any], place: str) -> int:
        name, value = self._label(region, "rectanglelabels", place)
        x, y, width, height = (
            self._percent(value, side, f"{place}.value") for side in ("x", "y", "width", "height")
        )
        columns, rows = self._size(region, place)
        category = self.names.category(name)
        if category < 0:
            return -1
        box = (x * columns, y * rows, (x + width) * columns, (y + height) * rows)
        score = region.get("score")
        return self.builder.garment(
            self.image_id,
            category,
            place,
            box=tuple(round(side / 100, 2) for side in box),
            score=np.nan if score is None else float(score),
        )

    def _point(
        self,
        region: dict[str, Any],
        place: str,
        garments: Mapping[str, int],
        occluded: Mapping[str, bool],
    ) -> None:
        name, value = self._label(region, "keypointlabels", place)
        x, y = (self._percent(value, axis, f"{place}.value") for axis in "xy")
        width, height = self._size(region, place)
        parent = region.get("parentID")
        if parent is None and len(garments) == 1:
            parent = next(iter(garments))
        if not isinstance(parent, str) or parent not in garments:
            message = (
                f"the point belongs to none of the {len(garments)} garments in {self.image_id};"
                " expected the rectangle of its garment as its parent region"
            )
            raise wrong(self.file, f"{place}.parentID", parent or "", message)
        row, k = garments[parent], self.names.keypoint(name)
        if row < 0:
            return
        score = region.get("score")
        self.builder.point(
            row,
            k,
            (round(x * width / 100, 2), round(y * height / 100, 2)),
            Visibility.OCCLUDED if occluded.get(str(region.get("id"))) else Visibility.VISIBLE,
            np.nan if score is None else float(score),
        )

    def _label(self, region: dict[str, Any], kind: str, place: str) -> tuple[str, dict[str, Any]]:
        value = get(region, "value", dict, self.file, place)
        labels = get(value, kind, list, self.file, f"{place}.value")
        if len(labels) != 1 or not isinstance(labels[0], str):
            message = "expected one label a region"
            raise wrong(self.file, f"{place}.value.{kind}", labels, message)
        return labels[0], value

    def _percent(self, value: dict[str, Any], name: str, place: str) -> float:
        number = float(get(value, name, NUMBER, self.file, place))
        if not abs(number) <= 200:
            message = "expected percent of the picture, from 0 to 100; pixels were given?"
            raise wrong(self.file, f"{place}.{name}", number, message)
        return number

    def _size(self, region: dict[str, Any], place: str) -> tuple[int, int]:
        width, height = region.get("original_width"), region.get("original_height")
        size = size_in(width, height, self.file, place)
        known = self.builder.sizes[self.image_id]
        if size == (0, 0):
            message = "missing; expected original_width and original_height in pixels"
            raise wrong(self.file, f"{place}.original_width", "", message)
        if known not in ((0, 0), size):
            message = f"the size of {self.image_id} is {known[0]}x{known[1]} in another region"
            raise wrong(self.file, place, f"{size[0]}x{size[1]}", message)
        if region.get("image_rotation"):
            message = "the picture was turned in Label Studio; expected it as it is"
            raise wrong(self.file, f"{place}.image_rotation", region["image_rotation"], message)
        self.builder.picture(self.image_id, size)
        return size


def _answer(task: dict[str, Any], file: str, place: str) -> tuple[dict[str, Any] | None, str]:
    """The newest annotation that was not cancelled, else the newest prediction."""
    for kind in ("annotations", "predictions"):
        answers = task.get(kind) or []
        if not isinstance(answers, list) or not all(isinstance(one, dict) for one in answers):
            raise wrong(file, f"{place}.{kind}", answers, "expected a list of objects")
        answers = [answer for answer in answers if not answer.get("was_cancelled")]
        if answers:
            newest = max(
                enumerate(answers), key=lambda pair: (str(pair[1].get("updated_at", "")), pair[0])
            )
            return newest[1], kind
    return None, "annotations"


def _image_id(data: dict[str, Any], file: str, place: str) -> str:
    """The picture's id where we wrote it, else what its address says of its path."""
    known = data.get("image_id")
    if isinstance(known, str) and known:
        return known
    address: str = get(data, IMAGE, str, file, f"{place}.data")
    parts = urlsplit(address)
    local = parse_qs(parts.query).get("d")
    if local:
        return local[0]
    if parts.scheme or address.startswith("/data/"):
        return _UPLOADED.sub("", unquote(parts.path).rpartition("/")[2])
    return address


def _regions(
    table: GarmentTable, row: int, box: np.ndarray[Any, Any], size: tuple[int, int]
) -> Iterator[dict[str, Any]]:
    garments = table.garments
    width, height = size
    common = {
        "to_name": IMAGE,
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
    }

    def percent(value: float, side: int) -> float:
        return round(100 * value / side, 6)

    def score(value: float) -> dict[str, float]:
        return {} if np.isnan(value) else {"score": round(float(value), 4)}

    corners = np.array([0, 0, *size] if np.isnan(box).any() else box, np.float64)
    x1, y1, x2, y2 = np.clip(corners, 0, [*size, *size]).tolist()
    points = np.clip(garments.keypoints[row].astype(np.float64).round(2), 0, size)
    yield {
        "id": f"g{row}",
        "from_name": GARMENT,
        "type": "rectanglelabels",
        **common,
        "value": {
            "x": percent(x1, width),
            "y": percent(y1, height),
            "width": percent(x2 - x1, width),
            "height": percent(y2 - y1, height),
            "rotation": 0,
            "rectanglelabels": [CATEGORY_NAMES[garments.category_indices[row]]],
        },
        **score(table.scores[row]),
    }
    for k in np.flatnonzero(garments.visibility[row] != Visibility.ABSENT).tolist():
        x, y = points[k].tolist()
        place = {"x": percent(x, width), "y": percent(y, height), "width": _POINT_WIDTH}
        region = {"id": f"g{row}.{KEYPOINT_NAMES[k]}", **common}
        yield {
            **region,
            "from_name": POINTS,
            "type": "keypointlabels",
            "parentID": f"g{row}",
            "value": {**place, "keypointlabels": [KEYPOINT_NAMES[k]]},
            **score(table.keypoint_scores[row, k]),
        }
        seen = "occluded" if garments.visibility[row, k] == Visibility.OCCLUDED else "visible"
        yield {
            **region,
            "from_name": SEEN,
            "type": "choices",
            "value": {**place, "choices": [seen]},
        }
