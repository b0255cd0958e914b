"""Commands with pictures in a bucket and on a server, run as a user runs them."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest
from garment_fixtures import model
from typer.testing import CliRunner

from fashionkp_mm.batch.journal import journal_path
from fashionkp_mm.batch.predicting import Predicting
from fashionkp_mm.batch.run import Done
from fashionkp_mm.batch.sources import Source
from fashionkp_mm.cli import app
from fashionkp_mm.images import remote
from fashionkp_mm.runtime import Prediction

__all__ = ["model"]

SECRETS = ("hunter2", "SEKRET")


class Signed(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and has some names for what goes wrong."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.path = self.path.partition("?")[0]
        self.asked.append(self.path)
        for status in (403, 404, 500):
            if str(status) in self.path:
                self.send_error(status)
                return
        super().do_GET()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(drawn_root: Path) -> Iterator[tuple[str, list[str]]]:
    """Address of a server, and names of pictures that it has."""
    pytest.importorskip("aiohttp")
    folder = drawn_root / "train"
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg"))
    handler = partial(Signed, directory=str(folder))
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{httpd.server_port}", names
    httpd.shutdown()
    httpd.server_close()


def test_nothing_that_is_written_or_said_tells_a_secret(
    server: tuple[str, list[str]], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_FIRST_WAIT", 0.01)
    address, names = server
    uris = [
        f"http://ann:hunter2@{address}/{names[0]}?w=2&X-Amz-Signature=SEKRET%2Fx",
        f"http://{address}/{names[1]}?token=SEKRET",
        f"http://{address}/403.jpg?sig=SEKRET%2Bx",
        f"http://{address}/404.jpg?Signature=SEKRET",
        f"http://{address}/500.jpg?access_token=SEKRET",
    ]
    (tmp_path / "list.txt").write_text("\n".join(uris))
    monkeypatch.chdir(tmp_path)
    given = ["list.txt", "--model", str(model), "--boxes", "whole"]
    for command in (
        ["predict", *given, "--out", "out/p.json", "--draw", "out/drawn"],
        ["crop", *given, "--out", "out/crops"],
        ["present", *given, "--out", "out/presented"],
    ):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 1, done.output
        assert not [secret for secret in SECRETS if secret in done.output]
        for line in (
            f"http://{address}/403.jpg: the image could not be fetched (403",
            f"http://{address}/404.jpg: the image is missing",
            f"http://{address}/500.jpg: the image could not be fetched in 4 tries (500",
        ):
            assert line in done.output.replace("\n", " ")
    ids = {garment["image_id"] for garment in json.loads(Path("out/p.json").read_bytes())}
    assert ids == {f"http://{address}/{names[0]}?w=2", f"http://{address}/{names[1]}"}
    written = [path for path in Path("out").rglob("*") if path.is_file()]
    assert len(written) > 6
    for path in written:
        assert not [s for s in SECRETS if s in str(path) or s.encode() in path.read_bytes()]


def test_an_interrupted_run_tells_none_either_and_goes_on(
    server: tuple[str, list[str]], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, names = server
    uris = [f"http://{address}/{name}?sig=SEKRET" for name in names[:6]]
    (tmp_path / "list.txt").write_text("\n".join(uris))
    monkeypatch.chdir(tmp_path)
    command = ["predict", "list.txt", "--model", str(model), "--boxes", "whole", "--out", "p.json"]
    work = Predicting.work

    def full_disk(task: Predicting, source: Source, prediction: Prediction) -> Done:
        if source.image_id.endswith(names[4]):
            raise OSError("disk full")
        return work(task, source, prediction)

    with monkeypatch.context() as patch:
        patch.setattr(Predicting, "work", full_disk)
        stopped = CliRunner().invoke(app, command)
    assert stopped.exit_code == 1
    assert "disk full" in stopped.output
    journal = journal_path(Path("p.json")).read_text()
    assert journal.count(f"http://{address}/") >= 4
    assert "SEKRET" not in journal + stopped.output

    Signed.asked.clear()
    whole = CliRunner().invoke(app, [*command, "--resume"])
    assert whole.exit_code == 0, whole.output
    assert {path.strip("/") for path in Signed.asked} == set(names[4:6])
    assert {garment["image_id"] for garment in json.loads(Path("p.json").read_bytes())} == {
        f"http://{address}/{name}" for name in names[:6]
    }


@pytest.mark.parametrize("given", ["list", "table"])
def test_a_run_on_ray_tells_none_either_and_goes_on(
    server: tuple[str, list[str]], pose_file: Path, tmp_path: Path, given: str
) -> None:
    pytest.importorskip("ray")
    pq = pytest.importorskip("pyarrow.parquet")
    pa = pytest.importorskip("pyarrow")
    address, names = server
    folder = tmp_path / "served"
    uri = f"http://{address}/{names[0]}?sig=SEKRET"
    if given == "table":
        folder.mkdir()
        pq.write_table(pa.table({"uri": [f"http://{address}/{names[0]}"]}), folder / "t.parquet")
        handler = partial(Signed, directory=str(folder))
        httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        uri = f"http://127.0.0.1:{httpd.server_port}/t.parquet?sig=SEKRET"
    out = tmp_path / "out"
    command = ["predict", uri, "--model", str(pose_file), "--boxes", "whole", "--engine", "ray"]
    done = CliRunner().invoke(app, [*command, "--actors", "1", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "SEKRET" not in done.output
    for path in out.iterdir():
        # Workers open the pictures by what stands in the input, so it keeps the addresses.
        assert path.name == "_input.parquet" or b"SEKRET" not in path.read_bytes(), path
    (part,) = out.glob("part-*")
    part.unlink()
    renewed = [word.replace("SEKRET", "SEKRET2") for word in command]
    again = CliRunner().invoke(app, [*renewed, "--out", str(out), "--resume"])
    assert again.exit_code == 0, again.output
    assert part.is_file()
