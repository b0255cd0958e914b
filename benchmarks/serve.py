"""``fashionkp serve`` under load, beside the predictor on a list of the same files.

    python benchmarks/serve.py [--seconds 60] [--clients 32]

Clients in a process of their own post one drawn JPEG at a time over loopback, each the next one as
soon as it has its answer. The list is predicted before and after, in batches of 32.
"""

from __future__ import annotations

import argparse
import http.client
import multiprocessing
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from fashionkp_mm.runtime import FashionPredictor
from fashionkp_mm.synthetic import write_dataset

PORT = 8123
BOUNDARY = "a-boundary"
IMAGES = 64


def body_of(path: Path) -> bytes:
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="images"; filename="{path.name}"'
        "\r\nContent-Type: image/jpeg\r\n\r\n"
    )
    return head.encode() + path.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()


def client(bodies: list[bytes], until: float, answers: list[tuple[int, float]]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    number = threading.get_ident()
    while time.time() < until:
        number += 1
        start = time.perf_counter()
        try:
            connection.request("POST", "/v1/predict", bodies[number % len(bodies)], headers)
            answer = connection.getresponse()
            content = answer.read()
            status = answer.status if b'"garments"' in content else -answer.status
        except OSError:
            status = 0
            connection.close()
        answers.append((status, time.perf_counter() - start))


def clients(bodies: list[bytes], count: int, seconds: float, results: Any) -> None:
    answers: list[tuple[int, float]] = []
    until = time.time() + seconds
    threads = [threading.Thread(target=client, args=(bodies, until, answers)) for _ in range(count)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put((answers, time.perf_counter() - start))


def metrics() -> dict[tuple[str, ...], float]:
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def on_a_list(predictor: FashionPredictor, paths: list[Path], seconds: float) -> float:
    """Images a second."""
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        predictor.predict([str(path) for path in paths])
        done += len(paths)
    return done / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=32)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        write_dataset(Path(folder) / "drawn", images=IMAGES, seed=5)
        paths = sorted(Path(folder).rglob("*.jpg"))
        predictor = FashionPredictor()
        predictor.predict([str(path) for path in paths])
        before = on_a_list(predictor, paths, options.seconds / 4)
        command = [
            sys.executable,
            "-m",
            "fashionkp_mm",
            "serve",
            "--port",
            str(PORT),
            "--timeout",
            "120",
        ]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        server.stdout.readline()
        bodies = [body_of(path) for path in paths]
        results: Any = multiprocessing.Queue()
        # ONNX Runtime keeps the memory of the largest batch: a first round makes it meet that.
        first_round = bodies, options.clients, options.seconds, results
        warm = multiprocessing.Process(target=clients, args=first_round)
        warm.start()
        results.get()
        warm.join()
        first = metrics()
        load = multiprocessing.Process(
            target=clients, args=(bodies, options.clients, options.seconds, results)
        )
        load.start()
        answers, seconds = results.get()
        load.join()
        last = metrics()
        server.terminate()
        server.wait()
        after = on_a_list(predictor, paths, options.seconds / 4)
    lost = sum(status != 200 for status, _ in answers)
    waits = 1000 * np.array([wait for _, wait in answers])
    rate, alone = len(answers) / seconds, (before + after) / 2
    batches = ("fashionkp_batch_pictures_count",), ("fashionkp_batch_pictures_sum",)
    count, total = (last[name] - first[name] for name in batches)
    memory = [values[("process_resident_memory_bytes",)] / 2**20 for values in (first, last)]
    cpu = next(iter(re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())), "?")
    cores = len(os.sched_getaffinity(0))
    print(f"{cpu}, {cores} core(s) for server and clients together")
    print(f"{options.clients} clients, {seconds:.0f} s: {len(answers):,} requests, {lost} lost")
    print(
        f"{rate:.2f} images/s; FashionPredictor on a list {before:.2f} before, {after:.2f} after:"
        f" {rate / alone:.0%}"
    )
    print(f"p50 {np.percentile(waits, 50):,.0f} ms, p99 {np.percentile(waits, 99):,.0f} ms")
    print(
        f"pictures a batch: {total / count:.1f}; memory {memory[0]:.0f} MiB, then {memory[1]:.0f}"
    )


if __name__ == "__main__":
    main()
