"""What a folder of predictions holds, summed up without holding it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionkp_mm.batch.scale.plan import parquet_files
from fashionkp_mm.batch.scale.storage import ScaleError, opened
from fashionkp_mm.core.garments import KEYPOINT_NAMES
from fashionkp_mm.exchange import parquet

BANDS = np.round(np.linspace(0, 1, 11), 1)
"""Bounds of the bands that scores are counted in."""
_ROWS = 65_536


@dataclass
class Summary:
    """A folder of predictions in numbers.

    Attributes:
        pictures: How many there are.
        empty: How many of them show no garment.
        garments: How many garments there are, by category.
        errors: How many pictures could not be predicted, by what was wrong.
        scores: ``(10,)`` garments by the band of `BANDS` that their score lies in.
        parts: How many files there are.
        seconds: How long workers took for all parts, as far as the parts say.
        slowest: Name, seconds, pictures and machine of the part that took longest.
    """

    pictures: int = 0
    empty: int = 0
    garments: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    scores: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(BANDS) - 1, np.int64))
    parts: int = 0
    seconds: float = 0.0
    slowest: tuple[str, float, int, str] | None = None

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        slowest = None
        if self.slowest is not None:
            slowest = dict(zip(("part", "seconds", "pictures", "host"), self.slowest, strict=True))
        return {
            "pictures": self.pictures,
            "without_garment": self.empty,
            "garments": dict(self.garments.most_common()),
            "errors": dict(self.errors.most_common()),
            "scores": {
                f"{low:g}-{high:g}": int(count)
                for low, high, count in zip(BANDS, BANDS[1:], self.scores, strict=False)
            },
            "parts": self.parts,
            "seconds": round(self.seconds, 3),
            "slowest_part": slowest,
        }


def summarize(where: str) -> Summary:
    """Sum up a folder of Parquet predictions, or one file.

    Args:
        where: A path or a URI.

    Raises:
        ScaleError: There is no file, or one is no Parquet of predictions.
        OSError: A file cannot be read.
    """
    summary = Summary()
    for name in parquet_files(where):
        if PurePosixPath(name).name.startswith("_"):
            continue
        summary.parts += 1
        with opened(name) as file:
            try:
                _add(summary, name, file)
            except (KeyError, ValueError) as error:
                raise ScaleError(f"{name}: no Parquet file of predictions ({error})") from None
    if not summary.parts:
        raise ScaleError(f"{where}: holds no predictions yet")
    return summary


def error_kind(message: str) -> str:
    """What is wrong with a picture, less its name, numbers and remedies.

    ``a.jpg: the image is too large to be decoded (9x9 pixels); …`` is ``the image is too large to
    be decoded``.
    """
    _, colon, reason = message.partition(": ")
    kind = re.split(r"[;(,]", reason if colon else message)[0]
    return re.sub(r"\d+", "N", kind).strip() or message


def _add(summary: Summary, name: str, file: Any) -> None:
    import pyarrow.parquet as pq  # noqa: PLC0415
    from pyarrow import compute  # noqa: PLC0415

    facts = parquet.read_facts(file)
    file.seek(0)
    if "seconds" in facts:
        seconds = float(facts["seconds"])
        summary.seconds += seconds
        if summary.slowest is None or seconds > summary.slowest[1]:
            part = PurePosixPath(name).name
            summary.slowest = part, seconds, int(facts["pictures"]), facts["host"]
    table = pq.ParquetFile(file)
    errors = parquet.ERROR in table.schema_arrow.names
    columns = ["image_id", "category", "score", "box_score", *([parquet.ERROR] if errors else [])]
    columns += [f"{point}_score" for point in KEYPOINT_NAMES]
    last = None
    for batch in table.iter_batches(batch_size=_ROWS, columns=columns):
        # A picture's garments stand one below the other, also across batches.
        ids = batch["image_id"]
        runs = compute.run_end_encode(ids)
        summary.pictures += len(runs.values) - int(last is not None and ids[0].as_py() == last)
        last = ids[len(ids) - 1].as_py()
        for each in compute.value_counts(batch["category"]).to_pylist():
            if each["values"] is not None:
                summary.garments[each["values"]] += each["counts"]
        failed = compute.sum(compute.is_valid(batch[parquet.ERROR])).as_py() if errors else 0
        missing = batch["category"].null_count
        summary.empty += missing - failed
        if failed:
            for message in batch[parquet.ERROR].drop_null().to_pylist():
                summary.errors[error_kind(message)] += 1
        summary.scores += _bands(batch)


def _bands(batch: Any) -> NDArray[np.int64]:
    """Garments by the band of their score, which may be its parts' product."""
    points = np.column_stack(
        [
            batch[f"{point}_score"].to_numpy(zero_copy_only=False).astype(float)
            for point in KEYPOINT_NAMES
        ]
    )
    known = ~np.isnan(points)
    counts = known.sum(axis=1)
    means = np.where(known, points, 0).sum(axis=1) / np.maximum(counts, 1)
    boxes, own = (
        batch[name].to_numpy(zero_copy_only=False).astype(float) for name in ("box_score", "score")
    )
    scores = np.where(np.isnan(own), boxes * means, own)
    scores = scores[~np.isnan(scores) & batch["category"].is_valid().to_numpy(False)]
    counted: NDArray[np.int64] = np.histogram(scores, BANDS)[0].astype(np.int64)
    return counted
