"""``fashionkp serve`` under load, beside the predictor on a list of the same files.

    python benchmarks/serve.py [--seconds 60] [--clients 32] [--workers 1] [--processes 1]

Clients in a process of their own post one drawn JPEG at a time over loopback, each the next one as
soon as it has its answer. The list is predicted before and after, in batches of 32. With several
processes each is a server on a port of its own, and clients are dealt out among them, as a proxy
would.
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
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from fashionkp_mm.runtime import FashionPredictor
from fashionkp_mm.synthetic import write_dataset

FIRST_PORT = 8123
BOUNDARY = "a-boundary"
IMAGES = 64


def body_of(path: Path) -> bytes:
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="images"; filename="{path.name}"'
        "\r\nContent-Type: image/jpeg\r\n\r\n"
    )
    return head.encode() + path.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()


def client(
    port: int, bodies: list[bytes], number: int, until: float, answers: list[tuple[int, float]]
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
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


def clients(
    ports: list[int], bodies: list[bytes], count: int, seconds: float, results: Any
) -> None:
    answers: list[tuple[int, float]] = []
    until = time.time() + seconds
    threads = [
        threading.Thread(
            target=client, args=(ports[index % len(ports)], bodies, 2 * index, until, answers)
        )
        for index in range(count)
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put((answers, time.perf_counter() - start))


def under_load(
    ports: list[int], bodies: list[bytes], count: int, seconds: float
) -> tuple[list[tuple[int, float]], float]:
    """Status and seconds of every request, and the seconds that they took together."""
    results: Any = multiprocessing.Queue()
    load = multiprocessing.Process(target=clients, args=(ports, bodies, count, seconds, results))
    load.start()
    answers: tuple[list[tuple[int, float]], float] = results.get()
    load.join()
    return answers


def metrics(ports: list[int]) -> Counter[str]:
    """Sums over all processes, by name."""
    sums: Counter[str] = Counter()
    for port in ports:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                sums[sample.name] += sample.value
    return sums


@contextmanager
def servers(processes: int, workers: int) -> Iterator[list[int]]:
    """Their ports."""
    ports = [FIRST_PORT + index for index in range(processes)]
    command = [sys.executable, "-m", "fashionkp_mm", "serve", "--timeout", "120"]
    command += ["--workers", str(workers)]
    started = [
        subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, text=True)
        for port in ports
    ]
    try:
        for server in started:
            assert server.stdout is not None
            if "serving at" not in server.stdout.readline():
                raise SystemExit("a server did not start")
        yield ports
    finally:
        for server in started:
            server.terminate()
        for server in started:
            server.wait()


def on_a_list(
    predictor: FashionPredictor, paths: list[Path], seconds: float
) -> tuple[float, float]:
    """Images a second, and seconds of processor time an image."""
    start, worked, done = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < seconds:
        predictor.predict([str(path) for path in paths])
        done += len(paths)
    return done / (time.perf_counter() - start), (time.process_time() - worked) / done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--workers", type=int, default=1, help="of each process")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        write_dataset(Path(folder) / "drawn", images=IMAGES, seed=5)
        paths = sorted(Path(folder).rglob("*.jpg"))
        bodies = [body_of(path) for path in paths]
        predictor = FashionPredictor()
        predictor.predict([str(path) for path in paths])
        before = on_a_list(predictor, paths, options.seconds / 4)
        with servers(options.processes, options.workers) as ports:
            # ONNX Runtime keeps the memory of the largest batch: a first round makes it meet that.
            under_load(ports, bodies, options.clients, options.seconds)
            first = metrics(ports)
            answers, seconds = under_load(ports, bodies, options.clients, options.seconds)
            last = metrics(ports)
        after = on_a_list(predictor, paths, options.seconds / 4)
    lost = sum(status != 200 for status, _ in answers)
    waits = 1000 * np.array([wait for _, wait in answers])
    rate, alone = len(answers) / seconds, (before[0] + after[0]) / 2
    worked = (last["process_cpu_seconds_total"] - first["process_cpu_seconds_total"]) / len(answers)
    batches = "fashionkp_batch_pictures_count", "fashionkp_batch_pictures_sum"
    count, total = (last[name] - first[name] for name in batches)
    memory = [values["process_resident_memory_bytes"] / 2**20 for values in (first, last)]
    cpu = next(iter(re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())), "?")
    cores = len(os.sched_getaffinity(0))
    print(f"{cpu}, {cores} core(s) for servers and clients together")
    print(f"--processes {options.processes} --workers {options.workers}")
    print(f"{options.clients} clients, {seconds:.0f} s: {len(answers):,} requests, {lost} lost")
    print(
        f"{rate:.2f} images/s; FashionPredictor on a list {before[0]:.2f} before, {after[0]:.2f}"
        f" after: {rate / alone:.0%}"
    )
    print(
        f"processor time an image: {1000 * worked:.0f} ms; on a list {1000 * before[1]:.0f} ms"
        f" before, {1000 * after[1]:.0f} ms after: {(before[1] + after[1]) / 2 / worked:.0%}"
    )
    print(f"p50 {np.percentile(waits, 50):,.0f} ms, p99 {np.percentile(waits, 99):,.0f} ms")
    print(
        f"pictures a batch: {total / count:.1f}; memory {memory[0]:.0f} MiB, then {memory[1]:.0f}"
    )


if __name__ == "__main__":
    main()
