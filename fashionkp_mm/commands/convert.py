"""``fashionkp convert``: labels or predictions in another tool's format."""

from __future__ import annotations

from pathlib import Path

from fashionkp_mm.commands import terminal
from fashionkp_mm.core.files import require_apart
from fashionkp_mm.core.words import plural
from fashionkp_mm.exchange.formats import (
    DESCRIPTIONS,
    NEED_SIZES,
    Format,
    FormatError,
    format_to_read,
    format_to_write,
    read_table,
    require_writable,
    write_table,
)
from fashionkp_mm.exchange.label_studio import labeling_config
from fashionkp_mm.exchange.losses import losses
from fashionkp_mm.exchange.names import read_names
from fashionkp_mm.exchange.pictures import find_pictures, require_sizes, with_sizes

_USE_PICTURES: frozenset[Format] = NEED_SIZES | {"coco"}
"""Formats for which pictures are looked for; COCO does without where there are none."""


def run(
    source: Path,
    out: Path,
    *,
    source_format: Format | None,
    out_format: Format | None,
    images: Path | None,
    names: Path | None,
) -> int:
    """Read a file, say what is lost, and write it in another format.

    Args:
        source: Labels or predictions.
        out: The file or the folder to write.
        source_format: Format of ``source``; found out by default.
        out_format: That of ``out``; as its name asks for by default.
        images: Folder of the pictures; found around ``source`` by default.
        names: File of names that differ.

    Returns:
        Exit status 0.
    """
    with terminal.one_message(FormatError):
        require_apart([out], [source, *([names] if names is not None else [])])
        form = out_format or format_to_write(out)
        require_writable(form, out)
        kind = source_format or format_to_read(source)
        mapped = {} if names is None else read_names(names)
        with terminal.warnings_said():
            table = read_table(source, kind, names=mapped, images=images)
        pictures = {}
        if form in _USE_PICTURES or images is not None:
            pictures = find_pictures(table, source, images)
            table = with_sizes(table, pictures, source, checked=images is not None)
        if form in NEED_SIZES:
            require_sizes(table, DESCRIPTIONS[form], source, images)
        for loss in losses(table, form):
            terminal.say("note", f"lost, as {DESCRIPTIONS[form]} has no place for it: {loss}")
        require_apart([out], pictures.values())
        write_table(out, table, form, pictures)
    garments = plural(len(table), "garment")
    line = f"{garments} of {plural(len(table.pictures), 'picture')}: {out} ({DESCRIPTIONS[form]})"
    terminal.out().print(line, markup=False, soft_wrap=True)
    if form == "yolo-pose" and len(pictures) < len(table.pictures):
        missing = plural(len(table.pictures) - len(pictures), "picture")
        terminal.say("note", f"{missing} not found; put them into {out / 'images'}")
    return 0


def print_labeling_config() -> int:
    """Print Label Studio's labeling configuration; exit status 0."""
    print(labeling_config(), end="")
    return 0
