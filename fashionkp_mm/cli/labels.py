"""Files of labels: checked, converted, merged, drawn up."""

# ruff: noqa: PLC0415

from pathlib import Path
from typing import Annotated, Literal

import typer

from fashionkp_mm.cli.group import app, example
from fashionkp_mm.cli.options import Json
from fashionkp_mm.commands.given import (
    EXISTING_FILE,
    FORMATS,
    LABELS,
    MaxMegapixels,
)
from fashionkp_mm.core.limits import MAX_MEGAPIXELS

FormatName = Literal[
    "fashionai", "json", "parquet", "coco", "yolo-pose", "cvat", "label-studio", "labelme"
]


@app.command(
    epilog=example("fashionkp check data/train/Annotations/train.csv --images data/train"),
)
def check(
    csv: Annotated[
        Path,
        typer.Argument(
            metavar="LABELS", **LABELS, help=f"Labels or predictions {FORMATS}, or a test list."
        ),
    ],
    *,
    images: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Folder of the images; they are checked as well."
        ),
    ] = None,
    kind: Annotated[
        Literal["labels", "predictions", "list"] | None,
        typer.Option(
            help="What the file is. Default: labels; a list if it is a CSV without keypoints;"
            " predictions if another format than CSV has scores."
        ),
    ] = None,
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
    as_json: Json = False,
) -> None:
    """Say everything that is wrong with a data set: file, row, column, value, what was expected.

    Exit status 1 if there is an error; warnings do not count.
    """
    from fashionkp_mm.commands import check as command

    status = command.run(
        csv, images=images, kind=kind, as_json=as_json, max_megapixels=max_megapixels
    )
    raise typer.Exit(status)


@app.command(
    epilog=example(
        "fashionkp convert data/val/Annotations/val.csv coco.json",
        "fashionkp convert predictions.json tasks-label-studio.json --images photos",
        "fashionkp convert annotations.xml corrected.csv --map names.yml",
    ),
)
def convert(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="IN",
            exists=True,
            readable=True,
            help="Labels or predictions: a file, or a folder of YOLO-pose or labelme.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="OUT",
            help="File to write, or folder, new or empty, of YOLO-pose or labelme. Its name tells"
            " the format: .csv, .json, .parquet, .xml (CVAT), coco.json, label-studio.json, or a"
            " folder with yolo or labelme in its name.",
        ),
    ] = None,
    *,
    from_format: Annotated[
        FormatName | None,
        typer.Option("--from", help="Format of IN. Default: what its content shows."),
    ] = None,
    to_format: Annotated[
        FormatName | None,
        typer.Option("--to", help="Format of OUT. Default: what its name asks for."),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Folder of the pictures, whose sizes some formats need; sizes that IN gives are"
            " compared with them. Default: looked for around IN.",
        ),
    ] = None,
    names: Annotated[
        Path | None,
        typer.Option(
            "--map",
            **EXISTING_FILE,
            help="YAML file of names that differ, lines of 'their name: our name'; null leaves one"
            " out.",
        ),
    ] = None,
    labeling_config: Annotated[
        bool,
        typer.Option(
            "--labeling-config",
            help="Print the labeling configuration of Label Studio that fits, and do nothing else.",
        ),
    ] = False,
) -> None:
    """Turn labels or predictions of one tool's format into another's.

    All three visibilities, decimals and several garments a picture are kept where the format can
    hold them; what it cannot is said before it is written.
    """
    from fashionkp_mm.commands import convert as command

    if labeling_config:
        raise typer.Exit(command.print_labeling_config())
    if source is None or out is None:
        raise typer.BadParameter("IN and OUT are needed, unless --labeling-config is given")
    status = command.run(
        source, out, source_format=from_format, out_format=to_format, images=images, names=names
    )
    raise typer.Exit(status)


@app.command(
    epilog=example("fashionkp merge part-1.json part-2.json part-3.json predictions.json"),
)
def merge(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="PART... OUT",
            help=f"Files of predictions, {FORMATS}, and the file to write; its name tells the"
            " format: .csv, .json, .parquet, coco.json.",
        ),
    ],
) -> None:
    """Put the predictions of several shards together (see --shard of predict)."""
    from fashionkp_mm.commands import merge as command

    *parts, out = files
    if not parts:
        raise typer.BadParameter("name one part or more, and the file to write")
    missing = [part for part in parts if not part.exists()]
    if missing:
        raise typer.BadParameter(f"{missing[0]} does not exist: is its job done?")
    raise typer.Exit(command.run(parts, out))


@app.command(
    epilog=example("fashionkp synth data/fashionai --images 3000 --seed 0"),
)
def synth(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write to, new or empty.")],
    *,
    images: Annotated[int, typer.Option(min=1, help="How many images.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same images.")] = 0,
) -> None:
    """Draw a data set of garments by program, in the FashionAI layout, with exact labels."""
    from fashionkp_mm.commands import synth as command

    raise typer.Exit(command.run(out, images=images, seed=seed))
