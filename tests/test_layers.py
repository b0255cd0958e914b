"""Imports run one way, and rooms of one layer do not know each other."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "fashionkp_mm"

LAYERS = (
    {"core"},
    {"images", "visualization", "synthetic", "compat"},
    {"exchange"},
    {"runtime", "plugin"},
    {"applications"},
    {"batch", "exporting", "training"},
    {"studio", "integrations", "report"},
    {"commands"},
    {"cli"},
    {"__main__"},
)
"""From the ground up: a room may import those of the layers below its own, and itself."""

LAYER_OF = {room: height for height, rooms in enumerate(LAYERS) for room in rooms}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(name: str) -> str | None:
    """The room that a module's dotted name is in; None for what is not ours."""
    parts = name.split(".")
    return parts[1] if parts[0] == "fashionkp_mm" and len(parts) > 1 else None


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of all that a module imports, inside its functions as well."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def test_every_room_has_a_layer() -> None:
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES}
    assert rooms <= set(LAYER_OF)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_from_below_only(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    upward = [
        f"line {line}: {name}"
        for line, name in imported(path)
        if (room := room_of(name)) in LAYER_OF and room != own and LAYER_OF[room] >= LAYER_OF[own]
    ]
    assert not upward


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("fashionkp_mm", ["numpy", "cv2", "torch", "pandas"]),
        ("fashionkp_mm.core.garments", ["cv2", "torch", "onnxruntime", "mmengine"]),
        ("fashionkp_mm.runtime", ["torch", "mmengine", "onnxruntime", "pandas"]),
        ("fashionkp_mm.applications", ["torch", "mmengine", "onnxruntime", "pandas"]),
        ("fashionkp_mm.cli", ["torch", "mmengine", "onnxruntime", "cv2"]),
    ],
)
def test_an_import_brings_nothing_heavy(module: str, absent: list[str]) -> None:
    code = f"import sys, {module}; print(*(set({absent}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == []
