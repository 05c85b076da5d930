"""What a handler gets besides its job: transactions that act for the job's organization."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog
from psycopg.types.json import Jsonb

from workers.core.errors import ConnextError, LeaseLost
from workers.db import calls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from psycopg import AsyncConnection

    from workers.db.pool import Database
    from workers.jobqueue.job import Job, Note

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Event:
    kind: str
    details: dict[str, str]


class Context:
    """Opens a job's transactions; policies show it that organization's rows and no others.

    *settled* holds the claims that finished in their own transaction: they need no recording.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.settled: set[tuple[int, UUID]] = set()
        self._noted: dict[tuple[int, UUID], list[_Event]] = {}

    def noting(self, job: Job) -> Note:
        """Return what notes events for the audit: a kind, and details that are references.

        They are written at the end of the transaction under way, else of the job's next one;
        one that is rolled back does not take them along, because what was seen was seen.
        """
        return partial(self._note, job)

    def _note(self, job: Job, kind: str, details: dict[str, str]) -> None:
        self._noted.setdefault((job.id, job.lease), []).append(_Event(kind, details))

    async def write_notes(self, job: Job) -> None:
        """Write what was noted outside a transaction."""
        if (job.id, job.lease) in self._noted:
            async with self._entered(job):
                pass

    @asynccontextmanager
    async def acting(self, job: Job) -> AsyncIterator[AsyncConnection]:
        """Open a transaction for the job's organization; the job goes on afterwards.

        For handlers with effects outside: keep it short, and call nobody from inside.
        """
        async with self._entered(job) as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self, job: Job) -> AsyncIterator[AsyncConnection]:
        """Open the transaction that both does the job and finishes it: exactly once.

        For handlers whose effects are only in the database, as their last act.
        """
        async with self._entered(job, finish=True) as connection:
            yield connection
        self.settled.add((job.id, job.lease))

    @asynccontextmanager
    async def _entered(self, job: Job, *, finish: bool = False) -> AsyncIterator[AsyncConnection]:
        key = (job.id, job.lease)
        try:
            async with self.database.transaction() as connection:
                await _enter(connection, job)
                yield connection
                await self._write(connection, job)
                if finish:
                    await _succeed(connection, job)
        except Exception:
            await self._rescue(job)
            raise
        finally:
            self._noted.pop(key, None)

    async def _write(self, connection: AsyncConnection, job: Job) -> None:
        for event in self._noted.get((job.id, job.lease), ()):
            await calls.value(
                connection, "audit.record(text, jsonb)", event.kind, Jsonb(event.details)
            )

    async def _rescue(self, job: Job) -> None:
        """Write notes whose transaction was rolled back; without the lease nobody can."""
        if (job.id, job.lease) not in self._noted:
            return
        try:
            async with self.database.transaction() as connection:
                await _enter(connection, job)
                await self._write(connection, job)
        except ConnextError as error:
            kinds = [event.kind for event in self._noted[(job.id, job.lease)]]
            log.warning("audit events not written", job=job.id, kinds=kinds, error=str(error))


async def _enter(connection: AsyncConnection, job: Job) -> None:
    await calls.value(connection, "queue.enter(text, bigint, uuid)", job.queue, job.id, job.lease)


async def _succeed(connection: AsyncConnection, job: Job) -> None:
    done = await calls.values(
        connection, "queue.succeed(text, bigint[], uuid[])", job.queue, [job.id], [job.lease]
    )
    if done != [job.id]:
        raise LeaseLost(f"the lease of job {job.id} was lost before it could finish")
