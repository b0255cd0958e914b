"""YOLO-pose: ``data.yaml``, a list of the pictures, and a text file each with a line a garment.

``class cx cy w h x1 y1 v1 …``, all but class and v as shares of the picture's width and height. v
is 2 for visible, 1 for occluded and 0, at (0, 0), for absent. The text file of
``images/a/b.jpg`` is ``labels/a/b.txt``; sizes are those of the pictures.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from fashionkp_mm.core.garments import (
    CATEGORY_NAMES,
    FLIP_INDICES,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
)
from fashionkp_mm.core.image_paths import locate_images
from fashionkp_mm.exchange.names import Names
from fashionkp_mm.exchange.table import GarmentTable, TableBuilder, wrong
from fashionkp_mm.images import image_size
from fashionkp_mm.images.formats import image_suffixes

CONFIG = "data.yaml"
_IMAGES, _LABELS = "images", "labels"
_LIST = "pictures.txt"
_SPLITS = ("train", "val", "test")
_LARGEST_SHARE = 1.5
"""A point may lie beside its picture, but numbers above this are no shares."""


def write(
    table: GarmentTable, out: Path, pictures: Mapping[str, Path]
) -> Iterator[tuple[str, bytes | Path]]:
    """Relative name and content of each file, or the picture that it is to lead to.

    Needs the pictures' sizes. A point outside its picture is moved to the edge, which the readers
    of the format insist on.
    """
    config = {
        "train": _LIST,
        "val": _LIST,
        "names": dict(enumerate(CATEGORY_NAMES)),
        "kpt_shape": [NUM_KEYPOINTS, 3],
        "flip_idx": list(FLIP_INDICES),
        "kpt_names": {index: list(KEYPOINT_NAMES) for index in range(len(CATEGORY_NAMES))},
    }
    yield CONFIG, yaml.safe_dump(config, sort_keys=False, default_flow_style=None).encode()
    places = [f"./{_IMAGES}/{image_id.lstrip('/')}\n" for image_id in table.pictures]
    yield _LIST, "".join(places).encode()
    sizes, boxes = table.size_of, table.drawn_boxes
    for image_id, rows in table.rows_of.items():
        picture = f"{_IMAGES}/{image_id.lstrip('/')}"
        if image_id in pictures:
            yield picture, pictures[image_id]
        lines = [_line(table, row, boxes[row], sizes[image_id]) for row in rows]
        yield _label_path(picture), "".join(lines).encode()


def read(path: Path, names: Names, images: Path | None = None) -> GarmentTable:
    """The garments of a data set; a picture without a text file has none.

    Args:
        path: The folder, or its ``data.yaml``.
        names: Names of its categories and keypoints.
        images: Folder of the pictures where they do not lie in ``images``.

    Raises:
        AnnotationError: It breaks a rule of the format, or a picture's size is not to be had.
        OSError: A file cannot be read.
    """
    folder = path if path.is_dir() else path.parent
    file = folder / CONFIG if path.is_dir() else path
    layout, splits = _read_config(file, names)
    builder = TableBuilder(str(file))
    for label, picture, image_id in _pairs(folder, file, splits, images):
        builder.picture(image_id, image_size(picture))
        lines = label.read_text("utf-8-sig").splitlines() if label.is_file() else []
        for number, line in enumerate(lines, start=1):
            if line.strip():
                layout.read_line(builder, image_id, line, (str(label), number))
    return builder.build()


@dataclass(frozen=True)
class _Layout:
    """What the numbers of a line are.

    Attributes:
        categories: Our index of each category, by the file's.
        columns: Our index of each keypoint.
        dimensions: How many numbers a keypoint has: 3, or 2 where its flag is left out.
    """

    categories: Mapping[int, int]
    columns: Sequence[int]
    dimensions: int

    def read_line(
        self, builder: TableBuilder, image_id: str, line: str, at: tuple[str, int]
    ) -> None:
        """Add a garment; ``at`` is the file and the line's number."""

        def problem(value: object, message: str) -> Exception:
            return wrong(at[0], "", value, message, row=at[1])

        try:
            values = np.array(line.split(), np.float64)
        except ValueError:
            raise problem(line, "expected numbers with spaces between") from None
        expected = 5 + self.dimensions * len(self.columns)
        if len(values) != expected:
            message = f"{len(values)} numbers; expected {expected}: class, box and keypoints"
            raise problem(line, message)
        kind, box, points = values[0], values[1:5], values[5:].reshape(-1, self.dimensions)
        if kind not in self.categories:
            message = f"no category has this number; expected one of {[*self.categories]}"
            raise problem(f"{kind:g}", message)
        shares = np.concatenate([box, points[:, :2].ravel()])
        if not (np.abs(shares) <= _LARGEST_SHARE).all():  # false of NaN
            message = "expected shares of the picture, from 0 to 1; pixels were given?"
            raise problem(line, message)
        if self.dimensions == 2:
            points = np.column_stack([points, 2 * points.any(axis=1)])
        flags = points[:, 2]
        if not np.isin(flags, (0, 1, 2)).all():
            raise problem(line, "expected v = 0, 1 or 2")
        category = self.categories[int(kind)]
        if category < 0:
            return
        size = np.array(builder.sizes[image_id], np.float64)
        center, extent = box[:2] * size, box[2:] * size
        corners = np.concatenate([center - extent / 2, center + extent / 2]).round(2)
        row = builder.garment(image_id, category, image_id, box=corners.tolist())
        places = (points[:, :2] * size).round(2).tolist()
        for k, (x, y), flag in zip(self.columns, places, flags.tolist(), strict=True):
            if flag:
                builder.point(row, k, (x, y), int(flag) - 1)


def _read_config(file: Path, names: Names) -> tuple[_Layout, list[str]]:
    """What a line is, and what names the pictures: lists or folders below that of the file."""
    try:
        config = yaml.safe_load(file.read_bytes())
    except yaml.YAMLError as error:
        raise wrong(str(file), "", "", f"not readable as YAML ({error})") from None
    if not isinstance(config, dict):
        raise wrong(str(file), "", "", "expected the data.yaml of a YOLO-pose data set")
    listed = config.get("names")
    listed = dict(enumerate(listed)) if isinstance(listed, list) else listed
    if not isinstance(listed, dict) or not all(isinstance(index, int) for index in listed):
        raise wrong(str(file), "names", listed, "expected the categories' names by their numbers")
    categories = {index: names.category(str(name)) for index, name in listed.items()}
    used = [index for index in categories.values() if index >= 0]
    if len(set(used)) < len(used):
        raise wrong(str(file), "names", listed, "a category stands twice; expected each once")
    shape = config.get("kpt_shape")
    if not (isinstance(shape, list) and len(shape) == 2 and shape[1] in (2, 3)):
        raise wrong(str(file), "kpt_shape", shape, "expected [number of keypoints, 2 or 3]")
    labels = config.get("kpt_names")
    if isinstance(labels, dict) and labels:
        labels = next(iter(labels.values()))
    if labels is None and shape[0] == NUM_KEYPOINTS:
        labels = list(KEYPOINT_NAMES)
    if not isinstance(labels, list) or len(labels) != shape[0]:
        message = f"expected the names of the {shape[0]} keypoints, {{0: [name, …]}}"
        raise wrong(str(file), "kpt_names", labels or "", message)
    columns = [names.keypoint(str(label)) for label in labels]
    names.require_known(str(file))
    entries = [config[split] for split in _SPLITS if config.get(split)]
    entries = [
        part for entry in entries for part in (entry if isinstance(entry, list) else [entry])
    ]
    root = Path(str(config.get("path") or "."))
    splits = [str(root / str(entry)) for entry in entries]
    if not splits:
        raise wrong(str(file), "train", "", "missing; expected a folder of pictures, or a list")
    return _Layout(categories, columns, int(shape[1])), splits


def _pairs(
    folder: Path, file: Path, splits: Sequence[str], images: Path | None
) -> Iterator[tuple[Path, Path, str]]:
    """Text file, picture and image id of each picture that the splits name."""
    met: set[Path] = set()
    for listed in splits:
        for picture in _listed(folder, folder / listed, file):
            if picture in met:
                continue
            met.add(picture)
            within = Path(os.path.relpath(picture, folder)).as_posix()
            image_id = within.removeprefix(f"{_IMAGES}/")
            place = picture
            if images is not None and not picture.is_file():
                place = locate_images([image_id], images).get(image_id, picture)
            if not place.is_file():
                message = (
                    "the picture is missing, and its size is needed; name the folder of the"
                    " pictures with --images"
                )
                raise wrong(str(file), listed, image_id, message)
            yield folder / _label_path(within), place, image_id


def _listed(folder: Path, entry: Path, file: Path) -> list[Path]:
    """The pictures that an entry of ``data.yaml`` names: a list of them, or a folder."""
    if entry.suffix == ".txt" and entry.is_file():
        lines = entry.read_text("utf-8-sig").split("\n")
        return [folder / line.strip() for line in lines if line.strip()]
    if entry.is_dir():
        suffixes = image_suffixes()
        return sorted(path for path in entry.rglob("*") if path.suffix.lower() in suffixes)
    raise wrong(
        str(file), "", entry, "expected a folder of pictures, or a .txt file that lists them"
    )


def _line(table: GarmentTable, row: int, box: NDArray[np.float32], size: tuple[int, int]) -> str:
    garments = table.garments
    sides = np.array(size, np.float64)
    corners = np.array([0, 0, *size]) if np.isnan(box).any() else box.astype(np.float64)
    corners = np.clip(corners.reshape(2, 2), 0, sides)
    center, extent = corners.mean(axis=0) / sides, (corners[1] - corners[0]) / sides
    points = np.clip(garments.keypoints[row].astype(np.float64).round(2), 0, sides) / sides
    flags = garments.visibility[row] + 1
    points[flags == 0] = 0
    values: list[Any] = [_share(value) for value in (*center, *extent)]
    for (x, y), flag in zip(points.tolist(), flags.tolist(), strict=True):
        values += [_share(x), _share(y), flag]
    return f"{int(garments.category_indices[row])} {' '.join(map(str, values))}\n"


def _share(value: float) -> str:
    """Digits enough for a hundredth of a pixel of any picture."""
    return f"{value:.8f}".rstrip("0").rstrip(".") or "0"


def _label_path(picture: str) -> str:
    """Where the readers of the format look for a picture's text file."""
    before, _, after = picture.rpartition(f"{_IMAGES}/")
    return str(PurePosixPath(f"{before}{_LABELS}/{after}").with_suffix(".txt"))
