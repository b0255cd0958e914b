"""Which format a file has or is to have; reading and writing it."""

from __future__ import annotations

import re
import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from fashionkp_mm.core.files import staged_folder, write_atomically
from fashionkp_mm.core.table import AnnotationError, AnnotationWarning, in_lines
from fashionkp_mm.exchange import (
    coco,
    cvat,
    fashionai,
    json_list,
    label_studio,
    labelme,
    parquet,
    yolo_pose,
)
from fashionkp_mm.exchange.checks import is_predicted, place_problems, unit_problems
from fashionkp_mm.exchange.entries import load_json, without_collecting
from fashionkp_mm.exchange.names import Names
from fashionkp_mm.exchange.table import GarmentTable

Format = Literal[
    "fashionai", "json", "parquet", "coco", "yolo-pose", "cvat", "label-studio", "labelme"
]
FORMATS: tuple[Format, ...] = get_args(Format)

DESCRIPTIONS: dict[Format, str] = {
    "fashionai": "CSV in the contest's form",
    "json": "JSON list of garments",
    "parquet": "Parquet table of garments",
    "coco": "COCO data set",
    "yolo-pose": "YOLO-pose data set",
    "cvat": "CVAT for images 1.1",
    "label-studio": "Label Studio tasks",
    "labelme": "labelme files",
}
"""What a file of a format is, for people."""

FOLDERS: frozenset[Format] = frozenset({"yolo-pose", "labelme"})
"""Formats of a folder, not of a single file."""
NEED_SIZES: frozenset[Format] = frozenset({"yolo-pose", "cvat", "label-studio", "labelme"})
"""Formats that need the pictures' sizes."""

_SUFFIXES: dict[str, Format] = {".csv": "fashionai", ".parquet": "parquet", ".xml": "cvat"}
_SUFFIXES_READ: dict[str, Format] = {
    ".csv": "fashionai",
    ".yaml": "yolo-pose",
    ".yml": "yolo-pose",
}
_STARTS: dict[bytes, Format] = {b"PAR1": "parquet", b"<": "cvat"}
_COCO = re.compile(r"(?:(?<![a-z])coco(?![a-z]).*|coco)\.json$")
"""Names of COCO files: coco.json, coco_val.json, person-coco-2017.json, but not cocoa.json."""
_LABEL_STUDIO = re.compile(r"label[-_ ]?studio.*\.json$")
_FOLDER_NAMES: dict[Format, re.Pattern[str]] = {
    "yolo-pose": re.compile(r"yolo"),
    "labelme": re.compile(r"labelme"),
}
_WRITERS = {
    "fashionai": fashionai.write,
    "json": json_list.write,
    "parquet": parquet.write,
    "coco": coco.write,
    "cvat": cvat.write,
    "label-studio": label_studio.write,
}
_FOLDER_WRITERS = {"yolo-pose": yolo_pose.write, "labelme": labelme.write}
_READERS = {
    "fashionai": fashionai.read,
    "json": json_list.read,
    "parquet": parquet.read,
    "coco": coco.read,
    "cvat": cvat.read,
    "label-studio": label_studio.read,
    "labelme": labelme.read,
}


_TELLING = re.compile(
    rb'"(image_id|category|keypoints|data|annotations|predictions|shapes|images|categories)"\s*:'
)
_TASKS = {b"data", b"annotations", b"predictions"}
_DATASETS: dict[bytes, Format] = {
    b"shapes": "labelme",
    b"images": "coco",
    b"annotations": "coco",
    b"categories": "coco",
}


class FormatError(ValueError):
    """A name or a content that tells no format, or a format that cannot be written here."""


def format_to_write(path: Path) -> Format:
    """The format that a name asks for.

    Raises:
        FormatError: It asks for none of them, or for Parquet without pyarrow.
    """
    name, suffix = path.name.lower(), path.suffix.lower()
    form: Format | None = _SUFFIXES.get(suffix)
    if suffix == ".json":
        form = "coco" if _COCO.search(name) else "json"
        if _LABEL_STUDIO.search(name):
            form = "label-studio"
    elif form is None:
        form = next((form for form, words in _FOLDER_NAMES.items() if words.search(name)), None)
    if form is None:
        raise FormatError(
            f"{path}: unknown format '{suffix}'; expected a name that ends in .csv, .json, .parquet"
            " or .xml ('coco' or 'label-studio' in the name of a .json file asks for that, as in"
            " coco.json), a folder's name with 'yolo' or 'labelme' in it, or"
            f" `fashionkp convert --to` {'|'.join(FORMATS)}"
        )
    require_writable(form, path)
    return form


def require_writable(form: Format, path: Path) -> None:
    """Refuse Parquet where pyarrow is not installed.

    Raises:
        FormatError: It is not.
    """
    if form == "parquet" and find_spec("pyarrow") is None:
        raise FormatError(f"{path}: {parquet.NEEDS}; or name another format")


def format_to_read(path: Path) -> Format:
    """The format of a file or folder, by its content; a name in ``.csv`` is taken at its word.

    Raises:
        FormatError: It is none of them.
        OSError: It cannot be read.
    """
    if path.is_dir():
        return _folder_format(path)
    if path.suffix.lower() in _SUFFIXES_READ:
        return _SUFFIXES_READ[path.suffix.lower()]
    with path.open("rb") as file:
        head = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith((b"[", b"{")):
        return _json_format(path, head)
    form = next((form for start, form in _STARTS.items() if head.startswith(start)), None)
    if form is None and b"," not in head.partition(b"\n")[0]:
        raise FormatError(
            f"{path}: no format is recognised; expected one of {', '.join(FORMATS)}, which"
            " `fashionkp convert --from` names"
        )
    return form or "fashionai"


def read_table(
    path: Path,
    form: Format | None = None,
    *,
    names: Mapping[str, str | None] | None = None,
    images: Path | None = None,
) -> GarmentTable:
    """Read labels or predictions; what is odd about them is warned of.

    Args:
        path: A file, or a folder for YOLO-pose and labelme.
        form: Its format; found out by default.
        names: Our name by the file's, where they differ.
        images: Folder of the pictures, for YOLO-pose.

    Raises:
        AnnotationError: It breaks a rule of its format, or names what is not known here.
        FormatError: Its format is not recognised.
        OSError: It cannot be read.
    """
    table = inspect_table(path, form, names=names, images=images)
    errors = [problem for problem in table.warnings if problem.severity == "error"]
    if errors:
        raise AnnotationError(errors)
    for _, line in in_lines(table.warnings):
        warnings.warn(line, AnnotationWarning, stacklevel=2)
    return table


def inspect_table(
    path: Path,
    form: Format | None = None,
    *,
    names: Mapping[str, str | None] | None = None,
    images: Path | None = None,
) -> GarmentTable:
    """`read_table`, with all that is odd in the table's ``warnings`` instead."""
    form = form or format_to_read(path)
    known = Names(names or {})
    with without_collecting():
        if form == "yolo-pose":
            table = yolo_pose.read(path, known, images)
        else:
            table = _READERS[form](path, known)
    if form == "fashionai":  # core.csv_format has judged it
        return table
    found = list(unit_problems(table, str(path)))
    if not is_predicted(table):  # where a model looks for a point may be anywhere
        found += place_problems(table, str(path))
    return replace(table, warnings=(*table.warnings, *found))


def render(table: GarmentTable, form: Format) -> Iterator[bytes]:
    """A file's content, piece by piece.

    Raises:
        FormatError: The format is one of a folder.
    """
    if form in FOLDERS:
        raise FormatError(f"{DESCRIPTIONS[form]} are a folder; name one")
    return _WRITERS[form](table)


def write_table(
    path: Path, table: GarmentTable, form: Format, pictures: Mapping[str, Path] | None = None
) -> None:
    """Write labels or predictions, all of it or nothing.

    Args:
        path: The file, or the folder, new or empty, for YOLO-pose and labelme.
        table: The garments, with the pictures' sizes for the formats in `NEED_SIZES`.
        form: The format.
        pictures: Where the pictures lie, by id; YOLO-pose gets links to them.

    Raises:
        FileExistsError: The folder holds something, or two pictures would share a file.
        OSError: The place cannot be written to.
    """
    if form not in FOLDERS:
        write_atomically(path, _WRITERS[form](table))
        return
    files = _FOLDER_WRITERS[form](table, path, pictures or {})
    with staged_folder(path) as stage:
        for name, content in _each_once(files):
            target = stage / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                target.write_bytes(content)
            else:
                _link(content, target)


def _folder_format(path: Path) -> Format:
    if (path / yolo_pose.CONFIG).is_file():
        return "yolo-pose"
    if any(path.glob("*.parquet")):
        return "parquet"
    if any(path.rglob("*.json")):
        return "labelme"
    raise FormatError(
        f"{path}: no format is recognised; expected a folder with {yolo_pose.CONFIG} (YOLO-pose),"
        " with .parquet files or with labelme's .json files"
    )


def _json_format(path: Path, head: bytes) -> Format:
    """What a JSON file is, by the names at its beginning, or by all of it if they do not tell."""
    named = _TELLING.search(head)
    if head.startswith(b"["):
        return "label-studio" if named and named[1] in _TASKS else "json"
    if named and named[1] in _DATASETS:
        return _DATASETS[named[1]]
    content = load_json(path)
    for name, form in _DATASETS.items():
        if name.decode() in content:
            return form
    raise FormatError(
        f"{path}: no format is recognised; expected COCO (images, annotations, categories), labelme"
        " (shapes), or a list of garments or of Label Studio's tasks"
    )


def _each_once(
    files: Iterable[tuple[str, bytes | Path]],
) -> Iterator[tuple[str, bytes | Path]]:
    met: set[str] = set()
    for name, content in files:
        if name in met or ".." in Path(name).parts:
            raise FileExistsError(
                f"{name}: two pictures whose names differ in their suffix alone, or one with '..'"
                " in its path, cannot have a file each; rename them"
            )
        met.add(name)
        yield name, content


def _link(picture: Path, target: Path) -> None:
    """Lead to a picture, or copy it where the disk has no links."""
    try:
        target.symlink_to(picture.resolve())
    except (OSError, NotImplementedError):
        shutil.copyfile(picture, target)
