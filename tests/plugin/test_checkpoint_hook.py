"""Training with ``PlainCheckpointHook``: plain files, true resumption, and never without a file."""

import os
import subprocess
import sys
from enum import IntEnum
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import HOOKS
from mmengine.runner import Runner, find_latest_checkpoint

from fashionkp_mm.plugin import checkpoint_hook
from fashionkp_mm.plugin.checkpoint_hook import PlainCheckpointHook, latest_checkpoint, plain


class Points(BaseDataset):
    METAINFO: ClassVar = {"sigmas": np.full(3, 0.05), "colors": np.uint8([[1, 2]])}

    def load_data_list(self):
        return [{"x": torch.full((2,), float(i))} for i in range(4)]


class Line(BaseModel):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(2, 1)

    def forward(self, x, sample_idx=None, mode="tensor"):
        out = self.linear(torch.stack(list(x)))
        return {"loss": out.square().mean()} if mode == "loss" else list(out)


class Descending(BaseMetric):
    """A score that gets better every time, so that each epoch has a new best file."""

    scores = (5.0, 4.0, 3.0, 2.0, 1.0)
    calls = 0

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        Descending.calls += 1
        return {"NE": np.float64(self.scores[Descending.calls - 1])}


class Witness(Hook):
    """Looks at the folder at the moment when a checkpoint is about to be written."""

    priority = "LOWEST"

    def __init__(self):
        self.seen = []

    def before_save_checkpoint(self, runner, checkpoint):
        self.seen.append(sorted(p.name for p in Path(runner.work_dir).glob("*.pth")))


class StoppedError(RuntimeError):
    pass


class StopInThirdEpoch(Hook):
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.epoch == 2 and batch_idx == 1:
            raise StoppedError


@pytest.fixture
def train(tmp_path):
    Descending.calls = 0

    def run(epochs: int, *, resume: bool = False, hooks: tuple = (), **options) -> Runner:
        torch.manual_seed(0)
        data = {
            "dataset": Points(),
            "sampler": {"type": "DefaultSampler", "shuffle": False},
            "batch_size": 2,
            "num_workers": 0,
            "collate_fn": {"type": "default_collate"},
        }
        checkpoint = {"type": "PlainCheckpointHook", "interval": 1, **options}
        runner = Runner(
            Line(),
            str(tmp_path),
            train_dataloader=data,
            train_cfg={"by_epoch": True, "max_epochs": epochs, "val_interval": 1},
            optim_wrapper={"optimizer": {"type": "AdamW", "lr": 0.1}},
            param_scheduler=[{"type": "ExponentialLR", "gamma": 0.9}],
            val_dataloader=data,
            val_cfg={},
            val_evaluator=Evaluator(Descending()),
            default_hooks={"checkpoint": checkpoint},
            custom_hooks=list(hooks),
            resume=resume,
            experiment_name=uuid4().hex,  # a name used twice is one message hub
            log_level="WARNING",
            randomness={"seed": 0},
        )
        runner.train()
        return runner

    return run


def test_a_checkpoint_loads_in_plain_torch(train, tmp_path):
    train(2, save_best="NE", rule="less")
    code = (
        "import sys; sys.path.append(sys.argv[1]); import torch;"
        "[torch.load(f, weights_only=True) for f in sys.argv[2:]];"
        "print(sorted(m for m in sys.modules if m.startswith(('mm', 'fashionkp'))))"
    )
    packages = next(p for p in sys.path if p.endswith("site-packages"))
    files = [str(tmp_path / name) for name in ("epoch_2.pth", "best_NE_epoch_2.pth")]
    # -S: no .pth file is read, so nothing of this project is in that process.
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, packages, *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "['mmap']"


def test_training_resumes_with_histories_and_ends_as_if_never_stopped(train, tmp_path, capsys):
    through = train(4, save_best="NE", rule="less")
    weights = {k: v.clone() for k, v in through.model.state_dict().items()}
    losses = through.message_hub.get_scalar("train/loss").data[0]
    for path in tmp_path.glob("*.pth"):
        path.unlink()
    Descending.calls = 0

    with pytest.raises(StoppedError):
        train(4, save_best="NE", rule="less", hooks=(StopInThirdEpoch(),))
    assert find_latest_checkpoint(str(tmp_path)) == str(tmp_path / "epoch_2.pth")
    resumed = train(4, resume=True, save_best="NE", rule="less")
    assert "metainfo from the resumed checkpoint is different" not in capsys.readouterr().out
    np.testing.assert_array_equal(resumed.message_hub.get_scalar("train/loss").data[0], losses)
    for key, value in resumed.model.state_dict().items():
        assert torch.equal(value, weights[key])
    assert resumed.message_hub.get_info("best_score") == 2.0
    assert [p.name for p in tmp_path.glob("best_*.pth")] == ["best_NE_epoch_4.pth"]


def test_an_old_file_goes_only_when_its_successor_is_there(train, tmp_path):
    witness = Witness()
    train(3, max_keep_ckpts=1, save_best="NE", rule="less", hooks=(witness,))
    assert sorted(p.name for p in tmp_path.glob("*.pth")) == ["best_NE_epoch_3.pth", "epoch_3.pth"]
    # The second write onwards, an epoch's file and (from the third) a best one stand all the time.
    assert witness.seen[0] == []
    assert all(any(n.startswith("epoch") for n in names) for names in witness.seen[1:])
    assert all(any(n.startswith("best") for n in names) for names in witness.seen[2:])


def test_a_best_file_that_replaces_itself_stays(train, tmp_path):
    runner = train(1, save_best="NE", rule="less")
    (hook,) = (h for h in runner.hooks if isinstance(h, PlainCheckpointHook))
    hook._save_best_checkpoint(runner, {"NE": 0.5})  # the same epoch, evaluated again
    assert [p.name for p in tmp_path.glob("best_*.pth")] == ["best_NE_epoch_1.pth"]


def test_a_write_that_fails_costs_nothing_that_was_saved(train, tmp_path, monkeypatch):
    class FullDisk(Hook):
        def before_save_checkpoint(self, runner, checkpoint):
            if runner.epoch == 1:
                raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        train(3, max_keep_ckpts=1, hooks=(FullDisk(),))
    assert find_latest_checkpoint(str(tmp_path)) == str(tmp_path / "epoch_1.pth")
    torch.load(tmp_path / "epoch_1.pth", weights_only=True)


def test_what_killed_writers_left_is_removed(train, tmp_path):
    (tmp_path / ".epoch_7.pth.123.part").write_bytes(b"torn")
    train(1)
    assert not list(tmp_path.glob(".*.part"))


class KilledError(BaseException):
    """Stands for the signal that kills: nothing is carried out after it."""


@pytest.fixture
def kill_before_removing(monkeypatch):
    """Let the removal of a checkpoint with that name kill training."""

    def arrange(name: str) -> None:
        stock = checkpoint_hook._PostponedRemovals.carry_out

        def carry_out(self, keep):
            if any(Path(path).name == name for _, path in self._removals):
                raise KilledError
            stock(self, keep)

        monkeypatch.setattr(checkpoint_hook._PostponedRemovals, "carry_out", carry_out)

    yield arrange
    monkeypatch.undo()


@pytest.mark.parametrize("outdated", ["epoch_1.pth", "best_NE_epoch_1.pth"])
def test_killed_before_an_old_file_went_resumed_training_deletes_it(
    train, tmp_path, kill_before_removing, monkeypatch, outdated
):
    options = {"max_keep_ckpts": 1, "save_best": "NE", "rule": "less"}
    kill_before_removing(outdated)
    with pytest.raises(KilledError):
        train(4, **options)
    assert (tmp_path / outdated).is_file()
    monkeypatch.undo()
    train(4, resume=True, **options)
    assert sorted(p.name for p in tmp_path.glob("*.pth")) == ["best_NE_epoch_4.pth", "epoch_4.pth"]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_killed_before_its_successor_was_saved_an_old_file_stays(train, tmp_path):
    class Killed(Hook):
        def before_save_checkpoint(self, runner, checkpoint):
            if runner.epoch == 1:
                raise KilledError

    with pytest.raises(KilledError):
        train(3, max_keep_ckpts=1, hooks=(Killed(),))
    # A note says that the first goes, but the second was never written.
    (note,) = (p for p in tmp_path.iterdir() if p.name.startswith("."))
    assert note.read_text() == "epoch_1.pth\n"
    train(1, max_keep_ckpts=1, resume=True)
    assert [p.name for p in tmp_path.glob("*.pth")] == ["epoch_1.pth"]
    assert not note.exists()


def test_killed_between_the_best_and_the_note_of_it_the_best_is_known(train, tmp_path):
    class Killed(Hook):
        def before_save_checkpoint(self, runner, checkpoint):
            # The best of epoch 2 is there, the epoch is to be saved again to say so.
            if (tmp_path / "best_NE_epoch_2.pth").is_file():
                raise KilledError

    options = {"max_keep_ckpts": 1, "save_best": "NE", "rule": "less"}
    with pytest.raises(KilledError):
        train(4, hooks=(Killed(),), **options)
    assert len(list(tmp_path.glob("best_*.pth"))) == 2
    resumed = train(2, resume=True, **options)
    assert [p.name for p in tmp_path.glob("best_*.pth")] == ["best_NE_epoch_2.pth"]
    assert resumed.message_hub.get_info("best_score") == 4.0


def test_files_of_others_are_never_deleted(train, tmp_path):
    (tmp_path / "epoch_0.pth").write_bytes(b"somebody else's")
    (tmp_path / "best_NE_epoch_0.pth").write_bytes(b"somebody else's")
    train(2, max_keep_ckpts=1, save_best="NE", rule="less")
    train(3, resume=True, max_keep_ckpts=1, save_best="NE", rule="less")
    assert (tmp_path / "epoch_0.pth").is_file()
    assert (tmp_path / "best_NE_epoch_0.pth").is_file()


def test_another_data_set_is_still_told_on_resuming(train, capsys, monkeypatch):
    train(1)
    monkeypatch.setitem(Points.METAINFO, "sigmas", np.full(3, 0.1))
    train(2, resume=True)
    assert "metainfo from the resumed checkpoint is different" in capsys.readouterr().out


def test_a_config_in_the_file_is_not_run(train, tmp_path):
    train(1)
    content = torch.load(tmp_path / "epoch_1.pth", weights_only=True)
    trace = tmp_path / "trace"
    content["meta"]["config"] = f"open({str(trace)!r}, 'w').close()"
    torch.save(content, tmp_path / "epoch_1.pth")
    train(2, resume=True)
    assert not trace.exists()
    # MMEngine alone does run it, or this test would prove nothing.
    (tmp_path / "epoch_2.pth").unlink()
    torch.save(content, tmp_path / "epoch_1.pth")
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "epoch_1.pth"))
    train(2, resume=True, type="CheckpointHook")
    assert trace.exists()


def test_stock_mmengine_resumes_the_file(train, tmp_path):
    train(2)
    resumed = train(3, resume=True, type="CheckpointHook")
    assert resumed.epoch == 3


class Level(IntEnum):
    HIGH = 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.array([["a"]]), [["a"]]),
        (np.str_("a"), "a"),
        (Path("a/b"), "a/b"),
        (Level.HIGH, 2),
        ({np.int64(1): (np.bool_(True), {2})}, {1: (True, {2})}),
        (True, True),
        (None, None),
    ],
)
def test_plain(value, expected):
    result = plain(value)
    assert result == expected
    assert type(result) is type(expected)


def test_what_cannot_be_plain_is_named():
    with pytest.raises(TypeError, match=r"checkpoint\['a'\]\[1\] is of type builtins\.function"):
        plain({"a": [1, checkpoint_hook.plain.__class__(plain.__code__, {})]})


def test_it_is_a_checkpoint_hook_by_name():
    assert HOOKS.get("PlainCheckpointHook") is PlainCheckpointHook


def saved_at(folder: Path, name: str, second: int) -> str:
    path = folder / name
    path.touch()
    os.utime(path, (second, second))
    return str(path)


def test_the_newest_checkpoint_is_found_without_its_note(tmp_path):
    assert latest_checkpoint(tmp_path) is None
    saved_at(tmp_path, "best_fashionai_NE_epoch_9.pth", 90)
    saved_at(tmp_path, "epoch_9.pth", 20)
    newest = saved_at(tmp_path, "epoch_10.pth", 30)
    assert latest_checkpoint(tmp_path) == newest
    # Killed after epoch 10 was saved and before that was noted.
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "epoch_9.pth"))
    assert latest_checkpoint(tmp_path) == newest
    newest = saved_at(tmp_path, "iter_5000.pth", 40)
    assert latest_checkpoint(tmp_path) == newest


def test_a_noted_checkpoint_elsewhere_is_found(tmp_path):
    (tmp_path / "last_checkpoint").write_text("elsewhere/epoch_3.pth")
    assert latest_checkpoint(tmp_path) == "elsewhere/epoch_3.pth"
