"""From pictures to garments."""

# ruff: noqa: PLC0415

from pathlib import Path
from typing import Annotated, Literal

import typer

from fashionkp_mm.cli.group import app, example
from fashionkp_mm.cli.options import Json
from fashionkp_mm.commands.given import PredictOptions, sharing_options


@app.command(
    epilog=example(
        "fashionkp predict photo.jpg --draw drawn",
        "fashionkp predict photos --model rtmpose.onnx --out predictions.csv --draw drawn",
        "fashionkp predict data/test.csv --model rtmpose.onnx --out predictions.json --resume",
        "find . -name '*.webp' -print0 | fashionkp predict - --model rtmpose.onnx --out coco.json",
        "fashionkp predict catalogue.parquet --engine ray --address auto --out s3://shop/garments",
    ),
)
@sharing_options
def predict(
    given: PredictOptions,
    *,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="File to write, or folder of YOLO-pose or labelme; the name tells the format as"
            " for `fashionkp convert`. '-' is CSV on standard output. With --engine ray, folder of"
            " Parquet files, a path or a URI. Default: predictions.csv, or the folder predictions.",
        ),
    ] = None,
    draw: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder to draw the predictions to.")
    ] = None,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(help="What runs the networks: this process, or the workers of a Ray cluster."),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            help="Of the Ray cluster; 'auto' for the one that this machine is in. Default: one on"
            " this machine alone, for this run."
        ),
    ] = None,
    actors: Annotated[
        int | None,
        typer.Option(min=1, help="Workers of the cluster. Default: as many as find room."),
    ] = None,
    cpus_per_actor: Annotated[
        int, typer.Option(min=1, help="Cores of each worker, all of which its networks use.")
    ] = 1,
    gpus_per_actor: Annotated[
        float,
        typer.Option(min=0, help="GPUs of each worker; 0.5 shares one. Above 0, --device is cuda."),
    ] = 0,
) -> None:
    """Find the garments of pictures: category, keypoints, and which of them can be seen.

    Broken images are named at the end and do not stop the rest; exit status 1 if there are any.
    """
    if engine == "ray":
        from fashionkp_mm.batch.scale.ray_engine import Cluster
        from fashionkp_mm.commands import predict_at_scale

        _refuse("ray", {"--draw": draw is not None, "--shard": given.shard is not None})
        if given.resume and "-" in given.paths:
            raise typer.BadParameter("--resume cannot read '-' again; put the paths in a file")
        cluster = Cluster(address, actors, cpus_per_actor, gpus_per_actor)
        raise typer.Exit(predict_at_scale.run(given, out=out or "predictions", cluster=cluster))
    from fashionkp_mm.commands import predict as command

    workers = {
        "--address": address is not None,
        "--actors": actors is not None,
        "--cpus-per-actor": cpus_per_actor != 1,
        "--gpus-per-actor": gpus_per_actor != 0,
    }
    _refuse("local", workers)
    file = Path(out or "predictions.csv")
    given.check_out(file)
    raise typer.Exit(command.run(given, out=file, draw=draw))


@app.command(epilog=example("fashionkp stats predictions", "fashionkp stats s3://shop/garments"))
def stats(
    where: Annotated[
        str,
        typer.Argument(
            metavar="PATH", help="Folder that `predict --engine ray` wrote, or a Parquet file."
        ),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Sum up predictions in Parquet: pictures, errors by kind, garments, scores, slowest part."""
    from fashionkp_mm.commands import stats as command

    raise typer.Exit(command.run(where, as_json=as_json))


def _refuse(engine: str, options: dict[str, bool]) -> None:
    """Refuse options that an engine has no use for.

    Raises:
        typer.BadParameter: One of them is given; the message says which.
    """
    for name, is_given in options.items():
        if is_given:
            raise typer.BadParameter(f"{name} is of no use with --engine {engine}")
