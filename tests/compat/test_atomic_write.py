"""A file is written whole or not at all, also when the writer is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from mmengine.fileio import LocalBackend
from mmengine.hooks import checkpoint_hook
from mmengine.runner import save_checkpoint

from fashionkp_mm.core import files

WRITER = """
import sys, torch
from mmengine.runner import save_checkpoint
big = {"state_dict": {"weight": torch.ones(16_000_000)}}
print("ready", flush=True)
while True:
    save_checkpoint(big, sys.argv[1])
"""


def test_killed_in_the_middle_the_earlier_checkpoint_stays(tmp_path):
    path = tmp_path / "epoch_1.pth"
    writer = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WRITER, str(path)], stdout=subprocess.PIPE
    )
    try:
        assert writer.stdout.readline() == b"ready\n"
        save_checkpoint({"state_dict": {"weight": torch.zeros(3)}}, str(path))
        stop_while_writing(writer, tmp_path)
        complete = path.read_bytes()
    finally:
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
    parts = list(tmp_path.glob(".*.part"))
    assert len(parts) == 1
    assert path.read_bytes() == complete
    torch.load(path, weights_only=True)
    with pytest.raises(Exception, match=r"zip|archive|EOF|input"):
        torch.load(parts[0], weights_only=True)  # torn, as the checkpoint itself would have been
    files.remove_parts(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def stop_while_writing(writer: subprocess.Popen, folder: Path) -> None:
    """Halt the writer while a part of the file is on the disk, and not yet all of it."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        sizes = [p.stat().st_size for p in folder.glob(".*.part")]
        if sizes and 0 < sizes[0] < 60_000_000:
            os.kill(writer.pid, signal.SIGSTOP)
            parts = list(folder.glob(".*.part"))
            if parts and 0 < parts[0].stat().st_size < 60_000_000:
                return
            os.kill(writer.pid, signal.SIGCONT)
    pytest.fail("the writer was never seen in the middle of a file")


def test_a_failed_write_leaves_the_old_file_and_no_part(tmp_path, monkeypatch):
    path = tmp_path / "last_checkpoint"
    path.write_text("epoch_1.pth")

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        LocalBackend().put(b"epoch_2.pth", str(path))
    assert path.read_text() == "epoch_1.pth"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    LocalBackend().put(b"new", str(tmp_path / "link"))
    assert (tmp_path / "target").read_bytes() == b"new"
    assert (tmp_path / "link").is_symlink()


def test_the_hook_writes_its_pointer_atomically(tmp_path):
    path = tmp_path / "last_checkpoint"
    path.write_text("epoch_1.pth")
    with checkpoint_hook.open(path, "w") as file:
        file.write("epoch_2.pth")
        assert path.read_text() == "epoch_1.pth"
    assert path.read_text() == "epoch_2.pth"


def test_a_pointer_that_fails_half_way_is_not_written(tmp_path):
    path = tmp_path / "last_checkpoint"
    path.write_text("epoch_1.pth")
    with pytest.raises(KeyError), checkpoint_hook.open(path, "w") as file:
        file.write("epo")
        raise KeyError
    assert path.read_text() == "epoch_1.pth"
