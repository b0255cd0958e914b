"""What runs at interpreter start: two finders are put on ``sys.meta_path``, nothing is imported.

Stock scripts import ``mmpose.apis`` before they read a config that could name this package, so the
stack has to be whole before anybody asks for it. ``fashionkp_mm.pth``, which the wheel puts into
site-packages, imports this module in every interpreter of the environment. It therefore costs about
a millisecond, imports neither NumPy nor torch, and changes nothing in a process that never imports
an OpenMMLab package.

* Stand-ins come last on ``sys.meta_path``: a module that anybody else provides is never replaced.
* Patches are applied right after the named module was executed, by the function named for it.
"""

from __future__ import annotations

import os.path
import sys

# typing, pathlib, importlib.abc and importlib.util would each cost more than all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

_HERE = os.path.dirname(__file__)  # noqa: PTH120

STAND_INS = {
    "mmcv._ext": f"{_HERE}/mmcv_ext.py",
    "xtcocotools": f"{_HERE}/xtcocotools/__init__.py",
}
"""Missing module -> the file that is executed under its name."""

PATCHES = {
    "mim.utils.utils": ("mim_download", "patch"),
    "mmengine.fileio.backends.local_backend": ("atomic_write", "patch_backend"),
    "mmengine.hooks.checkpoint_hook": ("atomic_write", "patch_checkpoint_hook"),
    "mmengine.runner.checkpoint": ("checkpoints", "patch"),
    "mmpose.structures.utils": ("instances", "patch"),
    "mmpose.visualization.opencv_backend_visualizer": ("opencv_visualizer", "patch"),
}
"""Module to patch -> our module in this folder, and its function that is called with the former."""


PATCHED: set[str] = set()
"""Modules of ``PATCHES`` that were patched in this process."""


class StandInFinder:
    """Provides the modules of ``STAND_INS``; has to be the last finder that is asked."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return the spec of a stand-in, with the stand-in's own file as its origin."""
        if fullname not in STAND_INS:
            return None
        from importlib.util import spec_from_file_location  # noqa: PLC0415

        return spec_from_file_location(fullname, STAND_INS[fullname])


class PatchFinder:
    """Lets the other finders find a module of ``PATCHES`` and patches it once it is executed."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return the spec that the other finders give, its loader set to patch the module."""
        if fullname not in PATCHES:
            return None
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(fullname, path, target)):
                # The loader stays what it is, so that tracebacks, inspect and pkgutil see no
                # difference; only its last step is followed by ours.
                loader: Any = spec.loader
                loader.exec_module = _then_patch(loader.exec_module)
                return spec
        return None


def _then_patch(exec_module: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
    def exec_and_patch(module: ModuleType) -> None:
        exec_module(module)
        _patch(module)

    return exec_and_patch


def _patch(module: ModuleType) -> None:
    from importlib import import_module  # noqa: PLC0415

    name, function = PATCHES[module.__name__]
    getattr(import_module(f"fashionkp_mm.compat.{name}"), function)(module)
    PATCHED.add(module.__name__)


def install() -> None:
    """Put the finders in place and patch what was imported before them; again is no harm."""
    if not any(isinstance(finder, PatchFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, PatchFinder())
        sys.meta_path.append(StandInFinder())
        for name in PATCHES:
            if name in sys.modules:
                _patch(sys.modules[name])


install()
