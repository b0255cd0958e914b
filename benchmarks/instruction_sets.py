"""Time the shipped pose network by the CPU's instructions that it may use.

    python benchmarks/instruction_sets.py

oneDNN, which PyTorch computes convolutions with, heeds ``ONEDNN_MAX_CPU_ISA``. ONNX Runtime has
kernels of its own, which ask the CPU and heed nothing; its column shows that. Batches of 8 crops,
the median of 7, on as many threads as there are cores.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

BATCH, REPEATS = 8, 7
CONFIG = "configs/heatmap_lite2_320_fashion.py"
LIMITS = {
    "AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"},
    "AVX-512": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_FP16"},
    "all that the CPU has": {},
}
COLUMNS = ("PyTorch, float32", "PyTorch, bfloat16", "ONNX Runtime")


def main() -> None:
    if sys.argv[1:] == ["one"]:
        print(json.dumps(milliseconds()))
        return
    print(f"| instructions | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}")
    for name, limit in LIMITS.items():
        done = subprocess.run(
            [sys.executable, __file__, "one"],
            env={**os.environ, **limit},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        times = json.loads(done.stdout.splitlines()[-1])
        print(f"| {name} | {' | '.join(f'{times[column]:.1f} ms' for column in COLUMNS)} |")


def milliseconds() -> dict[str, float]:
    """Of a crop, by `COLUMNS`."""
    import numpy as np  # noqa: PLC0415
    import torch  # noqa: PLC0415
    from untrained_network import untrained  # noqa: PLC0415

    from fashionkp_mm.runtime import shipped_model  # noqa: PLC0415
    from fashionkp_mm.runtime.pose import PoseNetwork  # noqa: PLC0415

    model, (width, height) = untrained(CONFIG)
    model.eval().to(memory_format=torch.channels_last)
    images = torch.rand(BATCH, 3, height, width).to(memory_format=torch.channels_last)
    categories = torch.zeros(BATCH, dtype=torch.long)
    network = PoseNetwork(shipped_model())
    crops = np.random.default_rng(0).integers(0, 256, (BATCH, height, width, 3), np.uint8)
    geometry = network.geometry(np.tile(np.float32([0, 0, width, height]), (BATCH, 1)))

    def in_torch(*, reduced: bool) -> None:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=reduced):
            model.head.forward(model.backbone(images), categories)

    return {
        "PyTorch, float32": timed(lambda: in_torch(reduced=False)),
        "PyTorch, bfloat16": timed(lambda: in_torch(reduced=True)),
        "ONNX Runtime": timed(lambda: network.find(crops, geometry, categories.numpy())),
    }


def timed(run: Callable[[], None]) -> float:
    run()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000 / BATCH)
    return median(times)


if __name__ == "__main__":
    main()
