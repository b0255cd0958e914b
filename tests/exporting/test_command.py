"""``fashionkp export``: what it prints, and how it fails."""

from __future__ import annotations

import builtins

import pytest
from typer.testing import CliRunner

from fashionkp_mm.cli import app
from fashionkp_mm.exporting import export as export_module
from fashionkp_mm.exporting.pose import PoseExporter


@pytest.fixture
def quick(simcc_onnx, monkeypatch):
    """Exports what was exported before, and compares nothing; notes the pictures it was given."""
    given = []
    monkeypatch.setattr(PoseExporter, "onnx", lambda self: simcc_onnx.path.read_bytes())
    monkeypatch.setattr(PoseExporter, "parity", lambda *_: simcc_onnx.exported.parity)
    monkeypatch.setattr(export_module, "pictures", given.append)
    return given


def run(*arguments):
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


def test_it_prints_what_was_compared_and_what_the_file_says(simcc, quick, tmp_path):
    out = tmp_path / "m.onnx"
    result = run(simcc.config, simcc.checkpoint, out, "--licence", "research only")
    assert result.exit_code == 0, result.output
    assert f"{out}: pose small_fashion, 64x96" in result.stdout
    assert "licence: research only" in result.stdout
    assert "480 points in 20 crops" in result.stdout
    assert "px (limit 0.05)" in result.stdout
    assert out.exists()


def test_pictures_of_a_folder_are_compared_on(simcc, quick, drawn_root, tmp_path):
    folder = drawn_root / "val" / "Images"
    arguments = (simcc.config, simcc.checkpoint, tmp_path / "m.onnx")
    assert run(*arguments, "--parity-images", folder).exit_code == 0
    (files,) = quick
    assert set(files) == set(folder.rglob("*.jpg"))


def test_a_folder_without_pictures_is_one_message(simcc, quick, tmp_path):
    (tmp_path / "none").mkdir()
    arguments = (simcc.config, simcc.checkpoint, tmp_path / "m.onnx")
    result = run(*arguments, "--parity-images", tmp_path / "none")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert not (tmp_path / "m.onnx").exists()


def test_a_checkpoint_that_does_not_fit_is_one_message(simcc, heatmaps, tmp_path):
    result = run(simcc.config, heatmaps.checkpoint, tmp_path / "m.onnx")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {heatmaps.checkpoint} does not belong to")
    assert "Traceback" not in result.stderr


def test_a_file_that_is_no_checkpoint_is_one_message(simcc, tmp_path):
    (tmp_path / "notes.pth").write_text("no weights here")
    result = run(simcc.config, tmp_path / "notes.pth", tmp_path / "m.onnx")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert "notes.pth" in result.stderr


def test_without_torch_it_says_what_to_do(simcc, tmp_path, monkeypatch):
    imported = builtins.__import__

    def without_torch(name, *args, **kwargs):
        if name == "fashionkp_mm.exporting.export":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_torch)
    result = run(simcc.config, simcc.checkpoint, tmp_path / "m.onnx")
    assert result.exit_code == 1
    assert "torch is not installed; `fashionkp doctor` names the command" in str(result.exception)
