"""Loads checkpoints as data: nothing in the file is ever executed.

What it patches: since 2.6 torch loads tensors and plain containers only, and rightly so, but
MMEngine 0.10.7 also puts NumPy arrays, NumPy numbers and its ``HistoryBuffer`` (pickled with a
``getattr``) into its files. So published OpenMMLab weights and MMEngine's own checkpoints do not
load, torch's message advises to switch the protection off, and ``load_from_http`` never had it on.

Allowing the NumPy names themselves would not do: a forged ``numpy.dtype`` makes NumPy follow
pointers from the file. Here each such name stands for a small class of ours, which takes plain
numbers and text, checks them, and is turned into the real thing when the file is read. ``getattr``
in the file can do one thing: name the four statistics of a ``HistoryBuffer``, which are dropped.

What refuses code bounds work and memory as well: before anything is built, `pickle_check` goes
through the file, and no more is unpacked than the file has bytes.

It can go when MMEngine loads with ``weights_only=True`` what MMEngine saves.
"""

from __future__ import annotations

import math
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlparse

import numpy as np
import torch

from fashionkp_mm.compat.checkpoint_check import check_checkpoint

_PLAIN_DTYPE = re.compile(r"([biufc])(1|2|4|8|16)|([SU])\d{1,6}")
_MAX_DIMENSIONS = 32
_STATISTICS = frozenset({"min", "max", "mean", "current"})


class CheckpointError(pickle.UnpicklingError):
    """A checkpoint that cannot be loaded."""


class UnreadableCheckpointError(CheckpointError):
    """A file that is no checkpoint, or a damaged one."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(
            f"{source}: not a readable checkpoint ({reason}); it may be cut short or something"
            " else: copy or download it again"
        )


class UnsafeCheckpointError(CheckpointError):
    """A checkpoint holds more than tensors and plain data; nothing of it was executed."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(
            f"{source} was not loaded: {reason}. A checkpoint may hold dense tensors, NumPy"
            " arrays, numbers, text and lists or dictionaries of these, and no more than the file"
            " has room for; anything else could run code or take all memory of this machine. Ask"
            " its author for a file made with torch.save({'state_dict': model.state_dict()}, ...)"
        )


class _Dtype:
    """Stands for ``numpy.dtype``: numbers, booleans, text of a fixed size; nothing structured."""

    def __init__(self, code: Any, _align: Any = False, _copy: Any = False) -> None:
        if not isinstance(code, str) or not (code == "O8" or _PLAIN_DTYPE.fullmatch(code)):
            raise pickle.UnpicklingError(f"it holds an array of the unusual type {code!r}")
        self.code = code
        self.order = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, order, subdtype, names, fields = state[:5]
        if order not in ("<", ">", "=", "|") or not subdtype is names is fields is None:
            raise pickle.UnpicklingError("it holds a structured array")
        self.order = order

    @property
    def is_object(self) -> bool:
        return self.code == "O8"

    def numpy(self) -> np.dtype[Any]:
        if self.is_object:
            return np.dtype(object)
        return np.dtype(("" if self.order == "|" else self.order) + self.code)


class _Array:
    """Stands for ``numpy.ndarray`` and, called with what it pickles, ``_reconstruct``."""

    value: np.ndarray[Any, Any]

    def __init__(self, *_subtype_shape_and_code: Any) -> None:
        self.value = np.empty(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        shape, dtype, is_fortran, data = state[-4:]
        if not isinstance(dtype, _Dtype):
            raise pickle.UnpicklingError("it holds an array without a type")
        if len(shape) > _MAX_DIMENSIONS or not all(type(n) is int and n >= 0 for n in shape):
            raise pickle.UnpicklingError("it holds an array of an unusual shape")
        if dtype.is_object:
            if not isinstance(data, list) or len(data) != math.prod(shape):
                raise pickle.UnpicklingError("it holds an array of another size than it says")
            flat = np.empty(len(data), dtype=object)
            flat[:] = _revived(data)
        else:
            flat = np.frombuffer(_bytes(data), dtype=dtype.numpy()).copy()
        self.value = flat.reshape(shape, order="F" if is_fortran else "C")


class _History:
    """Stands for ``mmengine.logging.HistoryBuffer``: its numbers, without its class-wide table."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.numbers = (state["_log_history"], state["_count_history"], state["max_length"])

    def revive(self) -> Any:
        # MMEngine imports this module while it is being imported itself.
        from mmengine.logging import HistoryBuffer  # noqa: PLC0415

        log_history, count_history, max_length = _revived(list(self.numbers))
        return HistoryBuffer(log_history, count_history, int(max_length))


def _scalar(dtype: Any, data: Any) -> Any:
    if not isinstance(dtype, _Dtype) or dtype.is_object:
        raise pickle.UnpicklingError("it holds a NumPy object that is not a number")
    return np.frombuffer(_bytes(data), dtype=dtype.numpy(), count=1)[0]


def _statistic(owner: Any, name: Any) -> None:
    if owner is not _History or name not in _STATISTICS:
        raise pickle.UnpicklingError(f"it calls getattr({owner!r}, {name!r})")


def _no_bytes() -> bytes:
    return b""  # pickled in protocol 2 as a call of bytes


def _bytes(data: Any) -> bytes:
    # Python 2 and pickle protocol 2 have no bytes; their text holds one byte a character.
    if isinstance(data, str):
        return data.encode("latin1")
    if isinstance(data, bytes):
        return data
    raise pickle.UnpicklingError("it holds an array without data")


_STANDS_FOR: list[tuple[Callable[..., Any], str]] = [
    (_Dtype, "numpy.dtype"),
    (_Array, "numpy.ndarray"),
    *((_Array, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
    *((_scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    (_History, "mmengine.logging.history_buffer.HistoryBuffer"),
    (_statistic, "builtins.getattr"),
    (_no_bytes, "builtins.bytes"),
]


def _revived(value: Any, seen: set[int] | None = None) -> Any:
    """Replace our stand-ins in a tree by what they stand for; containers are changed in place."""
    seen = set() if seen is None else seen
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, _Dtype):
        return value.numpy()
    if isinstance(value, _History):
        return value.revive()
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(_revived(item, seen) for item in value)
    if isinstance(value, (dict, list)) and id(value) not in seen:
        seen.add(id(value))
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in list(items):
            if (revived := _revived(item, seen)) is not item:
                value[key] = revived
        if isinstance(value, OrderedDict):  # torch's state dictionaries have attributes
            _revived(vars(value), seen)
    return value


def _load(source: str, file: IO[bytes], map_location: Any) -> Any:
    """Load an open file as data; ``source`` names it where that fails."""
    try:
        check_checkpoint(file, [name for _, name in _STANDS_FOR])
        file.seek(0)
        # Opened, so that torch does not choose another reader by the file's name.
        with torch.serialization.safe_globals(list(_STANDS_FOR)):
            return _revived(torch.load(file, map_location=map_location, weights_only=True))
    except pickle.UnpicklingError as error:
        raise UnsafeCheckpointError(source, _reason(str(error))) from None
    # What a damaged file brings about differs with the place of the damage.
    except Exception as error:
        lines = str(error).strip().splitlines()
        reason = lines[0] if lines else type(error).__name__
        raise UnreadableCheckpointError(source, reason) from error


def _reason(message: str) -> str:
    """What torch objected to, without its advice to switch the protection off."""
    if match := re.search(r"GLOBAL (\S+)", message):
        return f"it asks for {match[1]}"
    return message.rsplit("WeightsUnpickler error:", 1)[-1].strip().splitlines()[0].rstrip(". ")


def load_checkpoint_file(path: str | Path, map_location: Any = None) -> Any:
    """Load a checkpoint from a local file.

    Args:
        path: A file that ``torch.save`` wrote.
        map_location: As for ``torch.load``.

    Raises:
        UnsafeCheckpointError: It holds more than tensors, plain data, NumPy arrays and histories,
            or would become larger in memory than it is as a file.
        UnreadableCheckpointError: It is damaged, or no checkpoint at all.
        FileNotFoundError: There is no such file.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"{path} can not be found.")
    with path.open("rb") as file:
        return _load(str(path), file, map_location)


def _downloaded(url: str, folder: str | None, progress: bool) -> Path:
    """The file behind a URL, from torch's cache where it is there."""
    cache = Path(folder or Path(torch.hub.get_dir(), "checkpoints"))
    cache.mkdir(parents=True, exist_ok=True)
    file = cache / Path(urlparse(url).path).name
    if not file.exists():
        print(f"Downloading {url} to {file}")
        torch.hub.download_url_to_file(url, str(file), progress=progress)
    return file


def patch(checkpoint: Any) -> None:
    """Make ``mmengine.runner.checkpoint`` load local files and downloads as data."""

    # MMEngine prints the loader's name without its first ten letters.
    def load_from_local(filename: str, map_location: Any) -> Any:
        return load_checkpoint_file(filename, map_location)

    def load_url(
        url: str, model_dir: str | None = None, map_location: Any = None, progress: bool = True
    ) -> Any:
        with _downloaded(url, model_dir, progress).open("rb") as file:
            return _load(url, file, map_location)

    checkpoint.load_from_local = load_from_local
    checkpoint.load_url = load_url
    checkpoint.CheckpointLoader.register_scheme(prefixes="", loader=load_from_local, force=True)
