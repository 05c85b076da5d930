"""A worker process with handlers made for tests; everything else is the real thing."""

from __future__ import annotations

import asyncio
import sys

import structlog
import uvloop

from workers.core.settings import WorkerSettings, load
from workers.jobs.registry import Registry
from workers.main import _talk, work

log = structlog.get_logger(__name__)


async def hold(job, context):
    """Work until nobody holds the advisory lock any more."""
    log.info("handler began")
    async with context.database.connection() as connection:
        await connection.execute("select pg_advisory_lock_shared(4711)")
        await connection.execute("select pg_advisory_unlock_shared(4711)")
    log.info("handler ended")


async def note(job, context):
    """Write the job's id down and finish it in the same transaction."""
    async with context.transaction(job) as connection:
        await connection.execute("insert into public.noted (job) values (%s)", [job.id])


async def note_apart(job, context):
    """Write the job's id down and let the runner record the end."""
    async with context.acting(job) as connection:
        await connection.execute("insert into public.noted (job) values (%s)", [job.id])


def main() -> None:
    registry = Registry()
    registry.add("meta.hold", hold)
    registry.add("meta.note", note)
    registry.add("meta.note_apart", note_apart)
    settings = load(WorkerSettings)
    _talk(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work(sys.argv[1:], settings, registry=registry))


if __name__ == "__main__":
    main()
