"""Handlers that note how long their jobs had to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workers.core.clock import Clock
    from workers.core.metrics import Metrics
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Handler, Job


def timed(
    handlers: Mapping[str, Handler], *, metrics: Metrics, clock: Clock
) -> Mapping[str, Handler]:
    """Wrap every handler, so that a start is measured from when the job was due."""
    return {
        kind: _timed(handler, metrics=metrics, clock=clock) for kind, handler in handlers.items()
    }


def _timed(handler: Handler, *, metrics: Metrics, clock: Clock) -> Handler:
    async def run(job: Job, context: Context) -> None:
        metrics.waited(job.queue, job.kind, clock.now() - max(job.run_at, job.created_at))
        await handler(job, context)

    return run
