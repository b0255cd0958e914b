"""Pictures of what the network is shown: augmented samples with their labels."""

from __future__ import annotations

import argparse
from pathlib import Path

from mmengine.registry import DATASETS, VISUALIZERS, init_default_scope
from mmengine.utils import track_iter_progress

from fashionkp_mm.plugin.config_files import merge_options, read_config


def draw_samples(args: argparse.Namespace) -> None:
    """Draw samples as the arguments of ``tools/browse_dataset.py`` say."""
    cfg = read_config(args.config)
    merge_options(cfg, args.cfg_options)
    init_default_scope(cfg.default_scope)
    settings = cfg[f"{args.phase}_dataloader"].dataset
    is_pose = settings.pipeline[-1].type == "PackPoseInputs"
    if is_pose:
        settings.pipeline[-1].pack_transformed = True
    dataset = DATASETS.build(settings)
    visualizer = VISUALIZERS.build(cfg.visualizer)
    if is_pose:
        visualizer.set_dataset_meta(dataset.metainfo)
    else:
        visualizer.dataset_meta = dataset.metainfo

    folder = Path(args.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    count = min(len(dataset), args.max_items)
    for index in track_iter_progress(range(count)):
        item = dataset[index]
        sample = item["data_samples"]
        stem = Path(sample.img_path).stem
        if not is_pose:
            boxes = sample.gt_instances.bboxes
            if args.phase != "train":
                # Testing needs them in pixels of the picture.
                boxes.rescale_(sample.scale_factor)
            # MMDetection's visualizer does not take the box type of its own pipelines.
            sample.gt_instances.bboxes = boxes.tensor
        visualizer.add_datasample(
            stem,
            item["inputs"].permute(1, 2, 0).numpy()[..., ::-1],
            sample,
            draw_pred=False,
            out_file=str(folder / f"{index:05d}_{stem}.png"),
            **({"show_kpt_idx": args.names} if is_pose else {}),
        )
    print(f"{count} samples drawn to {folder.resolve()}")
