"""Tests of writing files whole or not at all, and never over what is read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fashionkp_mm.core.files import remove_parts, require_apart, write_atomically


def test_writes_and_makes_folders(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file.csv"
    write_atomically(path, b"content")
    assert path.read_bytes() == b"content"
    assert os.listdir(path.parent) == ["file.csv"]  # noqa: PTH208


def test_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"something longer")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    path = tmp_path / "file.csv"
    path.write_bytes(b"old")
    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.csv"]


def test_the_target_is_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"old")
    seen: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(path.read_bytes()))
    write_atomically(path, b"new")
    assert seen == [b"old"]
    assert path.read_bytes() == b"new"


class TestLinks:
    def test_a_link_stays_and_its_target_is_written(self, tmp_path: Path) -> None:
        link, target = tmp_path / "link.csv", tmp_path / "deep" / "target.csv"
        target.parent.mkdir()
        target.write_bytes(b"old")
        link.symlink_to(target)

        write_atomically(link, b"new")

        assert link.is_symlink()
        assert target.read_bytes() == b"new"
        assert list(target.parent.iterdir()) == [target]

    def test_a_target_that_is_not_there_yet(self, tmp_path: Path) -> None:
        link = tmp_path / "link.csv"
        link.symlink_to("new/target.csv")

        write_atomically(link, b"new")

        assert link.is_symlink()
        assert (tmp_path / "new" / "target.csv").read_bytes() == b"new"

    def test_a_link_that_leads_nowhere(self, tmp_path: Path) -> None:
        link = tmp_path / "link.csv"
        link.symlink_to(link)

        with pytest.raises(OSError, match=r"link\.csv"):
            write_atomically(link, b"new")

        assert link.is_symlink()

    def test_a_link_in_place_of_the_part_is_not_followed(self, tmp_path: Path) -> None:
        precious = tmp_path / "precious"
        precious.write_bytes(b"old")
        (tmp_path / ".file.csv.part").symlink_to(precious)

        with pytest.raises(OSError, match=r"file\.csv\.part"):
            write_atomically(tmp_path / "file.csv", b"new")

        assert precious.read_bytes() == b"old"


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()

    write_atomically(pipe, [b"one", b"two"])

    reader.join()
    assert read == [b"onetwo"]
    assert pipe.is_fifo()


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        write_atomically(tmp_path, b"new")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full, a disk that is full")
def test_a_full_disk_is_named() -> None:
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        write_atomically(Path("/dev/full"), b"new")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """A limit on the size of files stands for it, which the system keeps likewise."""
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from fashionkp_mm.core.files import write_atomically\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_atomically(Path(sys.argv[1]), [b'x' * 100] * 100)\n"
        "except OSError as error: print(error)\n"
    )
    path = tmp_path / "file.csv"
    path.write_bytes(b"old")

    process = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )

    assert process.stdout.endswith(f"File too large: '{path}'\n")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


class TestLitter:
    KILLED = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from fashionkp_mm.core.files import write_atomically\n"
        "def pieces():\n"
        "    yield b'some' * 100_000\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_atomically(Path(sys.argv[1]), pieces())\n"
    )

    @pytest.fixture
    def killed(self, tmp_path: Path) -> Path:
        """A file whose writer was killed; what it left lies beside it."""
        path = tmp_path / "p.parquet"
        process = subprocess.run([sys.executable, "-c", self.KILLED, str(path)], check=False)
        assert process.returncode == -signal.SIGKILL
        assert [entry.name for entry in tmp_path.iterdir()] == [".p.parquet.part"]
        return path

    def test_goes_when_the_file_is_written_again(self, killed: Path) -> None:
        write_atomically(killed, b"new")

        assert list(killed.parent.iterdir()) == [killed]
        assert killed.read_bytes() == b"new"

    def test_is_removed_on_request(self, killed: Path) -> None:
        remove_parts(killed.parent)

        assert list(killed.parent.iterdir()) == []


def test_writers_of_one_file_wait_for_each_other(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    path = tmp_path / "file"
    contents = [bytes([number]) * 300_000 for number in range(6)]

    def slowly(content: bytes) -> Iterator[bytes]:
        for start in range(0, len(content), 1000):
            yield content[start : start + 1000]

    writers = [
        threading.Thread(target=write_atomically, args=(path, slowly(content)))
        for content in contents
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


class TestApart:
    @pytest.fixture
    def labels(self, tmp_path: Path) -> Path:
        path = tmp_path / "labels.csv"
        path.write_bytes(b"labels")
        return path

    def test_other_files_pass(self, tmp_path: Path, labels: Path) -> None:
        other = tmp_path / "other.csv"
        other.touch()

        require_apart([other, tmp_path / "new.csv"], [labels, tmp_path / "missing.csv"])

    def test_the_same_name(self, labels: Path) -> None:
        with pytest.raises(FileExistsError, match=f"overwrite the input {labels}; name another"):
            require_apart([labels], [labels])

    @pytest.mark.parametrize("kind", ["symbolic link", "hard link", "other spelling", "relative"])
    @pytest.mark.parametrize("swapped", [False, True])
    def test_the_same_file(
        self,
        tmp_path: Path,
        labels: Path,
        kind: str,
        swapped: bool,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        other = tmp_path / "other.csv"
        if kind == "symbolic link":
            other.symlink_to(labels)
        elif kind == "hard link":
            other.hardlink_to(labels)
        elif kind == "other spelling":
            (tmp_path / "folder").mkdir()
            other = tmp_path / "folder" / ".." / "labels.csv"
        else:
            monkeypatch.chdir(tmp_path)
            other = Path("labels.csv")
        output, path = (labels, other) if swapped else (other, labels)

        with pytest.raises(FileExistsError, match=f"input {path}, which is the same file as"):
            require_apart([output], [path])

    def test_a_name_that_differs_in_case_alone(
        self, tmp_path: Path, labels: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As on a disk that does not tell cases apart, where both names give one status."""
        stat = Path.stat

        def lenient(self: Path, **options: bool) -> os.stat_result:
            return stat(self.with_name(self.name.lower()), **options)

        monkeypatch.setattr(Path, "stat", lenient)

        with pytest.raises(FileExistsError, match="same file"):
            require_apart([tmp_path / "LABELS.csv"], [labels])
