"""One model tested with boxes from several sources, side by side."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner

from fashionkp_mm.core.box_sources import FROM_DETECTOR, BoxSource
from fashionkp_mm.core.garments import CATEGORY_NAMES

TestSource = BoxSource | Literal["label"]
Metrics = dict[str, float]

_ROWS = {
    "fashionai/NE": "NE %",
    **{f"fashionai/NE_{name}": f"NE % {name}" for name in CATEGORY_NAMES},
    "fashionai/category_accuracy": "category accuracy %",
    "fashionai/visibility_accuracy": "visibility accuracy %",
}
"""What the table shows, with its words for it."""

_WRITTEN = {"submission_file", "predictions_file"}
"""Arguments of metrics that name files to write."""


def compare_boxes(
    cfg: Config, sources: Sequence[TestSource], detector: tuple[str, str] | None = None
) -> dict[str, Metrics]:
    """Test a model once for each source of boxes, in all passes that the source takes.

    Logs and pictures go to a folder each below the work directory. A file of predictions gets the
    source's name: ``predictions.refine.csv``.

    Args:
        cfg: Config of the test, with the checkpoint in ``load_from``.
        sources: Where boxes come from.
        detector: Config and checkpoint of a detector; needed for ``detector``.

    Returns:
        The metrics by source, in the order asked for.

    Raises:
        ConfigError: Boxes from a detector are asked for without one, or it cannot be used.
    """
    results: dict[str, Metrics] = {}
    for source in sources:
        print_log(f"Boxes by '{source}'", logger="current")
        results[source] = Runner.from_cfg(_config(cfg, source, detector)).test()
    return results


def comparison_table(results: Mapping[str, Metrics]) -> pd.DataFrame:
    """Tabulate metrics for people: a column each source; what no model reported has no row."""
    frame = pd.DataFrame(
        {source: {row: metrics.get(row) for row in _ROWS} for source, metrics in results.items()},
        index=list(_ROWS),
        dtype=float,
    )
    return frame.dropna(how="all").rename(index=_ROWS)


def _config(cfg: Config, source: TestSource, detector: tuple[str, str] | None) -> Config:
    changed = copy.deepcopy(cfg)
    changed.work_dir = str(Path(cfg.work_dir) / source)
    if source in ("label", "whole"):
        changed.test_dataloader.dataset.bbox_source = source
    else:
        loop: dict[str, Any] = {"type": "PassesTestLoop", "boxes": source}
        if source in FROM_DETECTOR:
            loop["detector"] = detector
        changed.test_cfg = {**(changed.get("test_cfg") or {}), **loop}
    shown = changed.default_hooks.get("visualization", {})
    if shown.get("out_dir"):
        shown.out_dir = str(Path(shown.out_dir) / source)
    evaluators: list[dict[str, Any]] = as_list(changed.test_evaluator)
    for evaluator in evaluators:
        for name in _WRITTEN & evaluator.keys():
            path = Path(evaluator[name])
            evaluator[name] = str(path.with_suffix(f".{source}{path.suffix}"))
    changed.test_evaluator = evaluators
    return changed


def as_list(evaluators: Any) -> list[dict[str, Any]]:
    """A config's evaluators, of which there may be one or several."""
    return [*evaluators] if isinstance(evaluators, Sequence) else [evaluators]
