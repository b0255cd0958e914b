"""The demo: what time its training gets, and when it has failed."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from fashionkp_mm.core.csv_format import read_labels, write_predictions
from fashionkp_mm.synthetic import write_dataset

# Not a module of the package: the demo needs the clone.
_SPEC = importlib.util.spec_from_file_location(
    "demo", Path(__file__).resolve().parents[1] / "tools" / "demo.py"
)
demo = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(demo)
DemoError = demo.DemoError


def test_the_training_gets_what_is_left_of_five_minutes():
    assert demo.training_minutes(drawing=20, predicting=10) == pytest.approx((300 - 20 - 35) / 60)
    slow = demo.training_minutes(drawing=60, predicting=30)
    assert 60 + 30 + 60 * slow + 60 < 300  # as long again to start and to test


def test_no_time_left_is_said_with_what_took_it():
    with pytest.raises(
        DemoError, match=r"slow.*drawing took 200 s and predicting 40 s, so no time"
    ):
        demo.training_minutes(drawing=200, predicting=40)


def test_a_model_that_learnt_is_let_through():
    demo.require_clearly_better(trained=15.3, mean_shape=22.5, minutes=4)


@pytest.mark.parametrize("trained", [35.5, 22.5, 21.0, float("nan")])
def test_a_model_that_learnt_next_to_nothing_fails_the_demo(trained):
    with pytest.raises(DemoError, match=r"not clearly below the mean shape's 22\.50 %.* too slow"):
        demo.require_clearly_better(trained, mean_shape=22.5, minutes=1.5)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; print('much'); sys.exit('error: a step takes 9 s')", "a step takes 9 s"),
        ("raise ValueError('odd')", "-c failed, see above"),
    ],
)
def test_a_failing_tool_ends_the_demo_with_what_it_says(program, message, tmp_path, capfd):
    command = [sys.executable, "-c", program]
    with pytest.raises(DemoError) as raised:
        demo._run_logged(command, tmp_path, tmp_path, tmp_path / "log")
    assert str(raised.value) == message
    assert ("odd" in capfd.readouterr().err) == ("odd" in program)


def test_a_command_that_takes_too_long_ends_the_demo():
    with pytest.raises(DemoError, match="too slow, or busy: fashionkp doctor did not end in 0 s"):
        demo._fashionkp(Console(), 0.01, "doctor")


def test_a_command_that_fails_ends_the_demo(tmp_path):
    with pytest.raises(DemoError, match="fashionkp check failed, see above"):
        demo._fashionkp(Console(), 300, "check", str(tmp_path / "nowhere.csv"))


@pytest.fixture
def played(monkeypatch, tmp_path):
    """Runs the demo with programs that leave behind what they would; returns their calls."""
    calls = []

    def fashionkp(console, seconds, *arguments):
        calls.append(arguments)
        if arguments[0] == "synth":
            write_dataset(Path(arguments[1]), images=12, seed=0)
        else:  # the shipped model is always right
            answers = Path(arguments[1])
            Path(arguments[arguments.index("--out") + 1]).write_bytes(answers.read_bytes())

    def run_logged(command, root, data, log):
        calls.append(tuple(command[1:]))
        work_dir = Path(command[command.index("--work-dir") + 1])
        work_dir.mkdir(exist_ok=True)
        (work_dir / "last_checkpoint").write_text("epoch_3.pth")
        answers = read_labels(data / "val/Annotations/val.csv")
        shifted = replace(answers, keypoints=answers.keypoints + run.shift)
        write_predictions(work_dir.parent / "predictions.csv", shifted)

    def run(shift):
        run.shift = shift
        demo.run(tmp_path, tmp_path / "out")
        return calls

    monkeypatch.setattr(demo, "_fashionkp", fashionkp)
    monkeypatch.setattr(demo, "_run_logged", run_logged)
    return run


def test_it_names_the_drawn_pictures_first(played, tmp_path, capsys):
    calls = played(shift=0)
    closing = [line for line in capsys.readouterr().out.splitlines() if f": {tmp_path}" in line]
    assert closing[0].endswith(f": {tmp_path}/out/shipped/drawn")
    minutes = float(calls[2][-3].removeprefix("train_cfg.minutes="))
    assert 4 < minutes < 5
    assert [Path(call[0]).stem for call in calls] == ["synth", "predict", "train", "test"]


def test_it_fails_if_the_model_learnt_nothing(played):
    with pytest.raises(DemoError, match="not clearly below the mean shape's"):
        played(shift=1000)
