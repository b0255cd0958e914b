"""``fashionkp studio`` as a process: how it starts, refuses to, and ends."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
import requests

from fashionkp_mm.core.csv_format import read_labels

pytest.importorskip("fastapi", reason="fastapi is not installed: the extra studio")
from fashionkp_mm.studio.album import open_album
from fashionkp_mm.studio.store import Store


def command(*arguments):
    return [sys.executable, "-m", "fashionkp_mm", "studio", *map(str, arguments), "--no-browser"]


@contextmanager
def started(*arguments):
    """A running studio: its process and the address that it printed."""
    server = subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        line = server.stdout.readline()
        assert " at http" in line, server.stderr.read()
        yield server, line.split(" at ")[1].split()[0]
    finally:
        server.kill()
        server.communicate()


def refused(*arguments):
    """What is said by one that does not start."""
    done = subprocess.run(
        command(*arguments), check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def change(address, garments):
    body = dict(garments=garments, revision=0, key="k", state="accepted", author="Ann")
    answer = requests.post(f"{address}api/pictures/1", json=body, timeout=20)
    assert answer.status_code == 200


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_the_file_is_written_in_the_end_if_that_was_asked_for(labels, by):
    path = labels(2)
    ids = read_labels(path).image_ids
    with started(path, "--write-back") as (server, address):
        change(address, [])
        assert len(read_labels(path)) == 2
        server.send_signal(by)
        out, _ = server.communicate(timeout=60)
    assert server.returncode == 0
    assert "1 picture changed" in out
    assert read_labels(path).image_ids == ids[1:]


def test_what_could_not_be_written_in_the_end_is_kept(labels):
    path = labels(2)
    ids = read_labels(path).image_ids
    with started(path, "--write-back") as (server, address):
        change(address, [])
        content = path.read_bytes()
        path.unlink()
        server.terminate()
        _, said = server.communicate(timeout=60)
        assert server.returncode == 1
    assert "Traceback" not in said
    assert f"{path}: No such file" in said
    assert "nothing is lost" in said
    path.write_bytes(content)
    with started(path, "--write-back") as (server, _):
        server.terminate()
        out, _ = server.communicate(timeout=60)
    assert "1 picture changed" in out
    assert read_labels(path).image_ids == ids[1:]


def test_ctrl_c_twice_ends_it_without_a_traceback(labels):
    path = labels(1)
    with started(path, "--write-back") as (server, address):
        change(address, [])
        server.send_signal(signal.SIGINT)
        time.sleep(0.05)
        server.send_signal(signal.SIGINT)
        out, said = server.communicate(timeout=60)
    assert server.returncode == 0
    assert "Traceback" not in said
    assert "1 picture changed" in out


def test_the_file_is_left_alone_otherwise(labels):
    path = labels(1)
    before = path.read_bytes()
    with started(path) as (server, address):
        change(address, [])
        server.terminate()
        server.communicate(timeout=60)
    assert path.read_bytes() == before


def test_a_second_one_on_the_same_store_is_refused(labels):
    path = labels(1)
    with started(path):
        assert "another studio has this store open" in refused(path)


def test_a_port_in_use_is_named(labels):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} is in use" in refused(labels(1), "--port", port)


def test_an_address_of_another_machine_is_none_to_listen_on(labels):
    said = refused(labels(1), "--host", "192.0.2.1", "--port", "8765")
    assert "192.0.2.1:8765 cannot be listened on (Cannot assign requested address); name" in said


def test_a_store_is_no_input(labels):
    path = labels(1)
    before = path.read_bytes()
    assert "overwrite the input" in refused(path, "--store", path)
    assert path.read_bytes() == before


def test_a_folder_is_not_written_back(labels):
    assert "--write-back writes" in refused(labels(1).parent / "Images", "--write-back")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to(labels):
    path = labels(1)
    path.parent.chmod(0o500)
    try:
        assert "--store" in refused(path)
    finally:
        path.parent.chmod(0o700)


def test_other_machines_need_the_token(labels):
    with started(labels(1), "--host", "0.0.0.0") as (_, address):
        base, _, token = address.replace("0.0.0.0", "127.0.0.1").partition("?token=")
        assert requests.get(f"{base}api/queue", timeout=20).status_code == 401
        person = requests.Session()
        assert person.get(f"{base}?token={token}", timeout=20).status_code == 200
        assert len(person.get(f"{base}api/queue", timeout=20).json()) == 1


KILLS = 20


class Person(threading.Thread):
    """Saves one change after the other, sending each again until it is acknowledged."""

    def __init__(self, address, number):
        super().__init__(daemon=True)
        self.url, self.number = f"{address}/api/pictures/{number}", number
        self.acknowledged = []
        self.refused = []
        self.done = threading.Event()

    def run(self):
        picture = self.ask(None).json()
        revision, garments = picture["revision"], picture["garments"]
        point = next(iter(garments[0]["keypoints"].values()))
        # An absent point has no place to move.
        point["visibility"] = "visible"
        for step in range(1, 100_000):
            if self.done.is_set():
                return
            point["x"] = float(step)
            key = f"change {step} of {self.number}"
            body = dict(garments=garments, revision=revision, key=key, state="open", author="Ann")
            answer = self.ask(body)
            if answer is None or answer.status_code != 200:
                self.refused.append(None if answer is None else answer.text)
                return
            revision = answer.json()["revision"]
            self.acknowledged.append(step)

    def ask(self, body):
        """Until the server answers: it may be gone, before or after it has written."""
        while not self.done.is_set():
            try:
                if body is None:
                    return requests.get(self.url, timeout=20)
                return requests.post(self.url, json=body, timeout=20)
            except requests.RequestException:
                time.sleep(0.01)
        return None


@pytest.mark.skipif(os.name == "nt", reason="no kill -9")
def test_twenty_kills_lose_nothing_acknowledged_and_make_nothing_twice(labels, free_port):
    path = labels(2)
    chance = random.Random(0)
    people = [Person(f"http://127.0.0.1:{free_port}", number) for number in (1, 2)]
    kept = 0
    for _ in range(KILLS):
        with started(path, "--port", free_port) as (server, _):
            for person in people:
                if person.ident is None:
                    person.start()
            # Until something was written, and then at any time.
            end = time.monotonic() + 60
            while len(people[0].acknowledged) == kept and time.monotonic() < end:
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.05))
            server.send_signal(signal.SIGKILL)
            server.wait()
        assert len(people[0].acknowledged) > kept, people[0].refused
        kept = len(people[0].acknowledged)
    with started(path, "--port", free_port):
        for person in people:
            person.done.set()
            person.join(30)
            assert [each for each in person.refused if each is not None] == []
    with Store(open_album(path).store_path) as store:
        for person in people:
            history = store.history(person.number)[1:]
            points = [next(iter(each.garments[0]["keypoints"].values())) for each in history]
            # Whole steps, each once and in order; the last one's answer may have been lost.
            assert [point["x"] for point in points] == list(range(1, len(points) + 1))
            assert len(points) - len(person.acknowledged) in (0, 1)
