"""The command: Ray finds what the local engine finds; a run that is killed goes on."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from stub_predictors import stub_garment

from fashionkp_mm.batch import writers
from fashionkp_mm.batch.scale.storage import ScaleError
from fashionkp_mm.batch.scale.summary import error_kind, summarize
from fashionkp_mm.exchange import parquet
from fashionkp_mm.exchange.formats import read_table
from fashionkp_mm.synthetic import write_dataset

pytest.importorskip("ray")
pytest.importorskip("pyarrow")
PICTURES, BROKEN = 200, 5


def fashionkp(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fashionkp_mm", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def bomb() -> bytes:
    """A PNG that says it has 60,000 x 60,000 pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    pixels = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 pictures, five of which are broken, each in its own way."""
    folder = tmp_path_factory.mktemp("catalogue") / "photos"
    write_dataset(folder, images=PICTURES, seed=3)
    paths = sorted(folder.rglob("*.jpg"))
    for path in paths[PICTURES:]:
        path.unlink()
    cut = paths[20].read_bytes()
    paths[20].write_bytes(cut[: len(cut) // 2])
    paths[70].write_bytes(b"")
    paths[120].write_bytes(b"no picture")
    paths[121].write_bytes(bomb())
    paths[199].unlink()
    paths[199].mkdir()
    (paths[199].parent / "199.jpg").symlink_to("nowhere")
    return folder


@pytest.fixture(scope="module")
def both(
    photos: Path, pose_file: Path, detector_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Path, list[subprocess.CompletedProcess[str]]]]:
    """Predictions of the local engine and of Ray."""
    out = tmp_path_factory.mktemp("out")
    options = ("predict", photos, "--model", pose_file, "--detector", detector_file)
    local = fashionkp(*options, "--out", out / "local.parquet")
    on_ray = fashionkp(*options, "--out", out / "ray", "--engine", "ray", "--actors", 2)
    yield out / "local.parquet", out / "ray", [local, on_ray]


def errors_of(folder: Path) -> dict[str, str]:
    frame = pd.read_parquet(folder)
    failed = frame[frame["error"].notna()]
    return dict(zip(failed["image_id"], failed["error"], strict=True))


def test_ray_finds_what_the_local_engine_finds(both: Any) -> None:
    local, folder, (first, second) = both
    assert (first.returncode, second.returncode) == (1, 1), second.stderr
    here, there = read_table(local), read_table(folder)
    assert here.garments.image_ids == there.garments.image_ids
    assert np.array_equal(here.garments.category_indices, there.garments.category_indices)
    assert np.abs(here.garments.keypoints - there.garments.keypoints).max() <= 0.01
    assert np.array_equal(here.garments.visibility, there.garments.visibility)
    said = {line.removeprefix("error: ") for line in first.stderr.splitlines() if "error:" in line}
    assert said == set(errors_of(folder).values())
    assert len(said) == BROKEN
    assert len(there.pictures) == len(set(pd.read_parquet(folder)["image_id"]))


def test_what_went_wrong_is_summed_up(both: Any) -> None:
    _, folder, (_, on_ray) = both
    assert f"5 images could not be predicted; `fashionkp stats {folder}` says why" in on_ray.stderr
    found = summarize(str(folder))
    assert sum(found.errors.values()) == BROKEN
    assert found.pictures == len(read_table(folder).pictures)
    assert sum(found.garments.values()) == len(read_table(folder)) == found.scores.sum()
    stats = json.loads(fashionkp("stats", folder, "--json").stdout)
    assert stats["errors"]["the image is too large to be decoded"] == 1
    assert stats["parts"] == len(list(folder.glob("part-*")))
    assert "the image is too large to be decoded" in fashionkp("stats", folder).stdout


def test_other_programs_read_it(both: Any) -> None:
    _, folder, _ = both
    duckdb = pytest.importorskip("duckdb")
    (found,) = duckdb.sql(f"""
        select count(distinct image_id), count(category), count(error)
        from '{folder}/part-*.parquet'
    """).fetchall()
    table = read_table(folder)
    assert found == (len(table.pictures), len(table), BROKEN)
    assert len(pd.read_parquet(folder)) == len(table) + len(
        set(table.pictures) - set(table.garments.image_ids)
    )


def test_a_finished_run_is_not_done_again(both: Any, photos: Path) -> None:
    _, folder, _ = both
    before = {path: path.stat().st_mtime_ns for path in folder.glob("part-*")}
    again = fashionkp("predict", photos, "--out", folder, "--engine", "ray")
    assert again.returncode == 1
    assert "holds results of a run; --resume goes on with them" in again.stderr
    other = fashionkp("predict", photos, "--out", folder, "--engine", "ray", "--resume")
    assert "the interrupted run used model sha256" in other.stderr
    assert {path: path.stat().st_mtime_ns for path in folder.glob("part-*")} == before


def killed(command: list[str], out: Path, parts: int) -> int:
    """Kill a run, driver and all, once it has written so many parts; how many there are then."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while len(list(out.glob("part-*"))) < parts and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return len(list(out.glob("part-*")))


def test_a_killed_driver_goes_on(photos: Path, pose_file: Path, tmp_path: Path) -> None:
    frame = pd.DataFrame({"uri": [str(path) for path in sorted(photos.rglob("*.jpg"))] * 8})
    frame["image_id"] = [f"{number}" for number in range(len(frame))]
    catalogue, out = tmp_path / "catalogue.parquet", tmp_path / "out"
    frame.to_parquet(catalogue)
    options = ["predict", catalogue, "--model", pose_file, "--boxes", "whole"]
    options += ["--engine", "ray", "--actors", "1", "--out", out]
    command = [sys.executable, "-m", "fashionkp_mm", *map(str, options)]
    done = killed(command, out, 3)
    # Workers may end the part in hand before they find out; all that is there is whole.
    assert 3 <= done < 26
    assert len(pd.read_parquet(out)) >= 3 * 64
    resumed = fashionkp(*options, "--resume")
    assert "done before" in resumed.stdout, resumed.stderr
    ids = pd.read_parquet(out)["image_id"]
    assert sorted(set(ids), key=int) == list(frame["image_id"])
    finished = fashionkp(*options, "--resume")
    assert "nothing was left to predict" in finished.stdout
    frame.iloc[1:].to_parquet(catalogue)
    changed = fashionkp(*options, "--resume")
    assert "the files of pictures have changed since the run began" in changed.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--engine", "ray", "--draw", "d"], "--draw is of no use with --engine ray"),
        (["--engine", "ray", "--shard", "1/2"], "--shard is of no use with --engine ray"),
        (["--actors", "2"], "--actors is of no use with --engine local"),
        (["--engine", "ray", "--address", "127.0.0.1:1"], "no Ray cluster at 127.0.0.1:1"),
    ],
)
def test_options_that_do_not_fit(
    options: list[str], message: str, tmp_path: Path, photos: Path
) -> None:
    done = fashionkp("predict", photos, "--out", tmp_path / "out", *options)
    assert done.returncode != 0
    assert message in " ".join(done.stderr.replace("│", " ").split())


def test_a_run_that_was_killed_at_once_begins_anew(pose_file: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path / "drawn", images=2, seed=1)
    out = tmp_path / "out"
    out.mkdir()
    (out / "_input.parquet").write_bytes(b"half of it")
    options = ("--model", pose_file, "--boxes", "whole", "--engine", "ray", "--resume")
    done = fashionkp("predict", tmp_path / "drawn", "--out", out, *options)
    assert done.returncode == 0, done.stderr
    assert len(read_table(out).pictures) == len(list((tmp_path / "drawn").rglob("*.jpg")))


def test_a_folder_without_a_run(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "notes.txt").touch()
    done = fashionkp("predict", photos, "--out", tmp_path, "--engine", "ray")
    assert "holds files; name a new or an empty folder" in done.stderr
    (tmp_path / "_manifest.json").write_text("{")
    done = fashionkp("predict", photos, "--out", tmp_path, "--engine", "ray", "--resume")
    assert "not the manifest of such a run, or damaged" in done.stderr


def test_a_summary_counts_pictures_across_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fashionkp_mm.batch.scale.summary._ROWS", 2)
    garments = [stub_garment("a"), stub_garment("b"), stub_garment("c")]
    contents = {
        "several.jpg": writers.content("parquet", (9, 9), garments),
        "empty.jpg": writers.content("parquet", (9, 9), ()),
        "bad.jpg": writers.content("parquet", (0, 0), ()),
    }
    errors = {"bad.jpg": "bad.jpg: the image is missing; replace it"}
    facts = {"seconds": "1.5", "pictures": "3", "host": "here"}
    part = parquet.write_part(writers.table_of(contents.items()), errors, facts)
    (tmp_path / "part-0000000.parquet").write_bytes(part)
    found = summarize(str(tmp_path))
    assert (found.pictures, found.empty, found.garments.total()) == (3, 1, 3)
    assert found.errors == {"the image is missing": 1}
    assert found.slowest == ("part-0000000.parquet", 1.5, 3, "here")
    assert found.scores.tolist() == [0, 0, 0, 0, 0, 3, 0, 0, 0, 0]  # 0.8 of the box, 0.7 of points


def test_what_is_no_folder_of_predictions(tmp_path: Path) -> None:
    with pytest.raises(ScaleError, match=r"no \.parquet file is there"):
        summarize(str(tmp_path))
    pd.DataFrame({"sku": ["1"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ScaleError, match=r"a\.parquet: no Parquet file of predictions"):
        summarize(str(tmp_path))


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("a/b: the image is missing; replace the file", "the image is missing"),
        (
            "x: the image is too large to be decoded (9x9 pixels)",
            "the image is too large to be decoded",
        ),
        (
            "s3://b/k: the image could not be fetched in 4 tries (503)",
            "the image could not be fetched in N tries",
        ),
        ("no colon", "no colon"),
    ],
)
def test_kinds_of_errors(message: str, kind: str) -> None:
    assert error_kind(message) == kind
