"""The studio in numbers, and its picture for the docs: python benchmarks/studio.py [--picture FILE]

A queue of 1,000 drawn pictures: how long the first one and the next ones take to be on the screen.
Then a practised user, by keys alone, corrects and accepts 100 garments of which two points each are
out of place: how many keys a garment, and how long the user waited for the server. Needs Chromium
and Playwright.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from fashionkp_mm.core.csv_format import read_labels, write_labels
from fashionkp_mm.core.garments import KEYPOINT_NAMES, Visibility
from fashionkp_mm.core.table import KeypointTable
from fashionkp_mm.synthetic import write_dataset

DRAWN, QUEUE, CORRECTED = 100, 1000, 100
SHOWN_IN_DOCS = 3


def drawn(root: Path, different: int, count: int) -> Path:
    """A CSV of so many pictures, of which at most so many are different ones."""
    write_dataset(root / "drawn", images=different, seed=11)
    folder = root / "drawn" / "train"
    table = read_labels(folder / "Annotations" / "train.csv")
    picked = table.select(np.arange(count) % len(table))
    ids = [f"queue/{index:04}.jpg" for index in range(count)]
    (root / "queue").mkdir()
    for image_id, source in zip(ids, picked.image_ids, strict=True):
        shutil.copy(folder / source, root / image_id)
    path = root / "labels.csv"
    write_labels(path, changed(picked, tuple(ids), picked.keypoints))
    return path


def changed(table: KeypointTable, ids: tuple[str, ...], keypoints: Any) -> KeypointTable:
    return KeypointTable(ids, table.category_indices, keypoints, table.visibility, table.rows)


def with_faults(path: Path) -> dict[int, list[tuple[str, int, int]]]:
    """Put two points of each garment out of place; what moves them back, by picture's number."""
    rng = np.random.default_rng(1)
    table = read_labels(path)
    keypoints = table.keypoints.copy()
    remedies: dict[int, list[tuple[str, int, int]]] = {}
    for row in range(CORRECTED):
        present = np.flatnonzero(table.visibility[row] == Visibility.VISIBLE)
        for k in rng.choice(present, min(2, len(present)), replace=False):
            by = rng.integers(-25, 26, 2)
            keypoints[row, k] += by
            remedies.setdefault(row + 1, []).append((KEYPOINT_NAMES[k], *(-by).tolist()))
    write_labels(path, changed(table, table.image_ids, keypoints))
    return remedies


@contextmanager
def studio(path: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "fashionkp_mm", "studio", str(path), "--no-browser"]
    server = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, text=True)
    while "Ctrl-C ends" not in (line := server.stdout.readline()):
        if not line:
            raise SystemExit("the studio did not start")
    yield f"http://127.0.0.1:{port}/"
    server.terminate()
    server.wait()


def wait(page: Any, expression: str) -> None:
    while not page.evaluate(expression):
        page.wait_for_timeout(2)


SHOWN = "document.querySelector('#stage').dataset.shown === '{}'"


def press(page: Any, key: str, times: int = 1) -> int:
    for _ in range(times):
        page.keyboard.press(key)
    return times


def move(page: Any, distance: int, keys: tuple[str, str]) -> int:
    """Arrow keys for a distance, tens first; returns how many."""
    key = keys[distance > 0]
    return press(page, f"Shift+{key}", abs(distance) // 10) + press(page, key, abs(distance) % 10)


def correct(page: Any, remedies: list[tuple[str, int, int]]) -> int:
    """Move a garment's points back; returns how many keys that took."""
    names = page.evaluate(
        "[...document.querySelectorAll('.selected .point')].map((p) => p.dataset.name)"
    )
    pressed, at = 0, -1
    for name, dx, dy in sorted(remedies, key=lambda remedy: names.index(remedy[0])):
        steps = names.index(name) - at
        pressed += press(page, "Tab", steps)
        at += steps
        pressed += move(page, dx, ("ArrowLeft", "ArrowRight"))
        pressed += move(page, dy, ("ArrowUp", "ArrowDown"))
    return pressed


def in_words(values: list[float]) -> str:
    milliseconds = 1000 * np.array(values)
    p50, p99 = np.percentile(milliseconds, [50, 99])
    return f"p50 {p50:.0f} ms, p99 {p99:.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path, help="JPEG of the page to write, and nothing else")
    options = parser.parse_args()
    with TemporaryDirectory() as folder, sync_playwright() as driver:
        path = drawn(Path(folder), *((12, 24) if options.picture else (DRAWN, QUEUE)))
        truth = read_labels(path)
        remedies = {} if options.picture else with_faults(path)
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 760})
        with studio(path) as address:
            number = SHOWN_IN_DOCS if options.picture else 1
            start = time.perf_counter()
            page.goto(f"{address}#{number}")
            wait(page, f"document.body.dataset.ready === 'true' && {SHOWN.format(number)}")
            first = time.perf_counter() - start
            if options.picture:
                press(page, "Tab", 3)
                page.wait_for_timeout(300)
                page.screenshot(path=options.picture, type="jpeg", quality=85)
                return
            waits, keys = [], []
            for number in range(1, CORRECTED + 1):
                keys.append(1 + correct(page, remedies[number]))
                start = time.perf_counter()
                page.keyboard.press("Enter")
                wait(page, SHOWN.format(number + 1))
                waits.append(time.perf_counter() - start)
            wait(page, "document.querySelector('#saved').textContent === 'saved'")
            turns = []
            for number in range(CORRECTED + 1, CORRECTED + 51):
                start = time.perf_counter()
                page.keyboard.press("PageDown")
                wait(page, SHOWN.format(number + 1))
                turns.append(time.perf_counter() - start)
            exported = Path(folder) / "exported.csv"
            exported.write_bytes(page.request.get(f"{address}api/export?form=fashionai").body())
            corrected = read_labels(exported)
        browser.close()
    same = (corrected.keypoints == truth.keypoints).all(axis=(1, 2))
    right = int(same[:CORRECTED].sum())
    processor = next(
        iter(re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())), ""
    )
    print(
        f"{processor or platform.processor()}, {len(os.sched_getaffinity(0))} core(s) for all of it"
    )
    print(f"{QUEUE:,} pictures: the first one on the screen after {first:.2f} s")
    print(f"the next one without a change: {in_words(turns)}")
    print(
        f"{CORRECTED} garments with two points each out of place, of which {right} are right now:"
        f" {np.mean(keys):.1f} keys a garment (median {np.median(keys):.0f}); from Enter to the"
        f" next picture: {in_words(waits)}"
    )


if __name__ == "__main__":
    main()
