"""Upkeep: what keeps the tables small; when it runs stands in queue.schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from workers.db import calls

if TYPE_CHECKING:
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.jobs.registry import Registry

PURGE_EVENTS = "upkeep.purge_events"

log = structlog.get_logger(__name__)


def register(registry: Registry) -> None:
    """Register the upkeep kinds."""
    registry.add(PURGE_EVENTS, purge_events)


async def purge_events(job: Job, context: Context) -> None:
    """Delete webhook events that were processed a week ago, and finish with that."""
    async with context.transaction(job) as connection:
        purged: int = await calls.value(connection, "queue.purge_events()")
    log.info("webhook events purged", count=purged)
