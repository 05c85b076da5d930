"""A worker process with handlers made for tests; everything else is the real thing.

FREEZE_AT names a step of an attempt: the first time it gets there, the whole process stops dead
after saying "frozen", heartbeats and all, until a signal ends it. JUMP_SECONDS moves the wall
clock by that much when a handler begins.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta

import structlog
import uvloop

from workers import main as root
from workers.core.clock import SystemClock
from workers.core.errors import Malformed
from workers.core.settings import WorkerSettings, load
from workers.jobqueue.postgres import PostgresStore
from workers.jobs.registry import Registry

FREEZE_AT = os.environ.get("FREEZE_AT")
JUMP = timedelta(seconds=float(os.environ.get("JUMP_SECONDS", "0")))

log = structlog.get_logger(__name__)


def at(step: str) -> None:
    """Freeze here if this is the step."""
    if step == FREEZE_AT:
        log.info("frozen", step=step)
        signal.pause()


class JumpingClock(SystemClock):
    """The machine's clock until somebody sets it."""

    jumped = timedelta()

    def now(self):
        return super().now() + self.jumped


class FreezingStore(PostgresStore):
    """The real store, with the steps of claiming and recording marked."""

    async def claim(self, batch, *, lease_for):
        jobs = await super().claim(batch, lease_for=lease_for)
        if jobs:
            at("claimed")
        return jobs

    async def succeed(self, jobs):
        at("recording")
        done = await super().succeed(jobs)
        at("recorded")
        return done


async def hold(job, context):
    """Work until nobody holds the advisory lock any more."""
    JumpingClock.jumped = JUMP
    log.info("handler began")
    async with context.database.connection() as connection:
        await connection.execute("select pg_advisory_lock_shared(4711)")
        await connection.execute("select pg_advisory_unlock_shared(4711)")
    log.info("handler ended")


async def note(job, context):
    """Write the job's id down and finish it in the same transaction."""
    at("begun")
    async with context.transaction(job) as connection:
        await connection.execute("insert into public.noted (job) values (%s)", [job.id])
        at("written")
    at("committed")


async def jot(job, context):
    """Write the job's id down, for whatever organization, and let the runner record the end."""
    async with context.database.connection() as connection:
        await connection.execute("insert into public.noted (job) values (%s)", [job.id])


async def note_apart(job, context):
    """Write the job's id down and let the runner record the end."""
    async with context.acting(job) as connection:
        await connection.execute("insert into public.noted (job) values (%s)", [job.id])


async def note_once(job, context):
    """Write the job's id down unless it is there, and let the runner record the end."""
    async with context.acting(job) as connection:
        await connection.execute(
            "insert into public.noted (job) select %(job)s"
            " where not exists (select 1 from public.noted where job = %(job)s)",
            {"job": job.id},
        )
    at("effect kept")


async def hold_then_note(job, context):
    """Hold, then write the job's id down and finish it in the same transaction."""
    await hold(job, context)
    await note(job, context)


async def refuse(job, context):
    """Fail for good."""
    raise Malformed("this job can never work")


async def stumble(job, context):
    """Fail as a bug does."""
    raise RuntimeError("a bug")


async def die(job, context):
    """Take the whole process along."""
    log.info("handler dies")
    os.kill(os.getpid(), signal.SIGKILL)


HANDLERS = (hold, note, jot, note_apart, note_once, hold_then_note, refuse, stumble, die)


def main() -> None:
    registry = Registry()
    for handler in HANDLERS:
        registry.add(f"meta.{handler.__name__}", handler)
    if FREEZE_AT:
        root.PostgresStore = FreezingStore
    if JUMP:
        root.SystemClock = JumpingClock
    settings = load(WorkerSettings)
    root._talk(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(root.work(sys.argv[1:], settings, registry=registry))


if __name__ == "__main__":
    main()
