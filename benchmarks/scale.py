"""What a run over many machines costs: python benchmarks/scale.py real|plumbing

``real FOLDER``: the pictures of a folder, each several times, on 1 and 2 workers of Ray against the
plain command with as many cores; seconds of predicting alone, so neither start counts.

``plumbing``: a stub instead of the networks and 2,000,000 rows: rows a second, the driver's memory,
and how long it takes to go on after half of them.

benchmarks/scale_simulation.py goes on where this machine ends.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HELPERS = Path(__file__).resolve().parents[1] / "tests" / "helpers"


def machine() -> str:
    names = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    name = names[0] if names else platform.processor()
    return f"{name}, {len(os.sched_getaffinity(0))} cores"


# --- real pictures


def real(options: argparse.Namespace) -> None:
    pictures = sorted(options.folder.rglob("*.jpg"))
    print(f"{machine()}; {options.images:,} pictures, category chosen by the model, `refine`")
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        photos.mkdir()
        for number in range(options.images):
            source = pictures[number % len(pictures)].resolve()
            (photos / f"{number:05}.jpg").symlink_to(source)
        command = ["predict", str(photos), "--boxes", "refine"]
        print("workers   plain, s   Ray, s   Ray takes")
        for workers in (1, 2):
            cores = sorted(os.sched_getaffinity(0))[:workers]
            plain = timed([*command, "--out", f"{folder}/{workers}.csv"], cores)
            engine = ["--engine", "ray", "--actors", str(workers)]
            on_ray = timed([*command, "--out", f"{folder}/{workers}", *engine], cores)
            print(f"{workers:7} {plain:10.1f} {on_ray:8.1f} {on_ray / plain - 1:+11.1%}")


def timed(arguments: list[str], cores: list[int]) -> float:
    """Seconds that a command says it predicted for, on these cores."""
    done = subprocess.run(
        [sys.executable, "-m", "fashionkp_mm", *arguments],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    return float(re.findall(r"predicted in ([0-9.,]+) s", done.stdout)[0].replace(",", ""))


# --- plumbing


def plumbing(options: argparse.Namespace) -> None:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    sys.path.insert(0, str(HELPERS))
    os.environ["PYTHONPATH"] = str(HELPERS)
    rows = options.rows
    print(f"{machine()}; {rows:,} rows, {options.workers} workers, a stub instead of the networks")
    with tempfile.TemporaryDirectory() as folder:
        catalogue = f"{folder}/catalogue.parquet"
        with pq.ParquetWriter(catalogue, pa.schema([("uri", pa.string())])) as writer:
            for first in range(0, rows, 100_000):
                names = [f"s3://shop/{n:09}.jpg" for n in range(first, min(first + 100_000, rows))]
                writer.write_table(pa.table({"uri": names}))
        half = driver(catalogue, f"{folder}/out", options.workers, stop_after=rows // 2)
        print(f"first half: {half['rows'] / half['seconds']:,.0f} rows/s, driver killed")
        rest = driver(catalogue, f"{folder}/out", options.workers)
        print(f"going on: the first new part after {rest['first']:.1f} s")
        print(f"second half: {rest['rows'] / rest['seconds']:,.0f} rows/s")
        print(
            f"driver's memory: {rest['start_mb']:,.0f} MB at the start, {rest['most_mb']:,.0f} MB"
            " at most"
        )
        found = pq.read_table(f"{folder}/out", columns=["image_id"])["image_id"]
        print(f"rows: {len(found):,}, different ones {len(found.unique()):,}")


def driver(
    catalogue: str, out: str, workers: int, stop_after: int | None = None
) -> dict[str, float]:
    """Run a driver in a process of its own, which may be killed in the middle."""
    command = [sys.executable, __file__, "_driver", catalogue, out, str(workers)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    last: dict[str, float] = {}
    for line in process.stdout:
        last = json.loads(line)
        if stop_after is not None and last["rows"] >= stop_after:
            process.kill()
            break
    process.wait()
    return last


def drive(options: argparse.Namespace) -> None:
    from scale_runs import MADE_BY, stub_worker  # noqa: PLC0415

    from fashionkp_mm.batch.scale import results  # noqa: PLC0415
    from fashionkp_mm.batch.scale.ray_engine import (  # noqa: PLC0415
        Cluster,
        Listener,
        predict_parts,
    )
    from fashionkp_mm.batch.scale.storage import Folder  # noqa: PLC0415

    start = time.perf_counter()
    folder = Folder(options.out)
    found = results.resume(folder, MADE_BY)
    if found is None:
        found = results.begin(folder, MADE_BY, lambda: ([options.catalogue], []))
    first: list[float] = []
    start_mb = memory_mb()

    def tell(rows: int) -> None:
        now = time.perf_counter()
        first.append(now - start)
        del first[1:]
        seconds = now - start - first[0]
        facts = {"rows": rows, "first": first[0], "seconds": max(seconds, 1e-9)}
        print(json.dumps({**facts, "start_mb": start_mb, "most_mb": memory_mb()}), flush=True)

    predict_parts(
        found.missing,
        stub_worker(found),
        Cluster(actors=options.workers),
        Listener(tell, lambda said: print(said, file=sys.stderr)),
    )


def memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("real")
    one.add_argument("folder", type=Path)
    one.add_argument("--images", type=int, default=2000)
    one.set_defaults(run=real)
    two = commands.add_parser("plumbing")
    two.add_argument("--rows", type=int, default=2_000_000)
    two.add_argument("--workers", type=int, default=2)
    two.set_defaults(run=plumbing)
    inner = commands.add_parser("_driver")
    inner.add_argument("catalogue")
    inner.add_argument("out")
    inner.add_argument("workers", type=int)
    inner.set_defaults(run=drive)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
