"""Use, once, the tokens that a disconnect took out of use: to end the connection at Meta."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from workers.core.errors import Permanent, Reauthorize, Transient
from workers.services import tokens
from workers.services.acting import org_of

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import AsyncConnection

    from workers.core.clock import Clock
    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.meta.client import GraphClient
    from workers.services.tokens import SealedToken

MYSELF = "me"  # where the person's id was not known yet, the token itself names them

log = structlog.get_logger(__name__)


class Revocation:
    """Takes connections back at Meta."""

    def __init__(self, *, graph: GraphClient, opener: Opener, clock: Clock) -> None:
        self._graph = graph
        self._opener = opener
        self._clock = clock

    async def revoke(self, job: Job, context: Context, *, integration_id: UUID) -> None:
        """Unsubscribe each page, then take back the permissions; forget each token used."""
        owner = tokens.Owner(org_of(job), integration_id)
        async with context.acting(job) as connection:
            found = await tokens.to_revoke(connection, owner, now=self._clock.now())
            in_use = await _in_use_again(connection, owner)
            in_use |= await _in_use_elsewhere(connection, [token.subject for token in found])
        done: list[UUID] = []
        try:
            for token in found:
                if token.subject not in in_use:
                    await self._use(job, context, token)
                done.append(token.id)
        except Transient:
            # What has been revoked is forgotten now; the rest has until its ten minutes are over.
            async with context.acting(job) as connection:
                await tokens.forget_revoked(connection, owner, done)
            raise
        finally:
            self._opener.wipe(integration_id)
        async with context.transaction(job) as connection:
            await tokens.forget_revoked(connection, owner, done)
        log.info("revoked", job=job.id, count=len(done))

    async def _use(self, job: Job, context: Context, token: SealedToken) -> None:
        """Revoke with one token. A refusal for good means that there is nothing left to revoke."""
        try:
            try:
                secret = token.open(self._opener, note=context.noting(job))
            finally:
                await context.write_notes(job)
            if token.kind == tokens.PAGE_TOKEN:
                await self._graph.unsubscribe(token.subject, token=secret)
            elif token.kind == tokens.USER_TOKEN:
                await self._graph.revoke_permissions(token.subject or MYSELF, token=secret)
        except Reauthorize:
            log.info("was revoked already", job=job.id, kind=token.kind)
        except Permanent as error:
            log.warning("could not be revoked", job=job.id, kind=token.kind, error=str(error))


async def _in_use_again(connection: AsyncConnection, owner: tokens.Owner) -> set[str]:
    """List pages and persons that this organization has connected anew since.

    Ending those at Meta would end the new connection, which has its own tokens.
    """
    cursor = await connection.execute(
        """
        select c.external_id
        from public.channels as c
        where c.org_id = %(org)s and c.provider = 'meta' and c.status = 'active'
        union
        select i.external_account_id
        from public.integrations as i
        where
            i.org_id = %(org)s and i.provider = 'meta' and i.id <> %(integration)s
            and i.status <> 'disconnected' and i.external_account_id is not null
        """,
        {"org": owner.org, "integration": owner.integration},
    )
    return {row[0] for row in await cursor.fetchall()}


async def _in_use_elsewhere(connection: AsyncConnection, subjects: list[str]) -> set[str]:
    """List those that another organization has connected: theirs must live on."""
    cursor = await connection.execute(
        "select s from unnest(%s::text[]) as s where private.in_use_elsewhere(s)", (subjects,)
    )
    return {row[0] for row in await cursor.fetchall()}
