"""What Prometheus is told of the service."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from fashionkp_mm.studio.guard import App, Message, Receive, Scope, Send

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counts of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "fashionkp_requests",
            "Requests that were answered.",
            ["path", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "fashionkp_request_seconds",
            "From a request to its answer.",
            ["path"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.batches = Histogram(
            "fashionkp_batch_pictures",
            "Pictures that went through the network together.",
            buckets=_SIZES,
            registry=self.registry,
        )
        self._waiting = Gauge(
            "fashionkp_waiting_pictures",
            "Pictures that were let in and are not answered yet.",
            registry=self.registry,
        )

    def watch(self, waiting: Callable[[], float]) -> None:
        """Ask this function for the number of pictures that wait."""
        self._waiting.set_function(waiting)

    def render(self) -> bytes:
        """All counts in Prometheus' text form."""
        text: bytes = generate_latest(self.registry)
        return text

    def counting(self, app: App, paths: frozenset[str]) -> App:
        """An application whose requests are counted; paths that are not listed count as one."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            path = scope["path"] if scope["path"] in paths else "other"
            status = "500"

            async def sending(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = str(message["status"])
                await send(message)

            start = time.perf_counter()
            try:
                await app(scope, receive, sending)
            finally:
                self._requests.labels(path, status).inc()
                self._seconds.labels(path).observe(time.perf_counter() - start)

        return counted
