"""Tests of writing files whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fashionkp_mm.core.files import write_atomically


def test_writes_and_makes_folders(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file.csv"
    write_atomically(path, b"content")
    assert path.read_bytes() == b"content"
    assert os.listdir(path.parent) == ["file.csv"]  # noqa: PTH208


def test_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"something longer")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    path = tmp_path / "file.csv"
    path.write_bytes(b"old")
    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.csv"]


def test_the_target_is_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"old")
    seen: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(path.read_bytes()))
    write_atomically(path, b"new")
    assert seen == [b"old"]
    assert path.read_bytes() == b"new"
