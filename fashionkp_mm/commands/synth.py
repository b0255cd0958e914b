"""``fashionkp synth``: a drawn data set."""

from __future__ import annotations

import os
from pathlib import Path

from fashionkp_mm.commands import terminal
from fashionkp_mm.synthetic.dataset import write_dataset

_IMAGES_A_WORKER = 50
"""Fewer are drawn sooner than a further process has started."""


def run(out: Path, *, images: int, seed: int) -> int:
    """Draw a data set with as many processes as there are processors; print where it is.

    Returns:
        Exit status 0.
    """
    workers = max(1, min(os.cpu_count() or 1, images // _IMAGES_A_WORKER))
    with terminal.one_message(), terminal.progress("drawing", images) as progress:
        paths = write_dataset(out, images, seed, progress=progress, workers=workers)
    console = terminal.out()
    console.print(f"{images:,} images drawn below {out}", markup=False, soft_wrap=True)
    for path in paths:
        console.print(f"labels: {path}", markup=False, soft_wrap=True)
    return 0
