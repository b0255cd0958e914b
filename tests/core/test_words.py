"""Words for messages: how many, which ones, and what an error says."""

import errno
import os

import pytest

from fashionkp_mm.core.words import error_message, listed, plural


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0 images"), (1, "1 image"), (2000, "2,000 images")]
)
def test_plural(count: int, expected: str) -> None:
    assert plural(count, "image") == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a, b"),
        (["a", "b", "c"], "a, b and 1 more"),
        (["a"] * 3000, "a, a and 2,998 more"),
    ],
)
def test_listed(names: list[str], expected: str) -> None:
    assert listed(names, 2) == expected


def test_an_error_of_a_file_names_the_file_first() -> None:
    error = OSError(errno.ENOENT, os.strerror(errno.ENOENT), "val.csv")
    assert error_message(error) == "val.csv: No such file or directory"


@pytest.mark.parametrize("error", [OSError("disk gone"), ValueError("disk gone")])
def test_other_errors_speak_for_themselves(error: Exception) -> None:
    assert error_message(error) == "disk gone"
