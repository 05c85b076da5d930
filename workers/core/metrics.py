"""What a worker counts, in a registry of its own; nothing about a person is a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from datetime import timedelta

BUCKETS = (0.001, 0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._finished = Counter(
            "connext_jobs", "Jobs by outcome.", ["queue", "kind", "outcome"], registry=self.registry
        )
        self._seconds = Histogram(
            "connext_job_seconds",
            "Time in the handler.",
            ["queue", "kind"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._claimed = Counter(
            "connext_jobs_claimed", "Jobs claimed.", ["queue"], registry=self.registry
        )
        self._lost = Counter(
            "connext_leases_lost", "Leases lost.", ["queue"], registry=self.registry
        )
        self._depth = Gauge(
            "connext_queue_jobs",
            "Jobs by state.",
            ["queue", "kind", "state"],
            registry=self.registry,
        )
        self._oldest = Gauge(
            "connext_queue_oldest_ready_seconds",
            "Age of the oldest job that could run.",
            ["queue", "kind"],
            registry=self.registry,
        )
        self._outcomes: dict[tuple[str, str, str], Counter] = {}
        self._durations: dict[tuple[str, str], Histogram] = {}

    def finished(self, queue: str, kind: str, outcome: str, count: int = 1) -> None:
        """Count attempts by outcome; the labelled child is kept, looking it up is slow."""
        child = self._outcomes.get((queue, kind, outcome))
        if child is None:
            child = self._outcomes[queue, kind, outcome] = self._finished.labels(
                queue, kind, outcome
            )
        child.inc(count)

    def took(self, queue: str, kind: str, seconds: float) -> None:
        """Note how long a handler ran."""
        child = self._durations.get((queue, kind))
        if child is None:
            child = self._durations[queue, kind] = self._seconds.labels(queue, kind)
        child.observe(seconds)

    def claimed(self, queue: str, count: int) -> None:
        """Count claimed jobs."""
        self._claimed.labels(queue).inc(count)

    def lost(self, queue: str) -> None:
        """Count a lost lease."""
        self._lost.labels(queue).inc()

    def forget_depth(self) -> None:
        """Drop the gauges, so that a kind without jobs does not keep its last figure."""
        self._depth.clear()
        self._oldest.clear()

    def depth(self, queue: str, kind: str, *, state: str, count: int) -> None:
        """Set how many jobs of *kind* are in *state*."""
        self._depth.labels(queue, kind, state).set(count)

    def oldest(self, queue: str, kind: str, *, age: timedelta) -> None:
        """Set how long the oldest ready job has been waiting."""
        self._oldest.labels(queue, kind).set(age.total_seconds())

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)
