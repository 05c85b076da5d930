"""Upkeep: what is deleted because its time is over, without anybody asking for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from workers.db import calls
from workers.jobqueue.schedule import Periodic

if TYPE_CHECKING:
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Handler, Job
    from workers.jobs.registry import Registry

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Purge:
    """A SQL function that ends what is due and answers how many, and how often it runs."""

    kind: str
    function: str
    every: timedelta


PURGES = (
    Purge("upkeep.purge_events", "queue.purge_events()", timedelta(hours=1)),
    # Tokens taken out of use live ten minutes: looking every minute keeps that promise.
    Purge("upkeep.purge_revocations", "private.purge_revocations()", timedelta(minutes=1)),
    # An authorization code is good for minutes; one that is left means that connecting failed.
    Purge("upkeep.expire_connections", "private.expire_connections()", timedelta(minutes=1)),
    Purge("upkeep.settle_sends", "private.settle_sends()", timedelta(minutes=1)),
)
PERIODIC = tuple(Periodic(purge.kind, every=purge.every) for purge in PURGES)


def register(registry: Registry) -> None:
    """Register the upkeep kinds."""
    for purge in PURGES:
        registry.add(purge.kind, _handler(purge))


def _handler(purge: Purge) -> Handler:
    async def run(job: Job, context: Context) -> None:
        async with context.transaction(job) as connection:
            purged: int = await calls.value(connection, purge.function)
        log.info("purged", kind=purge.kind, count=purged)

    return run
