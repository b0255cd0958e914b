"""Options that commands share: which pictures, and where their garments come from.

A command takes them all as one argument::

    @app.command()
    @sharing_options
    def measure(given: GarmentOptions, *, out: Annotated[Path, typer.Option()] = Path("m.csv")):
        ...

To Typer it looks as if each field of the class was a parameter of the command. No room of this
package is imported before the command is called.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from fashionkp_mm.core.limits import MAX_MEGAPIXELS

if TYPE_CHECKING:
    from fashionkp_mm.batch.options import Options
    from fashionkp_mm.batch.shards import Shard

EXISTING_FILE: dict[str, Any] = {"exists": True, "dir_okay": False, "readable": True}
"""Of an option that names a file which must be there."""
LABELS: dict[str, Any] = {"exists": True, "readable": True}
"""Of one that names labels or predictions: a file, or a folder of YOLO-pose or labelme."""
FORMATS = "of any format that `fashionkp convert` reads"

Model = Annotated[
    Path | None,
    typer.Option(
        dir_okay=False,
        help="Model that `fashionkp export` wrote. Default: the one that comes with the package.",
    ),
]
MaxMegapixels = Annotated[
    float, typer.Option(min=0.001, help="Refuse images of more millions of pixels.")
]


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """Which pictures, and how their garments are predicted."""

    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Images, folders and globs, also by URI, such as s3://bucket/folder/; CSV files"
            " with image_id and image_category, .txt lists, .parquet and .tar files; and '-' for"
            " paths on standard input, one a line or each with a NUL behind it.",
        ),
    ]
    images: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Folder of the images of CSV files. Default: looked for around them.",
        ),
    ] = None
    model: Model = None
    detector: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="Detector that `fashionkp export` wrote. Default: likewise, if --boxes detector.",
        ),
    ] = None
    categories: Annotated[
        Path | None,
        typer.Option(
            **EXISTING_FILE,
            help="CSV with image_id and image_category. Ids that differ in the first folders only"
            " are found. The model chooses for images not in it.",
        ),
    ] = None
    category: Annotated[
        str | None, typer.Option(help="Category of all images. Default: the model chooses.")
    ] = None
    boxes: Annotated[
        Literal["refine", "whole", "detector", "fast"] | None,
        typer.Option(
            help="Where to look: in the whole image and again around what was found there, in the"
            " whole image only, where the detector finds a garment and again around its points, or"
            " (fast) there once only. Default: detector if there is one, else refine."
        ),
    ] = None
    flip_test: Annotated[
        bool, typer.Option("--flip-test", help="Average with the mirrored image: twice the time.")
    ] = False
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")
    ] = False
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            help="Only one of N shares of the pictures, such as 3/8, for as many jobs with an --out"
            " of their own each; `fashionkp merge` puts their files together.",
        ),
    ] = None
    device: Annotated[
        str, typer.Option(help="What the networks run on: cpu, cuda, or cuda:1 and so on.")
    ] = "cpu"
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS

    def check(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            typer.BadParameter: The message says which.
        """
        from fashionkp_mm.core.garments import CATEGORY_NAMES

        if self.images is not None and not self._have_ids():
            raise typer.BadParameter("--images is for CSV files, and no path is one")
        if self.category is not None and self.categories is not None:
            raise typer.BadParameter("--category and --categories are two answers to one question")
        if self.category is not None and self.category not in CATEGORY_NAMES:
            raise typer.BadParameter(
                f"there is no category {self.category!r}; expected one of"
                f" {', '.join(CATEGORY_NAMES)}",
                param_hint="--category",
            )
        if self.detector is not None and self.boxes not in (None, "detector", "fast"):
            raise typer.BadParameter(f"--detector FILE is of no use with --boxes {self.boxes}")
        self.chosen_shard()

    def check_out(self, out: Path) -> None:
        """Refuse to go on with an output that leaves nothing behind.

        Raises:
            typer.BadParameter: It is standard output.
        """
        if self.resume and str(out) == "-":
            raise typer.BadParameter("--resume needs a file to go on with, not --out -")

    def chosen_shard(self) -> Shard | None:
        """The share of the pictures to take; None for all of them.

        Raises:
            typer.BadParameter: There is no such share.
        """
        from fashionkp_mm.batch.shards import Shard

        if self.shard is None:
            return None
        try:
            return Shard.parse(self.shard)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--shard") from None

    def predicting(self) -> Options:
        """How to predict."""
        from fashionkp_mm.batch.options import Options

        boxes = self.boxes or ("refine" if self.detector is None else "detector")
        return Options(
            self.model, self.detector, boxes, self.flip_test, self.max_megapixels, self.device
        )

    def _have_ids(self) -> bool:
        """Whether images are named by ids, which --images is the folder of."""
        return any(path == "-" or path.lower().endswith(".csv") for path in self.paths)


@dataclass(frozen=True, kw_only=True)
class GarmentOptions(PredictOptions):
    """Which pictures, and whether their garments are predicted or stand in a file."""

    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="[PATH...]",
            help="Images, folders and globs, also by URI, such as s3://bucket/folder/; CSV files"
            " with image_id and image_category, .txt lists, .parquet and .tar files; and '-' for"
            " paths on standard input. Default: all images of --predictions or --labels.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    predictions: Annotated[
        Path | None,
        typer.Option(
            **LABELS,
            help=f"Take the garments from predictions {FORMATS}; no model runs.",
        ),
    ] = None
    labels: Annotated[
        Path | None,
        typer.Option(**LABELS, help=f"Take the garments from labels {FORMATS} instead."),
    ] = None

    @property
    def file(self) -> Path | None:
        """The file that the garments stand in; None where they are predicted."""
        return self.labels if self.predictions is None else self.predictions

    def check(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            typer.BadParameter: The message says which.
        """
        if self.predictions is not None and self.labels is not None:
            raise typer.BadParameter("--predictions and --labels are two answers to one question")
        if self.file is not None:
            idle = {
                "--model": self.model is not None,
                "--detector": self.detector is not None,
                "--categories": self.categories is not None,
                "--category": self.category is not None,
                "--boxes": self.boxes is not None,
                "--flip-test": self.flip_test,
                "--device": self.device != "cpu",
            }
            given = [name for name, is_given in idle.items() if is_given]
            if given:
                raise typer.BadParameter(
                    f"{given[0]} is for predicting, and nothing is predicted: the garments are"
                    f" those of {self.file}"
                )
        elif not self.paths:
            raise typer.BadParameter(
                "no picture: name images or folders, or a file of garments with --predictions or"
                " --labels"
            )
        super().check()

    def _have_ids(self) -> bool:
        return self.file is not None or super()._have_ids()


def sharing_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command one option for each field of the class that its ``given`` is of.

    Args:
        command: Has a parameter ``given`` of `PredictOptions` or a class of it, which gets them
            when they are checked.
    """
    own = inspect.signature(command, eval_str=True).parameters
    kind = own["given"].annotation
    hints = get_type_hints(kind, include_extras=True)
    shared = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_default(each),
            annotation=hints[each.name],
        )
        for each in fields(kind)
    ]

    @wraps(command)
    def taking_all(**values: Any) -> None:
        given = kind(**{each.name: values.pop(each.name) for each in shared})
        given.check()
        command(given, **values)

    others = [parameter for name, parameter in own.items() if name != "given"]
    parameters = [shared[0], *others, *shared[1:]]
    taking_all.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    taking_all.__annotations__ = {each.name: each.annotation for each in parameters}
    return taking_all


def _default(of: Any) -> Any:
    if of.default_factory is not MISSING:
        return of.default_factory()
    return inspect.Parameter.empty if of.default is MISSING else of.default
