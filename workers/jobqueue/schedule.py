"""Jobs that come round: enqueued once per period, whoever is first."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from workers.core.errors import Transient
from workers.jobqueue.job import NewJob

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from workers.core.clock import Clock
    from workers.jobqueue.store import Store

LONGEST_PAUSE = 60.0
LOW_PRIORITY = 9

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Periodic:
    """A kind of job that is due once in every period, counted from 1970 in UTC."""

    kind: str
    every: timedelta

    def period(self, now: datetime) -> int:
        """Return the number of the period that *now* is in."""
        return int(now.timestamp() // self.every.total_seconds())


class Scheduler:
    """Enqueues periodic jobs; their dedupe key keeps two workers from doing it twice."""

    def __init__(self, store: Store, periodic: Sequence[Periodic], *, clock: Clock) -> None:
        self._store = store
        self._periodic = periodic
        self._clock = clock
        self._done: dict[str, int] = {}

    async def run(self) -> None:
        """Enqueue what is due, forever; a missed moment is made up for at the next look."""
        while True:
            try:
                await self.enqueue_due()
            except Transient as error:
                log.warning("schedule waits for the database", problem=str(error))
            await asyncio.sleep(self._pause())

    async def enqueue_due(self) -> None:
        """Enqueue every periodic job whose period has not been served by this process."""
        for periodic in self._periodic:
            period = periodic.period(self._clock.now())
            if self._done.get(periodic.kind) == period:
                continue
            job = NewJob(
                kind=periodic.kind, dedupe_key=f"{periodic.kind}:{period}", priority=LOW_PRIORITY
            )
            await self._store.enqueue(job)
            self._done[periodic.kind] = period

    def _pause(self) -> float:
        """Sleep a quarter of the shortest period, a minute at most."""
        shortest = min((p.every.total_seconds() for p in self._periodic), default=LONGEST_PAUSE)
        return min(LONGEST_PAUSE, shortest / 4)
