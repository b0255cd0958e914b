"""Files on this machine's disks, or in whatever fsspec opens, such as a bucket."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import IO

from fashionkp_mm.core.files import write_atomically
from fashionkp_mm.core.uris import is_uri
from fashionkp_mm.images.remote import filesystem

_PIECE = 2**24
"""Bytes that are copied at once."""


class ScaleError(ValueError):
    """What keeps a run over many machines from beginning, or from going on."""


class Folder:
    """A folder of files that are written whole or not at all.

    It may go to other processes and machines; those see the same files if they see the folder.

    Args:
        where: A path, or a URI that fsspec opens.

    Attributes:
        where: The same; a path is made absolute.
    """

    def __init__(self, where: str) -> None:
        self.where = where.rstrip("/") if is_uri(where) else str(Path(where).absolute())

    def __str__(self) -> str:
        return self.where

    def path(self, name: str) -> str:
        """Where one of its files lies."""
        return f"{self.where}/{name}" if is_uri(self.where) else os.path.join(self.where, name)  # noqa: PTH118

    def names(self, suffix: str) -> set[str]:
        """The names of the files in it that end so; none if there is no such folder.

        Raises:
            OSError: It cannot be listed.
        """
        if not is_uri(self.where):
            folder = Path(self.where)
            found = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208  names are enough
        else:
            files, root = filesystem(self.where)
            try:
                found = [each.rpartition("/")[2] for each in files.ls(root, detail=False)]
            except FileNotFoundError:
                found = []
        return {name for name in found if name.endswith(suffix)}

    def write(self, name: str, content: bytes) -> None:
        """Write one of its files; a bucket's object, too, is there whole or not at all.

        Raises:
            OSError: It cannot be written.
        """
        if not is_uri(self.where):
            write_atomically(Path(self.where) / name, content)
            return
        files, root = filesystem(self.where)
        files.pipe_file(f"{root}/{name}", content)

    def put(self, name: str, file: IO[bytes]) -> None:
        """Write one of its files from an open one, which need not fit into memory.

        Raises:
            OSError: It cannot be written.
        """
        file.seek(0)
        pieces = iter(partial(file.read, _PIECE), b"")
        if not is_uri(self.where):
            write_atomically(Path(self.where) / name, pieces)
            return
        files, root = filesystem(self.where)
        with files.open(f"{root}/{name}", "wb") as target:
            for piece in pieces:
                target.write(piece)

    def read(self, name: str) -> bytes | None:
        """A file's content; None if there is no such file.

        Raises:
            OSError: It cannot be read.
        """
        try:
            with opened(self.path(name)) as file:
                return file.read()
        except FileNotFoundError:
            return None


def opened(where: str) -> IO[bytes]:
    """A file to read from and to seek in.

    Args:
        where: A path or a URI.

    Raises:
        OSError: It cannot be opened.
        MissingLibraryError: What opens such URIs is not installed.
    """
    if not is_uri(where):
        return Path(where).open("rb")
    files, path = filesystem(where)
    file: IO[bytes] = files.open(path, "rb")
    return file
