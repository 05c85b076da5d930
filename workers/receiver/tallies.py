"""Counters and histograms for one thread: a count is an addition, the rest is done when asked.

The library's own take a lock for each of several parts of a number. What counts several times a
request, and is asked for once a minute, pays for that with every request.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prometheus_client import CollectorRegistry


class Tally(Collector):
    """Counts by labels; *registry* asks for them."""

    def __init__(
        self, name: str, text: str, labels: Sequence[str], *, registry: CollectorRegistry
    ) -> None:
        self._name, self._text, self._labelnames = name, text, labels
        self._counts: defaultdict[tuple[str, ...], int] = defaultdict(int)
        registry.register(self)

    def add(self, labels: tuple[str, ...], count: int = 1) -> None:
        """Count *count* more under *labels*, which are in the order of their names."""
        self._counts[labels] += count

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Tell what has been counted."""
        family = CounterMetricFamily(self._name, self._text, labels=self._labelnames)
        for labels, count in sorted(self._counts.items()):
            family.add_metric(labels, count)
        yield family


class Spread(Collector):
    """How amounts are spread over *bounds*, which rise; what equals a bound is below it."""

    def __init__(
        self, name: str, text: str, bounds: Sequence[float], *, registry: CollectorRegistry
    ) -> None:
        self._name, self._text, self._labelnames = name, text, ()
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        registry.register(self)

    def observe(self, amount: float) -> None:
        """Count *amount*."""
        self._counts[bisect_left(self._bounds, amount)] += 1
        self._sum += amount

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """Tell how many amounts there were up to each bound."""
        names = [floatToGoString(b) for b in (*self._bounds, float("inf"))]  # type: ignore[no-untyped-call]
        buckets = list(zip(names, map(float, accumulate(self._counts)), strict=True))
        family = HistogramMetricFamily(self._name, self._text)
        family.add_metric([], buckets, sum_value=self._sum)
        yield family
