"""Checkpoints: loaded as the data that was saved, or refused; no code, no endless work."""

from __future__ import annotations

import io
import os
import tarfile
import warnings
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Literal

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from fashionkp_mm.compat.checkpoints import CheckpointError, load_checkpoint_file
from fuzzing import Fault
from fuzzing.child import Limits
from fuzzing.mutations import BYTE_MUTATIONS
from fuzzing.pickles import TRACE, bomb, damaged_pickle

LIMITS = Limits(seconds=4, mebibytes=512, audited=True)

Damage = Literal["none", "container", "content"]

_PLAIN = (
    bool, int, float, complex, str, bytes, bytearray, type(None), np.ndarray, np.generic, np.dtype,
    torch.Tensor, torch.Size, torch.dtype, torch.device, torch.layout, HistoryBuffer,
)  # fmt: skip
_FEW_OBJECTS = 10_000
"""So many may come of a file however small it is, and one more of each byte."""


@dataclass(frozen=True)
class Case:
    """A file.

    Attributes:
        content: Its bytes.
        base: Which of the good checkpoints it was.
        damage: ``none``; ``container``: bytes of the file were damaged, so that what it holds is
            the same or cannot be read; ``content``: it may hold other data.
    """

    content: bytes
    base: int
    damage: Damage


def make(random: Random) -> Case:
    """A checkpoint, most often with its file, the zip or the pickle in it damaged; or a bomb."""
    base = random.randrange(len(_trees()))
    whole = _saved(base)
    kind = random.choice(
        ("whole", *["file"] * 3, "zip", "bomb", "other", "legacy", *["pickle"] * 4)
    )
    content = whole
    if kind == "file":
        content = random.choice(BYTE_MUTATIONS)(whole, random)
    elif kind == "zip":
        content = _other_records(whole, random)
    elif kind == "bomb":
        content = _bomb(random)
    elif kind == "other":
        content = _other_container(whole, random)
    elif kind == "legacy":
        content = _damaged_legacy(_saved(base, legacy=True), random)
    elif kind == "pickle":
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith("data.pkl")]
            pickled = archive.read(name)
        for _ in range(random.choice((1, 1, 2, 4))):
            pickled = damaged_pickle(pickled, random)
        content = _with_record(whole, name, pickled)
    if content == whole:
        return Case(content, base, "none")
    return Case(content, base, "container" if kind == "file" else "content")


def prepare(folder: Path) -> None:
    """Load torch's readers, and go where executed code would leave its trace."""
    warnings.simplefilter("ignore")
    os.chdir(folder)
    for base in range(len(_trees())):
        check(Case(_saved(base), base, "none"), folder)


def check(case: Case, folder: Path) -> Literal["accepted", "refused"]:
    """The file is refused, or holds plain data, and what was saved unless that was changed."""
    path = folder / "checkpoint.pth"
    path.write_bytes(case.content)
    try:
        loaded = load_checkpoint_file(path, "cpu")
    except CheckpointError:
        if case.damage == "none":
            raise
        return "refused"
    finally:
        if (folder / TRACE).exists():
            raise Fault("code in the file was executed")
    _require_plain(loaded, _FEW_OBJECTS + len(case.content))
    if case.damage != "content" and not _equal(loaded, _trees()[case.base]):
        raise Fault("a damaged file gives other values")
    return "accepted"


def _require_plain(tree: Any, most: int) -> None:
    """Nothing but plain data, and not endlessly much of it."""
    waiting, seen = [tree], {}  # what has been seen stays alive, so that no id is used again
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value
        if len(seen) > most:
            raise Fault(f"more than {most} objects")
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values(), *getattr(value, "__dict__", {}).values()]
        elif isinstance(value, list | tuple | set | frozenset):
            waiting += value
        elif isinstance(value, np.ndarray) and value.dtype == object:
            waiting += value.ravel().tolist()
        elif not isinstance(value, _PLAIN):
            raise Fault(f"it holds a {type(value).__module__}.{type(value).__name__}")


def _equal(one: Any, two: Any) -> bool:
    same = type(one) is type(two)
    if same and isinstance(one, dict):
        same = list(one) == list(two) and all(_equal(one[key], two[key]) for key in one)
        same = same and _equal(getattr(one, "__dict__", None), getattr(two, "__dict__", None))
    elif same and isinstance(one, list | tuple):
        same = len(one) == len(two) and all(map(_equal, one, two))
    elif same and isinstance(one, torch.Tensor):
        same = one.dtype == two.dtype and torch.equal(one, two)
    elif same and isinstance(one, np.ndarray | np.generic):
        same = one.dtype == two.dtype and np.array_equal(one, two)
    elif same and isinstance(one, HistoryBuffer):
        same = all(map(_equal, one.data, two.data))
    elif same:
        same = bool(one == two)
    return same


# --- good checkpoints


@cache
def _trees() -> tuple[Any, ...]:
    """What is saved: weights alone, what MMEngine saves in training, and odd ones."""
    generator = torch.Generator().manual_seed(0)
    weights = OrderedDict(
        {
            "backbone.conv.weight": torch.randn(4, 3, 3, 3, generator=generator),
            "backbone.bn.num_batches_tracked": torch.tensor(7),
            "head.weight": torch.randn(24, 8, generator=generator).half(),
        }
    )
    weights._metadata = {"": {"version": 2}, "means": np.arange(3)}
    shared = torch.arange(12.0)
    training = {
        "meta": {
            "epoch": 3,
            "iter": 42,
            "cfg": "model = dict()",
            "sigmas": np.full(24, np.float32(1)),
        },
        "state_dict": weights,
        "message_hub": {
            "log_scalars": {"loss": HistoryBuffer([3.0, 2.0, 1.5], [1, 1, 1])},
            "runtime_info": {"best": np.float64(4.5)},
        },
        "optimizer": {"state": {0: {"step": 3, "exp_avg": torch.zeros(3)}}, "param_groups": []},
    }
    odd = {
        "views": [shared[:6], shared.view(3, 4).t()],
        "bfloat16": torch.ones(3, dtype=torch.bfloat16),
        "names": np.array(["neckline", "hem"]),
        "objects": np.array([None, "a", [1]], dtype=object),
        "dtype": np.dtype("float32"),
        "tuple": (1, 2.5, True, None, ("a", ())),
    }
    return {"state_dict": weights}, training, odd


@cache
def _saved(base: int, legacy: bool = False) -> bytes:
    file = io.BytesIO()
    torch.save(_trees()[base], file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


# --- damage


def _with_record(content: bytes, name: str, record: bytes) -> bytes:
    """The zip with one record replaced, checksums and all."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, record if info.filename == name else old.read(info))
    return file.getvalue()


def _other_records(content: bytes, random: Random) -> bytes:
    """Records lost, doubled, renamed, shortened, or compressed."""
    file = io.BytesIO()
    method = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with (
        warnings.catch_warnings(),
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(file, "w", method) as new,
    ):
        warnings.simplefilter("ignore")  # of doubled names
        chosen = random.choice(old.namelist())
        for info in old.infolist():
            name, record = info.filename, old.read(info)
            if name == chosen:
                kind = random.randrange(6)
                if kind == 0:
                    continue
                if kind == 1:
                    new.writestr(name, record)
                if kind == 2:
                    name = random.choice(("data.pkl", "../" + name, "/" + name, name.upper(), "x"))
                if kind == 3:
                    record = record[: random.randrange(len(record) + 1)]
                if kind == 4:
                    record = record * random.choice((0, 2, 100))
                if kind == 5:
                    record = random.choice(BYTE_MUTATIONS)(record, random)
            new.writestr(name, record)
    return file.getvalue()


def _other_container(content: bytes, random: Random) -> bytes:
    """No checkpoint at all, or one within another kind of file."""
    kind = random.randrange(6)
    if kind == 0:
        return random.choice((b"", b"\0", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\x80\x02."))
    if kind == 1:
        return random.choice((b"<!DOCTYPE html><title>404</title>", b"version https://git-lfs\n"))
    if kind == 2:
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as archive:
            for name in random.choice((["storages", "tensors", "pickle"], ["x"], ["pickle"])):
                archive.addfile(tarfile.TarInfo(name), io.BytesIO())
        return file.getvalue()
    if kind == 3:
        return random.randbytes(random.randrange(200))
    if kind == 4:
        return content + content
    return random.choice((b"#!/bin/sh\n", bytes(100))) + content


def _damaged_legacy(content: bytes, random: Random) -> bytes:
    """The old format is four pickles and the storages; it has no checksums."""
    if random.random() < 0.5:
        return random.choice(BYTE_MUTATIONS)(content, random)
    start = content.index(b".", content.index(b"little_endian")) + 1
    return content[:start] + damaged_pickle(content[start:], random)


# --- bombs


def _bomb(random: Random) -> bytes:
    if random.random() < 0.1:
        return _unpacked(800)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", bomb(random))
        archive.writestr("archive/version", b"3\n")
        archive.writestr("archive/byteorder", b"little")
    return file.getvalue()


@cache
def _unpacked(mebibytes: int) -> bytes:
    """A checkpoint with a compressed record of so many MiB of zeros."""
    file = io.BytesIO()
    content = _saved(0)
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for info in old.infolist():
            large = info.filename.endswith("data/0")
            new.writestr(info.filename, bytes(mebibytes << 20) if large else old.read(info))
    return file.getvalue()
