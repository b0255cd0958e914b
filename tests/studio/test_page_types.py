"""The page's modules keep to the types that their comments name."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import fashionkp_mm

PAGE = Path(fashionkp_mm.__file__).parent / "studio" / "page"
OPTIONS = (
    *("--allowJs", "--checkJs", "--noEmit", "--strict"),
    *("--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"),
    *("--lib", "es2023,dom,dom.iterable"),
)


def test_types():
    compiler = shutil.which("tsc")
    if compiler is None:
        pytest.skip("no tsc is installed: npm install --global typescript")
    command = [compiler, *OPTIONS, str(PAGE / "main.js")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.stdout == ""
    assert done.returncode == 0
