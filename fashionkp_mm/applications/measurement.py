"""Lengths of a garment, with intervals and warnings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from fashionkp_mm.applications.errors import GarmentError
from fashionkp_mm.applications.marker import MAX_TILT
from fashionkp_mm.applications.pose_errors import PoseErrors, Seen, garment_size
from fashionkp_mm.applications.posture import posture_of
from fashionkp_mm.applications.scale import PER_CM, KnownLength, Scale, ScaleError, Unit
from fashionkp_mm.core.garments import Visibility
from fashionkp_mm.core.lengths import (
    Length,
    Place,
    Weights,
    lengths_of,
    normalizer_length,
    place_of,
)
from fashionkp_mm.runtime import Garment

LOW_SCORE = 0.5
"""Score below which a point is called doubtful. Of the shipped model's points on photographs, one
in fourteen is, and is off by four times as much as the others, in the median."""


@dataclass(frozen=True)
class Measurement:
    """One length of a garment.

    Attributes:
        length: Which.
        value: How long, in `Measurements.unit`; None where it cannot be measured.
        low, high: The interval that holds 90 % of such lengths; None where it is unknown.
        pixels: Distance of its ends in the picture.
        start, end: Its ends, x and y in pixels of the picture.
        ends: Whether its ends are visible; of an end between two points, the one that is less so.
        warnings: What is to be said of it and of its garment.
    """

    length: Length
    value: float | None
    low: float | None
    high: float | None
    pixels: float | None
    start: Place | None
    end: Place | None
    ends: tuple[Visibility, Visibility]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Measurements(Sequence[Measurement]):
    """The lengths of a garment, in the order of `core.lengths`; also by name, ``["chest"]``.

    Attributes:
        garment: The garment.
        unit: ``cm``, ``mm`` or ``in``; without a scale the name of the length that is the unit,
            ``chest`` or ``waist``.
        scale: Where the scale comes from, for people.
        lengths: One for each length of the category.
    """

    garment: Garment
    unit: str
    scale: str
    lengths: tuple[Measurement, ...]

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[Measurement]:
        return iter(self.lengths)

    @overload
    def __getitem__(self, which: str | int) -> Measurement: ...

    @overload
    def __getitem__(self, which: slice) -> tuple[Measurement, ...]: ...

    def __getitem__(self, which: str | int | slice) -> Measurement | tuple[Measurement, ...]:
        """A length by its name, or by its position.

        Raises:
            KeyError: The category has no such length; the message lists those it has.
        """
        if not isinstance(which, str):
            return self.lengths[which]
        for each in self.lengths:
            if each.length.name == which:
                return each
        raise KeyError(_lacks(self.garment.category, which))

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain JSON, with the keys of GarmentIQ and more.

        ``landmarks`` has ``description``, ``x``, ``y``, ``score`` and ``visibility`` by keypoint;
        ``measurements`` has, by length, ``landmarks`` with the names of ``start`` and ``end`` (two
        names with ``+`` where the end lies between two points, or straight below on their line),
        ``distance`` in pixels, and ``value``, ``unit``, ``low``, ``high``, ``start``, ``end``,
        ``ends``, ``warnings``.
        """
        return {
            "category": self.garment.category,
            "unit": self.unit,
            "scale": self.scale,
            "landmarks": {
                name: {
                    "description": name.replace("_", " "),
                    "x": _rounded(point.x),
                    "y": _rounded(point.y),
                    "score": None if math.isnan(point.score) else round(point.score, 4),
                    "visibility": point.visibility.name.lower(),
                }
                for name, point in self.garment.points.items()
            },
            "measurements": {
                each.length.name: {
                    "landmarks": {
                        "start": "+".join(each.length.start),
                        "end": "+".join(each.length.end),
                    },
                    "distance": _rounded(each.pixels),
                    "value": _rounded(each.value, 3),
                    "unit": self.unit,
                    "low": _rounded(each.low, 3),
                    "high": _rounded(each.high, 3),
                    "start": None if each.start is None else [_rounded(x) for x in each.start],
                    "end": None if each.end is None else [_rounded(x) for x in each.end],
                    "ends": [end.name.lower() for end in each.ends],
                    "warnings": list(each.warnings),
                }
                for each in self.lengths
            },
        }


def measure(
    garment: Garment,
    *,
    scale: Scale | KnownLength | None = None,
    unit: Unit = "cm",
    errors: PoseErrors | None = None,
) -> Measurements:
    """Measure a garment.

    Each length is the distance of its ends as `core.lengths` defines it, on the garment as it lies.
    What an absent point is an end of is not measured. Without a scale, lengths are multiples of the
    category's normaliser, the chest or the waist; ``pixels`` has them in pixels of the picture.

    Args:
        garment: What a predictor found, or what a file tells.
        scale: How long a pixel is, or a length of this garment that is known; `scale_of_marker`
            finds it from a marker in the picture.
        unit: Of the lengths, where there is a scale.
        errors: How far the model's points are off: `errors_of_model` for the model that found the
            garment, `EXACT` for points that are to be taken as they are. Without it there are no
            intervals. An interval covers errors of points, those of a known length's points too,
            and no error of a scale that is given.

    Raises:
        GarmentError: Not one length can be measured, the known length can't be, or the category
            lacks it.
        ValueError: There is no such unit.
    """
    if unit not in PER_CM:
        raise ValueError(f"there is no unit {unit!r}, expected one of {', '.join(PER_CM)}")
    points = garment.points
    seen = {name: Seen(name, point.visibility, point.score) for name, point in points.items()}
    pixels = {
        name: (point.x, point.y)
        for name, point in points.items()
        if point.visibility != Visibility.ABSENT
    }
    plane = pixels
    if isinstance(scale, Scale):
        try:
            plane = dict(zip(pixels, scale.places(list(pixels.values())), strict=True))
        except ScaleError as error:
            raise GarmentError(str(error)) from None
    ruler = _Ruler(plane, seen, errors, garment_size(plane.values()))
    lengths = lengths_of(garment.category)
    found = {each.name: ruler.distance(each) for each in lengths}
    if not any(found.values()):
        raise GarmentError(f"{garment.category}: no length has both its ends{_absent(seen)}")

    if isinstance(scale, Scale):
        said, name = scale.source, str(unit)
        rule: _Rule | None = _Rule(PER_CM[unit])
    elif isinstance(scale, KnownLength):
        known = _wanted(garment.category, scale.name, lengths)
        rule = _Rule.by(_measured(found, known, garment.category, seen), scale.cm * PER_CM[unit])
        said, name = f"known {scale.name}", str(unit)
    else:
        known = normalizer_length(garment.category)
        by = found[known.name]
        rule = _Rule.by(by, 1.0) if by is not None and by.value else None
        said, name = f"none: multiples of the {known.name}", known.name

    common = []
    if rule is None:
        common.append(f"no {name} to measure by, pixels alone")
    if (posture := posture_of(plane)) is not None:
        common += posture.warnings()
    if isinstance(scale, Scale) and scale.tilt > MAX_TILT:
        common.append(f"{scale.source} tilted by {scale.tilt:.0f} degrees")
    known_points = _Points(pixels, seen, _outside(pixels, garment.image_size))
    measured = (
        _measurement(each, found[each.name], rule, known_points, common) for each in lengths
    )
    return Measurements(garment, name, said, tuple(measured))


@dataclass(frozen=True)
class _Distance:
    """A length in the unit of the plane, and half the interval around it, if that is known."""

    name: str
    value: float
    half: float | None
    start: Weights
    end: Weights


@dataclass(frozen=True)
class _Ruler:
    """Takes distances in a plane."""

    points: Mapping[str, Place]
    seen: Mapping[str, Seen]
    errors: PoseErrors | None
    size: float

    def distance(self, length: Length) -> _Distance | None:
        """A length, if its ends are there."""
        ends = length.ends(self.points)
        if ends is None:
            return None
        start, end = ends
        value = math.dist(place_of(start, self.points), place_of(end, self.points))
        half = None
        if self.errors is not None:
            half = self.errors.half_width(length.name, moves(start, end), self.seen, self.size)
        return _Distance(length.name, value, half, start, end)


def moves(start: Weights, end: Weights) -> Weights:
    """How much each keypoint moves a length: its weight in the end less that in the start."""
    return {
        name: end.get(name, 0.0) - start.get(name, 0.0) for name in dict.fromkeys((*start, *end))
    }


@dataclass(frozen=True)
class _Rule:
    """How many units a distance is, and what of that is unsure.

    Attributes:
        factor: Units for each unit of the plane.
        unsure: Half the interval of the factor as a share of it.
        known: Name of the length that the factor comes from.
    """

    factor: float
    unsure: float | None = 0.0
    known: str = ""

    @classmethod
    def by(cls, distance: _Distance, units: float) -> _Rule:
        """The rule by which a distance is so many units."""
        half = distance.half
        unsure = None if half is None else half / distance.value
        return cls(units / distance.value, unsure, distance.name)

    def apply(self, distance: _Distance) -> tuple[float, float | None, float | None]:
        """Value, low and high. Two independent errors add up as squares."""
        value = self.factor * distance.value
        if distance.name == self.known:
            return (value, None, None) if self.unsure is None else (value, value, value)
        if distance.half is None or self.unsure is None:
            return value, None, None
        half = math.hypot(self.factor * distance.half, value * self.unsure)
        return value, max(0.0, value - half), value + half


@dataclass(frozen=True)
class _Points:
    """A garment's points: those that are there in pixels, what is known of all, those outside."""

    pixels: Mapping[str, Place]
    seen: Mapping[str, Seen]
    outside: frozenset[str]

    def worst(self, names: Iterable[str]) -> Visibility:
        """The visibility of an end between points."""
        return min(self.seen[name].visibility for name in names)

    def warnings(self, names: Iterable[str]) -> Iterator[str]:
        """What is to be said of points."""
        for name in names:
            point = self.seen[name]
            if point.visibility == Visibility.ABSENT:
                yield f"{name} absent"
                continue
            if point.visibility == Visibility.OCCLUDED:
                yield f"{name} occluded"
            if point.score < LOW_SCORE:
                yield f"{name} has a low score, {point.score:.2f}"
            if name in self.outside:
                yield f"{name} lies outside the picture"


def _measurement(
    length: Length,
    distance: _Distance | None,
    rule: _Rule | None,
    points: _Points,
    common: Sequence[str],
) -> Measurement:
    starts: Iterable[str] = length.start if distance is None else distance.start
    ends: Iterable[str] = length.end if distance is None else distance.end
    warnings = (*points.warnings(dict.fromkeys((*starts, *ends))), *common)
    seen = points.worst(starts), points.worst(ends)
    if distance is None:
        return Measurement(length, None, None, None, None, None, None, seen, warnings)
    start, end = (place_of(each, points.pixels) for each in (distance.start, distance.end))
    value, low, high = (None, None, None) if rule is None else rule.apply(distance)
    pixels = math.dist(start, end)
    return Measurement(length, value, low, high, pixels, start, end, seen, warnings)


def _outside(pixels: Mapping[str, Place], size: tuple[int, int]) -> frozenset[str]:
    """Names of the points outside a picture of this width and height, if these are known."""
    if size == (0, 0):
        return frozenset()
    width, height = size
    return frozenset(
        name for name, (x, y) in pixels.items() if not (0 <= x <= width and 0 <= y <= height)
    )


def _wanted(category: str, name: str, lengths: Sequence[Length]) -> Length:
    for length in lengths:
        if length.name == name:
            return length
    raise GarmentError(_lacks(category, name))


def _lacks(category: str, name: str) -> str:
    names = ", ".join(length.name for length in lengths_of(category))
    return f"{category}: there is no {name}, only {names}"


def _measured(
    found: Mapping[str, _Distance | None],
    length: Length,
    category: str,
    seen: Mapping[str, Seen],
) -> _Distance:
    """The distance that the scale hangs on.

    Raises:
        GarmentError: Its ends are not there, or in one place.
    """
    distance = found[length.name]
    if distance is None:
        raise GarmentError(
            f"{category}: without its {length.name} there is no scale{_absent(seen)}"
        )
    if distance.value == 0:
        raise GarmentError(f"{category}: both ends of its {length.name} are in one place")
    return distance


def _absent(seen: Mapping[str, Seen]) -> str:
    names = [name for name, point in seen.items() if point.visibility == Visibility.ABSENT]
    return f"; absent: {', '.join(names)}" if names else ""


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)
