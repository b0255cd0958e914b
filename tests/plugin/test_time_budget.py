"""A training that fits its length to the time it has."""

import math

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner

from fashionkp_mm.plugin import time_budget
from fashionkp_mm.plugin.time_budget import TooSlowError, stretched

EPOCHS, EPOCH_LENGTH = 10, 20
WARM_UP = {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "begin": 0, "end": 40}
COSINE = {
    "type": "CosineAnnealingLR",
    "eta_min": 0.01,
    "T_max": EPOCHS,
    "end": EPOCHS,
    "by_epoch": True,
    "convert_to_iter_based": True,
}
FAST, SLOW = 0.5, 3.0  # seconds a step; four minutes have 200 iterations at 1.2


class Clock:
    """Stands in for `time`; each training step takes ``pace(iteration)`` seconds."""

    def __init__(self):
        self.now = 0.0
        self.rates = []
        self.pace = lambda iteration: FAST

    def monotonic(self):
        return self.now


class Model(BaseModel):
    def __init__(self, clock):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.clock = clock

    def train_step(self, data, optim_wrapper):
        self.clock.rates.append(optim_wrapper.param_groups[0]["lr"])
        self.clock.now += self.clock.pace(len(self.clock.rates))
        loss = (self.weight - 1).square().sum()
        optim_wrapper.update_params(loss)
        return {"loss": loss}

    def forward(self, *args, **kwargs):
        raise NotImplementedError


@pytest.fixture
def clock(monkeypatch):
    replacement = Clock()
    monkeypatch.setattr(time_budget, "time", replacement)
    return replacement


@pytest.fixture
def train(clock, tmp_path):
    """Trains and returns the runner; the loop is ours unless others' settings are given."""

    def run(min_iters=30, **loop):
        budget = {"type": "TimeBudgetLoop", "minutes": 4, "min_iters": min_iters}
        runner = Runner(
            Model(clock),
            str(tmp_path),
            train_dataloader={
                "batch_size": 1,
                "dataset": [0] * EPOCH_LENGTH,
                "sampler": {"type": "DefaultSampler"},
            },
            train_cfg={"max_epochs": EPOCHS, **(loop or budget)},
            optim_wrapper={"optimizer": {"type": "SGD", "lr": 1.0}},
            param_scheduler=[WARM_UP, COSINE],
            cfg={"param_scheduler": [WARM_UP, COSINE]},
            default_scope="mmpose",
            experiment_name=tmp_path.name + str(len(loop)),
        )
        runner.train()
        return runner

    return run


def test_a_fast_machine_trains_as_without_a_limit(train, clock):
    runner = train()
    assert runner.iter == EPOCHS * EPOCH_LENGTH
    ours, clock.rates = clock.rates, []
    train(by_epoch=True)
    assert ours == clock.rates


def test_a_slow_machine_trains_for_what_fits(train, clock):
    clock.pace = lambda iteration: SLOW
    runner = train()
    fitting = int(4 * 60 / SLOW)
    assert runner.iter == fitting == len(clock.rates)
    assert runner.epoch == math.ceil(fitting / EPOCH_LENGTH)
    assert clock.now <= 4 * 60
    assert (runner.work_dir + f"/epoch_{runner.epoch}.pth") == runner.message_hub.get_info(
        "last_ckpt"
    )


def test_the_schedule_spans_what_fits(train, clock):
    clock.pace = lambda iteration: SLOW
    train()
    fitting = len(clock.rates)
    factor = fitting / (EPOCHS * EPOCH_LENGTH)
    warm_up = WARM_UP["end"] * factor

    def expected(iteration):
        cosine = 0.5 * (1 + math.cos(math.pi * iteration / fitting))
        warm = min(1, 0.1 + 0.9 * iteration / (warm_up - 1))
        # As MMEngine chains them: what one scheduler gives is where the other goes on from.
        return warm, cosine

    for iteration in range(20, fitting):  # it is planned by then, and warm
        warm, cosine = expected(iteration)
        assert warm == 1
        assert clock.rates[iteration] == pytest.approx(0.01 + 0.99 * cosine, abs=0.02)
    assert clock.rates[-1] < 0.02


@pytest.mark.parametrize("change", [0.5, 3])
def test_a_machine_that_changes_its_pace_ends_in_time(change, train, clock):
    clock.pace = lambda iteration: SLOW * (change if iteration > 40 else 1)
    train()
    assert 0.8 * 4 * 60 < clock.now < 1.1 * 4 * 60
    assert clock.rates[-1] < 0.05
    assert all(0 < rate <= 1 for rate in clock.rates)


def test_too_slow_a_machine_is_told_early(train, clock):
    clock.pace = lambda iteration: 20.0
    with pytest.raises(TooSlowError, match=r"20\.0 s.* 12 fit into 4\.0 minutes.* 30 are needed"):
        train()
    assert len(clock.rates) == 15


def test_a_training_shorter_than_the_least_is_none_too_short(train, clock):
    assert train(min_iters=10_000).iter == EPOCHS * EPOCH_LENGTH


def test_first_steps_that_take_long_do_not_count(train, clock):
    clock.pace = lambda iteration: 10 if iteration <= 3 else 1.0
    assert train().iter == EPOCHS * EPOCH_LENGTH


def test_iterations_stay_whole():
    assert stretched(WARM_UP, 0.33)["end"] == 13
    assert stretched(WARM_UP, 0.001)["end"] == 2
    assert stretched(COSINE, 0.5) == {**COSINE, "T_max": EPOCHS / 2, "end": EPOCHS / 2}


def test_a_scheduler_that_steps_by_epochs_is_refused():
    with pytest.raises(ValueError, match="CosineAnnealingLR steps by epochs"):
        stretched({"type": "CosineAnnealingLR", "T_max": 4}, 0.5)
