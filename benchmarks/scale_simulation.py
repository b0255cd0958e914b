"""A billion pictures on 1,000 workers, on paper: python benchmarks/scale_simulation.py

An event simulation of the rules of `batch.scale.ray_engine`: parts are handed out to whoever is
free, again where a node was lost, and a second time to free workers towards the end, where a part
takes three times as long as it should. Nodes are lost at random and come back; some are slow.
"""

from __future__ import annotations

import argparse
import heapq
from dataclasses import dataclass, replace

import numpy as np

LOST, DONE, BACK = range(3)


@dataclass(frozen=True)
class Case:
    """A cluster.

    Attributes:
        pictures: How many there are.
        part: Pictures of a part.
        workers: How many, of a core each.
        of_a_node: Workers that are lost together.
        seconds: Of a core for one picture.
        lost_after: Mean hours until a node is lost.
        back_after: Seconds until it is back: a machine, its models and its workers start.
        slow: Share of the nodes that take three times as long.
    """

    pictures: float = 1e9
    part: int = 1000
    workers: int = 1000
    of_a_node: int = 8
    seconds: float = 0.064
    lost_after: float = 24.0
    back_after: float = 300.0
    slow: float = 0.02


class Simulation:
    """One run of a case.

    Attributes:
        now: Seconds since the beginning.
        wasted: Seconds of workers that came to nothing.
        lost: Nodes that were lost.
        repeated: Parts that were handed out twice.
    """

    def __init__(self, case: Case, seed: int) -> None:
        self._case, self._rng = case, np.random.default_rng(seed)
        nodes = -(-case.workers // case.of_a_node)
        self._pace = np.where(self._rng.random(nodes) < case.slow, 3.0, 1.0)
        self._usual = case.part * case.seconds
        self._left = self._waiting = int(np.ceil(case.pictures / case.part))
        self._stamp = [0] * case.workers  # so that what a lost worker would have done is ignored
        self._began: dict[int, float] = {}
        self._twin: dict[int, int] = {}
        self._free = list(range(case.workers))
        self._events: list[tuple[float, int, int, int]] = []
        self.now = self.wasted = 0.0
        self.lost = self.repeated = 0
        for node in range(nodes):
            self._lose_later(node)

    def run(self) -> None:
        """Until the last part is done."""
        self._hand_out()
        while self._left:
            self.now, kind, which, stamp = heapq.heappop(self._events)
            if kind == LOST:
                self._lose(which)
            elif stamp == self._stamp[which]:
                if kind == DONE:
                    self._finish(which)
                self._free.append(which)
            self._hand_out()

    def _begin(self, worker: int) -> None:
        self._began[worker] = self.now
        takes = self._usual * self._pace[worker // self._case.of_a_node]
        end = self.now + takes * self._rng.lognormal(0, 0.1)
        heapq.heappush(self._events, (end, DONE, worker, self._stamp[worker]))

    def _hand_out(self) -> None:
        while self._free and self._waiting:
            self._waiting -= 1
            self._begin(self._free.pop())
        if not self._free or self._waiting:
            return
        late = [
            (since, worker)
            for worker, since in self._began.items()
            if worker not in self._twin and self.now - since > 3 * self._usual
        ]
        for _, worker in sorted(late)[: len(self._free)]:
            other = self._free.pop()
            self._twin[worker], self._twin[other] = other, worker
            self.repeated += 1
            self._begin(other)

    def _finish(self, worker: int) -> None:
        del self._began[worker]
        self._left -= 1
        if worker in self._twin:
            other = self._twin.pop(worker)
            self._twin.pop(other)
            self._give_up(other)
            self._free.append(other)

    def _give_up(self, worker: int) -> None:
        self.wasted += self.now - self._began.pop(worker)
        self._stamp[worker] += 1

    def _lose(self, node: int) -> None:
        self.lost += 1
        first = node * self._case.of_a_node
        for worker in range(first, min(first + self._case.of_a_node, self._case.workers)):
            if worker in self._began:
                self._give_up(worker)
                if worker in self._twin:
                    self._twin.pop(self._twin.pop(worker))
                else:
                    self._waiting += 1
            else:
                self._stamp[worker] += 1
                if worker in self._free:
                    self._free.remove(worker)
            back = self.now + self._case.back_after
            heapq.heappush(self._events, (back, BACK, worker, self._stamp[worker]))
        self._lose_later(node)

    def _lose_later(self, node: int) -> None:
        at = self.now + float(self._rng.exponential(3600 * self._case.lost_after))
        heapq.heappush(self._events, (at, LOST, node, 0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=Case.seconds, help="of a core a picture")
    parser.add_argument("--pictures", type=float, default=Case.pictures)
    options = parser.parse_args()
    base = Case(seconds=options.seconds, pictures=options.pictures)
    ideal = base.pictures * base.seconds / 3600
    print(
        f"{base.pictures:,.0f} pictures of {1000 * base.seconds:.0f} ms of a core, {base.workers:,}"
        f" workers on nodes of {base.of_a_node}: {ideal / base.workers:.2f} hours and"
        f" {ideal:,.0f} core-hours if nothing went wrong"
    )
    print("pictures of a part   node lost every   slow   hours   core-hours   in vain    lost")
    for case in (
        *(replace(base, part=part) for part in (100, 1000, 10_000, 100_000)),
        replace(base, lost_after=4.0),
        replace(base, lost_after=168.0),
        replace(base, slow=0.1),
    ):
        run = Simulation(case, seed=0)
        run.run()
        hours = run.now / 3600
        wasted = run.wasted / (case.workers * run.now)
        print(
            f"{case.part:18,} {case.lost_after:15g} h {case.slow:6.0%} {hours:7.2f}"
            f" {case.workers * hours:12,.0f} {wasted:9.2%} {run.lost:7}"
        )


if __name__ == "__main__":
    main()
