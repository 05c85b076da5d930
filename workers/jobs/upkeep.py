"""Upkeep: what is ended because its time is over; how often stands in queue.schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from workers.db import calls

if TYPE_CHECKING:
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Handler, Job
    from workers.jobs.registry import Registry

# Each kind and the SQL function that ends what is due and answers how many.
CHORES = {
    "upkeep.purge_events": "queue.purge_events()",
    "upkeep.purge_revocations": "private.purge_revocations()",
    "upkeep.expire_connections": "private.expire_connections()",
    "upkeep.settle_sends": "private.settle_sends()",
    "upkeep.remind": "privacy.remind()",
    "upkeep.sweep_retention": "privacy.sweep_retention()",
    "upkeep.purge_disclosures": "privacy.purge_disclosures()",
    # Ends nothing, but comes round like the others: each channel is compared with Meta once a day.
    "upkeep.enqueue_reconciles": "private.enqueue_reconciles()",
    # Likewise: each customer's billing is compared with Stripe every night.
    "upkeep.enqueue_billing_runs": "private.enqueue_billing_runs()",
    "upkeep.expire_billing_requests": "private.expire_billing_requests()",
    "upkeep.purge_stripe_events": "private.purge_stripe_events()",
    "upkeep.enqueue_telnyx_reconciles": "private.enqueue_telnyx_reconciles()",
    "upkeep.settle_telnyx": "private.settle_telnyx()",
}

log = structlog.get_logger(__name__)


def register(registry: Registry) -> None:
    """Register the upkeep kinds."""
    for kind, function in CHORES.items():
        registry.add(kind, _handler(kind, function))


def _handler(kind: str, function: str) -> Handler:
    async def run(job: Job, context: Context) -> None:
        async with context.transaction(job) as connection:
            ended: int = await calls.value(connection, function)
        log.info("upkeep done", kind=kind, count=ended)

    return run
