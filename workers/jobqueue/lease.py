"""The leases a worker holds: prolonged together while their jobs are in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from workers.core.clock import Clock
    from workers.jobqueue.job import Job
    from workers.jobqueue.store import Store


class Leases:
    """Knows every claimed job until its outcome is recorded."""

    def __init__(self, store: Store, *, lease_for: timedelta, clock: Clock) -> None:
        self._store = store
        self._lease_for = lease_for
        self._seconds = lease_for.total_seconds()
        self._clock = clock
        self._held: dict[int, tuple[Job, float]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, jobs: Iterable[Job], *, since: float) -> None:
        """Take responsibility for jobs claimed at *since*, a monotonic time before the call."""
        until = since + self._seconds
        for job in jobs:
            self._held[job.id] = (job, until)

    def holds(self, job: Job) -> bool:
        """Say whether this very claim is still ours, as far as we know."""
        held = self._held.get(job.id)
        return held is not None and (held[0] is job or held[0].lease == job.lease)

    def release(self, job: Job) -> None:
        """Forget a claim; another claim of the same job stays."""
        self.release_all((job,))

    def release_all(self, jobs: Iterable[Job]) -> None:
        """Forget many claims."""
        for job in jobs:
            held = self._held.get(job.id)
            if held is not None and (held[0] is job or held[0].lease == job.lease):
                del self._held[job.id]

    def jobs(self) -> list[Job]:
        """List the jobs in hand."""
        return [job for job, _ in self._held.values()]

    async def beat(self) -> list[Job]:
        """Prolong every lease in one call; release and return those that were lost."""
        jobs = self.jobs()
        if not jobs:
            return []
        since = self._clock.monotonic()
        kept = await self._store.extend(jobs, lease_for=self._lease_for)
        # Some were recorded while the call was under way: those are not lost.
        lost = [job for job in jobs if job.id not in kept and self.holds(job)]
        self.hold((job for job in jobs if job.id in kept and self.holds(job)), since=since)
        for job in lost:
            self.release(job)
        return lost

    def expired(self) -> list[Job]:
        """Release and return the claims that ran out because no heartbeat got through."""
        now = self._clock.monotonic()
        gone = [job for job, until in self._held.values() if until <= now]
        for job in gone:
            self.release(job)
        return gone
