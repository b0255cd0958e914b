"""The ``fashionkp`` command line: what it takes and what it says of itself.

What a command does stands in `fashionkp_mm.commands`, which is imported when the command is called,
so that ``fashionkp --help`` answers at once.
"""

# ruff: noqa: PLC0415

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    name="fashionkp",
    help="Apparel keypoints: check, draw and score FashionAI data, or draw a data set of your own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

_Csv = Annotated[
    Path,
    typer.Argument(
        metavar="CSV", exists=True, dir_okay=False, readable=True, help="A FashionAI CSV file."
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def _example(*lines: str) -> str:
    return "\n\n".join(("[bold]Example[/]", *lines))


@app.command(epilog=_example("fashionkp doctor"))
def doctor() -> None:
    """Say what is installed, what is healed by whom, and the command that mends each problem.

    Exit status 1 if training could not run.
    """
    from fashionkp_mm.commands import doctor as command

    raise typer.Exit(command.run())


@app.command(
    epilog=_example("fashionkp check data/train/Annotations/train.csv --images data/train"),
)
def check(
    csv: _Csv,
    *,
    images: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Folder of the images; they are checked as well."
        ),
    ] = None,
    kind: Annotated[
        Literal["labels", "predictions", "list"] | None,
        typer.Option(help="What the file is. Default: labels; a list if it has no keypoints."),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Say everything that is wrong with a data set: file, row, column, value, what was expected.

    Exit status 1 if there is an error; warnings do not count.
    """
    from fashionkp_mm.commands import check as command

    raise typer.Exit(command.run(csv, images=images, kind=kind, as_json=as_json))


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
    epilog=_example("fashionkp evaluate answers.csv predictions.csv --missing-normalizer server"),
)
def evaluate(
    answers: Annotated[
        Path,
        typer.Argument(
            metavar="ANSWERS", exists=True, dir_okay=False, readable=True, help="CSV of labels."
        ),
    ],
    predictions: Annotated[
        Path,
        typer.Argument(
            metavar="PREDICTIONS",
            exists=True,
            dir_okay=False,
            readable=True,
            help="CSV of predictions.",
        ),
    ],
    *,
    missing_normalizer: Annotated[
        Literal["skip", "server"],
        typer.Option(
            help="Where a normaliser point is absent: skip the image, or do as the contest server."
        ),
    ] = "skip",
    points: Annotated[
        Literal["visible", "labelled"],
        typer.Option(help="Score visible points as the contest does, or occluded ones as well."),
    ] = "visible",
    missing_predictions: Annotated[
        Literal["error", "count", "skip"],
        typer.Option(
            help="Images without a prediction: name them and fail, count an error of 1 a point,"
            " or skip them."
        ),
    ] = "error",
    as_json: _Json = False,
) -> None:
    """Score predictions by the normalized error (NE, in percent; lower is better)."""
    from fashionkp_mm.commands import evaluate as command

    status = command.run(
        answers,
        predictions,
        missing_normalizer=missing_normalizer,
        points=points,
        missing_predictions=missing_predictions,
        as_json=as_json,
    )
    raise typer.Exit(status)


@app.command(
    epilog=_example(
        "fashionkp draw data/val/Annotations/val.csv drawn --limit 24 --sheet",
        "fashionkp draw val.csv drawn --images data/val --predictions predictions.csv --names",
    ),
)
def draw(
    csv: _Csv,
    out: Annotated[
        Path, typer.Argument(metavar="OUT", file_okay=False, help="Folder to write pictures to.")
    ],
    *,
    images: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Folder of the images. Default: looked for around the CSV.",
        ),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, readable=True, help="CSV of predictions to draw beside."
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Draw so many only, spread evenly over the file.")
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="Write the keypoints' names.")] = False,
    sheet: Annotated[bool, typer.Option("--sheet", help="Write contact sheets as well.")] = False,
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
    )
    raise typer.Exit(status)
