"""Jobs that come round: enqueued by whoever looks first; what and when stands in the database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from workers.core.errors import Transient

if TYPE_CHECKING:
    from workers.jobqueue.store import Store

EVERY = timedelta(seconds=15)

log = structlog.get_logger(__name__)


async def keep_time(store: Store, *, every: timedelta = EVERY) -> None:
    """Enqueue what is due, forever; a missed moment is made up for at the next look."""
    while True:
        try:
            made = await store.tick()
        except Transient as error:
            log.warning("schedule waits for the database", queue=store.queue, problem=str(error))
        else:
            if made:
                log.info("scheduled jobs enqueued", queue=store.queue, count=made)
        await asyncio.sleep(every.total_seconds())
