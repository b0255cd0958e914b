"""Digests of files: the known one, and in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from fashionkp_mm.core.digests import content_in_words, file_digest


def test_a_known_digest(tmp_path: Path) -> None:
    file = tmp_path / "abc"
    file.write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_digest(file) == known
    assert content_in_words(file) == f"sha256 {known[:16]}"


def test_no_file_is_none(tmp_path: Path) -> None:
    assert content_in_words(None) == "none"
    with pytest.raises(FileNotFoundError):
        content_in_words(tmp_path / "missing")
