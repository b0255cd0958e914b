"""Predictions that a command sets beside labels."""

from __future__ import annotations

from pathlib import Path

from fashionkp_mm.commands import terminal
from fashionkp_mm.core.image_ids import UnmatchedIdsError, difference_in_words, require_overlap
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.core.words import plural
from fashionkp_mm.exchange.tables import read_predictions_file


def read_for(answers: KeypointTable, path: Path) -> KeypointTable:
    """Read predictions that are to be compared with a table of labels; print what does not fit.

    Raises:
        UnmatchedIdsError: No prediction is of an image of the labels; the message names the file.
        AnnotationError: As `read_predictions_file`.
        OSError: The file cannot be read.
    """
    predictions = terminal.read(read_predictions_file, path)
    try:
        require_overlap(answers.image_ids, predictions.image_ids)
    except UnmatchedIdsError as error:
        raise UnmatchedIdsError(f"{path}: {error}") from None
    known, predicted = set(answers.image_ids), set(predictions.image_ids)
    unused = [image_id for image_id in predictions.image_ids if image_id not in known]
    if unused:
        unpredicted = [image_id for image_id in answers.image_ids if image_id not in predicted]
        count = plural(len(unused), "prediction")
        alike = difference_in_words(unpredicted, unused)
        terminal.say(
            "note",
            f"{path}: {count} of images that the labels lack, such as '{unused[0]}', not used"
            + (f"; {alike}" if alike else ""),
        )
    return predictions
