"""The script that trains what ships: its steps, and that it goes on where it was stopped."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = [
    "heatmap_lite2_fashion",
    "heatmap_lite2_256_fashion",
    "heatmap_lite2_320_fashion",
    "rtmdet_lite0_fashion",
    "rtmdet_lite2_fashion",
]
PYTHON = """#!/bin/sh
echo "MAX_EPOCHS=$MAX_EPOCHS $*" >> "$LOG"
case "$*" in *"$FAIL"*) exit 3;; esac
"""


@pytest.fixture
def run(tmp_path):
    """Run the script with a Python that notes what it is asked for, and fails at one word."""
    python, log = tmp_path / "python", tmp_path / "log"
    python.write_text(PYTHON)
    python.chmod(0o755)

    def call(fail: str = "nothing fails") -> tuple[int, list[str]]:
        log.write_text("")
        done = subprocess.run(
            [ROOT / "tools/reference_model.sh", tmp_path / "work"],
            env={
                **os.environ,
                "PYTHON": str(python),
                "LOG": str(log),
                "FAIL": fail,
                "FASHIONAI_ROOT": str(tmp_path),
            },
            capture_output=True,
            check=False,
        )
        return done.returncode, log.read_text().splitlines()

    for config in CONFIGS:
        (tmp_path / "work" / config).mkdir(parents=True)
    return call


def test_each_step_begins_with_the_weights_of_the_one_before(run, tmp_path):
    code, asked = run()
    assert code == 0
    trained = [line for line in asked if "tools/train.py" in line]
    configs = [word for line in trained for word in line.split() if word.startswith("configs/")]
    assert [Path(config).stem for config in configs] == CONFIGS
    assert all((ROOT / config).is_file() for config in configs)
    assert "load_from" not in trained[0]
    first_epochs = trained[0].split()[0].removeprefix("MAX_EPOCHS=")
    start = tmp_path / "work" / "heatmap_lite2_fashion" / f"epoch_{first_epochs}.pth"
    assert f"load_from={start}" in trained[1]


def test_the_detector_learns_what_nobody_has_labelled(run, tmp_path):
    _, asked = run()
    (labelling,) = [line for line in asked if "label_neighbours" in line]
    out = tmp_path / "work" / "neighbours.json"
    assert str(out) in labelling.split()
    assert f"train_dataloader.dataset.ann_file={out}" in asked[asked.index(labelling) + 1]


def test_it_goes_on_where_it_was_stopped(run):
    code, asked = run(fail="configs/heatmap_lite2_320_fashion.py")
    assert code == 3
    assert len(asked) == 3
    code, asked = run()
    assert code == 0
    assert "heatmap_lite2_320_fashion" in asked[0]
    assert "--resume" in asked[0]


def test_what_it_publishes_is_what_ships(run):
    _, asked = run()
    shipped = [line for line in asked if " export " in line and "fashionkp_mm/models" in line]
    exported = [line.split()[-1] for line in shipped]
    weights = [line.split()[-2] for line in shipped]
    assert [Path(path).stem for path in exported] == ["pose", "detector"]
    assert all((ROOT / path).is_file() for path in [*exported, *weights])
    assert {Path(path).parent.name for path in exported} == {"models"}


def test_without_data_it_says_what_is_missing(tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "FASHIONAI_ROOT"}
    done = subprocess.run(
        [ROOT / "tools/reference_model.sh", tmp_path / "work"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "FASHIONAI_ROOT" in done.stderr
