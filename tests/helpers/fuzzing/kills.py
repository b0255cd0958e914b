"""Runs of `fashionkp predict` that are killed: resumed to the same bytes, and nothing left over."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

import cv2
import numpy as np
from small_networks import picture, write_pose_network

from fuzzing import Fault
from fuzzing.child import Limits

LIMITS = Limits(seconds=10, mebibytes=4096)
EACH_COSTS = 100
"""So many cases of another target take about as long as one of these."""
_PICTURES = 100
_SUFFIXES = (".csv", ".json", ".coco.json")
_MAX_DELAY = 0.02
"""Seconds; what comes between two lines of the journal takes less."""


@dataclass(frozen=True)
class Case:
    """When a run is killed.

    Attributes:
        suffix: Of its output.
        kills: One for each kill in turn: how far the journal is, in terms of its whole size, and
            seconds after that.
    """

    suffix: str
    kills: tuple[tuple[float, float], ...]


def make(random: Random) -> Case:
    """One kill or two, at any time."""
    kills = tuple(
        (random.choice((0.0, random.random(), 1.0)), random.random() * _MAX_DELAY)
        for _ in range(random.choice((1, 1, 2)))
    )
    return Case(random.choice(_SUFFIXES), kills)


def prepare(folder: Path) -> None:
    """Pictures, a model, and what an undisturbed run writes."""
    random = np.random.default_rng(0)
    (folder / "pictures").mkdir()
    for index in range(_PICTURES):
        points = {colour: tuple(random.integers(5, 60, 2).tolist()) for colour in range(3)}
        cv2.imwrite(str(folder / f"pictures/{index:03d}.png"), picture(points, (64, 72)))
    write_pose_network(folder / "pose.onnx")
    for suffix in _SUFFIXES:
        out = folder / f"whole{suffix}"
        process = _start(folder, out)
        largest = 0
        while process.poll() is None:
            largest = max(largest, _size(_journal(out)))
            time.sleep(0.001)
        if process.returncode or not largest:
            raise RuntimeError("an undisturbed run does not write what it should")
        _SIZES[suffix] = largest


_SIZES: dict[str, int] = {}
"""Bytes of the whole journal, by suffix."""


def check(case: Case, folder: Path) -> Literal["accepted", "refused"]:
    """After all kills, `--resume` writes what an undisturbed run writes."""
    out = folder / "run" / f"killed{case.suffix}"
    out.parent.mkdir(exist_ok=True)
    for progress, delay in case.kills:
        process = _start(folder, out)
        while process.poll() is None and _size(_journal(out)) < progress * _SIZES[case.suffix]:
            time.sleep(0.0005)
        time.sleep(delay)
        process.kill()
        process.wait()
    process = _start(folder, out)
    process.wait()
    found = {path.name: path.read_bytes() for path in out.parent.iterdir()}
    for path in out.parent.iterdir():
        path.unlink()
    if process.returncode:
        raise Fault(f"resumed, it ends with status {process.returncode}")
    if list(found) != [out.name]:
        raise Fault(f"left over: {', '.join(sorted(found))}")
    if found[out.name] != (folder / f"whole{case.suffix}").read_bytes():
        raise Fault("the output is another than that of one run")
    return "accepted"


def _start(folder: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "fashionkp_mm", "predict", folder / "pictures", "--resume"]
    return subprocess.Popen(
        [*command, "--model", folder / "pose.onnx", "--boxes", "whole", "--out", out],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def _journal(out: Path) -> Path:
    return out.with_name(f"{out.name}.part.jsonl")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
