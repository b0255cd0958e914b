"""The script that trains what ships: its steps, and that it goes on where it was stopped."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TRAININGS = {
    "lite2_192": "heatmap_lite2_fashion",
    "lite2_256": "heatmap_lite2_256_fashion",
    "lite2_320": "heatmap_lite2_320_fashion",
    "detector_0": "rtmdet_lite0_fashion",
    "detector_1": "rtmdet_lite2_fashion",
    "neighbours_1": "heatmap_lite2_320_fashion",
    "long": "heatmap_lite2_320_long_fashion",
    "shapes": "heatmap_lite2_320_shapes_fashion",
    "category": "heatmap_lite2_320_category_fashion",
    "longer": "heatmap_lite2_320_long_fashion",
    "longer_shapes": "heatmap_lite2_320_shapes_fashion",
}
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

    for name in TRAININGS:
        (tmp_path / "work" / name).mkdir(parents=True)
    return call


def option(line: str, key: str) -> str | None:
    values = [word.partition("=")[2] for word in line.split() if word.startswith(f"{key}=")]
    return values[0] if values else None


def trainings(asked: list[str]) -> dict[str, str]:
    """The command of each training, by the name of its folder."""
    lines = [line for line in asked if "tools/train.py" in line]
    return {Path(line.split("--work-dir ")[1].split()[0]).name: line for line in lines}


def test_each_step_begins_with_what_a_step_before_it_wrote(run, tmp_path):
    code, asked = run()
    assert code == 0
    commands = trainings(asked)
    configs = {
        name: next(word for word in line.split() if word.startswith("configs/"))
        for name, line in commands.items()
    }
    assert {name: Path(config).stem for name, config in configs.items()} == TRAININGS
    assert all((ROOT / config).is_file() for config in configs.values())
    assert option(commands["lite2_192"], "load_from") is None
    done: dict[str, int] = {}
    for name, line in commands.items():
        for key in ("load_from", "model.backbone.init_cfg.checkpoint"):
            start = option(line, key)
            if start is not None and Path(start).name != "mean_1.pth":
                before = Path(start)
                assert before.name == f"epoch_{done[before.parent.name]}.pth"
        stop = option(line, "train_cfg.max_epochs")
        done[name] = int(stop or line.split()[0].removeprefix("MAX_EPOCHS="))
    first, second = [line.split() for line in asked if "average_weights" in line]
    assert option(commands["category"], "load_from") == first[2]
    (publishing,) = [line.split() for line in asked if " publish configs/heatmap" in line]
    assert second[2] in publishing

    def averaged(*names: str) -> list[str]:
        return [f"{tmp_path}/work/{name}/epoch_{done[name]}.pth" for name in names]

    assert first[3:] == averaged("long", "shapes")
    assert second[3:] == averaged("longer", "longer_shapes", "category")


def test_what_nobody_has_labelled_is_learned_twice(run, tmp_path):
    _, asked = run()
    labelled = [line for line in asked if "label_neighbours" in line]
    outs = [str(tmp_path / "work" / f"neighbours_{number}.json") for number in (1, 2)]
    assert [line.split()[3] for line in labelled] == outs
    files = {
        name: option(line, "train_dataloader.dataset.ann_file")
        for name, line in trainings(asked).items()
    }
    assert files == dict.fromkeys(TRAININGS) | dict.fromkeys(
        ("detector_1", "neighbours_1"), outs[0]
    ) | dict.fromkeys(("long", "shapes", "longer", "longer_shapes"), outs[1])


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
    shipped = [line for line in asked if " export " in line and "fashionkp_mm/models/" in line]
    exported = [line.split()[-1] for line in shipped]
    weights = [line.split()[-2] for line in shipped]
    assert [Path(path).stem for path in exported] == ["detector", "pose"]
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
