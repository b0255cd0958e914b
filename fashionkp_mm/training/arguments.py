"""The command lines of ``tools/``, as MMPose users know them from MMPose's own.

MMEngine and torch are imported only once the arguments are understood, so that ``-h`` is quick.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from fashionkp_mm.compat.broken_imports import explained
from fashionkp_mm.compat.streams import print_anything
from fashionkp_mm.core.box_sources import BOX_SOURCES, FROM_DETECTOR
from fashionkp_mm.core.words import error_message

_LAUNCHERS = ("none", "pytorch", "slurm", "mpi")


def train(argv: Sequence[str] | None = None) -> None:
    """Entry point of ``tools/train.py``."""
    parser = argparse.ArgumentParser(description="Train a model on apparel keypoints.")
    parser.add_argument("config", help="path of the model's config")
    parser.add_argument("--work-dir", help="folder for logs and checkpoints")
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        metavar="CHECKPOINT",
        help="go on from a checkpoint; without a value, from the work directory's last one",
    )
    parser.add_argument(
        "--amp",
        action="store_true",
        help="mixed precision, channels last: float16 on a GPU; on a CPU bfloat16 where that is"
        " faster there than float32 (measured at the start)",
    )
    parser.add_argument(
        "--pretrained",
        default="default",
        metavar="default|none|FILE",
        help="weights the backbone starts from: the config's (downloaded), none, or a file's",
    )
    parser.add_argument("--no-validate", action="store_true", help="do not validate while training")
    parser.add_argument(
        "--auto-scale-lr", action="store_true", help="scale the learning rate with the batch size"
    )
    _add_common_arguments(parser)
    _run("train", parser.parse_args(argv))


def test(argv: Sequence[str] | None = None) -> None:
    """Entry point of ``tools/test.py``."""
    parser = argparse.ArgumentParser(description="Test a model on apparel keypoints.")
    parser.add_argument("config", help="path of the model's config")
    parser.add_argument("checkpoint", help="path of the checkpoint")
    parser.add_argument("--work-dir", help="folder for logs and results")
    parser.add_argument("--out", help="file for the metrics (.json, .yaml, .pkl)")
    parser.add_argument("--dump", help="file for all predictions (.pkl), for MMPose's tools")
    parser.add_argument(
        "--boxes",
        nargs="+",
        choices=("label", *BOX_SOURCES),
        help="test once with the boxes of each source, and print one table; a source is the labels,"
        " the whole image, the whole image refined by the points found, or a detector",
    )
    parser.add_argument(
        "--detector",
        nargs=2,
        metavar=("CONFIG", "CHECKPOINT"),
        help="config and checkpoint of the detector for --boxes detector and fast",
    )
    parser.add_argument(
        "--category",
        choices=("given", "own"),
        default="given",
        help="whether the model is given the labelled category or chooses one itself",
    )
    _add_common_arguments(parser)
    args = parser.parse_args(argv)
    if bool(args.detector) == FROM_DETECTOR.isdisjoint(args.boxes or ()):
        parser.error("--boxes detector or fast and --detector CONFIG CHECKPOINT belong together")
    if args.boxes and args.dump:
        parser.error("--dump holds one test's predictions; leave it out, or --boxes")
    _run("test", args)


def browse(argv: Sequence[str] | None = None) -> None:
    """Entry point of ``tools/browse_dataset.py``."""
    parser = argparse.ArgumentParser(description="Draw augmented samples with their labels.")
    parser.add_argument("config", help="path of the model's config")
    parser.add_argument("--output-dir", default="browse", help="folder for the pictures")
    parser.add_argument("--phase", choices=("train", "val", "test"), default="train")
    parser.add_argument("--max-items", type=int, default=50, help="number of samples to draw")
    parser.add_argument("--names", action="store_true", help="write the keypoints' names")
    _add_cfg_options(parser)
    _run("browse", parser.parse_args(argv))


def neighbours(argv: Sequence[str] | None = None) -> None:
    """Entry point of ``tools/label_neighbours.py``."""
    parser = argparse.ArgumentParser(
        description="Label the garments beside the labelled ones, as the models see them."
    )
    parser.add_argument("labels", help="labels of any format that fashionkp convert reads")
    parser.add_argument("out", help="file for these labels and the new ones, such as all.json")
    parser.add_argument("--images", required=True, help="folder that the image ids start from")
    parser.add_argument("--model", help="ONNX file of a pose network; by default what ships")
    parser.add_argument("--detector", help="ONNX file of a detector; by default what ships")
    _run("neighbours", parser.parse_args(argv))


def average(argv: Sequence[str] | None = None) -> None:
    """Entry point of ``tools/average_weights.py``."""
    parser = argparse.ArgumentParser(
        description="Average the weights of trainings that went on from the same ones."
    )
    parser.add_argument("out", help="file for the mean, such as mean.pth")
    parser.add_argument("checkpoints", nargs="+", help="what tools/train.py saved, of one config")
    _run("average", parser.parse_args(argv))


def _add_common_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--show-dir", help="folder for pictures of the predictions")
    parser.add_argument("--show", action="store_true", help="show the pictures in a window")
    parser.add_argument("--interval", type=int, default=1, help="draw every n-th sample")
    parser.add_argument("--wait-time", type=float, default=1, help="seconds a window stays open")
    _add_cfg_options(parser)
    parser.add_argument("--launcher", choices=_LAUNCHERS, default="none", help="job launcher")
    # torch.distributed.launch passes either spelling.
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help=argparse.SUPPRESS)


def _add_cfg_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="override the config, e.g. train_dataloader.batch_size=16",
    )


def _run(name: str, args: argparse.Namespace) -> None:
    """Run, and turn errors of what the user gave into one message instead of a traceback."""
    print_anything()
    try:
        # These import torch and MMPose.
        from fashionkp_mm.training import runs  # noqa: PLC0415
        from fashionkp_mm.training.averages import average_weights  # noqa: PLC0415
        from fashionkp_mm.training.browse import draw_samples  # noqa: PLC0415
        from fashionkp_mm.training.neighbours import label_neighbours  # noqa: PLC0415
    except ImportError as error:
        sys.exit(f"error: {explained(error)}")

    try:
        {
            "train": runs.run_training,
            "test": runs.run_test,
            "browse": draw_samples,
            "neighbours": label_neighbours,
            "average": average_weights,
        }[name](args)
    except ImportError as error:
        sys.exit(f"error: {explained(error)}")
    except runs.USER_ERRORS as error:
        sys.exit(f"error: {error_message(error)}")
