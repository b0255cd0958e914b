"""One training or test run, from understood arguments to MMEngine's `Runner`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import mmengine
import torch
from mmengine.config import Config
from mmengine.dist import get_dist_info, is_main_process
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner

from fashionkp_mm.compat.checkpoints import CheckpointError
from fashionkp_mm.core.box_files import BoxFileError
from fashionkp_mm.core.table import AnnotationError
from fashionkp_mm.core.words import plural
from fashionkp_mm.exchange.formats import FormatError
from fashionkp_mm.images import BrokenImageError
from fashionkp_mm.plugin.checkpoint_hook import latest_checkpoint
from fashionkp_mm.plugin.config_files import ConfigError, merge_options, read_config
from fashionkp_mm.plugin.cpu_memory import keep_freed_memory
from fashionkp_mm.plugin.label_files import DataNotFoundError, read_table, require_labels
from fashionkp_mm.plugin.time_budget import TooSlowError
from fashionkp_mm.plugin.weights import (
    WeightsError,
    read_checkpoint,
    require_match,
    weights_of,
)
from fashionkp_mm.training.box_comparison import as_list, compare_boxes, comparison_table
from fashionkp_mm.training.pretrained import PretrainedError, set_pretrained
from fashionkp_mm.training.written_files import require_written_apart

_STATE_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
_OWN_DATASETS = ("FashionAIDataset", "FashionAIDetDataset")


class ResumeError(RuntimeError):
    """A checkpoint that training cannot go on from."""


USER_ERRORS = (
    AnnotationError,
    BoxFileError,
    BrokenImageError,
    CheckpointError,
    ConfigError,
    DataNotFoundError,
    FormatError,
    PretrainedError,
    ResumeError,
    TooSlowError,
    WeightsError,
    OSError,
)
"""Errors of what the user gave: a message is enough, a traceback would hide it."""


def run_training(args: argparse.Namespace) -> None:
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
    phases = ["train", *([] if args.no_validate else ["val"])]
    _require_data(cfg, *phases)
    require_written_apart(cfg, phases, read=[args.config, *([checkpoint] if checkpoint else [])])
    if checkpoint:
        _require_training_state(cfg, args.config, checkpoint)
        # Whatever weights the first start began with, even those that an option names.
        cfg.resume, cfg.load_from = True, checkpoint
    pretrained = args.pretrained
    if checkpoint or (pretrained == "default" and cfg.get("load_from")):
        # A model that is loaded whole gets its backbone's weights with it.
        pretrained = "none"
    set_pretrained(cfg, pretrained)

    runner = _ResumingRunner.from_cfg(cfg)
    if args.amp and torch.cuda.is_available():
        # What tensor cores compute in; benchmarks/gpu_step.py has the time that it saves.
        runner.model.to(memory_format=torch.channels_last)
    runner.train()


def run_test(args: argparse.Namespace) -> None:
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
    require_written_apart(
        cfg,
        ["test"],
        read=[args.config, args.checkpoint, *(args.detector or ())],
        written=[path for path in (args.out, args.dump) if path],
        suffixes=args.boxes or (),
    )
    _require_weights(cfg, args.config, args.checkpoint)
    if args.detector:
        _require_detector(*args.detector)
    _require_data(cfg, "test")

    metrics: dict[str, Any]
    if args.boxes:
        metrics = compare_boxes(cfg, args.boxes, args.detector)
        if is_main_process():
            table = comparison_table(metrics).to_string(float_format="%.2f", na_rep="-")
            print(f"\nBoxes by source, category {args.category}:\n{table}")
    else:
        metrics = Runner.from_cfg(cfg).test()
    if args.out and is_main_process():
        mmengine.dump(metrics, args.out)


class _ResumingRunner(Runner):
    """A runner that names the checkpoint where training cannot go on from it."""

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        try:
            super().resume(filename, *args, **kwargs)
        # What is wrong with a state shows wherever MMEngine, torch and the hooks take it apart.
        except _STATE_ERRORS as error:
            raise _resume_error(filename, error) from error


def _resume_error(filename: str, error: Exception) -> ResumeError:
    said = " ".join(str(error).split())
    return ResumeError(
        f"--resume {filename}: the state of the training in it does not belong to this config"
        f" ({type(error).__name__}: {said}). To start anew from its weights, pass --cfg-options"
        f" load_from={filename} and no --resume"
    )


def _require_data(cfg: Config, *phases: str) -> None:
    """Refuse labels that are missing or too few, before anything else takes its time.

    Raises:
        DataNotFoundError: Labels are not where the config looks for them.
        AnnotationError: They break a rule of their format.
        ConfigError: They are of fewer garments than one batch.
    """
    for phase in phases:
        loader = cfg.get(f"{phase}_dataloader")
        if not loader or loader.dataset.get("type") not in _OWN_DATASETS:
            continue
        labels = Path(loader.dataset.get("data_root") or "", loader.dataset.ann_file)
        require_labels(labels)
        batch = loader.get("batch_size", 1) * get_dist_info()[1]
        if phase == "train" and loader.get("drop_last"):
            garments = len(read_table(str(labels)))
            if garments < batch:
                raise ConfigError(
                    f"{labels}: {plural(garments, 'garment')}, fewer than one batch of {batch};"
                    f" pass --cfg-options train_dataloader.batch_size={max(garments, 1)} or less"
                )


def _require_weights(cfg: Config, config: str, checkpoint: str) -> dict[str, Any]:
    """Refuse a checkpoint that is not the config's: MMEngine only logs what does not fit."""
    if "model" not in cfg:
        raise ConfigError(f"{config}: there is no 'model' in it; give the config of a model")
    content = read_checkpoint(checkpoint)
    init_default_scope(cfg.get("default_scope", "mmpose"))
    own = MODELS.build(cfg.model).state_dict()
    require_match(own, weights_of(content, checkpoint), config, checkpoint, more=True)
    return content


def _require_detector(config: str, checkpoint: str) -> None:
    """Refuse a detector that cannot be used before other boxes are tested."""
    # All of MMDetection's models come with it.
    from fashionkp_mm.plugin.detection.detected_boxes import DetectedBoxes  # noqa: PLC0415

    DetectedBoxes(config, checkpoint)


def _require_training_state(cfg: Config, config: str, checkpoint: str) -> None:
    content = _require_weights(cfg, config, checkpoint)
    missing = [key for key in ("meta", "message_hub", "optimizer") if key not in content]
    if missing:
        raise ResumeError(
            f"--resume {checkpoint}: holds weights but no state of a training (missing:"
            f" {', '.join(missing)}). To start from these weights, pass --cfg-options"
            f" load_from={checkpoint} and no --resume"
        )


def _prepare_cpu() -> None:
    if not torch.cuda.is_available():
        keep_freed_memory()


def _load_config(args: argparse.Namespace) -> Config:
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    cfg = read_config(args.config)
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


def _enable_amp(cfg: Config) -> None:
    if torch.cuda.is_available():
        cfg.optim_wrapper.type = "AmpOptimWrapper"
        cfg.optim_wrapper.setdefault("loss_scale", "dynamic")
    else:
        cfg.optim_wrapper.type = "CPUAmpOptimWrapper"
