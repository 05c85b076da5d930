"""Upkeep: what keeps the tables small without anybody asking for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from workers.db import calls
from workers.jobqueue.schedule import Periodic

if TYPE_CHECKING:
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.jobs.registry import Registry

PURGE_EVENTS = "upkeep.purge_events"

PERIODIC = (Periodic(PURGE_EVENTS, every=timedelta(hours=1)),)

log = structlog.get_logger(__name__)


def register(registry: Registry) -> None:
    """Register the upkeep kinds."""
    registry.add(PURGE_EVENTS, purge_events)


async def purge_events(job: Job, context: Context) -> None:
    """Delete webhook events that were processed a week ago, and finish with that."""
    async with context.transaction(job) as connection:
        purged: int = await calls.value(connection, "queue.purge_events()")
    log.info("webhook events purged", count=purged)
