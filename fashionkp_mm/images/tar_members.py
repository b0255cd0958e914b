"""Pictures in tar files, such as those of WebDataset, by where in the file they begin.

A WebDataset sample is what has the same name up to the first dot: ``000.jpg`` and ``000.json``.
See https://github.com/webdataset/webdataset, "The WebDataset Format".
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from fashionkp_mm.core.garments import CATEGORY_NAMES
from fashionkp_mm.core.uris import is_remote, is_uri, text_without_secrets, without_secrets
from fashionkp_mm.images.formats import image_suffixes
from fashionkp_mm.images.remote import TAR_MEMBER, RemoteError, filesystem, read_range

_ADDRESS = re.compile(rf"{TAR_MEMBER}://([0-9]+)\+([0-9]+)/(.*?)::(.+)", re.S)
_SAID = ("json", "cls")
"""Ends of names of members that may tell a category."""
_LARGEST_SAID = 2**20


@dataclass
class Sample:
    """What belongs together in a tar file.

    Attributes:
        key: Its name, less what follows the first dot.
        pictures: Name and address of each of its pictures.
        category: The garment's, where the sample tells it; else None.
    """

    key: str
    pictures: list[tuple[str, str]] = field(default_factory=list)
    category: str | None = None


def samples(file: str) -> Iterator[Sample]:
    """The samples of a tar file that is not compressed, read from its beginning to its end.

    Args:
        file: Path from the root on, or URI.

    Raises:
        RemoteError: It is no tar file, or its end is missing; those before are yielded by then.
        MissingLibraryError: What opens the URI is not installed.
        OSError: It cannot be read.
    """
    shown = without_secrets(file)
    sample = Sample("")
    with _opened(file) as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r:") as tar:
                while (member := tar.next()) is not None:
                    tar.members = []  # type: ignore[attr-defined]  # else it holds them all
                    if not member.isreg() or member.issparse():
                        continue
                    name = member.name.removeprefix("./")
                    key, suffix = _split(name)
                    if key != sample.key:
                        if sample.pictures:
                            yield sample
                        sample = Sample(key)
                    if key.endswith("/") or not key:  # hidden
                        continue
                    if f".{suffix.rpartition('.')[2]}" in image_suffixes():
                        sample.pictures.append((name, _address(file, member, name)))
                    elif suffix in _SAID and member.size <= _LARGEST_SAID:
                        said = tar.extractfile(member)
                        content = said.read() if said is not None else b""
                        sample.category = _category(suffix, content) or sample.category
                stream.seek(tar.offset)
                whole = stream.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE)
            why = "" if whole else f"damaged or truncated behind {sample.key}; write it anew"
        except Exception as error:  # what fsspec opens fails in ways of its own
            said_so = text_without_secrets(str(error)) or type(error).__name__
            why = f"not readable as a tar file ({said_so})"
            if sample.key:
                why = f"damaged or truncated behind {sample.key} ({said_so}); write it anew"
    if sample.pictures:
        yield sample
    if why:
        raise RemoteError(f"{shown}: {why}")


def read_member(uri: str, limit: int) -> bytes | None:
    """The picture of an address that `samples` gave; None where the URI is of another kind.

    Args:
        uri: The address.
        limit: Most bytes that are read; one byte more tells that there are more.

    Raises:
        RemoteError: The file is not there any more, or not to be had.
    """
    address = _ADDRESS.fullmatch(uri)
    if address is None:
        return None
    start, size, file = int(address[1]), min(int(address[2]), limit + 1), address[4]
    if is_uri(file):
        return read_range(file, start, size)
    try:
        with Path(file).open("rb") as stream:
            stream.seek(start)
            return stream.read(size)
    except OSError as error:
        raise RemoteError(f"the image cannot be read ({error.strerror})") from None


def _split(name: str) -> tuple[str, str]:
    """The key of a member's sample, and what follows the first dot of the name, in lower case."""
    folder, slash, base = name.rpartition("/")
    stem, _, suffix = base.partition(".")
    return folder + slash + stem, suffix.lower()


def _address(file: str, member: tarfile.TarInfo, name: str) -> str:
    inside = f"{member.offset_data}+{member.size}/{name.replace('::', ':%3A')}"
    return f"{TAR_MEMBER}://{inside}::{file}"


def _opened(file: str) -> IO[bytes]:
    if not is_remote(file):
        return Path(file).open("rb")
    files, path = filesystem(file)
    try:
        stream: IO[bytes] = files.open(path, "rb")
    except Exception as error:  # each library has errors of its own
        missing = isinstance(error, FileNotFoundError)
        why = "there is none" if missing else text_without_secrets(str(error))
        raise RemoteError(f"{without_secrets(file)}: the tar file cannot be read ({why})") from None
    return stream


def _category(kind: str, content: bytes) -> str | None:
    try:
        said: Any = json.loads(content) if kind == "json" else content.decode().strip()
    except ValueError:
        return None
    if isinstance(said, dict):
        said = said.get("category")
    return said if isinstance(said, str) and said in CATEGORY_NAMES else None
