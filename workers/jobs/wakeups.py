"""How a worker hears of new jobs before its next poll; the poll goes on whatever is chosen here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog

from workers.core.clock import SystemClock
from workers.core.settings import RealtimeSettings, load
from workers.db.listen import notifications

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from workers.core.metrics import Metrics
    from workers.core.settings import WorkerSettings
    from workers.db.pool import Database
    from workers.jobqueue.store import Store

    Wakeups = Callable[[], AsyncIterator[str]]

log = structlog.get_logger(__name__)


def chosen(
    settings: WorkerSettings, store: Store, control: Database, metrics: Metrics
) -> Wakeups | None:
    """Return what wakes the runner of *store*'s queue, or None when polling is all there is."""
    way: str = settings.wake_by
    if way == "auto":
        # LISTEN needs a session that lasts; Realtime an account to sign in with.
        pooled = "realtime" if settings.realtime_email else "poll"
        way = "listen" if control.keeps_sessions else pooled
    log.info("worker hears of jobs", queue=store.queue, by=way)
    if way == "listen":
        return partial(
            notifications,
            control.dsn,
            [f"queue_{store.queue}"],
            application_name=control.application_name,
        )
    if way == "realtime":
        return partial(_hints, load(RealtimeSettings), store, metrics)
    return None


async def _hints(settings: RealtimeSettings, store: Store, metrics: Metrics) -> AsyncIterator[str]:
    """Hear the hints of a queue, with an HTTP client and a session of its own."""
    # Half a second of imports that only these workers need.
    from workers.providers import http  # noqa: PLC0415
    from workers.providers.realtime.hints import Hints  # noqa: PLC0415
    from workers.providers.realtime.session import Session  # noqa: PLC0415

    async with http.client() as client:
        session = Session(client, settings, clock=SystemClock())
        async for hint in Hints(
            session,
            settings,
            queue=store.queue,
            call=store.call_out,
            hearing=lambda hearing: metrics.hears(store.queue, hearing=hearing),
        ):
            yield hint
