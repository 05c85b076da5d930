"""What the receiver counts; nothing about a person or an account is a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from workers.core.tallies import Spread, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class Counters:
    """The counters of one receiver, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Tally(
            "connext_webhook_requests",
            "Webhook requests by what became of them.",
            ["provider", "outcome"],
            registry=self.registry,
        )
        self._rejects = Tally(
            "connext_webhook_rejects",
            "Webhook requests that were not accepted, by reason.",
            ["provider", "reason"],
            registry=self.registry,
        )
        self._events = Tally(
            "connext_webhook_events",
            "Webhook events by what became of them.",
            ["provider", "outcome"],
            registry=self.registry,
        )
        self._store_seconds = Spread(
            "connext_webhook_store_seconds",
            "Time from a proven delivery to its commit.",
            SECONDS,
            registry=self.registry,
        )
        self._group_size = Spread(
            "connext_webhook_commit_deliveries",
            "Deliveries in one commit.",
            SIZES,
            registry=self.registry,
        )
        self._waiting = Gauge(
            "connext_webhook_waiting_events",
            "Events that wait for a commit.",
            registry=self.registry,
        )

    def request(self, provider: str, outcome: str) -> None:
        """Count one request."""
        self._requests.add((provider, outcome))

    def reject(self, provider: str, reason: str) -> None:
        """Count one request that was not accepted."""
        self._rejects.add((provider, reason))

    def events(self, provider: str, outcome: str, count: int) -> None:
        """Count events."""
        if count:
            self._events.add((provider, outcome), count)

    def stored_after(self, seconds: float) -> None:
        """Note how long a delivery waited for its commit."""
        self._store_seconds.observe(seconds)

    def committed(self, deliveries: int) -> None:
        """Note how many deliveries shared a commit."""
        self._group_size.observe(deliveries)

    def watch_waiting(self, size: Callable[[], int]) -> None:
        """Ask *size* whenever somebody reads the gauge."""
        self._waiting.set_function(size)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)
