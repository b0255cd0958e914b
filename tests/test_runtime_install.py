"""The runtime extra alone, in an environment of its own: it predicts, and there is no torch."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from small_networks import picture

from fashionkp_mm.core.csv_columns import COLUMNS
from fashionkp_mm.runtime import FashionPredictor

ROOT = Path(__file__).resolve().parents[1]
UNREACHABLE = re.compile(
    "NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|name resolution"
)
FOREIGN = ["torch", "torchvision", "mmcv", "mmdet", "mmengine", "mmpose", "scipy", "matplotlib"]


def call(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command away from the checkout, so that nothing is imported from there."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)


def pip(python: str | Path, *arguments: str | Path, cwd: Path) -> None:
    done = call(python, "-m", "pip", "--disable-pip-version-check", *arguments, cwd=cwd)
    said = done.stdout + done.stderr
    if done.returncode and UNREACHABLE.search(said):
        pytest.skip("pip reaches no package index, so nothing can be installed")
    assert not done.returncode, said[-4000:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installed")


@pytest.fixture(scope="module")
def programs(folder: Path) -> Path:
    """Folder of the programs of an environment that holds the wheel with the extra."""
    wheels = folder / "wheels"
    pip(
        sys.executable, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, ROOT, cwd=folder
    )
    (wheel,) = wheels.glob("*.whl")
    environment = folder / "environment"
    done = call(sys.executable, "-m", "venv", environment, cwd=folder)
    assert not done.returncode, done.stdout + done.stderr
    programs = environment / "bin"
    pip(
        programs / "python", "install", "--only-binary", ":all:", "--constraint",
        ROOT / "requirements.lock", f"{wheel}[runtime]", cwd=folder,
    )  # fmt: skip
    return programs


@pytest.fixture(scope="module")
def photo(folder: Path) -> Path:
    path = folder / "photo.png"
    assert cv2.imwrite(str(path), picture({0: (100, 150), 1: (200, 90), 2: (180, 300)}))
    return path


def test_nothing_of_the_training_stack_comes_along(programs: Path, folder: Path) -> None:
    code = f"from importlib.util import find_spec; print(*filter(find_spec, {FOREIGN}))"
    done = call(programs / "python", "-c", code, cwd=folder)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


def test_what_is_installed_is_complete(programs: Path, folder: Path) -> None:
    pip(programs / "python", "check", cwd=folder)


def test_the_package_is_the_one_installed(programs: Path, folder: Path) -> None:
    code = "import fashionkp_mm.runtime as runtime; print(runtime.__file__)"
    done = call(programs / "python", "-c", code, cwd=folder)
    assert Path(done.stdout.strip()).is_relative_to(programs.parent), done.stderr


def test_it_predicts_what_is_predicted_here(
    programs: Path, folder: Path, pose_file: Path, photo: Path
) -> None:
    code = (
        "import sys; from fashionkp_mm.runtime import FashionPredictor;"
        "(garment,) = FashionPredictor(sys.argv[1]).predict(sys.argv[2]);"
        "print(','.join(garment.to_csv_row()))"
    )
    done = call(programs / "python", "-c", code, pose_file, photo, cwd=folder)
    (garment,) = FashionPredictor(pose_file).predict(photo)
    assert done.stdout.strip() == ",".join(garment.to_csv_row()), done.stderr


def test_the_command_line_runs(programs: Path, folder: Path) -> None:
    done = call(programs / "fashionkp", "--help", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "predict" in done.stdout


def test_the_command_line_predicts(
    programs: Path, folder: Path, pose_file: Path, photo: Path
) -> None:
    out = folder / "predictions.csv"
    done = call(
        programs / "fashionkp", "predict", photo, "--model", pose_file, "--out", out, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with out.open() as file:
        (row,) = csv.DictReader(file)
    (garment,) = FashionPredictor(pose_file).predict(photo)
    expected = dict(zip(COLUMNS, garment.to_csv_row(), strict=True))
    assert {**row, "image_id": ""} == {**expected, "image_id": ""}
