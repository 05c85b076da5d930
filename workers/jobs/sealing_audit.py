"""The chore that seals the audit: with a key, or saying that there is none."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog

from workers.core import signing
from workers.core.errors import NotConfigured

if TYPE_CHECKING:
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.jobs.registry import Registry
    from workers.services.auditing import Sealing

KIND = "upkeep.seal_audit"

log = structlog.get_logger(__name__)


def register(registry: Registry, *, sealing: Sealing | None) -> None:
    """Register the chore; without *sealing* its job waits, and says what for."""

    async def run(job: Job, context: Context) -> None:
        if sealing is None:
            log.warning("audit not sealed: no signing key", setting=signing.VARIABLE)
            raise NotConfigured(
                signing.VARIABLE, "is not set, so the audit is not sealed; 'connext audit init'"
            )
        done = await sealing.run(partial(context.acting, job))
        async with context.transaction(job):
            pass
        log.info("audit sealed", epochs=len(done.epochs), anchored=done.anchored)

    registry.add(KIND, run)
