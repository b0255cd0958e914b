"""From pictures to garments."""

# ruff: noqa: PLC0415

from pathlib import Path
from typing import Annotated

import typer

from fashionkp_mm.cli.group import app, example
from fashionkp_mm.commands.given import PredictOptions, sharing_options


@app.command(
    epilog=example(
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
