"""One model tested with boxes from several sources, side by side."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from mmengine.config import Config
from mmengine.dist import barrier, is_main_process
from mmengine.logging import print_log
from mmengine.runner import Runner

from fashionkp_mm.core.boxes import REFINEMENTS
from fashionkp_mm.core.garments import CATEGORY_NAMES

BoxSource = Literal["label", "whole", "refine", "detector"]
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
    cfg: Config, sources: Sequence[BoxSource], detector: tuple[str, str] | None = None
) -> dict[str, Metrics]:
    """Test a model once for each source of boxes, and once for each refinement.

    Logs and pictures go to a folder each below the work directory, box files to ``boxes`` there. A
    file of predictions gets the source's name: ``predictions.refine.csv``.

    Args:
        cfg: Config of the test, with the checkpoint in ``load_from``.
        sources: Where boxes come from.
        detector: Config and checkpoint of a detector; needed for ``detector``.

    Returns:
        The metrics by source, in the order asked for.

    Raises:
        ValueError: Boxes from a detector are asked for without one.
    """
    if "detector" in sources and detector is None:
        raise ValueError("boxes from a detector need a detector")
    around_found, around_detected = (
        [
            Path(cfg.work_dir) / "boxes" / f"{name}_{number}.csv"
            for number in range(1, REFINEMENTS + 1)
        ]
        for name in ("refined", "detected")
    )
    results: dict[str, Metrics] = {}

    def test(source: BoxSource, boxes: str | Path, *more: dict[str, Any]) -> None:
        print_log(f"Boxes by '{source}': {boxes}", logger="current")
        results[source] = Runner.from_cfg(_config(cfg, source, boxes, more)).test()

    def test_and_merge(source: BoxSource, boxes: Sequence[Path]) -> None:
        looks = [str(file.with_suffix(".npz")) for file in boxes[:-1]]
        for look, (around, refined) in zip(looks, pairwise(boxes), strict=True):
            # As found, not as merged: the next boxes are this look's.
            files = {"file": str(refined), "looks_file": look}
            test(source, around, {"type": "RefinedBoxes", **files})
        test(source, boxes[-1], {"type": "MergedLooks", "looks_files": looks})

    if "label" in sources:
        test("label", "label")
    if "whole" in sources or "refine" in sources:
        test("whole", "whole", {"type": "RefinedBoxes", "file": str(around_found[0])})
    if "refine" in sources:
        test_and_merge("refine", around_found)
    if detector is not None and "detector" in sources:
        # Its boxes take the place of the first refined ones.
        if is_main_process():
            _detect(cfg, detector, around_detected[0])
        barrier()
        test_and_merge("detector", around_detected)
    return {source: results[source] for source in sources}


def _detect(cfg: Config, detector: tuple[str, str], out: Path) -> None:
    """Write a detector's boxes for the images of a pose network's test set."""
    # All of MMDetection's models come with it.
    from fashionkp_mm.plugin.detection.detected_boxes import write_detected_boxes  # noqa: PLC0415

    dataset = cfg.test_dataloader.dataset
    same_images = {
        key: dataset[key] for key in ("ann_file", "data_root", "data_prefix") if key in dataset
    }
    given = dataset.get("category_given", True)
    write_detected_boxes(*detector, out, dataset=same_images, category_given=given)


def comparison_table(results: Mapping[str, Metrics]) -> pd.DataFrame:
    """Tabulate metrics for people: a column each source; what no model reported has no row."""
    frame = pd.DataFrame(
        {source: {row: metrics.get(row) for row in _ROWS} for source, metrics in results.items()},
        index=list(_ROWS),
        dtype=float,
    )
    return frame.dropna(how="all").rename(index=_ROWS)


def _config(
    cfg: Config, source: BoxSource, boxes: str | Path, more: Sequence[dict[str, Any]]
) -> Config:
    changed = copy.deepcopy(cfg)
    changed.work_dir = str(Path(cfg.work_dir) / source)
    changed.test_dataloader.dataset.bbox_source = str(boxes)
    shown = changed.default_hooks.get("visualization", {})
    if shown.get("out_dir"):
        shown.out_dir = str(Path(shown.out_dir) / source)
    evaluators: list[dict[str, Any]] = as_list(changed.test_evaluator)
    for evaluator in evaluators:
        for name in _WRITTEN & evaluator.keys():
            path = Path(evaluator[name])
            evaluator[name] = str(path.with_suffix(f".{source}{path.suffix}"))
    # In front: `MergedLooks` changes what the others see.
    changed.test_evaluator = [*more, *evaluators]
    return changed


def as_list(evaluators: Any) -> list[dict[str, Any]]:
    """A config's evaluators, of which there may be one or several."""
    return [*evaluators] if isinstance(evaluators, Sequence) else [evaluators]
