"""``fashionkp doctor``: what is absent or broken is a finding, with the command that fixes it."""

import importlib
import io
import sys
from importlib import metadata

import pytest
from rich.console import Console

from fashionkp_mm.commands import doctor
from fashionkp_mm.compat import startup


def finding(diagnosis: doctor.Diagnosis, subject: str, topic: str) -> doctor.Finding:
    (found,) = (f for f in diagnosis.topics[topic] if f.subject == subject)
    return found


@pytest.fixture
def versions(monkeypatch):
    """Let a distribution have another version; None is absent."""
    changed = {}
    real = metadata.version

    def version(name: str) -> str:
        if name in changed and changed[name] is None:
            raise metadata.PackageNotFoundError(name)
        return changed.get(name) or real(name)

    monkeypatch.setattr(metadata, "version", version)
    return changed


@pytest.fixture
def failing_imports(monkeypatch):
    """Let the import of a module raise."""
    errors = {}
    real = importlib.import_module

    def import_module(name: str):
        if name in errors:
            raise errors[name]
        return real(name)

    monkeypatch.setattr(doctor, "import_module", import_module)
    return errors


def test_this_environment_can_train():
    diagnosis = doctor.diagnose()
    assert diagnosis.ready
    assert [f for f in diagnosis.findings if f.state == "problem"] == []
    assert finding(diagnosis, "torch", "Installed").detail == metadata.version("torch")
    assert finding(diagnosis, "mmpose", "Installed").state == "good"
    # Training does not import mim.
    for module in startup.PATCHES.keys() - {"mim.utils.utils"}:
        assert finding(diagnosis, module, "Patches").detail.startswith("patched: ")


def test_it_has_words_for_all_that_is_patched():
    assert doctor._DOES.keys() == startup.PATCHES.keys() | startup.STAND_INS.keys()


@pytest.mark.parametrize(
    ("name", "version", "command"),
    [
        ("torch", None, "pip install 'torch>=2.6'"),
        ("torch", "2.4.0", "pip install 'torch>=2.6'"),
        ("mmpose", None, "pip install --no-deps 'mmpose<1.4,>=1.3.2'"),
        ("mmengine", "0.9.0", "pip install 'mmengine<0.11,>=0.10.7'"),
        ("setuptools", "82.0.0", "pip install 'setuptools<82,>=70'"),
    ],
)
def test_a_missing_or_unsupported_package(versions, name, version, command):
    versions[name] = version
    diagnosis = doctor.diagnose()
    assert not diagnosis.ready
    found = finding(diagnosis, name, "Installed")
    assert (found.state, found.remedy) == ("problem", command)
    assert (version or "missing") in found.detail


def test_what_training_does_not_need_is_a_note(versions):
    versions["openmim"] = None
    diagnosis = doctor.diagnose()
    assert finding(diagnosis, "openmim", "Installed").state == "note"
    assert diagnosis.ready


def test_compiled_mmcv_does_as_well(versions):
    versions.update({"mmcv-lite": None, "mmcv": "2.1.0"})
    assert finding(doctor.diagnose(), "mmcv", "Installed").detail == "2.1.0"


def test_without_torch_it_does_not_crash(versions, failing_imports, monkeypatch):
    versions["torch"] = None
    failing_imports["torch"] = ModuleNotFoundError("No module named 'torch'", name="torch")
    monkeypatch.delitem(sys.modules, "torch")
    diagnosis = doctor.diagnose()
    assert not diagnosis.ready
    found = finding(diagnosis, "torch", "Imports")
    assert found.state == "problem"
    assert found.remedy is None  # it stands once, with the version
    remedies = [f.remedy for f in diagnosis.findings if f.remedy]
    assert remedies == ["pip install 'torch>=2.6'"]


@pytest.mark.parametrize(
    ("module", "error", "remedy"),
    [
        (
            "mmpose.apis",
            ValueError("numpy.dtype size changed, may indicate binary incompatibility"),
            "pip uninstall -y xtcocotools",
        ),
        (
            "mmengine.runner",
            ModuleNotFoundError("No module named 'pkg_resources'", name="pkg_resources"),
            "pip install 'setuptools<82'",
        ),
        (
            "cv2",
            ImportError("libGL.so.1: cannot open shared object file"),
            "pip install --force-reinstall --no-deps opencv-python-headless",
        ),
        (
            "mmpose.apis",
            AssertionError("MMCV==2.3.0 is used but incompatible"),
            f"pip install --force-reinstall --no-deps 'mmpose=={metadata.version('mmpose')}'",
        ),
        ("torch", SystemExit(3), None),
    ],
)
def test_a_package_that_fails_at_import(failing_imports, module, error, remedy):
    failing_imports[module] = error
    diagnosis = doctor.diagnose()
    found = finding(diagnosis, module, "Imports")
    assert not diagnosis.ready
    assert found.state == "problem"
    assert remedy is None or found.remedy == remedy
    assert type(error).__name__ in found.detail
    # What rests on it was not tried.
    assert [f for f in diagnosis.topics["Imports"] if "training" in f.hinders] == [found]


def test_an_unpatched_interpreter_is_told(monkeypatch):
    monkeypatch.setattr(
        sys, "meta_path", [f for f in sys.meta_path if not isinstance(f, startup.StandInFinder)]
    )
    found = finding(doctor.diagnose(), "at interpreter start", "Patches")
    assert (found.state, found.remedy) == ("note", "make setup")


def test_a_real_module_is_told_from_the_stand_in(monkeypatch):
    class Spec:
        origin = "/somewhere/xtcocotools/__init__.py"

    monkeypatch.setattr(doctor, "find_spec", lambda name: Spec)
    found = finding(doctor.diagnose(), "xtcocotools", "Patches")
    assert found.detail == "the real one, we stand aside: /somewhere/xtcocotools/__init__.py"


def test_only_on_the_path(monkeypatch):
    def nothing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "metadata", nothing)
    diagnosis = doctor.diagnose()
    assert finding(diagnosis, "fashionkp_mm", "Installed").remedy == "make setup"
    assert diagnosis.ready


def test_an_unsupported_python(monkeypatch):
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.14.0")
    found = finding(doctor.diagnose(), "Python", "Installed")
    assert (found.state, found.detail) == ("problem", "3.14.0, supported is <3.14,>=3.11")


def test_the_exit_status_and_the_print(versions, capsys, monkeypatch):
    assert doctor.run() == 0
    printed = capsys.readouterr().out
    assert "Predicting works.\nTraining works.\n" in printed
    versions["mmdet"] = None
    assert doctor.run() == 1
    printed = capsys.readouterr().out
    assert "pip install 'mmdet<3.4.0,>=3.3.0'" in printed
    assert "Predicting works.\nTraining does not work until the problems above" in printed


@pytest.fixture
def only_predicting(versions, failing_imports):
    """As in an environment with the extra ``runtime`` alone."""
    absent = ["torch", "torchvision", "mmengine", "mmcv-lite", "mmdet", "mmpose", "pycocotools"]
    versions.update(dict.fromkeys([*absent, "onnx", "onnxscript", "openmim", "scipy"]))
    error = ModuleNotFoundError("No module named 'torch'", name="torch")
    failing_imports.update({"torch": error, "fashionkp_mm.plugin": error})


def test_where_only_predicting_is_installed_nothing_is_a_problem(only_predicting, capsys):
    assert doctor.run() == 0
    printed = capsys.readouterr().out
    assert "problem" not in printed
    assert "Predicting works.\nTraining is not installed.\n" in printed
    assert "pip install 'fashionkp_mm[train]'" in printed


def test_predicting_alone_may_not_work_either(only_predicting, versions, failing_imports, capsys):
    versions["onnxruntime"] = None
    failing_imports["onnxruntime"] = ModuleNotFoundError("…", name="onnxruntime")
    assert doctor.run() == 1
    printed = capsys.readouterr().out
    assert "pip install 'onnxruntime>=1.20'" in printed
    assert "Predicting does not work" in printed


def test_predicting_may_be_all_that_does_not_work(versions, failing_imports):
    failing_imports["onnxruntime"] = ImportError("libcudart.so")
    diagnosis = doctor.diagnose()
    assert (diagnosis.predicts, diagnosis.trains, diagnosis.ready) == (False, True, False)


def test_what_packages_say_is_printed_as_it_is():
    said = doctor.Finding("x", "problem", "[bold]no markup[/]", "pip install 'x[y]'")
    out = io.StringIO()
    doctor.show(doctor.Diagnosis({"Imports": (said,)}), Console(file=out, width=80))
    assert "[bold]no markup[/]" in out.getvalue()
    assert "pip install 'x[y]'" in out.getvalue()
