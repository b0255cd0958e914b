"""A training that ends well in a given time, on a fast machine as on a slow one."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Mapping
from typing import Any

from mmengine.dist import broadcast_object_list
from mmengine.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop, Runner

_UNTIMED_STEPS = 3
"""Steps that a process begins with, slow for what is only done once."""
_STEPS_BETWEEN_PLANS = 12


class TooSlowError(RuntimeError):
    """A training step takes so long that too few of them fit into the time."""


@LOOPS.register_module()
class TimeBudgetLoop(EpochBasedTrainLoop):
    """Trains for as many iterations as fit into some minutes, with the schedule stretched to them.

    MMEngine's `EpochBasedTrainLoop`, but for its length: the first steps are timed, data loading
    included, and tell how many iterations fit; the learning rate's schedule then spans just those.
    The last epoch ends with the last iteration. Every few steps the plan is made anew, so that a
    machine that becomes slower, or faster, ends in time as well. A machine that is fast enough
    trains all epochs, by the schedule as it is.

    What comes after the last iteration, a validation for instance, is not part of the time. The
    clock of a distributed training is its first process's.

    Args:
        runner: The training's.
        dataloader: As in `EpochBasedTrainLoop`.
        max_epochs: How long to train where the time does not matter.
        minutes: How long training may last from its first step on, by the clock on the wall.
        min_iters: With fewer iterations the model would be of no use.
        kwargs: `EpochBasedTrainLoop`'s others.

    Raises:
        TooSlowError: By its first steps, this machine cannot do ``min_iters`` in that time.
    """

    _max_iters: int  # MMEngine's

    def __init__(
        self,
        runner: Runner,
        dataloader: Any,
        max_epochs: int,
        minutes: float,
        min_iters: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(runner, dataloader, max_epochs, **kwargs)
        self.minutes = minutes
        self.min_iters = min_iters
        self._wanted_iters = self._max_iters
        self._steps = 0

    def run(self) -> Any:
        """Train; the clock starts here."""
        self._end = time.monotonic() + 60 * self.minutes
        return super().run()

    def run_epoch(self) -> None:
        """Train for an epoch, or for what is left of the time."""
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        for index, batch in enumerate(self.dataloader):
            self.run_iter(index, batch)
            self._steps += 1
            if self._steps == _UNTIMED_STEPS:
                self._timed_from = time.monotonic()
            elif self._steps % _STEPS_BETWEEN_PLANS == _UNTIMED_STEPS:
                self._plan()
            if self._iter >= self._max_iters:
                break
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1

    def _plan(self) -> None:
        now = time.monotonic()
        seconds = (now - self._timed_from) / (self._steps - _UNTIMED_STEPS)
        plan = [(seconds, self._iter + max(0, int((self._end - now) / seconds)))]
        broadcast_object_list(plan)  # processes that disagree would wait for each other for ever
        seconds, fitting = plan[0]
        iters = min(fitting, self._wanted_iters)
        if self._steps == _UNTIMED_STEPS + _STEPS_BETWEEN_PLANS:
            required = min(self.min_iters, self._wanted_iters)
            if iters < required:
                raise TooSlowError(
                    f"this machine is too slow: a training step takes {seconds:.1f} s, so"
                    f" {60 * self.minutes / seconds:.0f} fit into {self.minutes:.1f} minutes, and"
                    f" at least {required} are needed. Stop what else uses the processor, or give"
                    " it more time (--cfg-options train_cfg.minutes=…)"
                )
            self.runner.logger.info(
                "A step takes %.2f s: training for %d of %d iterations, in %.1f minutes at most",
                seconds,
                iters,
                self._wanted_iters,
                self.minutes,
            )
        if iters != self._max_iters:
            self._max_iters = iters
            self._max_epochs = math.ceil(iters / len(self.dataloader))
            _stretch_schedule(self.runner, iters / self._wanted_iters)


def _stretch_schedule(runner: Runner, factor: float) -> None:
    """Put the config's schedulers, ``factor`` times as long, to where the training stands."""
    # MMEngine's schedulers go from one value to the next, so they have to start again.
    for group in runner.optim_wrapper.param_groups:
        group["lr"] = group["initial_lr"]
    settings = [stretched(scheduler, factor) for scheduler in runner.cfg.param_scheduler]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of steps without one of the optimizer
        schedulers = runner.build_param_scheduler(settings)
        for _ in range(runner.iter):
            for scheduler in schedulers:
                scheduler.step()
    runner.param_schedulers = schedulers


def stretched(scheduler: Mapping[str, Any], factor: float) -> dict[str, Any]:
    """The settings of a learning rate's scheduler, ``factor`` times as long.

    Args:
        scheduler: One that steps by iterations, as configs have it: ``begin``, ``end`` and
            ``T_max`` in iterations, or in epochs where ``convert_to_iter_based`` is set.
        factor: Any positive number.

    Raises:
        ValueError: The scheduler steps by epochs, too coarse to be stretched.
    """
    by_epoch = scheduler.get("by_epoch", True)
    if by_epoch and not scheduler.get("convert_to_iter_based"):
        raise ValueError(
            f"{scheduler['type']} steps by epochs; TimeBudgetLoop needs by_epoch=False or"
            " convert_to_iter_based=True"
        )
    longer = dict(scheduler)
    for name in ("begin", "end", "T_max"):
        if name in longer:
            longer[name] = longer[name] * factor if by_epoch else round(longer[name] * factor)
    if not by_epoch and "end" in longer:
        longer["end"] = max(longer["end"], longer.get("begin", 0) + 2)  # else it has no last step
    return longer
