"""End a connection at Telnyx: webhooks and our things first, then the key is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from workers.core.errors import Permanent, Reauthorize, Transient
from workers.services import tokens
from workers.services.acting import org_of
from workers.services.telnyx import accounts, connecting, numbers
from workers.services.telnyx.calling import CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from uuid import UUID

    from psycopg import AsyncConnection
    from pydantic import SecretStr

    from workers.core.clock import Clock
    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.telnyx.client import TelnyxClient
    from workers.services.telnyx.accounts import Account
    from workers.services.telnyx.numbers import Number

log = structlog.get_logger(__name__)


class Revoking:
    """Takes connections back at Telnyx."""

    def __init__(self, *, client: TelnyxClient, opener: Opener, clock: Clock) -> None:
        self._client = client
        self._opener = opener
        self._clock = clock

    async def revoke(self, job: Job, context: Context, *, integration_id: UUID) -> None:
        """Use the key once more, to take down what we made; a dead key has nothing to end."""
        owner = tokens.Owner(org_of(job), integration_id)
        async with context.acting(job) as connection:
            found = await tokens.to_revoke(connection, owner, now=self._clock.now())
            account = await accounts.find(connection, owner)
            known = await numbers.find(connection, owner)
            credentials = await _credentials(connection, owner)
        try:
            for token in found:
                if account is not None and token.kind == accounts.API_KEY:
                    try:
                        key = token.open(self._opener, note=context.noting(job))
                    finally:
                        await context.write_notes(job)
                    await self._try(job, key, account, known, credentials)
        except Transient:
            if job.attempt < job.max_attempts:
                raise
            log.warning("not everything was taken down", job=job.id)
        finally:
            self._opener.wipe(integration_id)
        async with context.transaction(job) as connection:
            await tokens.forget_revoked(connection, owner, [token.id for token in found])
            await connection.execute(
                "delete from private.telnyx_accounts where org_id = %s and integration_id = %s",
                (owner.org, owner.integration),
            )
        log.info("revoked", job=job.id, count=len(found))

    async def _try(
        self,
        job: Job,
        key: SecretStr,
        account: Account,
        known: list[Number],
        credentials: list[str],
    ) -> None:
        try:
            for credential in credentials:
                await self._quietly(job, self._client.remove(key, CREDENTIALS, credential))
            await self._take_down(job, key, account, known)
        except (Permanent, Reauthorize) as error:
            log.info("the key had ended already", job=job.id, reason=type(error).__name__)

    async def _take_down(
        self, job: Job, key: SecretStr, account: Account, known: list[Number]
    ) -> None:
        """Give the numbers back, then remove what sends webhooks and what signs browsers in."""
        before = {number.number: number for number in known}
        ours = {account.messaging_profile_id, account.voice_app_id} - {None}
        # What Telnyx says decides: a number that is not ours any more is not touched.
        for there in [number async for number in self._client.numbers(key)]:
            if not ours & {there.messaging_profile_id, there.connection_id}:
                continue
            old = before.get(there.phone_number)
            await self._quietly(
                job,
                self._client.assign(
                    key,
                    there.id,
                    profile=old.previous_profile_id if old else None,
                    connection=old.previous_connection_id if old else None,
                ),
            )
        things = (
            (connecting.PROFILES, account.messaging_profile_id),
            (connecting.APPS, account.voice_app_id),
            (connecting.CONNECTIONS, account.credential_connection_id),
            (connecting.VOICE_PROFILES, account.voice_profile_id),
        )
        for kind, identity in things:
            if identity is not None:
                await self._quietly(job, self._client.remove(key, kind, identity))

    async def _quietly(self, job: Job, call: Coroutine[Any, Any, None]) -> None:
        """Go on where there is nothing left to take down."""
        try:
            await call
        except (Permanent, Reauthorize) as error:
            log.info("was taken down already", job=job.id, reason=type(error).__name__)


async def _credentials(connection: AsyncConnection, owner: tokens.Owner) -> list[str]:
    """List the credentials that browsers were given."""
    cursor = await connection.execute(
        """
        select external_id from public.calling_tokens
        where org_id = %s and integration_id = %s and external_id is not null
        """,
        (owner.org, owner.integration),
    )
    return [row[0] for row in await cursor.fetchall()]
