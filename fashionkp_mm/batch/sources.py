"""Which images `fashionkp predict` is asked for: files, folders, globs, CSV files, standard input,
and the same of what fsspec opens, Parquet tables and tar files.

An image's id is what stands in the output: its path relative to the folder that was named, as in
the file that named it, or the path itself as it was given.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fashionkp_mm.batch.elsewhere import (
    CATEGORY,
    IMAGE_ID,
    URI,
    in_table,
    in_tar,
    remote_sources,
)
from fashionkp_mm.batch.picture_search import PictureSearch
from fashionkp_mm.batch.pictures import NAME_ROOT, locate
from fashionkp_mm.batch.source import InputError, Source, absolute_name, shown
from fashionkp_mm.core.csv_format import read_test_list
from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.core.uris import RemotePath, is_uri
from fashionkp_mm.images import BrokenImageError, image_size
from fashionkp_mm.images.remote import RemoteError, read_uri

__all__ = [
    "CATEGORY",
    "IMAGE_ID",
    "STDIN",
    "URI",
    "InputError",
    "Source",
    "Sources",
    "absolute_name",
    "collect",
    "in_table",
    "located",
    "read_categories",
    "remote_sources",
]

STDIN = "-"
_TABLE, _LIST, _TAR, _COMPRESSED_TAR = ".parquet", ".txt", ".tar", (".tar.gz", ".tgz")
_LARGEST_LIST = 2**30
"""Bytes of a list that is fetched."""


@dataclass
class Sources:
    """The images to predict, each once, in the order in which they were named.

    Attributes:
        found: The images.
        failures: A message for each image or folder that was named and cannot be predicted.
        notes: What was passed over in folders and behind patterns, in sentences.
    """

    found: list[Source] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.found) + len(self.failures)


def collect(
    paths: Sequence[str],
    standard_input: Iterable[bytes],
    *,
    images: Path | None = None,
    leave_out: Path | None = None,
) -> Sources:
    """Find the images that some paths stand for.

    Args:
        paths: Image files, folders (searched to their depth), globs, CSV files with the columns
            ``image_id`` and ``image_category``, text files (``.txt``) with a path or URI a line,
            Parquet and tar files, see `elsewhere`, URIs of pictures, of
            folders and of all these but CSV, and ``-`` for paths on standard input. In folders
            and behind globs, images are known by their suffixes, see
            `images.formats.image_suffixes`; a file that is named itself counts as one whatever it
            is called.
        standard_input: Its lines, a path each; or, where it holds a NUL, paths with one behind
            each, as ``find -print0`` writes them.
        images: Folder that the ids of CSV files start from; found around them by default.
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
    search = PictureSearch(leave_out)
    for source in _each(paths, standard_input, sources.failures, images, search):
        absolute = absolute_name(source)
        if absolute in by_path:
            continue
        other = by_id.get(source.image_id)
        if other is not None:
            raise InputError(
                f"{other.path} and {source.path} would both be called {source.image_id} in the"
                " output; predict them in two runs, or name a folder that holds both"
            )
        by_path[absolute] = by_id[source.image_id] = source
        if _is_text(source.image_id):
            sources.found.append(source)
        else:
            sources.failures.append(
                f"{source.path}: the name is not UTF-8 text, so no file of predictions can hold it;"
                " rename the file"
            )
    sources.failures += search.failures
    sources.notes += search.notes()
    if not len(sources):
        raise InputError("no image to predict: no path was given; '-' reads them from a pipe")
    return sources


def located(
    image_ids: Sequence[str], file: Path, images: Path | None, *, remedy: str = NAME_ROOT
) -> tuple[dict[str, Path | RemotePath], dict[str, str]]:
    """`locate`, for ids some of which are URIs."""
    found: dict[str, Path | RemotePath] = {
        image_id: RemotePath(image_id) for image_id in image_ids if is_uri(image_id)
    }
    here = [image_id for image_id in image_ids if image_id not in found]
    missing: dict[str, str] = {}
    if here:
        paths, missing = locate(here, file, images, remedy=remedy)
        found |= paths
    return found, missing


def read_categories(csv: Path) -> dict[str, str]:
    """Category by image id from a CSV file with the columns ``image_id`` and ``image_category``.

    Raises:
        AnnotationError: The file breaks a rule of the format.
        OSError: The file cannot be read.
    """
    table = read_test_list(csv)
    names = (CATEGORY_NAMES[index] for index in table.category_indices)
    return dict(zip(table.image_ids, names, strict=True))


def _each(
    paths: Iterable[str],
    standard_input: Iterable[bytes],
    failures: list[str],
    images: Path | None,
    search: PictureSearch,
    *,
    listed: bool = False,
) -> Iterator[Source]:
    for given in paths:
        path = Path(given)
        # What stands behind '?' in a URI opens it, and is no part of the name.
        name = (given.partition("?")[0] if is_uri(given) else given).lower()
        # Unlike Path's, these questions have an answer for any text.
        if given == STDIN:
            yield from _each(_paths_in(standard_input), (), failures, images, search, listed=True)
        elif name.endswith(_LIST) and not listed and _is_list(given):
            yield from _each(
                _paths_in([_content(given)]), (), failures, images, search, listed=True
            )
        elif name.endswith(_TABLE) and _is_file(given):
            yield from in_table(given)
        elif name.endswith(_TAR) and _is_file(given):
            yield from in_tar(given, failures)
        elif name.endswith(_COMPRESSED_TAR) and _is_file(given):
            raise InputError(
                f"{shown(given)}: a compressed tar file is not read, as no picture in it has a"
                " place of its own; gunzip it, or unpack it"
            )
        elif is_uri(given):
            yield from remote_sources(given, listed=listed)
        elif os.path.isdir(given):  # noqa: PTH112
            yield from _in_folder(path, search)
        elif path.suffix.lower() == ".csv":
            yield from _in_csv(path, images, failures)
        elif glob.has_magic(given) and not os.path.lexists(given):
            yield from _matching(given, search)
        else:
            # One that is missing is found out when it is read, like one that is broken.
            yield Source(path.as_posix(), path)


def _paths_in(lines: Iterable[bytes]) -> list[str]:
    content = b"".join(lines)
    if b"\0" in content:
        paths = content.split(b"\0")
    else:
        paths = [line.rstrip(b"\r") for line in content.split(b"\n")]
    return [os.fsdecode(path) for path in paths if path]


def _content(given: str) -> bytes:
    if not is_uri(given):
        return Path(given).read_bytes()
    try:
        return read_uri(given, _LARGEST_LIST)
    except RemoteError as error:
        raise InputError(f"{shown(given)}: no list of pictures to be had: {error}") from None


def _is_list(given: str) -> bool:
    if is_uri(given):
        return True
    with suppress(BrokenImageError):
        image_size(given)
        return False  # a picture, whatever it is called
    return _is_file(given)


def _is_file(given: str) -> bool:
    return is_uri(given) or os.path.isfile(given)  # noqa: PTH113


def _in_folder(folder: Path, search: PictureSearch) -> Iterator[Source]:
    failed = len(search.failures)
    images = search.in_folder(folder)
    if not images and len(search.failures) == failed:
        raise InputError(f"{folder}: no image in this folder; {search.expected}")
    for relative in images:
        yield Source(relative, folder / relative)


def _matching(pattern: str, search: PictureSearch) -> Iterator[Source]:
    failed = len(search.failures)
    images = search.matching(pattern)
    if not images and len(search.failures) == failed:
        raise InputError(
            f"{pattern}: no image matches; {search.expected} ('**' stands for folders of any depth)"
        )
    for path in images:
        yield Source(path.as_posix(), path)


def _in_csv(csv: Path, images: Path | None, failures: list[str]) -> Iterator[Source]:
    categories = read_categories(csv)
    remedy = f"name their folder with --images, or predict it with --categories {csv}"
    found, missing = located(list(categories), csv, images, remedy=remedy)
    for image_id, category in categories.items():
        if image_id in found:
            yield Source(shown(image_id), found[image_id], category)
        else:
            failures.append(f"{image_id}: {missing[image_id]}; {csv} names it")


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # the bytes of a file's name that are no UTF-8
        return False
    return True
