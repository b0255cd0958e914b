"""The ``fashionkp`` command line: what it takes and what it says of itself.

What a command does stands in `fashionkp_mm.commands`, which is imported when the command is called,
so that ``fashionkp --help`` answers at once.
"""

# ruff: noqa: PLC0415

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from fashionkp_mm.commands.given import (
    EXISTING_FILE,
    FORMATS,
    LABELS,
    GarmentOptions,
    MaxMegapixels,
    Model,
    PredictOptions,
    sharing_options,
)
from fashionkp_mm.compat.broken_imports import explained
from fashionkp_mm.compat.streams import print_anything
from fashionkp_mm.core.limits import MAX_MEGAPIXELS

_READER_GONE = 128 + 13
"""Exit status that a shell gives to a program that SIGPIPE ended, as in ``cat FILE | head``."""


class _Commands(TyperGroup):
    """The commands, with what each of them does alike.

    A reader that has seen enough, as ``head`` has, ends a command without a word. A dependency that
    does not import ends it with one message.
    """

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Read the command line and run the command that it calls."""
        print_anything()
        return super().main(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was called."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            # Python flushes once more at its end, and would complain.
            for stream in (sys.stdout, sys.stderr):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            raise SystemExit(_READER_GONE) from None
        except ImportError as error:
            raise SystemExit(f"error: {explained(error)}") from error


app = typer.Typer(
    name="fashionkp",
    cls=_Commands,
    help="Apparel keypoints: from pictures to garments; check, draw and score FashionAI data.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_MissingNormalizer = Annotated[
    Literal["skip", "server"],
    typer.Option(
        help="Where a normaliser point is absent: skip the image, or do as the contest server."
    ),
]
_Points = Annotated[
    Literal["visible", "labelled"],
    typer.Option(help="Score visible points as the contest does, or occluded ones as well."),
]
_MissingPredictions = Annotated[
    Literal["error", "count", "skip"],
    typer.Option(
        help="Images without a prediction, points without a place: name them and fail, count an"
        " error of 1 a point, or skip them. Points that the predicted category lacks count as an"
        " error of 1 unless skipped."
    ),
]
_Answers = Annotated[
    Path,
    typer.Argument(metavar="ANSWERS", **LABELS, help=f"Labels {FORMATS}."),
]
_Config = Annotated[
    Path,
    typer.Argument(metavar="CONFIG", **EXISTING_FILE, help="The model's config."),
]
_Checkpoint = Annotated[
    Path,
    typer.Argument(metavar="CHECKPOINT", **EXISTING_FILE, help="The weights that training wrote."),
]
_Images = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Folder of the images. Default: looked for around the CSV.",
    ),
]
_TrainingData = Annotated[
    str | None,
    typer.Option(
        help="What the file is to say it was trained on. Default: what the checkpoint says."
    ),
]
_Licence = Annotated[
    str | None,
    typer.Option(help="Terms that the file is to name. Default: what is known of them."),
]


def _named_files(values: list[str]) -> dict[str, Path]:
    """Files given as ``FILE`` or ``NAME=FILE``, by name; a file's own name is its stem.

    Raises:
        typer.BadParameter: A file does not exist, or a name stands twice.
    """
    files: dict[str, Path] = {}
    for value in values:
        name, separator, rest = value.partition("=")
        named = bool(separator) and not Path(value).exists()
        path = Path(rest if named else value)
        if not path.exists():
            raise typer.BadParameter(f"file '{path}' does not exist")
        name = name if named else path.stem
        if name in files:
            raise typer.BadParameter(
                f"two files are called '{name}'; give them names, as in first={path} second={path}"
            )
        files[name] = path
    return files


def _example(*lines: str) -> str:
    return "\n\n".join(("[bold]Example[/]", *lines))


@app.command(epilog=_example("fashionkp doctor"))
def doctor() -> None:
    """Say whether predicting and training work here, and the command that solves each problem.

    Exit status 1 if predicting does not work, or if training does not although something of what
    it needs is installed. Where only predicting was installed, training is no problem.
    """
    from fashionkp_mm.commands import doctor as command

    raise typer.Exit(command.run())


@app.command(
    epilog=_example("fashionkp check data/train/Annotations/train.csv --images data/train"),
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
    as_json: _Json = False,
) -> None:
    """Say everything that is wrong with a data set: file, row, column, value, what was expected.

    Exit status 1 if there is an error; warnings do not count.
    """
    from fashionkp_mm.commands import check as command

    status = command.run(
        csv, images=images, kind=kind, as_json=as_json, max_megapixels=max_megapixels
    )
    raise typer.Exit(status)


_FormatName = Literal[
    "fashionai", "json", "parquet", "coco", "yolo-pose", "cvat", "label-studio", "labelme"
]


@app.command(
    epilog=_example(
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
        _FormatName | None,
        typer.Option("--from", help="Format of IN. Default: what its content shows."),
    ] = None,
    to_format: Annotated[
        _FormatName | None,
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
    epilog=_example("fashionkp merge part-1.json part-2.json part-3.json predictions.json"),
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
    epilog=_example("fashionkp synth data/fashionai --images 3000 --seed 0"),
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


@app.command(
    epilog=_example(
        "fashionkp evaluate answers.csv predictions.csv --missing-normalizer server",
        "fashionkp evaluate answers.csv whole=whole.csv refine=refine.csv",
    ),
)
def evaluate(
    answers: _Answers,
    predictions: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]PREDICTIONS…",
            help=f"Predictions {FORMATS}. Several are compared in one table, by name.",
        ),
    ],
    *,
    missing_normalizer: _MissingNormalizer = "skip",
    points: _Points = "visible",
    missing_predictions: _MissingPredictions = "error",
    as_json: _Json = False,
) -> None:
    """Score predictions by the normalized error (NE, in percent; lower is better).

    Predicted categories and visibilities are compared with the labelled ones as well, where the
    predictions tell them. The points of the labelled category are scored.
    """
    from fashionkp_mm.commands import evaluate as command
    from fashionkp_mm.core.evaluation import Rules

    files = _named_files(predictions)
    rules = Rules(missing_normalizer, points, missing_predictions)
    raise typer.Exit(command.run(answers, files, rules=rules, as_json=as_json))


@app.command(
    epilog=_example("fashionkp report val.csv predictions.csv --images data/val --out report.html"),
)
def report(
    answers: _Answers,
    predictions: Annotated[
        Path,
        typer.Argument(
            metavar="PREDICTIONS",
            **LABELS,
            help=f"Predictions {FORMATS}.",
        ),
    ],
    *,
    images: _Images = None,
    out: Annotated[Path, typer.Option(dir_okay=False, help="The HTML file to write.")] = Path(
        "report.html"
    ),
    missing_normalizer: _MissingNormalizer = "skip",
    points: _Points = "visible",
    missing_predictions: _MissingPredictions = "error",
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
) -> None:
    """Write a test run on one HTML page that needs no network and no further file.

    Scores by category and keypoint, the distribution of the errors, what was confused with what,
    and the worst and best images, drawn. The page holds pictures of the data set.
    """
    from fashionkp_mm.commands import report as command
    from fashionkp_mm.core.evaluation import Rules

    rules = Rules(missing_normalizer, points, missing_predictions)
    status = command.run(
        answers,
        predictions,
        images=images,
        out=out,
        rules=rules,
        max_megapixels=max_megapixels,
    )
    raise typer.Exit(status)


@app.command(
    epilog=_example(
        "fashionkp draw data/val/Annotations/val.csv drawn --limit 24 --sheet",
        "fashionkp draw val.csv drawn --images data/val --predictions predictions.csv --names",
    ),
)
def draw(
    csv: Annotated[
        Path,
        typer.Argument(metavar="LABELS", **LABELS, help=f"Labels or predictions {FORMATS}."),
    ],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", file_okay=False, help="Folder to write pictures to.")
    ],
    *,
    images: _Images = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            **LABELS,
            help=f"Predictions to draw beside, {FORMATS}.",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Draw so many only, spread evenly over the file.")
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="Write the keypoints' names.")] = False,
    sheet: Annotated[
        bool,
        typer.Option(
            "--sheet", help="Write one contact sheet as well, the largest NE of predictions first."
        ),
    ] = False,
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
) -> None:
    """Draw labels or predictions on their images.

    Visible points are filled, occluded ones hollow, and the lines to them dashed.
    """
    from fashionkp_mm.commands import draw as command

    status = command.run(
        csv,
        out,
        images=images,
        predictions=predictions,
        limit=limit,
        names=names,
        sheet=sheet,
        max_megapixels=max_megapixels,
    )
    raise typer.Exit(status)


@app.command(
    epilog=_example(
        "fashionkp predict photo.jpg --draw drawn",
        "fashionkp predict photos --model rtmpose.onnx --out predictions.csv --draw drawn",
        "fashionkp predict data/test.csv --model rtmpose.onnx --out predictions.json --resume",
        "find . -name '*.webp' -print0 | fashionkp predict - --model rtmpose.onnx --out coco.json",
    ),
)
@sharing_options
def predict(
    given: PredictOptions,
    *,
    out: Annotated[
        Path,
        typer.Option(
            dir_okay=False,
            help="File to write, or folder of YOLO-pose or labelme; the name tells the format as"
            " for `fashionkp convert`. '-' is CSV on standard output.",
        ),
    ] = Path("predictions.csv"),
    draw: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder to draw the predictions to.")
    ] = None,
) -> None:
    """Find the garments of pictures: category, keypoints, and which of them can be seen.

    Broken images are named at the end and do not stop the rest; exit status 1 if there are any.
    """
    from fashionkp_mm.commands import predict as command

    given.check_out(out)
    raise typer.Exit(command.run(given, out=out, draw=draw))


@app.command(
    epilog=_example(
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
    epilog=_example(
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
    epilog=_example(
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
    epilog=_example(
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


@app.command(
    epilog=_example(
        "fashionkp export configs/rtmpose_fashion.py best.pth rtmpose.onnx",
        "fashionkp export configs/rtmpose_fashion.py best.pth rtmlib.onnx --rtmlib",
    ),
)
def export(
    config: _Config,
    checkpoint: _Checkpoint,
    out: Annotated[Path, typer.Argument(metavar="OUT.onnx", help="File to write.")],
    *,
    rtmlib: Annotated[
        bool,
        typer.Option(
            "--rtmlib",
            help="Write a file for rtmlib instead: RTMPose('OUT.onnx', model_input_size=(W, H),"
            " mean=None, std=None). Mean and std are in the file, and the category is the network's"
            " own choice.",
        ),
    ] = False,
    half: Annotated[
        bool,
        typer.Option(
            "--half",
            help="Store the weights as float16: half the size, the same speed. What rounding them"
            " changes is printed.",
        ),
    ] = False,
    parity_images: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Folder of images to compare with PyTorch on. Default: garments drawn for it.",
        ),
    ] = None,
    training_data: _TrainingData = None,
    licence: _Licence = None,
) -> None:
    """Export a trained model to one ONNX file that says of itself what it is.

    The file is compared with PyTorch, from pictures to points, and written only where no point
    differs by 0.05 pixels of the crop.
    """
    from fashionkp_mm.commands import export as command

    status = command.run(
        config,
        checkpoint,
        out,
        rtmlib=rtmlib,
        half=half,
        parity_images=parity_images,
        training_data=training_data,
        licence=licence,
    )
    raise typer.Exit(status)


@app.command(
    epilog=_example("fashionkp publish configs/rtmpose_fashion.py best.pth weights/rtmpose.pth"),
)
def publish(
    config: _Config,
    checkpoint: _Checkpoint,
    out: Annotated[Path, typer.Argument(metavar="OUT.pth", help="File to write.")],
    *,
    training_data: _TrainingData = None,
    licence: _Licence = None,
) -> None:
    """Write a training checkpoint's weights alone, as one hands them on.

    No optimiser, no logs, no folders of this machine; large weights as float16. tools/test.py, mim
    and MMPose's demos take the file as it is, and training can start from it.
    """
    from fashionkp_mm.commands import publish as command

    status = command.run(config, checkpoint, out, training_data=training_data, licence=licence)
    raise typer.Exit(status)


@app.command(
    epilog=_example(
        "fashionkp studio photos",
        "fashionkp studio labels.csv --predictions predictions.json --write-back",
    ),
)
def studio(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            exists=True,
            help="A folder of pictures, a CSV of labels, or predictions: .json, coco.json or"
            " .parquet.",
        ),
    ],
    *,
    images: _Images = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            **EXISTING_FILE,
            help="Predictions of the same pictures: they are drawn beside, and where they differ"
            " most comes first.",
        ),
    ] = None,
    model: Model = None,
    store: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="File that keeps every change. Default: SOURCE.studio.sqlite, beside SOURCE.",
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on. Other machines reach any but the default, and need the"
            " token in the address that is printed."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port. Default: the first free one from 8765 on."),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
    write_back: Annotated[
        bool, typer.Option("--write-back", help="Write the changes into SOURCE in the end.")
    ] = False,
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
) -> None:
    """Look at garments in the browser, drag their points to where they belong, and save.

    The most doubtful pictures come first. Every change is kept at once, with its time and author.
    SOURCE is written only by the page's export or --write-back.
    """
    from fashionkp_mm.commands import studio as command

    status = command.run(
        source,
        images=images,
        predictions=predictions,
        model=model,
        store=store,
        host=host,
        port=port,
        browser=browser,
        write_back=write_back,
        max_megapixels=max_megapixels,
    )
    raise typer.Exit(status)


@app.command(
    epilog=_example(
        "fashionkp serve --port 8000",
        "curl --form images=@photo.jpg --form category=blouse http://127.0.0.1:8000/v1/predict",
    ),
)
def serve(
    *,
    model: Model = None,
    boxes: Annotated[
        Literal["refine", "whole", "detector", "fast"],
        typer.Option(help="Where to look unless a request says otherwise; see `predict`."),
    ] = "refine",
    host: Annotated[
        str,
        typer.Option(help="Address to listen on. Other machines reach any but the default."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="FASHIONKP_TOKEN",
            help="What requests have to bear. Default: nothing on this machine, a new one that is"
            " printed where others reach it.",
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Batches that are predicted at once, in threads.")
    ] = 1,
    queue: Annotated[
        int, typer.Option(min=1, help="Pictures that may wait; more are answered 503.")
    ] = 256,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds after which a request is given up: 504.")
    ] = 30.0,
    device: Annotated[
        str, typer.Option(help="What the networks run on: cpu, cuda, or cuda:1 and so on.")
    ] = "cpu",
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
) -> None:
    """Predict, measure and crop garments over HTTP: POST /v1/predict, /v1/measure, /v1/crop.

    Pictures that come together share a batch. /health, /ready, /metrics and /openapi.json say how
    the service fares and what it takes. SIGTERM lets it finish what is under way.
    """
    from fashionkp_mm.batch.options import Options
    from fashionkp_mm.commands import serve as command

    status = command.run(
        Options(model, None, boxes, False, max_megapixels, device),
        host=host,
        port=port,
        token=token,
        workers=workers,
        queue=queue,
        timeout=timeout,
    )
    raise typer.Exit(status)
