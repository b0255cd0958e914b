"""``fashionkp report``: a test run on one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.batch.pictures import locate
from fashionkp_mm.commands import terminal
from fashionkp_mm.commands.compared import read_for
from fashionkp_mm.commands.evaluate import (
    all_as_labelled,
    missing_message,
    rules_in_words,
    score_name,
)
from fashionkp_mm.core.evaluation import Rules, score
from fashionkp_mm.core.files import require_apart, write_atomically
from fashionkp_mm.core.image_ids import UnmatchedIdsError
from fashionkp_mm.core.limits import MAX_MEGAPIXELS
from fashionkp_mm.core.normalized_error import point_errors
from fashionkp_mm.core.pairing import prediction_rows
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.exchange.formats import FormatError
from fashionkp_mm.exchange.tables import read_labels_file
from fashionkp_mm.images import BrokenImageError
from fashionkp_mm.report import Case, Report, draw_case, ranked_images, render_page

WORST, BEST = 12, 6
"""How many images of either kind are drawn."""


def run(
    answers: Path,
    predictions: Path,
    *,
    images: Path | None,
    out: Path,
    rules: Rules,
    max_megapixels: float = MAX_MEGAPIXELS,
) -> int:
    """Score predictions and write the page.

    Args:
        answers: Labels of any format.
        predictions: File of predictions; see `exchange.tables`.
        images: Folder that the image ids start from; found beside the labels by default.
        out: The HTML file.
        rules: The rules of the score.
        max_megapixels: Size from which an image is refused.

    Returns:
        Exit status: 1 if predictions are missing and nobody said what to do with them, or if an
        image could not be drawn. The page is written all the same, and says what it lacks.
    """
    failures: list[str] = []
    with terminal.one_message(UnmatchedIdsError, FormatError):
        answered = terminal.read(read_labels_file, answers)
        predicted = read_for(answered, predictions)
        result = score(answered, predicted, rules)
        errors = point_errors(
            answered,
            predicted,
            missing_normalizer=rules.missing_normalizer,
            scored_points=rules.points,
            count_missing=not result.partial,
        )
        found, missing = locate(answered.image_ids, answers, images)
        require_apart([out], [answers, predictions, *found.values()])
        drawer = _CaseDrawer(
            answered,
            predicted,
            errors,
            found,
            failures,
            missing=missing,
            max_megapixels=max_megapixels,
        )
        ranked = drawer.drawable()
        worst = ranked[:WORST]
        best = ranked[len(worst) :][::-1][:BEST]
        as_labelled = result.recognition.visibility is None
        recognition = result.recognition
        facts = [
            ("labels", str(answers)),
            ("predictions", str(predictions)),
            *rules_in_words(result),
        ]
        if sentence := all_as_labelled(recognition.category):
            # A table of nothing but right answers would claim that they were recognised.
            facts.append(("category", sentence))
            recognition = replace(recognition, category=None)
        page = Report(
            name=predictions.name,
            score_name=score_name(result),
            score=result.score,
            rules=facts,
            warning=missing_message(result.missing) if result.failed else "",
            category_indices=answered.category_indices,
            errors=errors,
            recognition=recognition,
            worst=drawer.cases(worst, as_labelled=as_labelled),
            best=drawer.cases(best, as_labelled=as_labelled),
        )
        content = render_page(page).encode()
        write_atomically(out, content)
    terminal.out().print(f"{out}: {len(content) / 2**20:.1f} MiB", markup=False, soft_wrap=True)
    if result.failed:
        failures.append(missing_message(result.missing))
    for failure in failures:
        terminal.say("error", failure)
    return 1 if failures else 0


class _CaseDrawer:
    """Draws single images of the run."""

    def __init__(
        self,
        answers: KeypointTable,
        predictions: KeypointTable,
        errors: NDArray[np.float64],
        found: dict[str, Path],
        failures: list[str],
        *,
        missing: dict[str, str],
        max_megapixels: float,
    ) -> None:
        self.answers, self.predictions, self.errors = answers, predictions, errors
        self.rows = prediction_rows(answers, predictions)
        self.found, self.missing = found, missing
        self.max_megapixels = max_megapixels
        self.failures = failures

    def drawable(self) -> NDArray[np.intp]:
        """Rows of the images that were scored and predicted, the largest NE first."""
        ranked = ranked_images(self.errors)
        kept: NDArray[np.intp] = ranked[self.rows[ranked] >= 0]
        return kept

    def cases(self, rows: NDArray[np.intp], *, as_labelled: bool) -> Sequence[Case]:
        """Draw images; one that cannot be is a failure."""
        drawn = []
        for row in rows:
            image_id = self.answers.image_ids[row]
            try:
                if image_id not in self.found:
                    raise BrokenImageError(
                        f"{image_id}: {self.missing[image_id]}, so it is not drawn"
                    )
                drawn.append(
                    draw_case(
                        self.found[image_id],
                        self.answers.select(np.array([row])),
                        self.predictions.select(self.rows[[row]]),
                        self.errors[row],
                        as_labelled=as_labelled,
                        max_megapixels=self.max_megapixels,
                    )
                )
            except BrokenImageError as error:
                self.failures.append(str(error))
        return drawn
