"""Images/s of a training step on this machine: as MMPose takes it, and both ways of ``--amp``.

    FASHIONAI_ROOT=… python benchmarks/training.py [CONFIG] [--steps N]

All train the same network on the same batches of the config's own pipeline, in one process and in
turn. The stock step is MMEngine's `OptimWrapper` in float32; the others are what ``--amp`` can make
of it on a CPU: channels last, in float32 or in bfloat16. It takes the one that a short measurement
finds faster, which is printed beside what the whole network says. Then the step that `Runner` takes
is timed as it logs it, with the config's workers: how much of it waits for data. Freed memory stays
with the process, as in ``tools/train.py``; MALLOC_MMAP_MAX_=65536 before the command gives glibc's
default back.
"""

from __future__ import annotations

import argparse
import copy
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

import torch  # noqa: E402
from common import ROOT, fashionai_root, interleaved  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.dataset import pseudo_collate  # noqa: E402
from mmengine.optim import build_optim_wrapper  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmengine.runner import Runner  # noqa: E402
from mmpose.registry import DATASETS, MODELS  # noqa: E402

from fashionkp_mm.plugin.cpu_bfloat16 import cpu_precision  # noqa: E402
from fashionkp_mm.plugin.cpu_memory import keep_freed_memory  # noqa: E402

BATCHES = 2
WAYS = {
    "stock": None,
    "float32, channels last": torch.float32,
    "bfloat16, channels last": torch.bfloat16,
}
"""Way of training -> what ``--amp`` computes in."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT / "configs" / "heatmap_lite0_256_fashion.py"
    parser.add_argument("config", nargs="?", type=Path, default=default)
    parser.add_argument("--steps", type=int, default=6, help="timed steps of each kind")
    args = parser.parse_args()
    if not torch.cuda.is_available():
        keep_freed_memory()
    root = fashionai_root()
    if root is None:
        raise SystemExit("no FashionAI data: set FASHIONAI_ROOT, or draw some (fashionkp synth)")
    os.environ["FASHIONAI_ROOT"] = str(root)
    config = Config.fromfile(args.config)
    init_default_scope(config.default_scope)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    size = config.train_dataloader.batch_size
    batches = [
        pseudo_collate([dataset[size * batch + index] for index in range(size)])
        for batch in range(BATCHES)
    ]
    steps = [step_of(config, dtype, batches) for dtype in WAYS.values()]
    for step in steps:
        step()  # what is only done once
    seconds = interleaved(args.steps, *steps)
    print(f"{args.config.name}, batch {size}, {torch.get_num_threads()} threads, images/s:")
    for way, duration in zip(WAYS, seconds, strict=True):
        ratio = seconds[0] / duration
        print(f"  {way:24} {size / duration:6.1f}   {ratio:.2f} times the stock step")
    print(f"bfloat16 is {seconds[1] / seconds[2]:.2f} times as fast as float32, channels last")
    print(f"--amp takes {cpu_precision()}")

    loader = Runner.build_dataloader(config.train_dataloader, seed=0)
    waited, stepped = loop(loader, steps_of_loader(config))
    print(
        f"the loop with {config.train_dataloader.num_workers} workers: {stepped:.3f} s a step,"
        f" {waited:.3f} s of it waiting for data"
    )


def model_and_wrapper(config: Config, dtype: torch.dtype | None) -> tuple[Any, Any]:
    torch.manual_seed(0)
    settings = copy.deepcopy(config)
    settings.model.backbone.init_cfg = None
    settings.optim_wrapper.type = "OptimWrapper" if dtype is None else "CPUAmpOptimWrapper"
    model = MODELS.build(settings.model).train()
    optimizer = build_optim_wrapper(model, settings.optim_wrapper)
    if dtype is not None:
        optimizer.dtype = dtype
    return model, optimizer


def step_of(config: Config, dtype: torch.dtype | None, batches: list[Any]) -> Callable[[], object]:
    model, optimizer = model_and_wrapper(config, dtype)
    turn = iter(range(10**9))
    return lambda: model.train_step(copy.deepcopy(batches[next(turn) % BATCHES]), optimizer)


def steps_of_loader(config: Config) -> Callable[[Any], object]:
    model, optimizer = model_and_wrapper(config, cpu_precision().dtype)
    return lambda batch: model.train_step(batch, optimizer)


def loop(loader: Any, step: Callable[[Any], object]) -> tuple[float, float]:
    """Mean seconds that a step waits for its data, and that it lasts, but for the first three."""
    waits, lengths = [], []
    start = time.perf_counter()
    for index, batch in enumerate(loader):
        ready = time.perf_counter()
        step(batch)
        end = time.perf_counter()
        if index >= 3:
            waits.append(ready - start)
            lengths.append(end - start)
        start = end
        if index == 20:
            break
    return sum(waits) / len(waits), sum(lengths) / len(lengths)


if __name__ == "__main__":
    main()
