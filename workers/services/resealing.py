"""Seal an organization's tokens to the key that is active now: what a key rotation asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from workers.core.errors import Refused, SealBroken
from workers.services import tokens
from workers.services.acting import org_of

if TYPE_CHECKING:
    from uuid import UUID

    from workers.core.clock import Clock
    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job

AT_ONCE: Final = 20  # opening takes milliseconds of processor time each: transactions stay short
DISCONNECTED: Final = "CX011"

log = structlog.get_logger(__name__)


class Resealing:
    """Moves tokens from one sealing key to another, beside everything else that happens."""

    def __init__(self, *, opener: Opener, clock: Clock) -> None:
        self._opener = opener
        self._clock = clock

    async def reseal(self, job: Job, context: Context) -> None:
        """Re-seal until nothing is sealed otherwise; what cannot be opened is passed over.

        Each token is swapped only against the bytes that were read, so that a connection made,
        renewed or ended meanwhile wins. Doing it again does nothing.
        """
        done = 0
        broken: dict[UUID, SealBroken] = {}
        try:
            while swapped := await self._some(job, context, broken):
                done += swapped
        except Refused as refused:
            if refused.sqlstate != DISCONNECTED:
                raise
            log.info("nothing to re-seal: disconnected", job=job.id)
        log.info("re-sealed", job=job.id, count=done)
        for problem in broken.values():
            raise problem

    async def _some(self, job: Job, context: Context, broken: dict[UUID, SealBroken]) -> int:
        """Re-seal a few tokens in one transaction; count what was looked at and opened."""
        opened: list[tuple[tokens.SealedToken, bytes]] = []
        async with context.acting(job) as connection:
            sealer = await tokens.sealer(connection, self._clock)
            found = await tokens.sealed_otherwise(
                connection, org_of(job), key_id=sealer.key_id, most=AT_ONCE, passing=broken
            )
            for token in found:
                try:
                    secret = token.open(self._opener, note=context.noting(job))
                except SealBroken as problem:
                    log.warning("cannot be re-sealed", job=job.id, error=str(problem))
                    broken[token.id] = problem
                    continue
                sealed = sealer.seal(
                    secret, org=token.org_id, integration=token.integration_id, kind=token.kind
                )
                opened.append((token, sealed))
            for token, sealed in opened:
                await tokens.swap(connection, token, key_id=sealer.key_id, sealed=sealed)
        return len(found)
