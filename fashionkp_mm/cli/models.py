"""From checkpoints to files that are handed on."""

# ruff: noqa: PLC0415

from pathlib import Path
from typing import Annotated

import typer

from fashionkp_mm.cli.group import app, example
from fashionkp_mm.commands.given import EXISTING_FILE

Config = Annotated[
    Path,
    typer.Argument(metavar="CONFIG", **EXISTING_FILE, help="The model's config."),
]
Checkpoint = Annotated[
    Path,
    typer.Argument(metavar="CHECKPOINT", **EXISTING_FILE, help="The weights that training wrote."),
]
TrainingData = Annotated[
    str | None,
    typer.Option(
        help="What the file is to say it was trained on. Default: what the checkpoint says."
    ),
]
Licence = Annotated[
    str | None,
    typer.Option(help="Terms that the file is to name. Default: what is known of them."),
]


@app.command(
    epilog=example(
        "fashionkp export configs/rtmpose_fashion.py best.pth rtmpose.onnx",
        "fashionkp export configs/rtmpose_fashion.py best.pth rtmlib.onnx --rtmlib",
    ),
)
def export(
    config: Config,
    checkpoint: Checkpoint,
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
    training_data: TrainingData = None,
    licence: Licence = None,
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
    epilog=example("fashionkp publish configs/rtmpose_fashion.py best.pth weights/rtmpose.pth"),
)
def publish(
    config: Config,
    checkpoint: Checkpoint,
    out: Annotated[Path, typer.Argument(metavar="OUT.pth", help="File to write.")],
    *,
    training_data: TrainingData = None,
    licence: Licence = None,
) -> None:
    """Write a training checkpoint's weights alone, as one hands them on.

    No optimiser, no logs, no folders of this machine; large weights as float16. tools/test.py, mim
    and MMPose's demos take the file as it is, and training can start from it.
    """
    from fashionkp_mm.commands import publish as command

    status = command.run(config, checkpoint, out, training_data=training_data, licence=licence)
    raise typer.Exit(status)
