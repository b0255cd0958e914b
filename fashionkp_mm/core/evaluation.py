"""By which rules predictions are scored, and all there is to be said of a table of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fashionkp_mm.core.normalized_error import (
    Missing,
    MissingNormalizer,
    MissingPredictions,
    NormalizedErrorResult,
    ScoredPoints,
    evaluate,
    missing_predictions,
)
from fashionkp_mm.core.recognition import Recognition, recognition
from fashionkp_mm.core.table import KeypointTable


@dataclass(frozen=True)
class Rules:
    """By which rules to score; see `core.normalized_error`."""

    missing_normalizer: MissingNormalizer = "skip"
    points: ScoredPoints = "visible"
    missing_predictions: MissingPredictions = "error"

    def applied(self, missing: Missing) -> MissingPredictions:
        """The rule to score by: where something is missing, and that an error, the rest counts."""
        refused = self.missing_predictions == "error" and missing
        return "skip" if refused else self.missing_predictions


@dataclass(frozen=True)
class Evaluation:
    """What is to be said of one file of predictions.

    Attributes:
        score: With `Rules.missing_predictions` = ``error`` and something missing, of what was
            predicted.
        recognition: Of categories and visibilities, as far as the file tells.
        missing: What was to be scored and has no place.
        rules: The rules.
    """

    score: NormalizedErrorResult
    recognition: Recognition
    missing: Missing
    rules: Rules

    @property
    def failed(self) -> bool:
        """Whether something is missing and nobody said what to do with it."""
        return bool(self.missing) and self.rules.missing_predictions == "error"

    @property
    def partial(self) -> bool:
        """Whether the score is one of what was predicted only."""
        without_place = self.missing or self.missing.lacked
        return bool(without_place) and self.rules.applied(self.missing) == "skip"


def score(answers: KeypointTable, predictions: KeypointTable, rules: Rules) -> Evaluation:
    """All there is to be said of a table of predictions."""
    of_points: dict[str, Any] = {
        "missing_normalizer": rules.missing_normalizer,
        "scored_points": rules.points,
    }
    missing = missing_predictions(answers, predictions, **of_points)
    does = rules.applied(missing)
    return Evaluation(
        score=evaluate(answers, predictions, missing_predictions=does, **of_points),
        recognition=recognition(answers, predictions),
        missing=missing,
        rules=rules,
    )
