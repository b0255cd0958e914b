"""The tools as users call them: through mim, through MMPose's own scripts, killed, and misused."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import mmpose
import pytest
import torch

from fashionkp_mm.core.csv_format import read_labels, read_predictions
from fashionkp_mm.core.normalized_error import evaluate
from fashionkp_mm.images import load_image

ROOT = Path(__file__).resolve().parents[1]
CONFIG = str(ROOT / "configs/demo_fashion.py")
STOCK = Path(mmpose.__file__).parent / ".mim"
PYTHON = sys.executable
MIM = str(Path(sys.executable).with_name("mim"))
EPOCHS = 2
SHORT = ["--cfg-options", f"train_cfg.max_epochs={EPOCHS}", "train_dataloader.num_workers=0"]
SHORT[2:2] = ["train_dataloader.persistent_workers=False"]
# Random stages that stay as they are would let no feature through.
SHORT.append("model.backbone.frozen_stages=-1")
TIMEOUT = 300


def call(*command, data, cwd, check=True):
    """Run a command with its data root set; return it with all that it printed."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, "FASHIONAI_ROOT": str(data), "OMP_NUM_THREADS": "2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if check and done.returncode:
        pytest.fail(f"{command} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done


def printed_error(done):
    """The NE that a test run logged last."""
    return float(re.findall(r"fashionai/NE: ([\d.]+)", done.stdout)[-1])


@pytest.fixture(scope="module")
def trained(drawn_root, tmp_path_factory):
    """Folder of a short training that mim started."""
    folder = tmp_path_factory.mktemp("trained")
    options = ["--pretrained", "none", "--work-dir", folder, *SHORT]
    call(MIM, "train", "fashionkp_mm", CONFIG, *options, data=drawn_root, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def checkpoint(trained):
    return Path((trained / "last_checkpoint").read_text())


@pytest.fixture(scope="module")
def tested(checkpoint, drawn_root, tmp_path_factory):
    """What `mim test` printed, and the folder of what it wrote."""
    folder = tmp_path_factory.mktemp("tested")
    done = call(
        MIM, "test", "fashionkp_mm", CONFIG, "--checkpoint", checkpoint,
        "--work-dir", folder, "--out", folder / "metrics.json", "--show-dir", folder / "pictures",
        "--cfg-options", f"test_evaluator.0.submission_file={folder}/predictions.csv",
        data=drawn_root, cwd=folder,
    )  # fmt: skip
    return done, folder


def test_mim_trains(checkpoint, trained):
    assert (trained / f"predictions/epoch_{EPOCHS}.jpg").is_file()
    state = torch.load(checkpoint, weights_only=True)
    assert state["meta"]["epoch"] == EPOCHS
    assert all(torch.isfinite(value).all() for value in state["state_dict"].values())


def test_mim_tests_and_every_output_agrees(tested, drawn_root):
    done, folder = tested
    metrics = json.loads((folder / "metrics.json").read_text())
    answers = read_labels(drawn_root / "val/Annotations/val.csv")
    entry = read_predictions(folder / "predictions.csv")
    assert metrics["fashionai/NE"] == pytest.approx(printed_error(done), abs=1e-5)
    # The entry is rounded to whole pixels.
    assert evaluate(answers, entry).value == pytest.approx(metrics["fashionai/NE"], abs=0.5)
    assert "boxes from 'label'" in done.stdout
    assert len(list((folder / "pictures").iterdir())) == len(answers)
    assert load_image(folder / "predictions/test.jpg").shape[1] > 1000


def test_mim_test_through_mmpose_gives_the_same(tested, checkpoint, drawn_root, tmp_path):
    arguments = ["test", "mmpose", CONFIG, "--checkpoint", checkpoint, "--work-dir", tmp_path]
    done = call(MIM, *arguments, data=drawn_root, cwd=tmp_path)
    assert printed_error(done) == pytest.approx(printed_error(tested[0]), abs=1e-4)


ONE_BY_ONE = ["test_dataloader.num_workers=0", "test_dataloader.persistent_workers=False"]
SOURCES = ["label", "refine", "detector"]


@pytest.fixture(scope="module")
def compared(checkpoint, small_detector, drawn_root, tmp_path_factory):
    """What a comparison of box sources printed, and the folder of what it wrote."""
    folder = tmp_path_factory.mktemp("compared")
    done = call(
        PYTHON, ROOT / "tools/test.py", CONFIG, checkpoint, "--work-dir", folder,
        "--boxes", *SOURCES, "--detector", *small_detector, "--show-dir", folder / "pictures",
        "--out", folder / "metrics.json", "--cfg-options", *ONE_BY_ONE,
        f"test_evaluator.0.predictions_file={folder}/predictions.csv",
        data=drawn_root, cwd=folder,
    )  # fmt: skip
    return done, folder


def test_two_processes_give_the_figures_of_one(
    *, tested, compared, checkpoint, small_detector, drawn_root, tmp_path, free_port
):
    done = call(
        PYTHON, "-m", "torch.distributed.run", "--nproc_per_node=2", f"--master_port={free_port}",
        ROOT / "tools/test.py", CONFIG, checkpoint, "--launcher", "pytorch", "--work-dir", tmp_path,
        "--boxes", *SOURCES, "--detector", *small_detector, "--out", tmp_path / "metrics.json",
        "--cfg-options", *ONE_BY_ONE, "test_dataloader.batch_size=3",
        data=drawn_root, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.count("Boxes by source") == 1
    one, two = (
        json.loads((folder / "metrics.json").read_text()) for folder in (compared[1], tmp_path)
    )
    assert list(two) == SOURCES
    for source in SOURCES:
        assert two[source] == pytest.approx(one[source], abs=1e-3)
    assert two["label"]["fashionai/NE"] == pytest.approx(printed_error(tested[0]), abs=1e-3)


def start_node(rank, nodes, processes, *, data, folder, port):
    """Start the training of one node of several."""
    return subprocess.Popen(
        [
            ROOT / "tools/dist_train.sh", CONFIG, str(processes), "--pretrained", "none",
            "--work-dir", folder, *SHORT, f"train_cfg.val_interval={EPOCHS}",
            "train_dataloader.batch_size=4",
        ],
        cwd=folder.parent,
        env={
            **os.environ,
            "FASHIONAI_ROOT": str(data),
            "PATH": f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}",
            "NNODES": str(nodes),
            "NODE_RANK": str(rank),
            "PORT": str(port),
            "OMP_NUM_THREADS": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip


def test_two_processes_train_and_print_what_one_finds(drawn_root, tmp_path, free_port):
    """On one node, and on two, which here are two groups of processes that meet at a port."""
    errors = []
    for nodes in (1, 2):
        folder = tmp_path / str(nodes) / "work"
        folder.parent.mkdir()
        given = {"data": drawn_root, "folder": folder, "port": free_port}
        started = [start_node(rank, nodes, 2 // nodes, **given) for rank in range(nodes)]
        outputs = [node.communicate(timeout=TIMEOUT)[0] for node in started]
        assert [node.returncode for node in started] == [0] * nodes, outputs[0][-4000:]
        done = subprocess.CompletedProcess(started[0].args, 0, outputs[0])
        iterations = {int(n) for n in re.findall(r"Epoch\(train\).*?/\s*(\d+)\]", done.stdout)}
        garments = len(read_labels(drawn_root / "train/Annotations/train.csv"))
        assert iterations == {garments // (2 * 4)}  # each has seen half of them
        errors.append(printed_error(done))
    saved = folder / f"epoch_{EPOCHS}.pth"
    alone = call(
        PYTHON, ROOT / "tools/test.py", CONFIG, saved, "--work-dir", tmp_path / "test",
        data=drawn_root, cwd=tmp_path,
    )  # fmt: skip
    assert errors == pytest.approx([printed_error(alone)] * 2, abs=0.05)


def test_distributed_training_says_how_it_is_called(tmp_path):
    done = call(ROOT / "tools/dist_train.sh", data=tmp_path, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "CONFIG PROCESSES" in done.stdout


def test_training_by_slurm_asks_for_what_mmposes_does(tmp_path):
    """`srun` is played by a script that says what it was asked for."""
    fake = tmp_path / "srun"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)
    script = ROOT / "tools/slurm_train.sh"

    def asked(*arguments, **more):
        env = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", **more}
        done = subprocess.run(
            [script, *arguments], env=env, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout.splitlines() or done.stderr

    code, said = asked("gpu", "fashion", CONFIG, "work", "--amp", GPUS="16", SRUN_ARGS="--quiet -v")
    assert code == 0
    resources = ["--gres=gpu:8", "--ntasks-per-node=8", "--ntasks=16", "--cpus-per-task=5"]
    assert said[:2] == ["--partition=gpu", "--job-name=fashion"]
    assert said[2:9] == [*resources, "--kill-on-bad-exit=1", "--quiet", "-v"]
    train = [
        str(ROOT / "tools/train.py"),
        CONFIG,
        "--work-dir=work",
        "--launcher",
        "slurm",
        "--amp",
    ]
    assert said[9:] == ["python", "-u", *train]
    code, said = asked("cpu", "fashion", CONFIG, "work", GPUS="4", GPUS_PER_NODE="0")
    assert not any("gres" in word for word in said)
    code, said = asked("gpu")
    assert code == 2
    assert "PARTITION JOB_NAME CONFIG WORK_DIR" in said


def test_box_sources_are_compared_in_one_table(tested, compared, drawn_root):
    done, folder = compared
    metrics = json.loads((folder / "metrics.json").read_text())
    assert list(metrics) == SOURCES
    assert metrics["label"]["fashionai/NE"] == pytest.approx(printed_error(tested[0]), abs=1e-4)
    table = done.stdout.split("Boxes by source, category given:")[1]
    figures = " +".join(re.escape(f"{metrics[s]['fashionai/NE']:.2f}") for s in SOURCES)
    assert re.search(rf"NE % +{figures}\n", table)
    answers = read_labels(drawn_root / "val/Annotations/val.csv")
    for source in SOURCES:
        assert f"boxes from '{source}'" in done.stdout
        # What is written and drawn is what is scored.
        found = read_predictions(folder / f"predictions.{source}.csv")
        expected = metrics[source]["fashionai/NE"]
        assert evaluate(answers, found).value == pytest.approx(expected, abs=0.01)
        assert len(list((folder / "pictures" / source).iterdir())) == len(answers)


def test_mim_runs_the_browse_tool(drawn_root, tmp_path):
    arguments = ["run", "fashionkp_mm", "browse_dataset", CONFIG, "--max-items", "3"]
    call(MIM, *arguments, "--output-dir", tmp_path / "samples", data=drawn_root, cwd=tmp_path)
    assert len(list((tmp_path / "samples").glob("*.png"))) == 3


def test_mim_search_lists_the_models(drawn_root, tmp_path):
    done = call(MIM, "search", "fashionkp_mm", data=drawn_root, cwd=tmp_path)
    assert {"rtmpose_fashion", "hrnet_fashion"} <= set(re.findall(r"\w+", done.stdout))


@pytest.mark.parametrize("script", ["image_demo.py", "inferencer_demo.py"])
def test_stock_demos_draw(script, checkpoint, drawn_root, tmp_path):
    picture = next((drawn_root / "val/Images").rglob("*.jpg"))
    if script == "image_demo.py":
        arguments = [picture, CONFIG, checkpoint, "--out-file", tmp_path / "out.jpg"]
    else:
        arguments = [picture, "--pose2d", CONFIG, "--pose2d-weights", checkpoint]
        arguments += ["--det-model", "whole_image", "--vis-out-dir", tmp_path]
    arguments += ["--device", "cpu"]
    call(PYTHON, STOCK / "demo" / script, *arguments, data=drawn_root, cwd=tmp_path)
    assert [path for path in tmp_path.iterdir() if path.suffix == ".jpg"]


def test_the_stock_test_script_gives_the_same(tested, checkpoint, drawn_root, tmp_path):
    arguments = [STOCK / "tools/test.py", CONFIG, checkpoint, "--work-dir", tmp_path]
    done = call(PYTHON, *arguments, data=drawn_root, cwd=tmp_path)
    assert printed_error(done) == pytest.approx(printed_error(tested[0]), abs=1e-4)


def test_killed_training_goes_on(drawn_root, tmp_path):
    folder = tmp_path / "work"
    options = ["--pretrained", "none", "--work-dir", str(folder), *SHORT]
    command = [PYTHON, str(ROOT / "tools/train.py"), CONFIG, *options]
    environment = {**os.environ, "FASHIONAI_ROOT": str(drawn_root)}
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "train_cfg.max_epochs=1000"],
            cwd=tmp_path, env=environment, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + TIMEOUT
            while not (folder / "epoch_1.pth").exists():
                assert process.poll() is None, log.read_text()[-4000:]
                assert time.monotonic() < deadline, log.read_text()[-4000:]
                time.sleep(0.01)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    # However far it came until the signal reached it, and whether or not it could note that.
    saved = max(int(path.stem.removeprefix("epoch_")) for path in folder.glob("epoch_*.pth"))
    last = f"train_cfg.max_epochs={saved + 2}"

    done = call(*command, last, "--resume", data=drawn_root, cwd=tmp_path)
    assert f"resumed epoch: {saved}," in done.stdout
    state = torch.load((folder / "last_checkpoint").read_text(), weights_only=True)
    assert state["meta"]["epoch"] == saved + 2
    losses = [float(value) for value in re.findall(r" loss: ([\w.]+)", done.stdout)]
    assert all(0 < loss < 100 for loss in losses)
    assert 0 < printed_error(done) < 1000


def test_missing_data_ends_in_one_sentence(tmp_path):
    done = call(
        PYTHON, ROOT / "tools/train.py", CONFIG, "--pretrained", "none",
        data=tmp_path / "nowhere", cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert re.search(r"^error: .*nowhere.* Tianchi .*fashionkp synth", done.stdout, re.MULTILINE)


def test_a_broken_image_is_named_and_nothing_saved_is_lost(
    checkpoint, trained, drawn_root, tmp_path
):
    data = tmp_path / "data"
    shutil.copytree(drawn_root, data)
    broken = sorted((data / "train/Images").rglob("*.jpg"))[0]
    broken.write_bytes(broken.read_bytes()[:500])
    folder = tmp_path / "work"
    folder.mkdir()
    shutil.copy(checkpoint, folder)
    saved = folder / checkpoint.name
    (folder / "last_checkpoint").write_text(str(saved))
    before = saved.read_bytes()
    done = call(
        PYTHON, ROOT / "tools/train.py", CONFIG, "--resume", "--work-dir", folder,
        *SHORT, "train_cfg.max_epochs=5", "train_dataloader.drop_last=False",
        data=data, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert broken.name in done.stdout.splitlines()[-1]
    assert saved.read_bytes() == before


def test_help_is_quick_to_ask_for(tmp_path):
    # mim asks for it before every training, so it must not import torch.
    code = "import sys, fashionkp_mm.training.arguments as tools\n"
    code += "try: tools.train(['-h'])\nexcept SystemExit: pass\n"
    code += "sys.exit('torch' in sys.modules or 'mmengine' in sys.modules)"
    done = call(PYTHON, "-c", code, data=tmp_path, cwd=tmp_path)
    assert "--pretrained" in done.stdout
