"""``fashionkp export``: a trained model as one ONNX file."""

from __future__ import annotations

import warnings
from pathlib import Path

from rich.console import Console

from fashionkp_mm.batch.sources import InputError, collect
from fashionkp_mm.commands import terminal
from fashionkp_mm.exporting.errors import ExportError
from fashionkp_mm.runtime.metadata import ModelFileError


def run(
    config: Path,
    checkpoint: Path,
    out: Path,
    *,
    rtmlib: bool,
    half: bool,
    parity_images: Path | None,
    training_data: str | None,
    licence: str | None,
) -> int:
    """Export, and print how the file compares with PyTorch.

    Returns:
        Exit status: 0. A user error ends in `SystemExit`, of status 1.
    """
    # OpenMMLab and torch warn of each other's age; users can do nothing about it.
    warnings.simplefilter("ignore")
    from fashionkp_mm.compat.checkpoints import CheckpointError  # noqa: PLC0415
    from fashionkp_mm.exporting.export import export  # noqa: PLC0415

    console = Console(stderr=True)
    with (
        terminal.one_message(ExportError, InputError, ModelFileError, CheckpointError),
        console.status("starting") as status,
    ):
        images = None
        if parity_images is not None:
            images = [Path(source.path) for source in collect([str(parity_images)], ()).found]
        exported = export(
            config,
            checkpoint,
            out,
            rtmlib=rtmlib,
            half=half,
            images=images,
            training_data=training_data,
            licence=licence,
            progress=status.update,
        )
    metadata, parity, rounding = exported.metadata, exported.parity, exported.rounding
    width, height = metadata.input_size
    rounded = []
    if rounding is not None:
        rounded = [
            f"weights rounded to float16, compared with the unrounded: {rounding.compared};"
            " largest differences:",
            *(f"  {difference}" for difference in rounding.differences),
        ]
    terminal.out().print(
        f"{out}: {metadata.kind} {metadata.name}, {width}x{height}, {exported.size / 1e6:.1f} MB",
        f"training data: {metadata.training_data}",
        f"licence: {metadata.licence}",
        f"compared with PyTorch: {parity.compared}; largest differences:",
        *(f"  {difference}" for difference in parity.differences),
        *rounded,
        sep="\n",
        markup=False,
        soft_wrap=True,
    )
    return 0
