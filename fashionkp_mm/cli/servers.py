"""In the browser and over HTTP."""

# ruff: noqa: PLC0415

from pathlib import Path
from typing import Annotated, Literal

import typer

from fashionkp_mm.cli.group import app, example
from fashionkp_mm.cli.options import Images
from fashionkp_mm.commands.given import EXISTING_FILE, MaxMegapixels, Model
from fashionkp_mm.core.limits import MAX_MEGAPIXELS


@app.command(
    epilog=example(
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
    images: Images = None,
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
    epilog=example(
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
