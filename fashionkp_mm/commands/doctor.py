"""``fashionkp doctor``: can this environment predict and train, and what would make it."""

from __future__ import annotations

import os
import platform
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any, Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fashionkp_mm.commands import terminal
from fashionkp_mm.compat import startup

State = Literal["good", "note", "problem"]

_PROJECT = "fashionkp_mm"
_TRAINING_EXTRAS = ("train", "mmpose-no-deps")
_NOT_FOR_TRAINING = frozenset({"onnx", "onnxruntime", "onnxscript", "openmim"})
_ALTERNATIVES = {
    "mmcv-lite": ("mmcv",),
    "opencv-python": ("opencv-python-headless", "opencv-contrib-python"),
}
"""Distribution -> others that provide the same import."""

_IMPORTS = {
    "numpy": "numpy",
    "cv2": "opencv-python",
    "torch": "torch",
    "torchvision": "torchvision",
    "mmengine.runner": "mmengine",
    "mmcv.ops": "mmcv-lite",
    "mmdet.apis": "mmdet",
    "mmpose.apis": "mmpose",
    "mmpose.visualization": "mmpose",
    "fashionkp_mm.plugin": _PROJECT,
}
"""What training imports, in the order in which one rests on the other -> its distribution."""

_CAUSES = (
    # (in the error's text, what it means, the command)
    ("pkg_resources", "setuptools 82 dropped pkg_resources", "pip install 'setuptools<82'"),
    (
        "numpy.dtype size changed",
        "a package was built for NumPy 1; xtcocotools is the usual one, and not needed",
        "pip uninstall -y xtcocotools",
    ),
    (
        "libGL.so.1",
        "opencv-python needs a desktop's libraries",
        "pip install --force-reinstall --no-deps opencv-python-headless",
    ),
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: A package, a module or a part of the machine.
        state: ``problem`` where training could not run; ``note`` where something is worth knowing.
        detail: What was found.
        remedy: The one command that mends it, for problems and some notes.
    """

    subject: str
    state: State
    detail: str
    remedy: str | None = None


@dataclass(frozen=True)
class Diagnosis:
    """All findings, by topic, in the order in which they should be read."""

    topics: dict[str, tuple[Finding, ...]]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all topics."""
        return tuple(finding for topic in self.topics.values() for finding in topic)

    @property
    def ready(self) -> bool:
        """Whether training could run."""
        return not any(finding.state == "problem" for finding in self.findings)


def run() -> int:
    """Print a diagnosis; return the exit status, 1 if training could not run."""
    diagnosis = diagnose()
    show(diagnosis, terminal.out())
    return 0 if diagnosis.ready else 1


def diagnose() -> Diagnosis:
    """Look at this process's environment; what is missing or broken is a finding, not an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the stack's own
        return Diagnosis(
            {
                "Installed": tuple(_installed()),
                "Imports": tuple(_imports()),
                "Patches": tuple(_patches()),
                "Machine": tuple(_machine()),
            }
        )


def show(diagnosis: Diagnosis, console: Console) -> None:
    """Print a table a topic, and what is to be done."""
    styles = {"good": "green", "note": "yellow", "problem": "bold red"}
    for topic, findings in diagnosis.topics.items():
        table = Table(title=topic, title_justify="left", box=None, show_header=False)
        for finding in findings:
            state = Text(finding.state, style=styles[finding.state])
            table.add_row(state, Text(finding.subject), Text(finding.detail))
        console.print(table)
        console.print()
    for finding in diagnosis.findings:
        if finding.remedy is not None:
            console.print(Text(f"{finding.subject}:", style=styles[finding.state]))
            console.print(Text(f"    {finding.remedy}"), soft_wrap=True)
    console.print(
        Text("Training can run.", style="green")
        if diagnosis.ready
        else Text("Training cannot run until the problems above are mended.", style="bold red")
    )


def _installed() -> Iterator[Finding]:
    """Versions against the ranges of pyproject.toml, as the installed metadata has them."""
    try:
        project = metadata.metadata(_PROJECT)
    except metadata.PackageNotFoundError:
        yield Finding(
            _PROJECT,
            "note",
            "only on the path, not installed: the versions it supports are not known here",
            "make setup",
        )
        return
    version = platform.python_version()
    pythons = SpecifierSet(project["Requires-Python"] or "")
    if pythons.contains(version):
        yield Finding("Python", "good", version)
    else:
        remedy = "rm -rf .venv && make setup PYTHON=python3.11"
        yield Finding("Python", "problem", f"{version}, supported is {pythons}", remedy)
    for text in metadata.requires(_PROJECT) or ():
        requirement = Requirement(text)
        extras = ("", *_TRAINING_EXTRAS)
        if requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in extras
        ):
            yield _distribution(requirement)


def _distribution(requirement: Requirement) -> Finding:
    version, name = None, requirement.name
    for name in (requirement.name, *_ALTERNATIVES.get(requirement.name, ())):
        try:
            version = metadata.version(name)
            break
        except metadata.PackageNotFoundError:
            continue
    if version is not None and requirement.specifier.contains(version, prereleases=True):
        return Finding(name, "good", version)
    detail = f"supported is {requirement.specifier}"
    detail = f"missing, {detail}" if version is None else f"{version}, {detail}"
    # mmpose's own dependencies do not install, see pyproject.toml.
    no_deps = "--no-deps " if requirement.name == "mmpose" else ""
    command = f"pip install {no_deps}'{requirement.name}{requirement.specifier}'"
    state: State = "note" if requirement.name in _NOT_FOR_TRAINING else "problem"
    return Finding(requirement.name if version is None else name, state, detail, command)


def _imports() -> Iterator[Finding]:
    """Import what training imports, up to the first that fails: the others rest on it."""
    for module, distribution in _IMPORTS.items():
        try:
            import_module(module)
        # A broken package may raise anything, SystemExit included.
        except (Exception, SystemExit) as error:
            yield _failed_import(module, distribution, error)
            return
    yield Finding(", ".join(_IMPORTS), "good", "import")


def _failed_import(module: str, distribution: str, error: BaseException) -> Finding:
    said = f"{type(error).__name__}: {error}".splitlines()[0]
    for sign, meaning, command in _CAUSES:
        if sign in str(error):
            return Finding(module, "problem", f"{said} ({meaning})", command)
    if isinstance(error, ModuleNotFoundError) and error.name == module.split(".", 1)[0]:
        # It is missing, and stands with its command among what is installed.
        return Finding(module, "problem", f"{said}; what rests on it was not tried")
    try:
        pinned = f"{distribution}=={metadata.version(distribution)}"
    except metadata.PackageNotFoundError:
        pinned = distribution
    command = f"pip install --force-reinstall --no-deps '{pinned}'"
    if distribution == _PROJECT:
        command = "make setup"
    return Finding(module, "problem", f"does not import. {said}", command)


def _patches() -> Iterator[Finding]:
    """Which piece of ``fashionkp_mm.compat`` is at work, and which stands aside."""
    if any(isinstance(finder, startup.StandInFinder) for finder in sys.meta_path):
        yield Finding("at interpreter start", "good", "fashionkp_mm.pth is read")
    else:
        yield Finding(
            "at interpreter start",
            "note",
            "fashionkp_mm.pth was not read: MMPose's own scripts are not patched",
            "make setup",
        )
    for module, file in startup.STAND_INS.items():
        try:
            spec = find_spec(module)
        except (Exception, SystemExit) as error:
            # find_spec imports the parent.
            yield Finding(module, "note", f"not looked at: {type(error).__name__}: {error}")
            continue
        if spec is None:
            yield Finding(module, "note", "nobody provides it")
        elif spec.origin == file:
            yield Finding(module, "good", f"stood in for: {_DOES[module]}")
        else:
            yield Finding(module, "good", f"the real one, we stand aside: {spec.origin}")
    for module in startup.PATCHES:
        if module in startup.PATCHED:
            yield Finding(module, "good", f"patched: {_DOES[module]}")
        else:
            yield Finding(module, "note", "not imported, so not patched")


_DOES = {
    "mim.utils.utils": "mim download copies the weights that come with the package",
    "mmcv._ext": "nms by torchvision; other operators say how to get compiled mmcv",
    "xtcocotools": "pycocotools, with sigmas and use_area for OKS",
    "mmengine.fileio.backends.local_backend": "files are written whole or not at all",
    "mmengine.hooks.checkpoint_hook": "last_checkpoint is written whole or not at all",
    "mmengine.runner.checkpoint": "checkpoints are loaded as data, no code in them is run",
    "mmpose.visualization.opencv_backend_visualizer": "circles are drawn under NumPy 2.4",
}


def _machine() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("CPU", "good", f"{platform.machine()}, {terminal.plural(cores or 1, 'core')}")
    # What failed to import was named above; asking again would only repeat it.
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return
    try:
        yield Finding("torch threads", "good", str(torch.get_num_threads()))
        if torch.cuda.is_available():
            for index in range(torch.cuda.device_count()):
                yield Finding(f"GPU {index}", "good", torch.cuda.get_device_name(index))
        else:
            built = f"torch is built for CUDA {torch.version.cuda}" if torch.version.cuda else ""
            yield Finding(
                "GPU", "note", f"none that torch can use; training runs on the CPU. {built}"
            )
    except Exception as error:
        yield Finding("GPU", "note", f"not usable: {type(error).__name__}: {error}")
