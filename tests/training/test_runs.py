"""What the tools are given wrongly ends in one message, before anything takes its time."""

from __future__ import annotations

from pathlib import Path

import hostile_checkpoints
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from typer.testing import CliRunner

from fashionkp_mm.cli import app
from fashionkp_mm.training import arguments as launch
from fashionkp_mm.training import runs

CONFIG = str(Path(__file__).parents[2] / "configs/demo_fashion.py")


@pytest.fixture(autouse=True)
def _nothing_is_run(monkeypatch, drawn_root):
    """Without data, and with a runner that must not be reached."""
    monkeypatch.setenv("FASHIONAI_ROOT", str(drawn_root))

    def reached(*_args, **_kwargs):
        raise AssertionError("the run was started")

    monkeypatch.setattr(runs.Runner, "from_cfg", reached)


@pytest.fixture
def message(tmp_path):
    """Call a tool with arguments; return its one message."""

    def call(tool, *arguments: object) -> str:
        work_dir = [] if tool is launch.browse else ["--work-dir", str(tmp_path / "work")]
        with pytest.raises(SystemExit) as ended:
            tool([CONFIG, *map(str, arguments), *work_dir])
        assert isinstance(ended.value.code, str), ended.value.code
        assert ended.value.code.startswith("error: ")
        return ended.value.code

    return call


@pytest.fixture(scope="module")
def model_state():
    init_default_scope("mmpose")
    return MODELS.build(Config.fromfile(CONFIG).model).state_dict()


def wrong_contents(state: dict) -> dict[str, object]:
    name = next(name for name, tensor in state.items() if tensor.ndim == 4)
    return {
        "None": None,
        "a number": 3,
        "a list": [state],
        "no weights": {"meta": {}},
        "state_dict: None": {"state_dict": None},
        "a tensor for a dictionary": {"state_dict": torch.zeros(3)},
        "a sparse weight": {"state_dict": {**state, name: torch.eye(3).to_sparse()}},
        "a complex weight": {"state_dict": {**state, name: state[name].to(torch.complex64)}},
        "a wrong shape": {"state_dict": {**state, name: state[name][:1]}},
        "numbers for weights": {"state_dict": dict.fromkeys(state, 1.0)},
        "another model": {"state_dict": {"layer.weight": torch.zeros(3)}},
    }


@pytest.mark.parametrize("way", ["test", "pretrained", "resume", "publish", "export"])
def test_wrong_checkpoints_end_in_one_message(way, message, model_state, tmp_path):
    paths = []
    contents = wrong_contents(model_state)
    if way == "pretrained":
        del contents["a wrong shape"]  # a tenth of a backbone's tensors may be another's
    for index, content in enumerate(contents.values()):
        paths.append(tmp_path / f"wrong_{index}.pth")
        torch.save(content, paths[-1])
    for what in ("cut short", "tar", "text", "bytes of a number"):
        paths.append(tmp_path / f"{what}.pth")
        paths[-1].write_bytes(hostile_checkpoints.HOSTILE[what]())
    for path in paths:
        if way == "test":
            said = message(launch.test, path)
        elif way in ("pretrained", "resume"):
            said = message(launch.train, f"--{way}", path)
        else:
            out = tmp_path / ("out.pth" if way == "publish" else "out.onnx")
            result = CliRunner().invoke(app, [way, CONFIG, str(path), str(out)])
            assert result.exit_code == 1, result.output
            assert isinstance(result.exception, SystemExit)
            said = result.stderr
            assert not out.exists()
        assert str(path) in said
        assert "Traceback" not in said


def test_a_state_without_training_is_named(message, model_state, tmp_path):
    torch.save({"state_dict": model_state, "meta": {}}, tmp_path / "published.pth")
    said = message(launch.train, "--resume", tmp_path / "published.pth")
    assert "no state of a training (missing: message_hub, optimizer)" in said
    assert f"load_from={tmp_path}/published.pth" in said


@pytest.mark.parametrize("tool", [launch.train, launch.test])
def test_a_missing_checkpoint_is_named(tool, message):
    arguments = ["--resume", "none.pth"] if tool is launch.train else ["none.pth"]
    assert "none.pth: does not exist" in message(tool, *arguments)


@pytest.mark.parametrize("tool", [launch.train, launch.test, launch.browse])
def test_a_missing_config_is_named(tool, tmp_path):
    more = ["x.pth"] if tool is launch.test else []
    with pytest.raises(SystemExit, match=r"error: none\.py: does not exist"):
        tool(["none.py", *more])


@pytest.mark.parametrize("option", ["a", "a=[", "train_dataloader.dataset.type.x=1"])
def test_a_malformed_option_is_named(option, message):
    assert f"--cfg-options {option}" in message(launch.train, "--cfg-options", option)


def test_a_wrong_root_is_told_before_weights_are_loaded(message, monkeypatch, tmp_path):
    monkeypatch.setenv("FASHIONAI_ROOT", str(tmp_path / "nowhere"))
    monkeypatch.setattr(runs, "set_pretrained", pytest.fail)
    said = message(launch.train)
    assert f"{tmp_path}/nowhere/train/Annotations/train.csv does not exist" in said


def test_an_empty_root_counts_as_none(message, monkeypatch, tmp_path):
    monkeypatch.setenv("FASHIONAI_ROOT", "")
    monkeypatch.chdir(tmp_path)
    said = message(launch.train)
    assert "error: data/fashionai/train/Annotations/train.csv does not exist" in said


def test_fewer_images_than_a_batch_are_told(message, drawn_root):
    options = ["--pretrained", "none", "--cfg-options", "train_dataloader.batch_size=1000"]
    said = message(launch.train, *options)
    assert "30 garments, fewer than one batch of 1000" in said


def test_a_broken_dependency_is_one_message(monkeypatch, message):
    def broken(_args):
        raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(runs, "run_training", broken)
    assert "opencv-python-headless" in message(launch.train)


def test_a_state_that_is_not_the_configs_is_named(monkeypatch):
    def resume(self, filename):
        raise KeyError("epoch")

    monkeypatch.setattr(runs.Runner, "resume", resume)
    runner = object.__new__(runs._ResumingRunner)
    with pytest.raises(runs.ResumeError, match=r"--resume x\.pth: .*KeyError: 'epoch'.*load_from"):
        runner.resume("x.pth")


class TestNothingIsWrittenOver:
    """Whatever names the file: an option of the tool, or one of the config."""

    @pytest.fixture
    def precious(self, tmp_path):
        """A file that is read, and the link by which it would be written over."""

        def make(path: Path, suffix: str) -> Path:
            link = tmp_path / f"link{suffix}"
            link.symlink_to(path)
            return link

        return make

    @staticmethod
    def labels(root: Path, split: str) -> Path:
        return root / split / "Annotations" / f"{split}.csv"

    @pytest.mark.parametrize(
        ("option", "suffix"), [("--out", ".json"), ("--dump", ".pkl"), ("--detector", ".pth")]
    )
    def test_by_a_test(self, message, precious, tmp_path, option, suffix):
        checkpoint = tmp_path / "w.pth"
        checkpoint.write_bytes(b"weights")
        link = precious(checkpoint, suffix)
        arguments = [option, link]
        if option == "--detector":
            arguments = ["--boxes", "detector", "--detector", CONFIG, link, "--out", checkpoint]
            checkpoint = tmp_path / "other.pth"
            checkpoint.write_bytes(b"other weights")

        said = message(launch.test, checkpoint, *arguments)

        assert "would overwrite the input" in said

    @pytest.mark.parametrize("option", ["submission_file", "predictions_file"])
    def test_by_the_metric_of_a_test(self, message, precious, drawn_root, tmp_path, option):
        (tmp_path / "w.pth").write_bytes(b"weights")
        labels = self.labels(drawn_root, "val")
        options = [f"test_evaluator.0.{option}={precious(labels, '.csv')}"]

        said = message(launch.test, tmp_path / "w.pth", "--cfg-options", *options)

        assert f"would overwrite the input {labels}" in said

    def test_by_the_metric_of_one_source_of_boxes(self, message, drawn_root, tmp_path):
        (tmp_path / "w.pth").write_bytes(b"weights")
        (tmp_path / "p.whole.csv").symlink_to(self.labels(drawn_root, "val"))
        options = [f"test_evaluator.0.predictions_file={tmp_path / 'p.csv'}"]

        said = message(
            launch.test, tmp_path / "w.pth", "--boxes", "whole", "--cfg-options", *options
        )

        assert f"{tmp_path / 'p.whole.csv'}: writing there would overwrite" in said

    def test_by_the_metric_of_a_validation(self, message, precious, drawn_root):
        link = precious(self.labels(drawn_root, "train"), ".csv")

        said = message(launch.train, "--cfg-options", f"val_evaluator.0.predictions_file={link}")

        assert "would overwrite the input" in said
