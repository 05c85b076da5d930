"""What a handler gets besides its job: transactions that act for the job's organization."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from workers.core.errors import LeaseLost
from workers.db import calls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from psycopg import AsyncConnection

    from workers.db.pool import Database
    from workers.jobqueue.job import Job


class Context:
    """Opens a job's transactions; policies show it that organization's rows and no others.

    *settled* holds the claims that finished in their own transaction: they need no recording.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.settled: set[tuple[int, UUID]] = set()

    @asynccontextmanager
    async def acting(self, job: Job) -> AsyncIterator[AsyncConnection]:
        """Open a transaction for the job's organization; the job goes on afterwards.

        For handlers with effects outside: keep it short, and call nobody from inside.
        """
        async with self.database.transaction() as connection:
            await calls.value(
                connection, "queue.enter(text, bigint, uuid)", job.queue, job.id, job.lease
            )
            yield connection

    @asynccontextmanager
    async def transaction(self, job: Job) -> AsyncIterator[AsyncConnection]:
        """Open the transaction that both does the job and finishes it: exactly once.

        For handlers whose effects are only in the database, as their last act.
        """
        async with self.acting(job) as connection:
            yield connection
            done = await calls.values(
                connection,
                "queue.succeed(text, bigint[], uuid[])",
                job.queue,
                [job.id],
                [job.lease],
            )
            if done != [job.id]:
                raise LeaseLost(f"the lease of job {job.id} was lost before it could finish")
        self.settled.add((job.id, job.lease))
