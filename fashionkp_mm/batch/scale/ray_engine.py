"""Parts on the workers of a Ray cluster.

A worker is an actor. Parts are handed to whichever worker is free; a part whose worker dies, with
its machine or alone, is handed out again, and what is written twice replaces itself. Towards the
end, free workers repeat the parts that take longest, and whoever is first counts.

Ray Data would hand out rows rather than parts: after a lost machine its writer leaves files behind
that it writes again under other names, and what is done it knows by a list of all ids in memory.
"""

from __future__ import annotations

import os
import socket
import statistics
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fashionkp_mm.batch.scale.plan import Part
from fashionkp_mm.batch.scale.storage import ScaleError
from fashionkp_mm.batch.scale.worker import PartDone, Worker
from fashionkp_mm.core.words import plural

MOST_TRIES = 4
"""Workers that may die on a part before its pictures are given up."""
_MOST_FAILED_STARTS = 3
"""One behind the other, after which no worker can be expected to start."""
_KNOCK_SECONDS = 10.0
_SAY_SECONDS = 30.0
"""Of nothing happening at all."""
_SLOW, _SLOW_SECONDS = 3.0, 30.0
"""A part is slow when it takes so many times as long as half of them, and so long."""


@dataclass(frozen=True)
class Cluster:
    """Which workers there are to be.

    Attributes:
        address: Of the cluster's head, ``auto`` for the one this machine is in; None starts one on
            this machine for the run.
        actors: How many workers; by default as many as find room.
        cpus: Cores of each, which are its sessions' threads.
        gpus: GPUs of each, or shares of one.
    """

    address: str | None = None
    actors: int | None = None
    cpus: int = 1
    gpus: float = 0.0


@dataclass(frozen=True)
class Listener:
    """Who is told how a run goes.

    Attributes:
        progress: Called with the number of pictures done so far.
        say: Called with what the user should know meanwhile: workers that died, waiting.
    """

    progress: Callable[[int], None]
    say: Callable[[str], None]


@dataclass
class _Pool:
    """Workers by what they are doing; keys are Ray's references to what they will answer."""

    starting: dict[Any, Any] = field(default_factory=dict)
    busy: dict[Any, tuple[Any, Part, float]] = field(default_factory=dict)
    free: list[Any] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.starting) + len(self.busy) + len(self.free)


@contextmanager
def connected(cluster: Cluster) -> Iterator[Any]:
    """Ray, connected to the cluster, or to one of its own that ends with the run.

    Raises:
        ScaleError: Ray is not installed, or the cluster cannot be reached.
    """
    # Nobody is told what is run here, unless the user's environment says so.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # noqa: PLC0415
    except ImportError as error:
        raise ScaleError(
            f"--engine ray: {error}; it comes with pip install 'fashionkp_mm[scale]'"
        ) from error
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    # No pictures pass through Ray, so its store of objects may be small.
    own = {"address": "local", "include_dashboard": False, "object_store_memory": 10**8}
    begun = not ray.is_initialized()
    if begun:
        try:
            _require_somebody(cluster.address)
            ray.init(**quiet, **(own if cluster.address is None else {"address": cluster.address}))
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            where = "on this machine" if cluster.address is None else f"at {cluster.address}"
            raise ScaleError(f"no Ray cluster {where}: {error}") from None
    try:
        yield ray
    finally:
        if begun:
            ray.shutdown()


def predict_parts(
    parts: Sequence[Part],
    worker: Worker,
    cluster: Cluster,
    listener: Listener,
) -> Counter[str]:
    """Predict parts, and write each of them.

    Args:
        parts: What is to do.
        worker: Sent to each actor.
        cluster: Which actors.
        listener: Who is told how it goes.

    Returns:
        Sums of ``pictures``, ``garments`` and ``errors``; ``workers``, the most there were at once;
        ``lost``, workers that died; ``repeated``, slow parts that were handed out twice.

    Raises:
        ScaleError: No worker can start.
        ModelFileError, DeviceError: The models cannot be used on a worker.
        OSError: A part cannot be read or written, on several tries.
    """
    with connected(cluster) as ray:
        return _Run(ray, parts, worker, cluster, listener).finish()


def _require_somebody(address: str | None) -> None:
    """Knock first: Ray waits for minutes at an address where nobody listens.

    Raises:
        OSError: Nobody answers.
    """
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), _KNOCK_SECONDS).close()


class _Run:
    def __init__(
        self,
        ray: Any,
        parts: Sequence[Part],
        worker: Worker,
        cluster: Cluster,
        listener: Listener,
    ) -> None:
        self._ray, self._worker = ray, worker
        self._cluster, self._listener = cluster, listener
        self._waiting = deque(parts)
        self._left = {part.number for part in parts}
        self._tries: Counter[int] = Counter()
        self._repeated: set[int] = set()
        self._seconds: list[float] = []
        self._counts: Counter[str] = Counter()
        self._failed_starts = 0
        self._pool = _Pool()
        self._actor = ray.remote(_Host)
        self._wanted = self._most_actors()

    def finish(self) -> Counter[str]:
        """All parts, to the last."""
        moved = time.monotonic()
        try:
            while self._left:
                self._start_workers()
                self._hand_out()
                references = [*self._pool.starting, *self._pool.busy]
                ready, _ = self._ray.wait(references, num_returns=1, timeout=1.0)
                for reference in ready:
                    self._take(reference)
                if ready:
                    moved = time.monotonic()
                elif not self._pool.busy and time.monotonic() - moved > _SAY_SECONDS:
                    self._listener.say(self._why_waiting())
                    moved = time.monotonic()
        finally:
            for actor in self._actors():
                self._ray.kill(actor)
        return self._counts

    def _most_actors(self) -> int:
        """How many workers to ask for."""
        cluster, there = self._cluster, self._ray.cluster_resources()
        if cluster.actors is not None:
            return cluster.actors
        room = [there.get("CPU", 0.0) // cluster.cpus]
        if cluster.gpus:
            room.append(there.get("GPU", 0.0) // cluster.gpus)
        if min(room) < 1:
            raise ScaleError(
                f"no worker can start: each wants {self._wants()}, and the cluster has"
                f" {there.get('CPU', 0.0):g} CPUs and {there.get('GPU', 0.0):g} GPUs; ask for less"
                " with --cpus-per-actor and --gpus-per-actor, or name the number of workers with"
                " --actors if machines are yet to join"
            )
        return int(min(room))

    def _start_workers(self) -> None:
        wanted = min(self._wanted, len(self._left))
        while len(self._pool) < wanted:
            actor = self._actor.options(
                num_cpus=self._cluster.cpus, num_gpus=self._cluster.gpus, max_restarts=0
            ).remote(self._worker)
            self._pool.starting[actor.prepare.remote()] = actor

    def _hand_out(self) -> None:
        while self._pool.free:
            part = self._next()
            if part is None:
                return
            actor = self._pool.free.pop()
            carefully = self._tries[part.number] > 0
            reference = actor.predict.remote(part, carefully=carefully)
            self._pool.busy[reference] = actor, part, time.monotonic()
            running = len(self._pool.busy)
            self._counts["workers"] = max(self._counts["workers"], running)

    def _next(self) -> Part | None:
        """A part that waits, or else one that takes too long where it is."""
        while self._waiting:
            part = self._waiting.popleft()
            if part.number in self._left:
                return part
        if not self._seconds:
            return None
        slow = max(_SLOW * statistics.median(self._seconds), _SLOW_SECONDS)
        oldest = min(
            (
                (since, part)
                for _, part, since in self._pool.busy.values()
                if part.number in self._left and part.number not in self._repeated
            ),
            key=lambda each: each[0],
            default=None,
        )
        if oldest is None or time.monotonic() - oldest[0] < slow:
            return None
        self._repeated.add(oldest[1].number)
        self._counts["repeated"] += 1
        return oldest[1]

    def _take(self, reference: Any) -> None:
        """What a worker answers, or that it never will."""
        if reference in self._pool.starting:
            actor = self._pool.starting.pop(reference)
            try:
                self._ray.get(reference)
            except self._ray.exceptions.RayTaskError as error:
                raise _cause(error) from None
            except self._ray.exceptions.RayActorError as error:
                self._failed_starts += 1
                if self._failed_starts >= _MOST_FAILED_STARTS:
                    raise ScaleError(f"workers die as they start: {error}") from None
                return
            self._failed_starts = 0
            self._pool.free.append(actor)
            return
        actor, part, _ = self._pool.busy.pop(reference)
        try:
            done: PartDone = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            self._pool.free.append(actor)
            self._failed(part, _cause(error))
        except self._ray.exceptions.RayActorError:
            self._died(part)
        else:
            self._pool.free.append(actor)
            self._count(done)

    def _count(self, done: PartDone) -> None:
        self._seconds.append(done.seconds)
        if done.number in self._left:  # not by another worker before
            self._left.remove(done.number)
            for fact in ("pictures", "garments", "errors"):
                self._counts[fact] += getattr(done, fact)
            self._listener.progress(self._counts["pictures"])

    def _failed(self, part: Part, error: Exception) -> None:
        self._tries[part.number] += 1
        # What the user has to change will be wrong everywhere, and again.
        if not isinstance(error, OSError) or self._tries[part.number] >= MOST_TRIES:
            raise error
        self._listener.say(f"{part.name}: {error}; it is tried again")
        self._waiting.appendleft(part)

    def _died(self, part: Part) -> None:
        self._counts["lost"] += 1
        self._tries[part.number] += 1
        if part.number not in self._left:
            return
        tries = self._tries[part.number]
        if tries < MOST_TRIES:
            self._listener.say(f"a worker died on {part.name}; another one takes it, carefully")
            self._waiting.appendleft(part)
            return
        self._listener.say(
            f"{plural(tries, 'worker')} died on {part.name}: its pictures are given up"
        )
        why = f"given up: {plural(tries, 'worker')} died on it or its neighbours"
        self._count(self._worker.give_up(part, why))

    def _why_waiting(self) -> str:
        there, free = self._ray.cluster_resources(), self._ray.available_resources()
        return (
            f"waiting for a worker to start: each wants {self._wants()}; of the cluster's"
            f" {there.get('CPU', 0.0):g} CPUs and {there.get('GPU', 0.0):g} GPUs"
            f" {free.get('CPU', 0.0):g} and {free.get('GPU', 0.0):g} are free"
        )

    def _wants(self) -> str:
        gpus = f" and {self._cluster.gpus:g} GPUs" if self._cluster.gpus else ""
        return f"{plural(self._cluster.cpus, 'CPU')}{gpus}"

    def _actors(self) -> list[Any]:
        busy = (actor for actor, _, _ in self._pool.busy.values())
        return [*self._pool.starting.values(), *busy, *self._pool.free]


class _Host:
    """The actor: a worker where it works."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def prepare(self) -> str:
        """See `Worker.prepare`."""
        return self._worker.prepare()

    def predict(self, part: Part, *, carefully: bool) -> PartDone:
        """See `Worker.predict`."""
        return self._worker.predict(part, carefully=carefully)


def _cause(error: Any) -> Exception:
    """What went wrong in a worker, without Ray's account of where."""
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, Exception) else ScaleError(str(error))
