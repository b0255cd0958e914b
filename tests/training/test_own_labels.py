"""The road of docs/finetune.md, by its commands: from predictions to a model of one's own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fashionkp_mm.runtime import FashionPredictor

ROOT = Path(__file__).resolve().parents[2]
FASHIONKP = (sys.executable, "-m", "fashionkp_mm")
TRAIN = (sys.executable, ROOT / "tools" / "train.py")
TEST = (sys.executable, ROOT / "tools" / "test.py")
ONE_PROCESS = (
    "train_dataloader.num_workers=0",
    "train_dataloader.persistent_workers=False",
    "val_dataloader.num_workers=0",
    "val_dataloader.persistent_workers=False",
)


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Run a command in a folder of its own, on one thread; return what it printed."""
    monkeypatch.setenv("OWN_DATA", "own")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def run(*command: object) -> str:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=tmp_path,
            env=os.environ,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    return run


def test_from_predictions_to_a_model_of_ones_own(call, tmp_path, monkeypatch):
    monkeypatch.setenv("MAX_EPOCHS", "12")
    config = ROOT / "configs" / "finetune_fashion.py"
    csv = "own/train/Annotations/train.csv"
    call(*FASHIONKP, "synth", "own", "--images", "20", "--seed", "2")
    call(*FASHIONKP, "predict", csv, "--out", "own/predictions.json")
    call(*FASHIONKP, "convert", "own/predictions.json", "own/to_correct.xml", "--images", "own")
    assert (tmp_path / "own/to_correct.xml").is_file()
    # Corrected: drawn garments come with exact labels.
    call(*FASHIONKP, "convert", csv, "own/corrected.xml")
    call(*FASHIONKP, "convert", "own/corrected.xml", "own/train.json")
    call(*FASHIONKP, "convert", "own/val/Annotations/val.csv", "own/val.json")
    call(*TRAIN, config, "--cfg-options", *ONE_PROCESS)
    (best,) = (tmp_path / "work_dirs/finetune_fashion").glob("best_*.pth")
    call(*FASHIONKP, "export", config, best, "own/own.onnx", "--training-data", "20 drawings")
    call(*FASHIONKP, "predict", csv, "--model", "own/own.onnx", "--out", "own/after.json")

    assert FashionPredictor(tmp_path / "own/own.onnx").metadata.training_data == "20 drawings"
    before, after = (
        json.loads(call(*FASHIONKP, "evaluate", "own/train.json", f"own/{name}.json", "--json"))
        for name in ("predictions", "after")
    )
    assert before["points"] == after["points"] > 100
    assert after["NE"] < before["NE"]


@pytest.fixture
def own_data(call, tmp_path):
    """The same labels in three formats, in the folder `own`."""
    call(*FASHIONKP, "synth", "own", "--images", "24", "--seed", "4")
    for split in ("train", "val"):
        labels = f"own/{split}/Annotations/{split}.csv"
        for name in (f"{split}.json", f"{split}_coco.json"):
            form = "coco" if "coco" in name else "json"
            call(*FASHIONKP, "convert", labels, f"own/{split}/Annotations/{name}", "--to", form)
    return tmp_path / "own"


def test_training_and_testing_print_the_same_from_any_format(call, own_data, monkeypatch):
    monkeypatch.setenv("FASHIONAI_ROOT", str(own_data))
    monkeypatch.setenv("MAX_EPOCHS", "1")
    config = ROOT / "configs" / "demo_fashion.py"
    trained, tested = {}, {}
    for form, ending in (("csv", ".csv"), ("json", ".json"), ("coco", "_coco.json")):
        files = [
            f"{loader}_dataloader.dataset.ann_file={split}/Annotations/{split}{ending}"
            for loader, split in (("train", "train"), ("val", "val"), ("test", "val"))
        ]
        options = ["--work-dir", form, "--cfg-options", *ONE_PROCESS, *files]
        seed = ["randomness.seed=3", "randomness.deterministic=True"]
        trained[form] = errors(call(*TRAIN, config, "--pretrained", "none", *options, *seed))
        tested[form] = errors(call(*TEST, config, checkpoint(own_data.parent / form), *options))
    assert len(trained["csv"]) == len(tested["csv"]) == 1
    assert trained["csv"] == trained["json"] == trained["coco"]
    assert tested["csv"] == tested["json"] == tested["coco"]


def checkpoint(work_dir: Path) -> str:
    return (work_dir / "last_checkpoint").read_text()


def errors(printed: str) -> list[str]:
    """NE of each test, to the last digit printed."""
    return re.findall(r"fashionai/NE: ([\d.]+)", printed)
