"""Time a training step of the shipped network on a GPU, by the layout of its memory.

    python benchmarks/gpu_step.py [BATCH]

Forward, backward and optimiser in float16, without loading pictures; the mean of 12 steps after 4.
"""

from __future__ import annotations

import sys

import torch
from untrained_network import untrained

from fashionkp_mm.core.garments import CATEGORY_NAMES

CONFIG = "configs/heatmap_lite2_320_long_fashion.py"
WARM_UP, STEPS = 4, 12


def main() -> None:
    if not torch.cuda.is_available():
        sys.exit("error: no GPU is here")
    batch = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    print(f"{torch.cuda.get_device_name()}, a batch of {batch}")
    for name, layout in (
        ("as it is", torch.contiguous_format),
        ("channels last", torch.channels_last),
    ):
        print(f"{name}: {milliseconds(batch, layout):.1f} ms")


def milliseconds(batch: int, layout: torch.memory_format) -> float:
    model, (width, height) = untrained(CONFIG)
    model.cuda().to(memory_format=layout).train()
    images = torch.randn(batch, 3, height, width, device="cuda")
    categories = torch.randint(len(CATEGORY_NAMES), (batch,), device="cuda")
    optimiser = torch.optim.AdamW(model.parameters(), 1e-4)
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    for step in range(WARM_UP + STEPS):
        if step == WARM_UP:
            begin.record()
        with torch.autocast("cuda", torch.float16):
            outputs = model.head.forward(model.backbone(images), categories)
            loss = torch.stack([output.float().square().mean() for output in outputs]).sum()
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / STEPS


if __name__ == "__main__":
    main()
