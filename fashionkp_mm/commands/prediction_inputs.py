"""Which images `fashionkp predict` is asked for: files, folders, globs, CSV files, standard input.

An image's id is what stands in the output: its path relative to the folder that was named, as in
the CSV that named it, or the path itself as it was given.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fashionkp_mm.commands import terminal
from fashionkp_mm.commands.pictures import locate
from fashionkp_mm.core.csv_format import read_test_list
from fashionkp_mm.core.garments import CATEGORY_NAMES

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""Files in folders and globs that count as images; a file that is named itself always does."""

STDIN = "-"


class InputError(ValueError):
    """Nothing to predict where images were expected, or two images that cannot be told apart."""


@dataclass(frozen=True)
class Source:
    """One image to predict.

    Attributes:
        image_id: What the output calls it.
        path: Where it lies.
        category: The garment's category where it is known; None leaves the choice to the model.
    """

    image_id: str
    path: Path
    category: str | None = None


@dataclass
class Sources:
    """The images to predict, each once, in the order in which they were named.

    Attributes:
        found: The images.
        failures: A message for each image that was named and cannot be predicted.
    """

    found: list[Source] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.found) + len(self.failures)


def collect(
    paths: Sequence[str], standard_input: Iterable[bytes], *, leave_out: Path | None = None
) -> Sources:
    """Find the images that some paths stand for.

    Args:
        paths: Image files, folders (searched to their depth), globs, CSV files with the columns
            ``image_id`` and ``image_category``, and ``-`` for paths on standard input.
        standard_input: Its lines, a path each.
        leave_out: Folder that is not searched, because pictures are drawn there.

    Raises:
        InputError: A glob, a folder, or all of it stands for no image, or two different images
            would have the same id.
        AnnotationError: A CSV file breaks a rule of its format.
        OSError: A CSV file cannot be read, or none of its images is to be found around it.
    """
    sources = Sources()
    by_path: dict[str, Source] = {}
    by_id: dict[str, Source] = {}
    for source in _each(paths, standard_input, sources.failures, leave_out):
        place = os.path.abspath(source.path)  # noqa: PTH100  Path has no way to drop '..' alone.
        if place in by_path:
            continue
        other = by_id.get(source.image_id)
        if other is not None:
            raise InputError(
                f"{other.path} and {source.path} would both be called {source.image_id} in the"
                " output; predict them in two runs, or name a folder that holds both"
            )
        by_path[place] = by_id[source.image_id] = source
        if _is_text(source.image_id):
            sources.found.append(source)
        else:
            sources.failures.append(
                f"{source.path}: the name is not UTF-8 text, so no file of predictions can hold it;"
                " rename the file"
            )
    if not len(sources):
        raise InputError("no image to predict: no path was given; '-' reads them from a pipe")
    return sources


def with_categories(sources: Sequence[Source], categories: Mapping[str, str] | str) -> list[Source]:
    """The same images with categories given to them.

    Args:
        sources: The images.
        categories: Category by image id, or one category for all. An image that the mapping does
            not hold is left to the model.
    """
    if isinstance(categories, str):
        return [replace(source, category=categories) for source in sources]
    return [replace(source, category=categories.get(source.image_id)) for source in sources]


def read_categories(csv: Path) -> dict[str, str]:
    """Category by image id from a CSV file with the columns ``image_id`` and ``image_category``.

    Raises:
        AnnotationError: The file breaks a rule of the format.
        OSError: The file cannot be read.
    """
    table = terminal.read(read_test_list, csv)
    names = (CATEGORY_NAMES[index] for index in table.category_indices)
    return dict(zip(table.image_ids, names, strict=True))


def _each(
    paths: Iterable[str],
    standard_input: Iterable[bytes],
    failures: list[str],
    leave_out: Path | None,
) -> Iterator[Source]:
    for given in paths:
        path = Path(given)
        if given == STDIN:
            lines = (os.fsdecode(line.rstrip(b"\r\n")) for line in standard_input)
            yield from _each((line for line in lines if line), (), failures, leave_out)
        elif path.is_dir():
            yield from _in_folder(path, leave_out)
        elif path.suffix.lower() == ".csv":
            yield from _in_csv(path, failures)
        elif glob.has_magic(given) and not path.exists():
            yield from _matching(given, leave_out)
        else:
            # One that is missing is found out when it is read, like one that is broken.
            yield Source(path.as_posix(), path)


def _in_folder(folder: Path, leave_out: Path | None) -> Iterator[Source]:
    images = sorted(_walk(folder, leave_out))
    if not images:
        raise InputError(
            f"{folder}: no image in this folder; expected files that end in"
            f" {', '.join(sorted(IMAGE_SUFFIXES))}"
        )
    for relative in images:
        yield Source(relative, folder / relative)


def _walk(folder: Path, leave_out: Path | None) -> Iterator[str]:
    """Images below a folder as paths relative to it, hidden ones left out, links followed."""
    # A link that leads back up must not lead round and round.
    seen = {folder.resolve()}
    barred = leave_out.resolve() if leave_out else None
    for place, folders, files in os.walk(folder, followlinks=True):
        kept = []
        for name in folders:
            real = Path(place, name).resolve()
            if not name.startswith(".") and real != barred and real not in seen:
                seen.add(real)
                kept.append(name)
        folders[:] = kept
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES:
                yield Path(place, name).relative_to(folder).as_posix()


def _matching(pattern: str, leave_out: Path | None) -> Iterator[Source]:
    matches = [Path(match) for match in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207
    barred = leave_out.resolve() if leave_out else None
    images = [
        path
        for path in matches
        if path.suffix.lower() in IMAGE_SUFFIXES
        and path.is_file()
        and (barred is None or barred not in path.resolve().parents)
    ]
    if not images:
        raise InputError(
            f"{pattern}: no image matches; expected files that end in"
            f" {', '.join(sorted(IMAGE_SUFFIXES))} ('**' stands for folders of any depth)"
        )
    for path in images:
        yield Source(path.as_posix(), path)


def _in_csv(csv: Path, failures: list[str]) -> Iterator[Source]:
    categories = read_categories(csv)
    found = locate(
        list(categories), csv, None, remedy=f"predict their folder with --categories {csv}"
    )
    for image_id, category in categories.items():
        if image_id in found:
            yield Source(image_id, found[image_id], category)
        else:
            failures.append(f"{image_id}: the image is missing; {csv} names it")


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # the bytes of a file's name that are no UTF-8
        return False
    return True
