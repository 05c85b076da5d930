"""Enqueueing inside somebody else's transaction: the job exists if that commits."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, LiteralString

from psycopg.types.json import Jsonb

from workers.db import calls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import AsyncConnection

    from workers.jobqueue.job import NewJob

ONE: LiteralString = (
    "queue.enqueue(text, text, uuid, jsonb, text, text, smallint, timestamptz, smallint)"
)


async def enqueue(connection: AsyncConnection, queue: str, job: NewJob) -> int | None:
    """Add a job; return its id, or None when its dedupe key is already in the queue."""
    made: int | None = await calls.value(
        connection,
        ONE,
        queue,
        job.kind,
        job.org_id,
        Jsonb(job.payload or {}),
        job.ordering_key,
        job.dedupe_key,
        job.priority,
        job.run_at,
        job.max_attempts,
    )
    return made


async def enqueue_many(connection: AsyncConnection, queue: str, jobs: Sequence[NewJob]) -> int:
    """Add jobs in one statement; return how many were new."""
    listed = [
        {name: _plain(value) for name, value in asdict(job).items() if value is not None}
        for job in jobs
    ]
    made: int = await calls.value(
        connection, "queue.enqueue_many(text, jsonb)", queue, Jsonb(listed)
    )
    return made


def _plain(value: object) -> object:
    """Return what JSON can hold: ids and times become text, which Postgres reads back."""
    return value if isinstance(value, (str, int, dict)) else str(value)
