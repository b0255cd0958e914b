"""How far a model's points are off, and what that does to lengths: intervals.

The table is made from the model's errors on labelled pictures that it was not trained on, by
``benchmarks/pose_errors.py``, and lies beside the model's file as ``NAME_errors.json``. An interval
holds for the model that the table was made with and for no other; the table names it by its
checksum.

The method is split conformal prediction with a scale of difficulty (Lei et al., "Distribution-free
predictive inference for regression", 2018, section 5.2). The difficulty of a length is the root of
the sum of squares of its keypoints' usual errors, each times its weight in the length; a keypoint's
usual error depends on its name, its score and its visibility. An interval is that difficulty times
a factor, for each length the one that 90 % of its errors stay below.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from fashionkp_mm.core.digests import file_digest
from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.core.lengths import Place, Weights, sideless

COVERAGE = 0.9
"""Share of lengths that lie inside their intervals."""

_FORMAT = 1


class PoseErrorsError(ValueError):
    """A table of errors that is damaged, or of another version."""


class Seen(NamedTuple):
    """What is known of a predicted point besides its place.

    Attributes:
        keypoint: Its name.
        visibility: As predicted.
        score: NaN where it is unknown.
    """

    keypoint: str
    visibility: Visibility
    score: float


@dataclass(frozen=True)
class PoseErrors:
    """The errors of one model's points, as shares of the garment's size (`garment_size`).

    Attributes:
        model: Name of the model, for people.
        sha256: Checksum of its file; empty for points that no model found.
        scores: Scores, rising; ``errors`` are the usual errors of points of these scores.
        errors: As many.
        unknown_score: The usual error of a point whose score is unknown.
        keypoints: Factors of these errors, by keypoint without its side and visibility, as in
            ``armpit/occluded``.
        lengths: Factors of the difficulty, by length without its side.
        other_lengths: That of a length that the table does not name.
        pictures: How many labelled pictures the table was made of.
        boxes: Where the model looked; see `core.box_sources`.
    """

    model: str
    sha256: str
    scores: tuple[float, ...]
    errors: tuple[float, ...]
    unknown_score: float
    keypoints: Mapping[str, float] = field(default_factory=dict)
    lengths: Mapping[str, float] = field(default_factory=dict)
    other_lengths: float = 1.0
    pictures: int = 0
    boxes: str = "refine"

    def half_width(
        self, length: str, weights: Weights, points: Mapping[str, Seen], size: float
    ) -> float:
        """Half of a length's interval of `COVERAGE`, in the unit of ``size``.

        Args:
            length: The length's name.
            weights: How much the place of each keypoint counts in it.
            points: The garment's points by name.
            size: See `garment_size`.
        """
        factor = self.lengths.get(sideless(length), self.other_lengths)
        return factor * size * self.difficulty(weights, points)

    def difficulty(self, weights: Weights, points: Mapping[str, Seen]) -> float:
        """What errors to expect of a length, as a share of the garment's size."""
        return math.hypot(
            *(weight * self.usual_error(points[name]) for name, weight in weights.items())
        )

    def usual_error(self, point: Seen) -> float:
        """The error that a point like this one stays below four times in five."""
        factor = self.keypoints.get(kind_of(point), 1.0)
        if math.isnan(point.score):
            return factor * self.unknown_score
        return factor * _between(point.score, self.scores, self.errors)

    def is_of(self, model: Path) -> bool:
        """Whether the table was made with this model file."""
        return self.sha256 == file_digest(model)

    def to_json(self) -> str:
        """The table as a file holds it."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, name: str) -> PoseErrors:
        """Read a table.

        Raises:
            PoseErrorsError: It is damaged, or of another version; ``name`` is the file's.
        """
        try:
            facts = json.loads(text)
            if facts.pop("format") != _FORMAT:
                raise PoseErrorsError(f"{name}: of another version; make it again")
            table = cls(
                **{**facts, "scores": tuple(facts["scores"]), "errors": tuple(facts["errors"])}
            )
            _require_usable(table)
        except PoseErrorsError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise PoseErrorsError(
                f"{name}: not a table of a model's errors ({error}); make one with"
                " `python benchmarks/pose_errors.py`"
            ) from None
        return table


EXACT = PoseErrors("exact points", "", (0.0, 1.0), (0.0, 0.0), 0.0)
"""Points that are taken as they are: every interval is the value itself."""


def errors_file(model: Path) -> Path:
    """Where the table of a model lies: ``pose_errors.json`` beside ``pose.onnx``."""
    return model.with_name(f"{model.stem}_errors.json")


def read_pose_errors(file: Path) -> PoseErrors:
    """Read a table.

    Raises:
        PoseErrorsError: It is damaged, or of another version.
        OSError: The file cannot be read.
    """
    return PoseErrors.from_json(file.read_bytes().decode("utf-8", "replace"), str(file))


def errors_of_model(model: Path) -> PoseErrors | None:
    """The table that lies beside a model's file; None where there is none of this very model.

    Raises:
        PoseErrorsError: It is damaged, or of another version.
    """
    file = errors_file(model)
    if not file.is_file():
        return None
    table = read_pose_errors(file)
    return table if table.is_of(model) else None


def garment_size(points: Iterable[Place]) -> float:
    """What errors are measured by: the root mean square distance of points from their mean.

    It turns with the garment, unlike a box, and does not hang on two points, unlike the normaliser.

    Args:
        points: Those of a garment that are not absent.
    """
    places = list(points)
    if not places:
        return 0.0
    x = math.fsum(place[0] for place in places) / len(places)
    y = math.fsum(place[1] for place in places) / len(places)
    return math.sqrt(math.fsum((px - x) ** 2 + (py - y) ** 2 for px, py in places) / len(places))


def kind_of(point: Seen) -> str:
    """The key of a point in `PoseErrors.keypoints`."""
    return f"{sideless(point.keypoint)}/{point.visibility.name.lower()}"


def _between(score: float, scores: Sequence[float], errors: Sequence[float]) -> float:
    """The usual error of a score, along straight lines of its logarithm."""
    if score <= scores[0]:
        return errors[0]
    for (low, high), (first, last) in zip(pairwise(scores), pairwise(errors), strict=True):
        if score < high:
            share = (score - low) / (high - low)
            return float(first ** (1 - share) * last**share)
    return errors[-1]


def _require_usable(table: PoseErrors) -> None:
    numbers: list[Any] = [
        *table.scores, *table.errors, table.unknown_score, table.other_lengths,
        *table.keypoints.values(), *table.lengths.values(),
    ]  # fmt: skip
    if not all(isinstance(each, int | float) and math.isfinite(each) for each in numbers):
        raise ValueError("a number is missing")
    if len(table.scores) != len(table.errors) or not table.scores:
        raise ValueError("scores and errors differ in number")
    if list(table.scores) != sorted(table.scores):
        raise ValueError("scores do not rise")
    if min(numbers[len(table.scores) :]) < 0:
        raise ValueError("an error is negative")
