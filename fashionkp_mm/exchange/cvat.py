"""CVAT for images 1.1: a skeleton a garment, whose points are visible, occluded or outside.

A category is a label of type skeleton; its points are those that the category has. CVAT wants a
place for every point, so an absent one that has none lies at (0, 0).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

import numpy as np

from fashionkp_mm.core.garments import (
    CATEGORIES,
    CATEGORY_KEYPOINTS,
    CATEGORY_NAMES,
    KEYPOINT_NAMES,
    Visibility,
)
from fashionkp_mm.core.words import plural
from fashionkp_mm.exchange.names import Names
from fashionkp_mm.exchange.table import GarmentTable, TableBuilder, wrong

_OTHER_SHAPES = {"box", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "tag"}
_NOWHERE = ((0.0, 0.0), (-1.0, -1.0))


def write(table: GarmentTable) -> Iterator[bytes]:
    """The file that CVAT imports into a task of the same pictures; needs the pictures' sizes."""
    yield _HEAD.format(labels="".join(_labels())).encode()
    sizes, garments = table.size_of, table.garments
    places = garments.keypoints.astype(np.float64)
    for number, (image_id, rows) in enumerate(table.rows_of.items()):
        width, height = sizes[image_id]
        name = quoteattr(image_id)
        yield f'  <image id="{number}" name={name} width="{width}" height="{height}">\n'.encode()
        for row in rows:
            category = int(garments.category_indices[row])
            lines = [
                f'    <skeleton label="{CATEGORY_NAMES[category]}" source="manual" z_order="0">\n'
            ]
            states = garments.visibility[row].tolist()
            for k in np.flatnonzero(CATEGORY_KEYPOINTS[category]).tolist():
                x, y = places[row, k].tolist()
                absent = states[k] == Visibility.ABSENT
                if absent and (x, y) == (-1, -1):
                    x = y = 0.0
                lines.append(
                    f'      <points label="{KEYPOINT_NAMES[k]}" source="manual"'
                    f' outside="{int(absent)}" occluded="{int(states[k] == Visibility.OCCLUDED)}"'
                    f' points="{x:.2f},{y:.2f}">\n      </points>\n'
                )
            yield "".join([*lines, "    </skeleton>\n"]).encode()
        yield b"  </image>\n"
    yield b"</annotations>\n"


def read(path: Path, names: Names) -> GarmentTable:
    """The skeletons of a file; other shapes are passed over.

    Raises:
        AnnotationError: It breaks a rule of the format.
        OSError: The file cannot be read.
    """
    reader = _Reader(str(path), names)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    reader.parser = parser
    with path.open("rb") as file:
        try:
            parser.ParseFile(file)
        except expat.ExpatError as error:
            message = f"not readable as XML ({expat.ErrorString(error.code)})"
            raise wrong(str(path), "", "", message, row=error.lineno) from None
    return reader.table()


class _Reader:
    """Takes a file's elements one after the other."""

    parser: Any

    def __init__(self, file: str, names: Names) -> None:
        self.file, self.names = file, names
        self.builder = TableBuilder(file)
        self.others = 0
        self.root = ""
        self.image = ""
        self.garment = -1
        self.skeleton = ""
        self.defined = 0
        """Points that the skeleton's category has and that are still to come."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "points" and self.skeleton:
            self._point(attributes)
        elif name == "skeleton":
            self._skeleton(attributes)
        elif name == "image":
            self._image(attributes)
        elif not self.root:
            self.root = name
            if name != "annotations":
                message = "expected CVAT for images 1.1, an <annotations> element"
                raise self.wrong("", name, message)
        elif name == "track":
            message = "a track of a video; export the task as 'CVAT for images 1.1'"
            raise self.wrong("track", attributes.get("id", ""), message)
        elif name in _OTHER_SHAPES and self.image:
            self.others += 1

    def end(self, name: str) -> None:
        if name == "skeleton":
            if self.garment >= 0 and self.defined > 0:
                message = (
                    f"the skeleton lacks {plural(self.defined, 'point')} of its category, taken as"
                    " absent; CVAT marks such points as outside"
                )
                self.builder.warn(
                    self.image, self.skeleton, message, row=self.parser.CurrentLineNumber
                )
            self.skeleton = ""
        elif name == "image":
            self.image = ""

    def table(self) -> GarmentTable:
        self.names.require_known(self.file)
        if self.others:
            message = f"{plural(self.others, 'shape')} that are no skeletons are passed over"
            self.builder.warn("", "", message)
        return self.builder.build()

    def wrong(self, place: str, value: object, message: str) -> Exception:
        return wrong(self.file, place, value, message, row=self.parser.CurrentLineNumber)

    def _image(self, attributes: dict[str, str]) -> None:
        name = attributes.get("name")
        if not name:
            raise self.wrong("image", "", "the element has no name; expected a picture's path")
        if name in self.builder.sizes:
            raise self.wrong("image", name, "the picture stands twice; expected each once")
        size = attributes.get("width"), attributes.get("height")
        try:
            width, height = (int(side or 0) for side in size)
        except ValueError:
            message = "expected width and height in pixels"
            raise self.wrong(name, " x ".join(map(str, size)), message) from None
        self.image = name
        self.builder.picture(name, (width, height))

    def _skeleton(self, attributes: dict[str, str]) -> None:
        label = attributes.get("label", "")
        if not self.image:
            raise self.wrong("skeleton", label, "a skeleton outside of any <image>")
        self.skeleton = label or "?"
        category = self.names.category(label)
        self.garment, self.defined = -1, 0
        if category >= 0:
            place = f"{self.image}.{label}"
            self.garment = self.builder.garment(self.image, category, place)
            self.defined = int(CATEGORY_KEYPOINTS[category].sum())

    def _point(self, attributes: dict[str, str]) -> None:
        k = self.names.keypoint(attributes.get("label", ""))
        if self.garment < 0 or k < 0:
            return
        self.defined -= 1
        text = attributes.get("points", "")
        try:
            x, y = map(float, text.split(","))
        except ValueError:
            place = f"{self.image}.{self.skeleton}.{KEYPOINT_NAMES[k]}"
            raise self.wrong(place, text, "expected one point, 'x,y' in pixels") from None
        if attributes.get("outside") == "1":
            if (x, y) not in _NOWHERE:
                self.builder.point(self.garment, k, (x, y), Visibility.ABSENT)
            return
        occluded = attributes.get("occluded") == "1"
        state = Visibility.OCCLUDED if occluded else Visibility.VISIBLE
        self.builder.point(self.garment, k, (x, y), state)


_HEAD = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task>
      <labels>
{labels}      </labels>
    </task>
  </meta>
"""


def _labels() -> Iterator[str]:
    """What CVAT shows as the task's labels: a skeleton a category, and its points."""
    label = (
        "        <label>\n          <name>{}</name>\n          <type>{}</type>\n{}"
        "        </label>\n"
    )
    for category in CATEGORIES.values():
        yield label.format(category.name, "skeleton", "")
        for name in category.keypoints:
            parent = f"          <parent>{category.name}</parent>\n"
            yield label.format(name, "points", parent)
