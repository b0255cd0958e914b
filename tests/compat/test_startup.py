"""The finders: in every interpreter, light, and last in line behind the real modules."""

import subprocess
import sys
from pathlib import Path

import numpy._core._multiarray_umath
import pytest

ROOT = Path(__file__).resolve().parents[2]


def python(*arguments: str, folder: Path | None = None) -> str:
    """Run a fresh interpreter, with ``folder`` first on its path, and return what it prints."""
    environment = {"PYTHONPATH": str(folder or ""), "PATH": ""}
    run = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_every_interpreter_of_the_environment_is_patched():
    code = "import sys; print([type(f).__name__ for f in sys.meta_path if not isinstance(f, type)])"
    names = python("-I", "-c", code)
    assert "'PatchFinder'" in names.split(",")[0]
    assert "'StandInFinder'" in names.split(",")[-1]


def test_an_interpreter_starts_without_numpy_torch_or_openmmlab():
    heavy = {"numpy", "torch", "mmcv", "mmengine", "mmpose", "typing", "pathlib"}
    code = f"import sys; print(sorted({heavy} & set(sys.modules)))"
    # -S leaves out the .pth files of others: what remains is what ours imports.
    load = f"import sys; sys.path.append({str(ROOT)!r}); import fashionkp_mm.compat.startup; "
    assert python("-S", "-c", load + code) == "[]"


def test_stock_imports_work_before_any_config_is_read():
    code = "import mmpose.apis, mmpose.visualization, mmdet.apis, mmcv.ops, mmcv._ext as e; "
    assert python("-I", "-c", code + "print(e.__spec__.name)") == "mmcv._ext"


@pytest.mark.parametrize("kind", ["source", "compiled"])
def test_a_real_mmcv_ext_wins(tmp_path, kind):
    write(tmp_path / "mmcv" / "__init__.py")
    if kind == "source":
        write(tmp_path / "mmcv" / "_ext.py", "REAL = True")
        code = "import mmcv._ext; print(mmcv._ext.REAL)"
    else:
        # No compiler here: any extension module shows which finder is asked.
        compiled = Path(numpy._core._multiarray_umath.__file__)
        (tmp_path / "mmcv" / f"_ext{''.join(compiled.suffixes)}").symlink_to(compiled)
        code = (
            "import importlib.util as u; import mmcv; s = u.find_spec('mmcv._ext'); "
            "print(type(s.loader).__name__ == 'ExtensionFileLoader')"
        )
    assert python("-c", code, folder=tmp_path) == "True"


def test_a_real_xtcocotools_wins(tmp_path):
    for name in ("__init__", "coco", "cocoeval", "mask"):
        write(tmp_path / "xtcocotools" / f"{name}.py", "REAL = True")
    code = "import xtcocotools.cocoeval as m; print(m.REAL)"
    assert python("-c", code, folder=tmp_path) == "True"


def test_other_missing_modules_stay_missing():
    code = "import importlib.util as u; print(u.find_spec('xtcocotools_other'))"
    assert python("-c", code) == "None"


def test_modules_imported_before_it_are_patched_too():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "import mmengine.runner.checkpoint as c; print(c.load_from_local.__module__);"
        "import fashionkp_mm.compat.startup; print(c.load_from_local.__module__);"
        "from mmengine.fileio import LocalBackend; print(LocalBackend.put.__module__)"
    )
    # -S: without our .pth, but with site-packages on the path.
    packages = next(p for p in sys.path if p.endswith("site-packages"))
    printed = python("-S", "-c", f"import sys; sys.path.append({packages!r});" + code, str(ROOT))
    assert printed.split() == [
        "mmengine.runner.checkpoint",
        "fashionkp_mm.compat.checkpoints",
        "fashionkp_mm.compat.atomic_write",
    ]


def test_a_patched_module_keeps_its_own_loader_and_source():
    code = (
        "import inspect, mmengine.runner.checkpoint as c;"
        "print(type(c.__spec__.loader).__name__, 'class CheckpointLoader' in inspect.getsource(c))"
    )
    assert python("-I", "-c", code) == "SourceFileLoader True"
