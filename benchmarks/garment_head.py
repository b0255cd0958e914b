"""What a `GarmentHead` does to NE: one config trained twice, with and without it, and tested.

    FASHIONAI_ROOT=… python benchmarks/garment_head.py [--epochs N] [CONFIG]

Both trainings have the same seed, data, order of the data and schedule; they differ in the head
alone, whose stock head takes its place. Each is tested after its last epoch, not its best one.
Trainings that were interrupted are resumed, and finished ones are not repeated.
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
from pathlib import Path

from common import RECOGNITION, ROOT, normalized_errors, print_row, test_model, train_model
from mmengine.config import Config

from fashionkp_mm.core.garments import CATEGORY_NAMES

BOXES = ("label", "whole", "refine")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "config", nargs="?", type=Path, default=ROOT / "configs" / "heatmap_lite0_fashion.py"
    )
    parser.add_argument("--epochs", type=int, help="default: MAX_EPOCHS, or the config's")
    parser.add_argument("--work-dir", type=Path, help="default: work_dirs/garment_head/CONFIG")
    args = parser.parse_args()
    if args.epochs:
        os.environ["MAX_EPOCHS"] = str(args.epochs)
    folder = args.work_dir or Path("work_dirs") / "garment_head" / args.config.stem

    config = Config.fromfile(args.config)
    stock = train_model(without_garment_head(config), folder / "stock")
    wrapped = train_model(config, folder / "wrapped")
    without, with_head = (test_model(*trained, BOXES) for trained in (stock, wrapped))

    print(
        f"NE % of `{args.config.name}` after {config.train_cfg.max_epochs} epochs, category given"
    )
    print(f"\n| boxes | head | all | {' | '.join(CATEGORY_NAMES)} |")
    print("|" + "---|" * (3 + len(CATEGORY_NAMES)))
    for source in BOXES:
        before, after = normalized_errors(without[source]), normalized_errors(with_head[source])
        print_row([source, "stock"], before)
        print_row([source, "GarmentHead"], after)
        print_row([source, "difference"], [b - a for a, b in zip(before, after, strict=True)])
    print(f"\nWhat the GarmentHead recognises:\n\n| boxes | {' | '.join(RECOGNITION)} |")
    print("|" + "---|" * (1 + len(RECOGNITION)))
    for source, metrics in with_head.items():
        print_row([source], [metrics[name] for name in RECOGNITION.values()])


def without_garment_head(config: Config) -> Config:
    """The same config with the head that its `GarmentHead` wraps; a neck in there stays a neck."""
    changed = copy.deepcopy(config)
    head = changed.model.head
    if head.type != "GarmentHead":
        sys.exit(f"error: the head of {config.filename} is a {head.type}; expected a GarmentHead")
    if head.get("neck"):
        if changed.model.get("neck"):
            sys.exit(f"error: {config.filename} has a neck before its GarmentHead and one in it")
        changed.model.neck = head.neck
    changed.model.head = head.pose_head
    if head.get("decoder"):
        changed.model.head.decoder = head.decoder
    return changed


if __name__ == "__main__":
    main()
