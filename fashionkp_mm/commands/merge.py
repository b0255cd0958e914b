"""``fashionkp merge``: the files of several shards as one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fashionkp_mm.commands import terminal
from fashionkp_mm.core.files import require_apart
from fashionkp_mm.core.words import plural
from fashionkp_mm.exchange.formats import (
    DESCRIPTIONS,
    NEED_SIZES,
    FormatError,
    format_to_write,
    read_table,
    write_table,
)
from fashionkp_mm.exchange.joining import joined
from fashionkp_mm.exchange.losses import losses


def run(parts: Sequence[Path], out: Path) -> int:
    """Read files of predictions or labels, and write all of their garments as one file.

    Args:
        parts: The files, of any format that can be read.
        out: The file to write; its name tells the format.

    Returns:
        Exit status 0.
    """
    with terminal.one_message(FormatError):
        require_apart([out], parts)
        form = format_to_write(out)
        if form in NEED_SIZES:
            raise FormatError(
                f"{out}: {DESCRIPTIONS[form]} needs the pictures; merge into a .json file and turn"
                " that into it with `fashionkp convert`"
            )
        with terminal.warnings_said():
            table = joined([(part, read_table(part)) for part in parts])
        for loss in losses(table, form):
            terminal.say("note", f"lost, as {DESCRIPTIONS[form]} has no place for it: {loss}")
        write_table(out, table, form)
    garments = plural(len(table), "garment")
    of = f"{plural(len(table.pictures), 'picture')} from {plural(len(parts), 'file')}"
    terminal.out().print(
        f"{garments} of {of}: {out} ({DESCRIPTIONS[form]})", markup=False, soft_wrap=True
    )
    return 0
