"""What watches over a runner's jobs: heartbeats, deadlines, and the sweep of expired leases."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from workers.core.errors import LeaseLost, Transient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from workers.core.clock import Clock
    from workers.jobqueue.job import Job
    from workers.jobqueue.lane import Lane
    from workers.jobqueue.lease import Leases
    from workers.jobqueue.store import Store

BEATS_PER_LEASE = 3
LOOKS_PER_LEASE = 50
LONGEST_LOOK = 1.0
SWEEP_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Watch:
    """Three endless tasks; a database that is away is waited for, not died of."""

    def __init__(  # noqa: PLR0913 (each is a thing to watch or to watch with)
        self,
        store: Store,
        *,
        lanes: Sequence[Lane],
        leases: Leases,
        attempt_within: timedelta,
        lease_for: timedelta,
        jitter: Callable[[], float],
        clock: Clock,
    ) -> None:
        self._store = store
        self._lanes = lanes
        self._leases = leases
        self._attempt_within = attempt_within
        self._lease_seconds = lease_for.total_seconds()
        self._jitter = jitter
        self._clock = clock

    async def beat(self) -> None:
        """Prolong the leases of everything in hand, and stop what was lost."""
        pause = self._lease_seconds / BEATS_PER_LEASE
        while True:
            await asyncio.sleep(pause)
            try:
                self._stop(await self._leases.beat(), "was taken over")
            except Transient as error:
                log.warning("heartbeat failed", queue=self._store.queue, problem=str(error))
                pause = self._lease_seconds / BEATS_PER_LEASE / 4
            else:
                pause = self._lease_seconds / BEATS_PER_LEASE

    async def watch(self) -> None:
        """Stop attempts that take too long, and those whose lease ran out unprolonged."""
        while True:
            await asyncio.sleep(min(LONGEST_LOOK, self._lease_seconds / LOOKS_PER_LEASE))
            self.look()

    def look(self) -> None:
        """Look at every lane once."""
        limit = self._attempt_within.total_seconds()
        latest = self._clock.monotonic() - limit
        for lane in self._lanes:
            if lane.job is not None and lane.started < latest:
                lane.stop(Transient(f"the attempt took longer than {limit:g} s"))
        self._stop(self._leases.expired(), "ran out while the database was away")

    async def sweep(self) -> None:
        """Free the jobs of workers that vanished, at moments that differ between workers."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS * (0.5 + self._jitter()))
            try:
                swept = await self._store.sweep()
            except Transient as error:
                log.warning("sweep failed", queue=self._store.queue, problem=str(error))
                continue
            if swept:
                log.warning("expired leases swept", queue=self._store.queue, count=swept)

    def _stop(self, lost: Sequence[Job], why: str) -> None:
        """End the attempts at jobs that are no longer ours."""
        claims = {(job.id, job.lease) for job in lost}
        for lane in self._lanes:
            if lane.job is not None and (lane.job.id, lane.job.lease) in claims:
                lane.stop(LeaseLost(f"the lease of job {lane.job.id} {why}"))
