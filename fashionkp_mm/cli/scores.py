"""Predictions beside labels: scored, reported, drawn."""

# ruff: noqa: PLC0415

from pathlib import Path
from typing import Annotated, Literal

import typer

from fashionkp_mm.cli.group import app, example
from fashionkp_mm.cli.options import Images, Json
from fashionkp_mm.commands.given import FORMATS, LABELS, MaxMegapixels
from fashionkp_mm.core.limits import MAX_MEGAPIXELS

MissingNormalizer = Annotated[
    Literal["skip", "server"],
    typer.Option(
        help="Where a normaliser point is absent: skip the image, or do as the contest server."
    ),
]
Points = Annotated[
    Literal["visible", "labelled"],
    typer.Option(help="Score visible points as the contest does, or occluded ones as well."),
]
MissingPredictions = Annotated[
    Literal["error", "count", "skip"],
    typer.Option(
        help="Images without a prediction, points without a place: name them and fail, count an"
        " error of 1 a point, or skip them. Points that the predicted category lacks count as an"
        " error of 1 unless skipped."
    ),
]
Answers = Annotated[
    Path,
    typer.Argument(metavar="ANSWERS", **LABELS, help=f"Labels {FORMATS}."),
]


def named_files(values: list[str]) -> dict[str, Path]:
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


@app.command(
    epilog=example(
        "fashionkp evaluate answers.csv predictions.csv --missing-normalizer server",
        "fashionkp evaluate answers.csv whole=whole.csv refine=refine.csv",
    ),
)
def evaluate(
    answers: Answers,
    predictions: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]PREDICTIONS…",
            help=f"Predictions {FORMATS}. Several are compared in one table, by name.",
        ),
    ],
    *,
    missing_normalizer: MissingNormalizer = "skip",
    points: Points = "visible",
    missing_predictions: MissingPredictions = "error",
    as_json: Json = False,
) -> None:
    """Score predictions by the normalized error (NE, in percent; lower is better).

    Predicted categories and visibilities are compared with the labelled ones as well, where the
    predictions tell them. The points of the labelled category are scored.
    """
    from fashionkp_mm.commands import evaluate as command
    from fashionkp_mm.core.evaluation import Rules

    files = named_files(predictions)
    rules = Rules(missing_normalizer, points, missing_predictions)
    raise typer.Exit(command.run(answers, files, rules=rules, as_json=as_json))


@app.command(
    epilog=example("fashionkp report val.csv predictions.csv --images data/val --out report.html"),
)
def report(
    answers: Answers,
    predictions: Annotated[
        Path,
        typer.Argument(
            metavar="PREDICTIONS",
            **LABELS,
            help=f"Predictions {FORMATS}.",
        ),
    ],
    *,
    images: Images = None,
    out: Annotated[Path, typer.Option(dir_okay=False, help="The HTML file to write.")] = Path(
        "report.html"
    ),
    missing_normalizer: MissingNormalizer = "skip",
    points: Points = "visible",
    missing_predictions: MissingPredictions = "error",
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
    epilog=example(
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
    images: Images = None,
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
