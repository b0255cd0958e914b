"""``fashionkp publish``: a training checkpoint as clean weights."""

from __future__ import annotations

import warnings
from pathlib import Path

from rich.console import Console

from fashionkp_mm.commands import terminal


def run(
    config: Path, checkpoint: Path, out: Path, *, training_data: str | None, licence: str | None
) -> int:
    """Write the weights, and print what the file says of itself.

    Returns:
        Exit status: 0. A user error ends in `SystemExit`, of status 1.
    """
    # OpenMMLab and torch warn of each other's age; users can do nothing about it.
    warnings.simplefilter("ignore")
    from fashionkp_mm.compat.checkpoints import CheckpointError  # noqa: PLC0415
    from fashionkp_mm.exporting.errors import ExportError  # noqa: PLC0415
    from fashionkp_mm.exporting.publish import publish  # noqa: PLC0415

    with (
        terminal.one_message(ExportError, CheckpointError),
        Console(stderr=True).status("starting") as status,
    ):
        published = publish(
            config,
            checkpoint,
            out,
            training_data=training_data,
            licence=licence,
            progress=status.update,
        )
    terminal.out().print(
        f"{out}: {published.parameters:,} parameters, {published.size / 1e6:.1f} MB;"
        f" rounding to float16 changed no tensor by more than {published.rounding:.2g} of it",
        f"training data: {published.provenance.training_data}",
        f"licence: {published.provenance.licence}",
        sep="\n",
        markup=False,
        soft_wrap=True,
    )
    return 0
