"""The checkpoints that training leaves behind: plain data, and a good one at every moment."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.logging import HistoryBuffer
from mmengine.registry import HOOKS
from mmengine.runner import BaseLoop, Runner, find_latest_checkpoint

from fashionkp_mm.compat.checkpoints import load_checkpoint_file
from fashionkp_mm.core.files import remove_parts, write_atomically

_ALREADY_PLAIN = ("state_dict", "ema_state_dict")
_PLAIN_LEAVES = (torch.Tensor, torch.Size, torch.device, torch.dtype, complex, bytes, bytearray)
_CONTAINERS: dict[type[Iterable[Any]], type] = {
    tuple: tuple,
    list: list,
    deque: list,
    set: set,
    frozenset: set,
}

_SAVED = ("epoch_*.pth", "iter_*.pth")
"""What MMEngine calls the checkpoints that training goes on from."""
_OUTDATED = ".outdated_checkpoints"
"""Name of the note; each of its lines is the name of a file beside it."""
_HISTORY_KEYS = {"log_history", "count_history", "max_length"}


@HOOKS.register_module()
class PlainCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, to be used in its place: the same arguments, safer files.

    * What is saved loads with ``torch.load(weights_only=True)`` and nothing else installed: NumPy
      arrays become lists, and the message hub's histories dictionaries of tensors. On loading they
      become histories again, so that training resumes as it would have gone on. Stock MMEngine
      loads and resumes these files too; it starts the log's running means afresh.
    * An outdated checkpoint is deleted after the one that replaces it was saved, not before. Which
      one that will be is noted in the folder, so that training that was killed in between deletes
      it when it is resumed.

    Together with ``fashionkp_mm.compat.atomic_write`` a complete checkpoint stands on the disk
    whenever training is killed after its first was saved; `latest_checkpoint` finds the newest.
    """

    file_backend: Any
    _postponed_removals: _PostponedRemovals | None = None

    def before_train(self, runner: Runner) -> None:
        """Find the folder for checkpoints, and delete there what killed training left."""
        super().before_train(runner)
        if is_main_process():
            remove_parts(Path(self.out_dir))
            self._finish_removals(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Replace all that is not a tensor or plain data."""
        for key in checkpoint.keys() - set(_ALREADY_PLAIN):
            checkpoint[key] = plain(checkpoint[key], f"checkpoint[{key!r}]")

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Give the message hub its histories back, and the data set's metainfo its arrays.

        A config in the file is dropped: MMEngine runs it, to compare the number of GPUs.
        """
        if isinstance(meta := checkpoint.get("meta"), dict):
            meta.pop("config", None)
        log_scalars = checkpoint.get("message_hub", {}).get("log_scalars", {})
        for name, value in log_scalars.items():
            if isinstance(value, Mapping) and value.keys() == _HISTORY_KEYS:
                log_scalars[name] = HistoryBuffer(
                    value["log_history"].cpu().numpy(),
                    value["count_history"].cpu().numpy(),
                    value["max_length"],
                )
        # MMEngine compares the metainfo with the data set's, byte by byte, before it resumes. Only
        # a training loop that is built has one to compare; a test has none, and asking builds it.
        if isinstance(runner._train_loop, BaseLoop):
            current = getattr(runner.train_dataloader.dataset, "metainfo", None)
            meta = checkpoint.get("meta", {})
            if current is not None and plain(current) == meta.get("dataset_meta"):
                meta["dataset_meta"] = current

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        with self._removing_afterwards():
            super()._save_checkpoint_with_step(runner, step, meta)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, Any]) -> None:
        with self._removing_afterwards():
            super()._save_best_checkpoint(runner, metrics)

    @contextmanager
    def _removing_afterwards(self) -> Iterator[None]:
        """Postpone removals until the block ended well; blocks may stand in each other."""
        if self._postponed_removals is not None:
            yield
            return
        backend = self.file_backend
        self.file_backend = self._postponed_removals = _PostponedRemovals(backend, self._note)
        try:
            yield
        finally:
            postponed, self._postponed_removals = self._postponed_removals, None
            self.file_backend = backend
        # The best epoch evaluated again has the name of the file that it replaces.
        postponed.carry_out(keep=self._current_paths())

    def _current_paths(self) -> set[str | None]:
        best = getattr(self, "best_ckpt_path_dict", {}).values()
        return {self.last_ckpt, getattr(self, "best_ckpt_path", None), *best}

    @property
    def _note(self) -> Path:
        return Path(self.out_dir) / _OUTDATED

    def _finish_removals(self, runner: Runner) -> None:
        """Delete the checkpoints that were outdated when training was killed."""
        if not self._note.is_file():
            return
        outdated = self._note.read_text().splitlines()
        self._adopt_best(runner, outdated)
        kept = {
            Path(self.out_dir) / self.filename_tmpl.format(step)
            for step in getattr(self, "keep_ckpt_ids", ())
        }
        kept |= {Path(path) for path in self._current_paths() if path}
        for name in outdated:
            # What is kept was to be replaced by a checkpoint that was never completed.
            path = self._note.with_name(Path(name).name)
            if path not in kept:
                path.unlink(missing_ok=True)
                runner.logger.info(f"The outdated checkpoint {path} is removed")
        self._note.unlink()

    def _adopt_best(self, runner: Runner, outdated: list[str]) -> None:
        """Take a best checkpoint that was saved just before training was killed for the best.

        The checkpoint that training goes on from was saved before it and does not know it.
        """
        best: str | None = getattr(self, "best_ckpt_path", None)
        if best is None or Path(best).name not in outdated:
            return
        step = self.filename_tmpl.format(runner.epoch if self.by_epoch else runner.iter)
        path = self._note.with_name(f"best_{self.key_indicators[0]}_{step}".replace("/", "_"))
        if path.is_file():
            saved = load_checkpoint_file(path, "cpu")["message_hub"]["runtime_info"]
            self.best_ckpt_path = str(path)
            runner.message_hub.update_info("best_ckpt", self.best_ckpt_path)
            runner.message_hub.update_info("best_score", saved["best_score"])


class _PostponedRemovals:
    """A file backend that only notes what to remove, in memory and in a file."""

    def __init__(self, backend: Any, note: Path) -> None:
        self._backend = backend
        self._note = note
        self._removals: list[tuple[str, str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        self._postpone("remove", path)

    def rmtree(self, path: str) -> None:
        self._postpone("rmtree", path)

    def _postpone(self, method: str, path: str) -> None:
        self._removals.append((method, path))
        if self._note.parent.is_dir():
            names = "".join(f"{Path(path).name}\n" for _, path in self._removals)
            write_atomically(self._note, names.encode())

    def carry_out(self, keep: set[str | None]) -> None:
        for method, path in self._removals:
            if path not in keep:
                getattr(self._backend, method)(path)
        self._note.unlink(missing_ok=True)


def latest_checkpoint(folder: str | PathLike[str]) -> str | None:
    """The newest checkpoint that training has saved in a folder, if there is one.

    MMEngine notes its name in the file ``last_checkpoint``, but only after it was saved: after a
    kill between the two there is no name, or that of the checkpoint before. So the files themselves
    decide, and the note only where there are none, as where checkpoints lie elsewhere.
    """
    saved = [path for name in _SAVED for path in Path(folder).glob(name)]
    if saved:
        return str(max(saved, key=lambda path: path.stat().st_mtime_ns))
    noted: str | None = find_latest_checkpoint(fspath(folder))
    return noted


def plain(value: Any, where: str = "checkpoint") -> Any:
    """Copy a tree of containers, NumPy's and MMEngine's types replaced by Python's and torch's.

    Args:
        value: The tree.
        where: Its name, for the error.

    Raises:
        TypeError: A leaf is of a type that ``torch.load(weights_only=True)`` would refuse; better
            to hear it when the first checkpoint is saved than when the last cannot be resumed.
    """
    if isinstance(value, HistoryBuffer):
        log_history, count_history = value.data
        return {
            "log_history": torch.from_numpy(np.asarray(log_history)),
            "count_history": torch.from_numpy(np.asarray(count_history)),
            "max_length": int(value.max_length),
        }
    if isinstance(value, np.ndarray):
        value = value.tolist()
    elif isinstance(value, np.generic):
        value = value.item()
    elif isinstance(value, PathLike):
        value = fspath(value)

    if isinstance(value, Mapping):
        mapping: type[dict[Any, Any]] = OrderedDict if isinstance(value, OrderedDict) else dict
        return mapping(
            (plain(key, where), plain(item, f"{where}[{key!r}]")) for key, item in value.items()
        )
    if value is None or isinstance(value, _PLAIN_LEAVES):
        return value
    for scalar in (bool, int, float, str):
        # An instance of a subclass, such as an enumeration, would be saved as one of that class.
        if isinstance(value, scalar):
            return scalar(value)
    for kind, container in _CONTAINERS.items():
        if isinstance(value, kind):
            return container(plain(item, f"{where}[{i}]") for i, item in enumerate(value))
    raise TypeError(
        f"{where} is of type {type(value).__module__}.{type(value).__qualname__}, which cannot be"
        " loaded again without running code from the file. Keep tensors, arrays, numbers, text and"
        " containers of these in what is checkpointed (message_hub, meta, states of hooks)"
    )
