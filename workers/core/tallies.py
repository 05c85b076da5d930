"""Counters and histograms for one thread: a count is an addition, the rest is done when asked.

The library's own take a lock for each of several parts of a number. What counts several times a
request or a job, and is asked for once a minute, pays for that each time.
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
        self,
        name: str,
        text: str,
        bounds: Sequence[float],
        labels: Sequence[str] = (),
        *,
        registry: CollectorRegistry,
    ) -> None:
        self._name, self._text, self._labelnames = name, text, labels
        self._bounds = bounds
        self._counts: defaultdict[tuple[str, ...], list[int]] = defaultdict(
            lambda: [0] * (len(bounds) + 1)
        )
        self._sums: defaultdict[tuple[str, ...], float] = defaultdict(float)
        if not labels:
            self._counts[()]  # told from the start, as nothing yet
        registry.register(self)

    def observe(self, amount: float, labels: tuple[str, ...] = ()) -> None:
        """Count *amount* under *labels*, which are in the order of their names."""
        self._counts[labels][bisect_left(self._bounds, amount)] += 1
        self._sums[labels] += amount

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """Tell how many amounts there were up to each bound."""
        names = [floatToGoString(b) for b in (*self._bounds, float("inf"))]  # type: ignore[no-untyped-call]
        family = HistogramMetricFamily(self._name, self._text, labels=self._labelnames)
        for labels, counts in sorted(self._counts.items()):
            buckets = list(zip(names, map(float, accumulate(counts)), strict=True))
            family.add_metric(labels, buckets, sum_value=self._sums[labels])
        yield family
