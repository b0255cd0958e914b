"""Printing where the terminal's encoding lacks characters."""

from __future__ import annotations

import io
import sys

import pytest

from fashionkp_mm.compat.streams import print_anything


@pytest.mark.parametrize(
    ("encoding", "printed"),
    [("ascii", b"1 ? 2\n"), ("latin-1", b"1 ? 2\n"), ("utf-8", "1 … 2\n".encode())],
)
def test_what_cannot_be_encoded_becomes_a_question_mark(monkeypatch, encoding, printed):
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding=encoding, newline="\n"))
    print_anything()
    print("1 … 2", flush=True)
    assert buffer.getvalue() == printed
