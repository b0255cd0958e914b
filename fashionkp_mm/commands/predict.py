"""``fashionkp predict``: from pictures to garments, with an exported model and without torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from fashionkp_mm.batch.pictures import targets
from fashionkp_mm.batch.predicting import Predicting
from fashionkp_mm.batch.sources import Source
from fashionkp_mm.batch.writers import format_of
from fashionkp_mm.commands import terminal
from fashionkp_mm.commands.given import PredictOptions
from fashionkp_mm.commands.job import Job, run_job
from fashionkp_mm.core.words import plural
from fashionkp_mm.exchange.formats import DESCRIPTIONS, FormatError


def run(given: PredictOptions, *, out: Path, draw: Path | None) -> int:
    """Predict every image and write one file; print what was done and what could not be.

    Args:
        given: Which images, and how to predict.
        out: File of predictions, or folder of YOLO-pose or labelme; ``-`` is standard output.
        draw: Folder for pictures of them.

    Returns:
        Exit status: 1 if an image could not be predicted, 130 if the user stopped it.
    """
    with terminal.one_message(FormatError):
        form = format_of(out)

    def drawings(sources: Sequence[Source]) -> dict[str, Path]:
        return {} if draw is None else targets([source.image_id for source in sources], draw)

    def hints(counts: Counter[int]) -> list[str]:
        several = sum(images for garments, images in counts.items() if garments > 1)
        if not several or form != "fashionai":
            return []
        return [
            f"{plural(several, 'image')} with several garments; a CSV holds the best of each, a"
            " .json file all of them"
        ]

    job = Job(
        command="predict",
        doing="predicting",
        done="predicted",
        out=out,
        what=DESCRIPTIONS[form],
        task=lambda sources, _: Predicting(
            form,
            drawings(sources),
            {each.image_id: each.path for each in sources if isinstance(each.path, Path)},
        ),
        opens_pictures=True,
        folder=draw,
        writes=lambda sources: list(drawings(sources).values()),
        made_by={"format": form},
        hints=hints,
    )
    return run_job(given, job)
