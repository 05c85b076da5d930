"""How full the queues are, refreshed now and then: counting is not free."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from workers.core.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Collection

    from workers.core.metrics import Metrics
    from workers.jobqueue.store import Store

EVERY = timedelta(seconds=15)

log = structlog.get_logger(__name__)


async def observe(
    store: Store, *, queues: Collection[str], metrics: Metrics, every: timedelta = EVERY
) -> None:
    """Keep the gauges of *queues* up to date, forever."""
    while True:
        try:
            await refresh(store, queues=queues, metrics=metrics)
        except Transient as error:
            log.warning("queue depth unknown", problem=str(error))
        await asyncio.sleep(every.total_seconds())


async def refresh(store: Store, *, queues: Collection[str], metrics: Metrics) -> None:
    """Read the counts once."""
    counts = [depth for depth in await store.stats() if depth.queue in queues]
    metrics.forget_depth()
    metrics.lag = timedelta(seconds=max((d.oldest_ready_seconds or 0 for d in counts), default=0))
    for depth in counts:
        for state, count in (
            ("ready", depth.ready),
            ("running", depth.running),
            ("dead", depth.dead),
            ("waiting", depth.waiting),
            ("blocked", depth.blocked),
            ("parked", depth.parked),
        ):
            metrics.depth(depth.queue, depth.kind, state=state, count=count)
        age = timedelta(seconds=max(depth.oldest_ready_seconds or 0, 0))
        metrics.oldest(depth.queue, depth.kind, age=age)
