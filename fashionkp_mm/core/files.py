"""Writing files so that a reader, or a crash, never meets half of one, and no input is lost."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows has no such lock; there two programs must not write one file.
    fcntl = None  # type: ignore[assignment]

_PART = ".part"
"""Ends the name of a file that is still being written: ``.<name>.part``."""


def write_atomically(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write beside ``path`` and rename over it; folders on the way are made.

    A symbolic link stays, and what it points to is replaced. A pipe or a device is written to as it
    is. What a killed writer left of the same file is written over; a second writer of the same file
    waits for the first.

    Args:
        path: The file.
        content: All of it, or its pieces one after the other.

    Raises:
        OSError: The folder cannot be written to, or the disk is full; the file is then as it was.
    """
    pieces = [content] if isinstance(content, bytes) else content
    target = _followed(path)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if target.exists() and not target.is_file():
        with _closed_at_the_end(target.open("wb")) as stream:
            _write(stream, pieces, path)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}{_PART}")
    with _sole_writer(beside) as file:
        try:
            _write(file, pieces, path)
            if fcntl is None:
                file.close()  # Windows renames no open file
            beside.replace(target)
        except BaseException:
            if fcntl is None:
                file.close()  # nor does it delete one
            beside.unlink(missing_ok=True)
            raise


@contextmanager
def staged_folder(out: Path) -> Iterator[Path]:
    """A folder inside ``out`` whose content moves up into ``out`` at the end, if all went well.

    Raises:
        FileExistsError: ``out`` exists and is not an empty folder.
        OSError: It cannot be written to.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(
            f"{out} exists and is not an empty folder: name another one or empty it first"
        )
    is_new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    stage = out / f".{os.getpid()}{_PART}"
    stage.mkdir()
    done = False
    try:
        yield stage
        for part in sorted(stage.iterdir()):
            part.rename(out / part.name)
        done = True
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        if is_new and not done:
            with suppress(OSError):
                out.rmdir()


def remove_parts(folder: Path) -> None:
    """Delete what killed writers left in ``folder``; nobody may be writing there."""
    for part in folder.glob(f".*{_PART}"):
        part.unlink(missing_ok=True)


def require_apart(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse to write over a file that is read, by whatever name either goes.

    Symbolic links, hard links and names that differ in case alone, where the disk does not tell
    them apart, count as the file that they lead to.

    Args:
        outputs: Files that are going to be written; those that do not exist yet cannot do harm.
        inputs: Files that are read.

    Raises:
        FileExistsError: An output is an input.
    """
    endangered: dict[tuple[int, int] | str, Path] = {}
    for output in outputs:
        for identity in _identities(output):
            endangered.setdefault(identity, output)
    if not endangered:
        return
    for path in inputs:
        for identity in _identities(path):
            if identity in endangered:
                output = endangered[identity]
                same = "" if output == path else f", which is the same file as {output}"
                raise FileExistsError(
                    f"{output}: writing there would overwrite the input {path}{same}; name another"
                    " output"
                )


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the system that names no file, such as a full disk, name this one."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = os.fspath(path)
        raise


def _write(file: BinaryIO, pieces: Iterable[bytes], path: Path) -> None:
    for piece in pieces:
        with naming(path):
            file.write(piece)
    with naming(path):
        file.flush()
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # pipes have no disk
                raise


def _followed(path: Path) -> Path:
    """What a symbolic link leads to in the end, whether that is there or not."""
    if not path.is_symlink():
        return path
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fspath(path))
    return target


@contextmanager
def _sole_writer(path: Path) -> Iterator[BinaryIO]:
    """An empty file of this name, which no other process writes to meanwhile."""
    while True:
        # Path.open takes no opener.
        with _closed_at_the_end(open(path, "ab", opener=_open_no_link)) as file:
            if _lock(file, path):
                file.truncate(0)
                yield file
                return


@contextmanager
def _closed_at_the_end(file: BinaryIO) -> Iterator[BinaryIO]:
    """Close a file; what was to be on the disk is there by then, or an error is on its way."""
    try:
        yield file
    finally:
        with suppress(OSError):  # the same one again, since what could not be written is still due
            file.close()


def _open_no_link(path: str, flags: int) -> int:
    # In a folder of many users, nobody may lead us to another file by a link of this name.
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _lock(file: BinaryIO, path: Path) -> bool:
    """Wait for the sole right to a file; False if by then the name stands for another file."""
    if fcntl is None:
        return True
    try:
        # The system releases it when the file is closed, or the process ends in whatever way.
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:  # a disk without locks, as some of a network's are
        return True
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _identities(path: Path) -> list[tuple[int, int] | str]:
    """What tells a file from others, by the disk and by its resolved name; none if it is missing.

    The name is for disks of a network that number their files anew each time they are asked.
    """
    try:
        status = path.stat()
    except (OSError, ValueError):  # names that no file can have are ValueErrors
        return []
    resolved = os.path.normcase(os.path.realpath(path))
    return [(status.st_dev, status.st_ino), resolved] if status.st_ino else [resolved]
