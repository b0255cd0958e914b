"""One training or test run, from understood arguments to MMEngine's `Runner`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mmengine
import torch
from mmengine.config import Config, DictAction
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from fashionkp_mm.compat.checkpoints import CheckpointError
from fashionkp_mm.core.box_files import BoxFileError
from fashionkp_mm.core.table import AnnotationError
from fashionkp_mm.images import BrokenImageError
from fashionkp_mm.plugin.box_comparison import as_list, compare_boxes, comparison_table
from fashionkp_mm.plugin.checkpoint_hook import latest_checkpoint
from fashionkp_mm.plugin.cpu_memory import keep_freed_memory
from fashionkp_mm.plugin.label_files import DataNotFoundError
from fashionkp_mm.plugin.pretrained import PretrainedError, set_pretrained

MENDABLE = (
    AnnotationError,
    BoxFileError,
    BrokenImageError,
    DataNotFoundError,
    PretrainedError,
    CheckpointError,
)
"""What the user can mend: a message is enough, a traceback would hide it."""


def train(args: argparse.Namespace) -> None:
    """Train as the arguments of ``tools/train.py`` say."""
    _prepare_cpu()
    cfg = _load_config(args)
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.auto_scale_lr:
        cfg.auto_scale_lr.enable = True
    if args.amp:
        _enable_amp(cfg)
    _finish_config(cfg, args)
    checkpoint = args.resume
    if checkpoint == "auto":
        checkpoint = latest_checkpoint(cfg.work_dir)
    if checkpoint:
        # Whatever weights the first start began with, even those that an option names.
        cfg.resume, cfg.load_from = True, checkpoint
    pretrained = args.pretrained
    if checkpoint or (pretrained == "default" and cfg.get("load_from")):
        # A model that is loaded whole gets its backbone's weights with it.
        pretrained = "none"
    set_pretrained(cfg, pretrained)

    Runner.from_cfg(cfg).train()


def test(args: argparse.Namespace) -> None:
    """Test as the arguments of ``tools/test.py`` say."""
    _prepare_cpu()
    cfg = _load_config(args)
    cfg.load_from = args.checkpoint
    if args.category == "own":
        cfg.test_dataloader.dataset.category_given = False
    if args.dump:
        dump = {"type": "DumpResults", "out_file_path": args.dump}
        cfg.test_evaluator = [*as_list(cfg.test_evaluator), dump]
    _finish_config(cfg, args)

    metrics: dict[str, Any]
    if args.boxes:
        metrics = compare_boxes(cfg, args.boxes, args.detector)
        if is_main_process():
            table = comparison_table(metrics).to_string(float_format="%.2f", na_rep="-")
            print(f"\nBoxes by source, category {args.category}:\n{table}")
    else:
        metrics = Runner.from_cfg(cfg).test()
    if args.out:
        mmengine.dump(metrics, args.out)


def _prepare_cpu() -> None:
    if not torch.cuda.is_available():
        keep_freed_memory()


def _load_config(args: argparse.Namespace) -> Config:
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    cfg = Config.fromfile(args.config)
    cfg.launcher = args.launcher
    if args.launcher == "pytorch" and not torch.cuda.is_available():
        _distribute_on_cpu(cfg)
    if args.work_dir:
        cfg.work_dir = args.work_dir
    elif not cfg.get("work_dir"):
        cfg.work_dir = str(Path("work_dirs") / Path(args.config).stem)
    return cfg


def _distribute_on_cpu(cfg: Config) -> None:
    """Join the other processes by gloo; MMEngine's own way takes a GPU for granted."""
    torch.distributed.init_process_group("gloo")
    cfg.model_wrapper_cfg = {
        "type": "MMDistributedDataParallel",
        "device_ids": None,
        "broadcast_buffers": False,
    }


def _finish_config(cfg: Config, args: argparse.Namespace) -> None:
    if args.show or args.show_dir:
        # MMPose joins a relative folder to the work directory again for every batch.
        folder = str(Path(args.show_dir).resolve()) if args.show_dir else None
        hook = cfg.default_hooks.visualization
        hook.update(show=args.show, wait_time=args.wait_time, interval=args.interval)
        if hook.type == "DetVisualizationHook":
            hook.update(draw=True, test_out_dir=folder)
        else:
            hook.update(enable=True, out_dir=folder)
    merge_options(cfg, args.cfg_options)


def merge_options(cfg: Config, options: Sequence[str]) -> None:
    """Override a config with ``KEY=VALUE`` strings in MMEngine's notation."""
    if options:
        parser = argparse.ArgumentParser()
        parser.add_argument("options", nargs="+", action=DictAction)
        cfg.merge_from_dict(parser.parse_args(options).options)


def _enable_amp(cfg: Config) -> None:
    if torch.cuda.is_available():
        cfg.optim_wrapper.type = "AmpOptimWrapper"
        cfg.optim_wrapper.setdefault("loss_scale", "dynamic")
    else:
        cfg.optim_wrapper.type = "CPUAmpOptimWrapper"
