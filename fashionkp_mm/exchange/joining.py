"""Several files of garments as one, such as those of the shards of a run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from fashionkp_mm.core.table import AnnotationError, KeypointTable, Problem
from fashionkp_mm.exchange.table import GarmentTable


def joined(parts: Sequence[tuple[Path, GarmentTable]]) -> GarmentTable:
    """The garments of all parts, one part behind the other.

    Args:
        parts: One or more tables, with the files that they were read from.

    Raises:
        AnnotationError: A picture stands in two parts: which garments count nobody can say.
    """
    first: dict[str, Path] = {}
    problems = []
    for file, table in parts:
        for image_id in table.pictures:
            other = first.setdefault(image_id, file)
            if other is not file:
                problems.append(
                    Problem(
                        str(file),
                        0,
                        "",
                        image_id,
                        f"the picture stands in {other} as well; merge parts of one run, each once",
                        cause="twice",
                    )
                )
    if problems:
        raise AnnotationError(problems)
    tables = [table for _, table in parts]
    extras: list[dict[str, object]] = []
    for table in tables:
        extras += [dict(each) for each in table.extras or [{}] * len(table)]
    return GarmentTable(
        garments=KeypointTable.joined([table.garments for table in tables]),
        pictures=tuple(chain.from_iterable(table.pictures for table in tables)),
        sizes=np.concatenate([table.sizes for table in tables]),
        boxes=np.concatenate([table.boxes for table in tables]),
        scores=np.concatenate([table.scores for table in tables]),
        keypoint_scores=np.concatenate([table.keypoint_scores for table in tables]),
        extras=tuple(extras) if any(table.extras for table in tables) else (),
        warnings=tuple(chain.from_iterable(table.warnings for table in tables)),
    )
