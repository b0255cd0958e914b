"""What was labelled, by whom and when: one SQLite file that keeps every version of every picture.

A picture's labels are the garments of its latest revision. A change is written only by someone who
has seen the revision before it, so that nobody overwrites what they never saw. It is on the disk
when `Store.change` returns: a killed program loses nothing that was acknowledged. A change that is
sent again, because its answer was lost, is told from a new one by its key.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, Self

from fashionkp_mm.core.files import naming

try:
    import fcntl
except ImportError:  # Windows has no such lock; there two servers must not share a store.
    fcntl = None  # type: ignore[assignment]

State = Literal["open", "accepted"]

_APPLICATION = 0x464B5053
"""SQLite's ``application_id`` of our files: "FKPS"."""
VERSION = 1
_SCHEMA = """
CREATE TABLE pictures (number INTEGER PRIMARY KEY, image_id TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE changes (
    picture INTEGER NOT NULL REFERENCES pictures (number),
    revision INTEGER NOT NULL,
    time REAL NOT NULL,
    author TEXT NOT NULL,
    by_person INTEGER NOT NULL,
    key TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    garments TEXT NOT NULL,
    PRIMARY KEY (picture, revision)
) STRICT, WITHOUT ROWID;
"""
_VERSIONS = """
SELECT number, image_id, revision, time, author, by_person, state, garments
FROM pictures JOIN changes ON picture = number
"""
_LATEST = f"{_VERSIONS} WHERE revision = (SELECT max(revision) FROM changes WHERE picture = number)"


class StoreError(OSError):
    """A store that cannot be opened or written; the message says what to do."""


class NoPictureError(LookupError):
    """There is no picture of this number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"there is no picture {number}")


class ConflictError(ValueError):
    """Somebody else has changed the picture since; ``current`` is what they made of it."""

    def __init__(self, current: Version) -> None:
        self.current = current
        super().__init__(
            f"{current.author} has changed {current.image_id} meanwhile (revision"
            f" {current.revision})"
        )


@dataclass(frozen=True)
class Version:
    """A picture's labels at one revision.

    Attributes:
        number: The picture's number in the store.
        image_id: Its id in the files of labels.
        revision: 0 for what it came with, one more for each change.
        time: When, in seconds since 1970.
        author: Who made it: a person, a file or a model.
        by_person: Whether a person made it.
        state: ``accepted`` once somebody has said that it is right.
        garments: As `studio.garments` describes them.
    """

    number: int
    image_id: str
    revision: int
    time: float
    author: str
    by_person: bool
    state: State
    garments: list[dict[str, Any]]


class Store:
    """One file of labels with their history; threads may share it.

    Args:
        path: The file; it is made where it is missing.

    Raises:
        StoreError: The file cannot be made or written, is no store, is of a newer version, or
            another program has it open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread_lock = threading.Lock()
        self._lock_file = _sole_user(path)
        try:
            with _explained(path):
                self._connection = sqlite3.connect(
                    path, timeout=10, isolation_level=None, check_same_thread=False
                )
                self._prepare()
        except BaseException:
            self._close_files()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        with self._thread_lock:
            self._close_files()

    def add(
        self, pictures: Iterable[tuple[str, list[dict[str, Any]]]], author: str
    ) -> list[Version]:
        """Take up what a file says: pictures that are new, and labels that differ.

        Labels that a person has changed here stay as they are.

        Args:
            pictures: Image id and garments of each.
            author: The file's name.

        Returns:
            The pictures whose labels differ in the file and here, and were changed by a person
            here after they last came from a file.

        Raises:
            StoreError: Nothing of it could be written.
        """
        kept = []
        with self._transaction() as connection:
            for image_id, garments in pictures:
                content = _dumped(garments)
                row = connection.execute(f"{_LATEST} AND image_id = ?", (image_id,)).fetchone()
                if row is None:
                    number = connection.execute(
                        "INSERT INTO pictures (image_id) VALUES (?)", (image_id,)
                    ).lastrowid
                    revision = 0
                else:
                    current, number = _version(row), row[0]
                    if content in (row[-1], self._last_of(number, author)):
                        continue
                    if current.by_person:
                        # An earlier version is what the file was given from here, by an export.
                        if all(_dumped(past.garments) != content for past in self._past(number)):
                            kept.append(current)
                        continue
                    revision = current.revision + 1
                _insert(
                    connection,
                    (number, revision, time.time(), author, False, f"{number}:{revision}", "open"),
                    content,
                )
        return kept

    def change(
        self,
        number: int,
        base: int,
        garments: list[dict[str, Any]],
        *,
        author: str,
        state: State,
        key: str,
        by_person: bool = True,
    ) -> Version:
        """Write the next revision of a picture's labels.

        Args:
            number: The picture.
            base: The revision that the author has seen.
            garments: All garments of the picture, as they are from now on.
            author: Who says so.
            state: Whether the labels are accepted.
            key: Names this change among all; sent again, it is not made again.
            by_person: Whether the author is a person.

        Returns:
            The revision as it now stands on the disk.

        Raises:
            NoPictureError: There is no such picture.
            ConflictError: The latest revision is not ``base``.
            StoreError: It could not be written, and nothing has changed.
        """
        with self._transaction() as connection:
            current = _version(self._latest_row(connection, number))
            made = connection.execute(
                "SELECT picture, revision FROM changes WHERE key = ?", (key,)
            ).fetchone()
            if made is not None:
                if made == (number, current.revision):
                    return current
                raise ConflictError(current)
            if base != current.revision:
                raise ConflictError(current)
            head = (number, base + 1, time.time(), author, by_person, key, state)
            _insert(connection, head, _dumped(garments))
            return _version(self._latest_row(connection, number))

    def latest(self, number: int) -> Version:
        """A picture's labels as they are now.

        Raises:
            NoPictureError: There is no such picture.
        """
        with self._reading() as connection:
            return _version(self._latest_row(connection, number))

    def all_latest(self) -> list[Version]:
        """The labels of all pictures, in the order in which the pictures came."""
        with self._reading() as connection:
            return [_version(row) for row in connection.execute(f"{_LATEST} ORDER BY number")]

    def history(self, number: int) -> list[Version]:
        """Every version of a picture's labels, the first one first."""
        with self._reading():
            return self._past(number)

    def _prepare(self) -> None:
        connection = self._connection
        application, version, tables = (
            connection.execute(query).fetchone()[0]
            for query in (
                "PRAGMA application_id",
                "PRAGMA user_version",
                "SELECT count(*) FROM sqlite_schema",
            )
        )
        if tables and application != _APPLICATION:
            raise StoreError(f"{self.path}: not a store of the studio; name another file")
        if version > VERSION:
            raise StoreError(
                f"{self.path}: the store was made by a newer version of this program (its form is"
                f" {version}, this version knows {VERSION}); update fashionkp_mm, or name another"
                " file with --store"
            )
        connection.execute("PRAGMA journal_mode = WAL")
        # What was acknowledged survives a power cut too, not only a killed process.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        if not tables:
            connection.executescript(
                f"BEGIN; {_SCHEMA} PRAGMA application_id = {_APPLICATION};"
                f" PRAGMA user_version = {VERSION}; COMMIT;"
            )

    def _latest_row(self, connection: sqlite3.Connection, number: int) -> tuple[Any, ...]:
        row: tuple[Any, ...] | None = connection.execute(
            f"{_LATEST} AND number = ?", (number,)
        ).fetchone()
        if row is None:
            raise NoPictureError(number)
        return row

    def _past(self, number: int) -> list[Version]:
        query = f"{_VERSIONS} WHERE number = ? ORDER BY revision"
        return [_version(row) for row in self._connection.execute(query, (number,))]

    def _last_of(self, number: int, author: str) -> str | None:
        """What a file last said of a picture."""
        row = self._connection.execute(
            "SELECT garments FROM changes WHERE picture = ? AND author = ? AND NOT by_person"
            " ORDER BY revision DESC LIMIT 1",
            (number, author),
        ).fetchone()
        return None if row is None else str(row[0])

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._thread_lock, _explained(self.path):
            yield self._connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _close_files(self) -> None:
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()
        self._lock_file.close()


def _insert(connection: sqlite3.Connection, head: tuple[Any, ...], content: str) -> None:
    connection.execute("INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*head, content))


def _version(row: tuple[Any, ...]) -> Version:
    number, image_id, revision, when, author, by_person, state, garments = row
    return Version(
        number, image_id, revision, when, author, bool(by_person), state, json.loads(garments)
    )


def _dumped(garments: list[dict[str, Any]]) -> str:
    return json.dumps(garments, separators=(",", ":"), allow_nan=False, sort_keys=True)


def _sole_user(path: Path) -> IO[bytes]:
    """Hold the store for this program alone, until the file that is returned is closed.

    Raises:
        StoreError: Another program holds it, or its folder cannot be written to.
    """
    # Not the store itself: closing any handle of it would drop SQLite's own locks.
    beside = path.with_name(f".{path.name}.lock")
    try:
        with naming(beside):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = beside.open("ab")
    except OSError as error:
        raise StoreError(
            f"{path.parent}: no store can be kept there ({error.strerror}); name another file with"
            " --store"
        ) from None
    if fcntl is None:
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise StoreError(
            f"{path}: another studio has this store open; use its page, or name another file with"
            " --store"
        ) from None
    except OSError:  # a disk without locks, as some of a network's are
        pass
    return file


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """SQLite's errors as ours, with the file's name and the remedy."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        text = str(error)
        remedies = {
            "database or disk is full": "the disk is full; make room and try again",
            "attempt to write a readonly database": "the store cannot be written to; name another"
            " file with --store",
            "unable to open database file": "the store cannot be opened; name another file with"
            " --store",
            "file is not a database": "not a store of the studio; name another file",
            "database disk image is malformed": "the store is damaged; put a copy of it in its"
            " place",
        }
        raise StoreError(f"{path}: {remedies.get(text, text)}") from None
