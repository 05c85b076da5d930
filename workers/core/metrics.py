"""What a worker counts, in a registry of its own; nothing about a person is a label.

docs/metrics.md says what each means and when to worry.
"""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from workers.core.tallies import Spread, Tally

BUCKETS = (0.001, 0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60)
WAITS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800)
CALLS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.lag = timedelta()
        self._finished = self._counter("jobs", "Jobs by outcome.", "queue", "kind", "outcome")
        self._seconds = self._histogram(
            "job_seconds", "Time in the handler.", BUCKETS, "queue", "kind"
        )
        self._wait = self._histogram(
            "job_wait_seconds",
            "Time from when a job was due to the start of its handler.",
            WAITS,
            "queue",
            "kind",
        )
        self._claimed = self._counter("jobs_claimed", "Jobs claimed.", "queue")
        self._lost = self._counter("leases_lost", "Leases lost.", "queue")
        self._depth = self._gauge("queue_jobs", "Jobs by state.", "queue", "kind", "state")
        self._oldest = self._gauge(
            "queue_oldest_ready_seconds", "Age of the oldest job that could run.", "queue", "kind"
        )
        self._calls = self._counter(
            "provider_calls",
            "Calls to a provider by HTTP status and the provider's error code.",
            "provider",
            "status",
            "code",
        )
        self._call_seconds = self._histogram(
            "provider_call_seconds", "Time of a call to a provider.", CALLS, "provider"
        )
        self._usage = self._gauge(
            "provider_usage_percent",
            "Share of the allowance that the provider last said is used.",
            "provider",
        )
        self._pauses = self._counter(
            "pauses", "Pauses that a provider asked for.", "queue", "scope"
        )
        self._hearing = self._gauge(
            "realtime_hearing", "1 while hints of new jobs arrive by Realtime, else 0.", "queue"
        )

    def _counter(self, name: str, text: str, *labels: str) -> Tally:
        return Tally(f"connext_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"connext_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, bounds: tuple[float, ...], *labels: str) -> Spread:
        return Spread(f"connext_{name}", text, bounds, labels, registry=self.registry)

    def finished(self, queue: str, kind: str, outcome: str, count: int = 1) -> None:
        """Count attempts by outcome."""
        self._finished.add((queue, kind, outcome), count)

    def took(self, queue: str, kind: str, seconds: float) -> None:
        """Note how long a handler ran."""
        self._seconds.observe(seconds, (queue, kind))

    def waited(self, queue: str, kind: str, wait: timedelta) -> None:
        """Note how long a due job waited; a clock that is behind the database's counts as none."""
        self._wait.observe(max(wait.total_seconds(), 0.0), (queue, kind))

    def claimed(self, queue: str, count: int) -> None:
        """Count claimed jobs."""
        self._claimed.add((queue,), count)

    def lost(self, queue: str) -> None:
        """Count a lost lease."""
        self._lost.add((queue,))

    def called(self, provider: str, *, status: str, code: str, seconds: float) -> None:
        """Count a call to a provider; *status* is HTTP's or 'none', *code* the provider's."""
        self._calls.add((provider, status, code))
        self._call_seconds.observe(seconds, (provider,))

    def used(self, provider: str, percent: float) -> None:
        """Set how much of a provider's allowance is used."""
        self._usage.labels(provider).set(percent)

    def paused(self, queue: str, *, scope: str) -> None:
        """Count a pause of one integration, or of the whole app."""
        self._pauses.add((queue, scope))

    def hears(self, queue: str, *, hearing: bool) -> None:
        """Set whether hints of new jobs arrive by Realtime."""
        self._hearing.labels(queue).set(int(hearing))

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
