"""What each part of a recipe is worth: one config trained again and again, with one change a time.

    FASHIONAI_ROOT=… python benchmarks/training_ablation.py [--epochs N] [--config CONFIG] [ROW …]

Each training has the same seed, data and number of epochs, and is tested after its last epoch, not
its best one, the category given. Trainings that were interrupted are resumed, and finished ones are
not repeated. Without a ROW all are trained; ``--list`` names them.
"""

from __future__ import annotations

import argparse
import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import ROOT, print_row, test_model, train_model
from garment_head import without_garment_head
from mmengine.config import Config

from fashionkp_mm.plugin.config_helpers import with_transforms

BOXES = ("label", "whole", "refine")
PERSPECTIVE = {"type": "RandomCropPerspective", "prob": 0.5, "max_shift": 0.1}
ERASING = {"type": "RandomCropErasing", "prob": 0.5}

Change = Callable[[Config], None]


def without(kind: str) -> Change:
    """Leave a transform out of both stages."""

    def change(config: Config) -> None:
        for pipeline in pipelines(config):
            pipeline[:] = [step for step in pipeline if step["type"] != kind]

    return change


def with_transform(transform: dict[str, Any]) -> Change:
    """Change the crops of both stages."""

    def change(config: Config) -> None:
        for pipeline in pipelines(config):
            pipeline[:] = with_transforms(pipeline, "TopdownAffine", transform)

    return change


def with_stock_head(config: Config) -> None:
    config.model = without_garment_head(config).model


def without_condition(config: Config) -> None:
    config.model.head.condition = False


def with_heavier_recognition(config: Config) -> None:
    config.model.head.update(category_weight=0.1, visibility_weight=0.1)


def without_average(config: Config) -> None:
    config.custom_hooks = [hook for hook in config.custom_hooks if hook["type"] != "EMAHook"]


def with_frozen_stages(config: Config) -> None:
    config.model.backbone.frozen_stages = 2


def without_occluded(config: Config) -> None:
    for pipeline in pipelines(config):
        for step in pipeline:
            if step["type"] == "WeightOccludedKeypoints":
                step["weight"] = 0.0


CHANGES: dict[str, tuple[str, Change | None]] = {
    "base": ("as the config says", None),
    "stock-head": ("MMPose's head alone, no `GarmentHead`", with_stock_head),
    "recognition": (
        "category and visibility weigh ten times as much",
        with_heavier_recognition,
    ),
    "wider-boxes": ("boxes never widened towards the image", without("RandomWiderBBox")),
    "condition": ("the category does not condition the features", without_condition),
    "perspective": ("crops seen from another side", with_transform(PERSPECTIVE)),
    "erasing": ("rectangles hidden", with_transform(ERASING)),
    "colours": ("colours left as they are", without("GarmentHSVAug")),
    "occluded": ("occluded points not trained on", without_occluded),
    "average": ("no average of the weights", without_average),
    "frozen": ("one stage more of the backbone frozen", with_frozen_stages),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="default: all, see --list")
    parser.add_argument(
        "--config", type=Path, default=ROOT / "configs" / "heatmap_lite0_fashion.py"
    )
    parser.add_argument("--epochs", type=int, help="default: MAX_EPOCHS, or the config's")
    parser.add_argument("--work-dir", type=Path, help="default: work_dirs/ablation/CONFIG")
    parser.add_argument("--list", action="store_true", help="name the rows and stop")
    args = parser.parse_args()
    unknown = set(args.rows) - set(CHANGES)
    if unknown:
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(CHANGES)}")
    if args.list:
        for name, (words, _) in CHANGES.items():
            print(f"{name:12} {words}")
        return
    if args.epochs:
        os.environ["MAX_EPOCHS"] = str(args.epochs)
    folder = args.work_dir or Path("work_dirs") / "ablation" / args.config.stem

    base = Config.fromfile(args.config)
    print(f"NE % of `{args.config.name}` after {base.train_cfg.max_epochs} epochs, category given")
    print(f"\n| change | {' | '.join(BOXES)} |\n{'|---' * (1 + len(BOXES))}|", flush=True)
    for name in args.rows or CHANGES:
        words, change = CHANGES[name]
        config = copy.deepcopy(base)
        if change is not None:
            change(config)
        results = test_model(*train_model(config, folder / name), BOXES)
        print_row([words], [results[source]["fashionai/NE"] for source in BOXES])


def pipelines(config: Config) -> list[list[dict[str, object]]]:
    """The training pipelines of both stages, to be changed in place."""
    switches = [hook for hook in config.custom_hooks if "switch_pipeline" in hook]
    return [
        config.train_dataloader.dataset.pipeline,
        *(hook["switch_pipeline"] for hook in switches),
    ]


if __name__ == "__main__":
    main()
