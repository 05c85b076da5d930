"""What the receiver counts; nothing about a person or an account is a label."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, generate_latest


class Counters:
    """The counters of one receiver, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "connext_webhook_requests",
            "Webhook requests by what became of them.",
            ["provider", "outcome"],
            registry=self._registry,
        )
        self._events = Counter(
            "connext_webhook_events",
            "Webhook events by what became of them.",
            ["provider", "outcome"],
            registry=self._registry,
        )

    def request(self, provider: str, outcome: str) -> None:
        """Count one request."""
        self._requests.labels(provider, outcome).inc()

    def events(self, provider: str, outcome: str, count: int) -> None:
        """Count events."""
        if count:
            self._events.labels(provider, outcome).inc(count)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
