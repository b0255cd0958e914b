"""Hooks that keep a training from failing late, and its processes from drifting apart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from mmengine.dist import all_reduce_params
from mmengine.hooks import EMAHook, Hook, SyncBuffersHook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch.nn.modules.batchnorm import _BatchNorm

from fashionkp_mm.core.uris import is_uri
from fashionkp_mm.core.words import listed
from fashionkp_mm.images import BrokenImageError
from fashionkp_mm.plugin.dataset import FashionAIDataset


@HOOKS.register_module()
class CheckImagesHook(Hook):
    """Stops a training before its first epoch if images are missing, and names them.

    Raises:
        BrokenImageError: Images of the training or the validation set do not exist.
    """

    def before_train(self, runner: Runner) -> None:
        """Look for every image file of both data sets."""
        loaders = [runner.train_loop.dataloader]
        if runner.val_loop is not None:
            loaders.append(runner.val_loop.dataloader)
        for loader in loaders:
            for dataset in _fashionai_datasets(loader.dataset):
                _require_images(dataset)


def _fashionai_datasets(dataset: Any) -> Iterator[FashionAIDataset]:
    """The data set itself, or those in it: wrappers call them ``dataset``, joints ``datasets``."""
    if isinstance(dataset, FashionAIDataset):
        yield dataset
        return
    inner = getattr(dataset, "dataset", None)
    for part in getattr(dataset, "datasets", [] if inner is None else [inner]):
        yield from _fashionai_datasets(part)


def _require_images(dataset: FashionAIDataset) -> None:
    paths = (dataset.get_data_info(index)["img_path"] for index in range(len(dataset)))
    # Path.is_file raises where a path is too long.
    here = (path for path in paths if not is_uri(path))
    missing = [path for path in here if not os.path.isfile(path)]  # noqa: PTH113
    if missing:
        raise BrokenImageError(
            f"{len(missing)} of the {len(dataset)} images of {dataset.ann_file} are missing:"
            f" {listed(missing)}. Put them there, or point data_prefix.img at the folder that the"
            " image ids start from"
        )


@HOOKS.register_module()
class KeepNormStatisticsHook(Hook):
    """Trains with the batch norms' statistics as they are, as a tested model has them.

    For a model that goes on from good weights with few pictures: the statistics of small batches
    would replace, within some ten steps, those of the many pictures that the weights belong to.
    The norms' scales and shifts learn as ever.
    """

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None
    ) -> None:
        """Set the norms to evaluation; a loop sets the whole model to training each epoch."""
        for module in runner.model.modules():
            if isinstance(module, _BatchNorm):
                module.eval()


@HOOKS.register_module()
class SyncAllBuffersHook(SyncBuffersHook):
    """MMEngine's `SyncBuffersHook` for the averaged model as well.

    `EMAHook` averages batch norms' statistics in each process by itself, and MMEngine leaves them
    apart. So each process validates another network than is saved, and the NE of a training in
    several processes is none that its checkpoint has.
    """

    def after_train_epoch(self, runner: Runner) -> None:
        """Take the processes' mean of all buffers."""
        super().after_train_epoch(runner)
        for hook in runner.hooks if self.distributed else ():
            if isinstance(hook, EMAHook):
                all_reduce_params(hook.ema_model.module.buffers(), op="mean")
