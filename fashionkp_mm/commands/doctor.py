"""``fashionkp doctor``: do predicting and training work here, and what would make them work."""

from __future__ import annotations

import os
import platform
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from fashionkp_mm.compat.broken_imports import cause_of
from fashionkp_mm.core.words import plural

State = Literal["good", "note", "problem"]
Purpose = Literal["predicting", "training"]

_PROJECT = "fashionkp_mm"
_EXTRAS: dict[str, tuple[Purpose, ...]] = {
    "": ("predicting", "training"),
    "runtime": ("predicting",),
    "train": ("training",),
    "mmpose-no-deps": ("training",),
}
"""Extra of pyproject.toml -> what its packages are for."""

_TRAINING = ("torch", "mmengine", "mmcv-lite", "mmcv", "mmdet", "mmpose")
"""Where none of them is installed, nobody meant to train."""

_INSTALL_TRAINING = (
    "pip install 'fashionkp_mm[train]' && pip install --no-deps 'mmpose>=1.3.2,<1.4'"
)

_NOT_FOR_TRAINING = frozenset({"onnx", "onnxruntime", "onnxscript", "openmim"})
_ALTERNATIVES = {
    "mmcv-lite": ("mmcv",),
    "onnxruntime": ("onnxruntime-gpu", "onnxruntime-directml"),
    "opencv-python": ("opencv-python-headless", "opencv-contrib-python"),
}
"""Distribution -> others that provide the same import."""

_IMPORTS: dict[Purpose, dict[str, str]] = {
    "predicting": {
        "numpy": "numpy",
        "cv2": "opencv-python",
        "onnxruntime": "onnxruntime",
        "fashionkp_mm.runtime": _PROJECT,
    },
    "training": {
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
    },
}
"""What each imports, in the order in which one rests on the other -> its distribution."""


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Attributes:
        subject: A package, a module or a part of the machine.
        state: ``problem`` where something cannot run; ``note`` where something is worth knowing.
        detail: What was found.
        remedy: The one command that solves it, for problems and some notes.
        hinders: What cannot run, for problems.
    """

    subject: str
    state: State
    detail: str
    remedy: str | None = None
    hinders: tuple[Purpose, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """All findings, by topic, in the order in which they should be read.

    Attributes:
        topics: The findings by topic.
        training_installed: Whether anything was installed that only training needs.
    """

    topics: dict[str, tuple[Finding, ...]]
    training_installed: bool = True

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all topics."""
        return tuple(finding for topic in self.topics.values() for finding in topic)

    @property
    def predicts(self) -> bool:
        """Whether predicting could run."""
        return not any("predicting" in finding.hinders for finding in self.findings)

    @property
    def trains(self) -> bool:
        """Whether training could run."""
        return self.training_installed and not any(
            "training" in finding.hinders for finding in self.findings
        )

    @property
    def ready(self) -> bool:
        """Whether all could run that was installed."""
        return self.predicts and (self.trains or not self.training_installed)


def run() -> int:
    """Print a diagnosis; return the exit status, 1 if something that was installed cannot run."""
    diagnosis = diagnose()
    show(diagnosis, terminal.out())
    return 0 if diagnosis.ready else 1


def diagnose() -> Diagnosis:
    """Check this process's environment; what is missing or broken is a finding, not an error."""
    training = any(_version(name) is not None for name in _TRAINING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the stack's own
        return Diagnosis(
            {
                "Installed": tuple(_installed(training)),
                "Imports": tuple(_imports(training)),
                "Patches": tuple(_patches()) if training else (),
                "Machine": tuple(_machine()),
            },
            training,
        )


def show(diagnosis: Diagnosis, console: Console) -> None:
    """Print a table a topic, and what is to be done."""
    styles = {"good": "green", "note": "yellow", "problem": "bold red"}
    for topic, findings in diagnosis.topics.items():
        if not findings:
            continue
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
    console.print(_verdict("Predicting", diagnosis.predicts))
    if diagnosis.training_installed:
        console.print(_verdict("Training", diagnosis.trains))
    else:
        console.print("Training is not installed.")


def _verdict(what: str, runs: bool) -> Text:
    if runs:
        return Text(f"{what} works.", style="green")
    return Text(f"{what} does not work until the problems above are solved.", style="bold red")


def _installed(training: bool) -> Iterator[Finding]:
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
        detail = f"{version}, supported is {pythons}"
        yield Finding("Python", "problem", detail, remedy, _EXTRAS[""])
    for requirement, purposes in _requirements().values():
        if training or "predicting" in purposes:
            yield _distribution(requirement, purposes)
    if not training:
        yield Finding("training", "note", "not installed", _INSTALL_TRAINING)


def _requirements() -> dict[str, tuple[Requirement, tuple[Purpose, ...]]]:
    """What the package requires by name, and what for."""
    found: dict[str, tuple[Requirement, tuple[Purpose, ...]]] = {}
    for text in metadata.requires(_PROJECT) or ():
        requirement = Requirement(text)
        for extra, purposes in _EXTRAS.items():
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                _, others = found.get(requirement.name, (requirement, ()))
                found[requirement.name] = (requirement, (*others, *purposes))
                break
    return found


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _distribution(requirement: Requirement, purposes: tuple[Purpose, ...]) -> Finding:
    version, name = None, requirement.name
    for name in (requirement.name, *_ALTERNATIVES.get(requirement.name, ())):
        if (version := _version(name)) is not None:
            break
    if version is not None and requirement.specifier.contains(version, prereleases=True):
        return Finding(name, "good", version)
    detail = f"supported is {requirement.specifier}"
    detail = f"missing, {detail}" if version is None else f"{version}, {detail}"
    # mmpose's own dependencies do not install, see pyproject.toml.
    no_deps = "--no-deps " if requirement.name == "mmpose" else ""
    command = f"pip install {no_deps}'{requirement.name}{requirement.specifier}'"
    hinders = tuple(
        purpose
        for purpose in purposes
        if purpose != "training" or requirement.name not in _NOT_FOR_TRAINING
    )
    state: State = "problem" if hinders else "note"
    subject = requirement.name if version is None else name
    return Finding(subject, state, detail, command, hinders)


def _imports(training: bool) -> Iterator[Finding]:
    """Import what each purpose imports, up to the first that fails: the others rest on it."""
    failed: dict[str, Finding] = {}
    for purpose, modules in _IMPORTS.items():
        if purpose == "training" and not training:
            continue
        for module, distribution in modules.items():
            try:
                import_module(module)
            # A broken package may raise anything, SystemExit included.
            except (Exception, SystemExit) as error:
                finding = failed.get(module) or _failed_import(module, distribution, error)
                failed[module] = replace(finding, hinders=(*finding.hinders, purpose))
                break
        else:
            yield Finding(", ".join(modules), "good", f"import, for {purpose}")
    yield from failed.values()


def _failed_import(module: str, distribution: str, error: BaseException) -> Finding:
    said = f"{type(error).__name__}: {error}".splitlines()[0]
    if cause := cause_of(error):
        return Finding(module, "problem", f"{said} ({cause.meaning})", cause.command)
    if isinstance(error, ModuleNotFoundError) and error.name == module.split(".", 1)[0]:
        # It is missing, and stands with its command among what is installed.
        return Finding(module, "problem", f"{said}; what rests on it was not tried")
    pinned = distribution
    if version := _version(distribution):
        pinned = f"{distribution}=={version}"
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
            yield Finding(module, "note", f"not checked: {type(error).__name__}: {error}")
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
    "mmpose.structures.utils": "the inferencer's JSON has category and visibility",
    "mmpose.visualization.opencv_backend_visualizer": "circles are drawn under NumPy 2.4",
}


def _machine() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("CPU", "good", f"{platform.machine()}, {plural(cores or 1, 'core')}")
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
            yield from _cpu_precision()
    except Exception as error:
        yield Finding("GPU", "note", f"not usable: {type(error).__name__}: {error}")


def _cpu_precision() -> Iterator[Finding]:
    # Training's own module, where it could be imported.
    module: Any = sys.modules.get("fashionkp_mm.plugin.cpu_bfloat16")
    if module is not None:
        yield Finding("--amp on the CPU", "good", f"trains in {module.cpu_precision()}")
