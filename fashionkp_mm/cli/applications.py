"""What garments are found for: aligned, measured, cut out, presented."""

# ruff: noqa: PLC0415

from pathlib import Path
from typing import Annotated, Literal

import typer

from fashionkp_mm.cli.group import app, example
from fashionkp_mm.commands.given import EXISTING_FILE, GarmentOptions, sharing_options


@app.command(
    epilog=example(
        "fashionkp align photos --out aligned",
        "fashionkp align photos --method tps --size 1024 --paste print.png --out printed",
        "fashionkp align --labels val.csv --template own.csv --size 800x1000 --out aligned",
    ),
)
@sharing_options
def align(
    given: GarmentOptions,
    *,
    out: Annotated[
        Path,
        typer.Option(
            file_okay=False,
            help="Folder to write to: garments, manifest.csv, and what else is asked for.",
        ),
    ] = Path("aligned"),
    method: Annotated[
        Literal["similarity", "affine", "tps"],
        typer.Option(
            help="What may be done to a garment: turn, scale and shift it; shear and stretch it as"
            " well; or bend it by a thin-plate spline, so that its points meet the template's."
        ),
    ] = "similarity",
    size: Annotated[
        str, typer.Option(metavar="N|WxH", help="Width and height of the template in pixels.")
    ] = "512",
    template: Annotated[
        Path | None,
        typer.Option(
            **EXISTING_FILE,
            help="CSV of labels, one row a category, in pixels of --size: templates of your own."
            " Default: the mean shape of each category.",
        ),
    ] = None,
    paste: Annotated[
        Path | None,
        typer.Option(
            **EXISTING_FILE,
            metavar="PRINT",
            help="Picture that was designed on the template, best a PNG that is clear elsewhere:"
            " lay it onto the garments.",
        ),
    ] = None,
    maps: Annotated[
        bool,
        typer.Option(
            "--maps", help="Write each garment's map for cv2.remap, from template to picture."
        ),
    ] = False,
) -> None:
    """Lay each garment onto its category's template, so that what is alike lies alike.

    Visible points count more than occluded ones, absent ones not at all. What the alignment missed
    by and what to be wary of stand in the manifest.
    """
    from fashionkp_mm.commands import align as command

    status = command.run(
        given,
        out=out,
        method=method,
        size=command.parsed_size(size),
        template=template,
        paste=paste,
        maps=maps,
    )
    raise typer.Exit(status)


@app.command(
    epilog=example(
        "fashionkp measure photos --category trousers --known waist=41cm --draw drawn",
        "fashionkp measure photos --marker aruco:4X4_50:50mm --out lengths.json",
        "fashionkp measure --predictions predictions.json --px-per-cm 8.5 --unit in",
    ),
)
@sharing_options
def measure(
    given: GarmentOptions,
    *,
    px_per_cm: Annotated[float | None, typer.Option(help="Scale: pixels a centimetre.")] = None,
    known: Annotated[
        str | None,
        typer.Option(
            metavar="LENGTH=AMOUNT", help="Scale: a length that is known, as in chest=52cm."
        ),
    ] = None,
    marker: Annotated[
        str | None,
        typer.Option(
            metavar="aruco[:DICTIONARY[#ID]]:SIZE",
            help="Scale: a printed marker of this size in every picture, in the garment's plane."
            " It also takes out the camera's tilt. Naming OpenCV's dictionary is faster and safer.",
        ),
    ] = None,
    scale_from: Annotated[
        Path | None,
        typer.Option(**EXISTING_FILE, help="Scale: CSV with image_id and px_per_cm."),
    ] = None,
    unit: Annotated[
        Literal["cm", "mm", "in"], typer.Option(help="Unit of the lengths, where there is a scale.")
    ] = "cm",
    errors: Annotated[
        Path | None,
        typer.Option(
            **EXISTING_FILE,
            help="Table of the model's errors, for intervals. Default: MODEL_errors.json beside the"
            " model.",
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            dir_okay=False,
            help="File to write: .csv, .json or .parquet. '-' is CSV on standard output.",
        ),
    ] = Path("lengths.csv"),
    draw: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder to draw dimension lines to.")
    ] = None,
) -> None:
    """Measure garments: chest, sleeve, inseam and so on, each with an interval and warnings.

    Without a scale, lengths are multiples of the chest or the waist. Pictures that cannot be read
    and garments that cannot be measured are named at the end and do not stop the rest; exit status
    1 if there are any.
    """
    from fashionkp_mm.commands import measure as command

    given.check_out(out)
    options = {"px-per-cm": px_per_cm, "known": known, "marker": marker, "scale-from": scale_from}
    scales = [f"--{name}" for name, value in options.items() if value is not None]
    if len(scales) > 1:
        raise typer.BadParameter(f"{' and '.join(scales)} are two answers to one question")
    status = command.run(
        given,
        scale=command.ScaleOptions(px_per_cm, known, marker, scale_from),
        unit=unit,
        errors=errors,
        out=out,
        draw=draw,
    )
    raise typer.Exit(status)


@app.command(
    epilog=example(
        "fashionkp crop photos --category blouse --parts collar,sleeve --side left",
        "fashionkp crop --predictions predictions.json --images photos --parts attributes",
        "fashionkp crop --labels train.csv --parts sleeve_length --classes sleeves.csv",
    ),
)
@sharing_options
def crop(
    given: GarmentOptions,
    *,
    parts: Annotated[
        str,
        typer.Option(
            help="Parts, with commas between them: garment, collar, neckline, shoulder, sleeve,"
            " cuff, waist, hem, crotch, leg, or of one side as in sleeve_left; all of these; the"
            " tasks of FashionAI's attribute track, as sleeve_length; or all of those: attributes."
        ),
    ] = "all",
    size: Annotated[
        str, typer.Option(help="Pixels of a crop: 224 for a square, or width and height: 192x256.")
    ] = "224",
    keep_ratio: Annotated[
        bool,
        typer.Option("--keep-ratio", help="Parts keep their own ratio; --size is the longer side."),
    ] = False,
    margin: Annotated[
        float, typer.Option(min=0, help="Room on each side, as a share of the part's size.")
    ] = 0.1,
    side: Annotated[
        Literal["left", "right"] | None,
        typer.Option(help="Turn parts of the other side so that they look like this one's."),
    ] = None,
    classes: Annotated[
        Path | None,
        typer.Option(
            **EXISTING_FILE,
            help="CSV with image_id and class, and perhaps part: crops lie in a folder for each"
            " class, as torchvision's ImageFolder reads them.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Folder to write to, a folder for each part.")
    ] = Path("crops"),
    manifest: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="List of the crops, .csv or .parquet. Default: manifest.csv in the folder.",
        ),
    ] = None,
) -> None:
    """Cut the parts of garments out of pictures, each upright along its own axis.

    The manifest says of each crop where it lies in the picture, whether its points were seen, and
    what shape and colours the garment has. A garment that cannot be cropped is named at the end;
    exit status 1 if there are any.
    """
    from fashionkp_mm.commands import crop as command

    try:
        options = command.crop_options(parts, size, keep_ratio=keep_ratio, margin=margin, side=side)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    status = command.run(given, options, out=out, manifest=manifest, classes=classes)
    raise typer.Exit(status)


@app.command(
    epilog=example(
        "fashionkp present photos --category dress --preset amazon",
        "fashionkp present photos --preset 4:5 --background keep --hide-face",
        "fashionkp present catalogue --preset google --check",
    ),
)
@sharing_options
def present(
    given: GarmentOptions,
    *,
    preset: Annotated[
        str,
        typer.Option(
            metavar="PRESET",
            help="The shop's rules: amazon, google, ajio, square; or width:height, as in 4:5.",
        ),
    ] = "square",
    fill: Annotated[
        float | None,
        typer.Option(help="Share of the frame that the garment takes. Default: the preset's."),
    ] = None,
    background: Annotated[
        str | None,
        typer.Option(
            metavar="white|keep|transparent|COLOUR",
            help="The ground, a colour as in '#f4f0ec'. Default: white where the preset asks for a"
            " white or light one, else keep.",
        ),
    ] = None,
    hide_face: Annotated[
        bool,
        typer.Option("--hide-face", help="Show nothing above the neckline, or the waistband."),
    ] = False,
    soft_edges: Annotated[
        bool,
        typer.Option("--soft-edges", help="Cut out fur and lace softly, with pymatting."),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Change nothing: say what each picture breaks of the preset's rules, one row a"
            " picture; exit status 1 if any does.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write to, or with --check a .csv or .parquet file. Default: presented,"
            " and standard output."
        ),
    ] = None,
) -> None:
    """Make catalogue pictures of garments: upright, centred, by a shop's rules.

    The ground is taken away without a network, by colours and the garment's points. Where that
    cannot be right the ground stays, and the list of the pictures says so.
    """
    from fashionkp_mm.applications.presentation import PresentOptions
    from fashionkp_mm.applications.presets import preset_of
    from fashionkp_mm.commands import present as command

    try:
        rules = preset_of(preset)
        options = PresentOptions(rules, fill, background, hide_face, soft_edges)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if check:
        out = out or Path("-")
        given.check_out(out)
        raise typer.Exit(command.check(given, rules, out=out))
    raise typer.Exit(command.run(given, options, out=out or Path("presented")))
