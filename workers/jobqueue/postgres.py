"""The store over the queue.* functions."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from workers.db import calls
from workers.jobqueue.enqueue import enqueue
from workers.jobqueue.job import Job
from workers.jobqueue.store import Depth

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta
    from uuid import UUID

    from workers.core.pausing import Pause
    from workers.db.pool import Database
    from workers.jobqueue.job import NewJob

DEPTH = tuple(field.name for field in fields(Depth))


class PostgresStore:
    """One queue of one database; the login's role decides which queues it may be."""

    def __init__(self, database: Database, queue: str) -> None:
        self._database = database
        self.queue = queue

    async def claim(self, batch: int, *, lease_for: timedelta) -> list[Job]:
        """Lease up to *batch* due jobs."""
        async with self._database.connection() as connection:
            return await calls.tuples(
                connection,
                "queue.claim(text, integer, interval)",
                self.queue,
                batch,
                lease_for,
                make=Job,
            )

    async def extend(self, jobs: Sequence[Job], *, lease_for: timedelta) -> set[int]:
        """Prolong leases; return the ids of those still held."""
        async with self._database.connection() as connection:
            return set(
                await calls.array(
                    connection,
                    "queue.extend(text, bigint[], uuid[], interval)",
                    self.queue,
                    *_claims(jobs),
                    lease_for,
                )
            )

    async def succeed(self, jobs: Sequence[Job]) -> set[int]:
        """Finish jobs; return the ids of those whose lease was still held."""
        async with self._database.connection() as connection:
            return set(
                await calls.array(
                    connection,
                    "queue.succeed(text, bigint[], uuid[])",
                    self.queue,
                    *_claims(jobs),
                )
            )

    async def retry(
        self, job: Job, *, delay: timedelta, reason: str, give_back: bool = False
    ) -> bool:
        """Make a job due after *delay*; giving it back does not count the attempt."""
        async with self._database.connection() as connection:
            held: bool = await calls.value(
                connection,
                "queue.retry(text, bigint, uuid, interval, text, boolean)",
                self.queue,
                job.id,
                job.lease,
                delay,
                reason,
                give_back,
            )
            return held

    async def bury(self, job: Job, *, reason: str) -> bool:
        """Move a job to the dead ones."""
        async with self._database.connection() as connection:
            held: bool = await calls.value(
                connection,
                "queue.bury(text, bigint, uuid, text)",
                self.queue,
                job.id,
                job.lease,
                reason,
            )
            return held

    async def pause(self, org_id: UUID | None, pause: Pause) -> int:
        """Hold the jobs of an organization, or of all; return how many organizations."""
        async with self._database.connection() as connection:
            held: int = await calls.value(
                connection,
                "queue.pause(text, uuid, interval, text)",
                self.queue,
                org_id,
                pause.length,
                pause.reason,
            )
            return held

    async def sweep(self) -> int:
        """Free jobs whose lease expired; return how many."""
        async with self._database.connection() as connection:
            swept: int = await calls.value(connection, "queue.sweep(text)", self.queue)
            return swept

    async def tick(self) -> int:
        """Enqueue what the schedule says is due; return how many jobs that made."""
        async with self._database.connection() as connection:
            made: int = await calls.value(connection, "queue.tick(text)", self.queue)
            return made

    async def call_out(self) -> bool:
        """Send a hint without a job; False when nobody may listen to this queue's hints."""
        async with self._database.connection() as connection:
            sent: bool = await calls.value(connection, "queue.call_out(text)", self.queue)
            return sent

    async def stats(self) -> list[Depth]:
        """Count the jobs of every queue, by kind."""
        async with self._database.connection() as connection:
            return await calls.rows(connection, "queue.stats()", columns=DEPTH, make=Depth)

    async def enqueue(self, job: NewJob) -> int | None:
        """Add a job; None when its dedupe key is already in the queue."""
        async with self._database.connection() as connection:
            return await enqueue(connection, self.queue, job)


def _claims(jobs: Sequence[Job]) -> tuple[str, str]:
    """Write the ids and the leases of *jobs* as two arrays."""
    # Most came in the same claim: each lease is written out once.
    written: dict[int, str] = {}
    leases = []
    for job in jobs:
        number = job.lease.int
        text = written.get(number)
        if text is None:
            text = written[number] = job.lease.hex
        leases.append(text)
    return calls.listed([job.id for job in jobs]), calls.listed(leases)
