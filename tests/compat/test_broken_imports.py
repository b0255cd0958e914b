"""Dependencies that do not import: one message, with what helps."""

from __future__ import annotations

import pytest

from fashionkp_mm.compat.broken_imports import cause_of, explained


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ImportError("libGL.so.1: cannot open shared object file: No such file or directory"),
            "pip install --force-reinstall --no-deps opencv-python-headless",
        ),
        (ImportError("libxcb.so.1: cannot open shared object file"), "opencv-python-headless"),
        (ModuleNotFoundError("No module named 'pkg_resources'"), "pip install 'setuptools<82'"),
        (ModuleNotFoundError("No module named 'a'", name="a"), "a is not installed; `fashionkp"),
        (ImportError("cannot import name 'b'"), "cannot import name 'b'; `fashionkp doctor`"),
        (ImportError(), "ImportError; `fashionkp doctor`"),
    ],
)
def test_it_says_what_helps(error, said):
    assert said in explained(error)
    assert "\n" not in explained(error)


def test_what_is_not_known_has_no_cause():
    assert cause_of(ImportError("something else")) is None
